// The three forms of the report.
#include "engine/app/scan_report.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <map>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;
using rules::secrets::Drop;
using rules::secrets::Hit;
using rules::secrets::Scanner;
using Line = rules::secrets::Stream::Line;

class Text : public ScanReport {
 public:
  void hit(const std::string& file, const Line& line, const Hit& hit) override {
    std::printf("%s:%llu:%zu: %s  %s (%s)  %s%s%s\n", printable(file).c_str(), static_cast<unsigned long long>(line.number), hit.start + 1,
                std::string(name(hit.kind)).c_str(), std::string(hit.description).c_str(), std::string(name(hit.tier)).c_str(), hit.preview.c_str(),
                hit.note.empty() ? "" : "  ", hit.note.c_str());
  }
  void drop(const std::string& file, const Line& line, const Drop& drop) override {
    std::printf("%s:%llu:%zu: dropped  %s: %s\n", printable(file).c_str(), static_cast<unsigned long long>(line.number), drop.start + 1,
                std::string(drop.rule).c_str(), printable(drop.reason).c_str());
  }
};

class Json : public ScanReport {
 public:
  void hit(const std::string& file, const Line& line, const Hit& hit) override {
    json::object out{{"file", to_utf8(file)}, {"line", line.number}, {"start", std::min(hit.start, line.length)},
                     {"end", std::min(hit.end, line.length)}, {"rule", hit.rule}, {"kind", name(hit.kind)}, {"tier", name(hit.tier)},
                     {"preview", hit.preview}, {"fingerprint", hit.fingerprint}};
    out["note"] = hit.note.empty() ? json::value(nullptr) : json::value(hit.note);
    std::printf("%s\n", json::serialize(out).c_str());
  }
  void drop(const std::string& file, const Line& line, const Drop& drop) override {
    const json::object out{{"file", to_utf8(file)}, {"line", line.number}, {"start", std::min(drop.start, line.length)},
                           {"end", std::min(drop.end, line.length)}, {"rule", drop.rule}, {"dropped", to_utf8(drop.reason)}};
    std::printf("%s\n", json::serialize(out).c_str());
  }
  void finish(const Outcome& outcome) override {
    for (const auto& one : outcome.left_out) {
      const bool failed = one.why == NotScanned::Why::kUnreadable;
      if (!failed && !outcome.explain) continue;
      std::printf("%s\n", json::serialize(json::object{{"file", to_utf8(one.path)}, {failed ? "error" : "passed_over", to_utf8(one.reason)}}).c_str());
    }
  }
};

// A path as the reference of a URI (RFC 3986): everything but what may stand in a path is escaped.
std::string as_uri(const std::string& path) {
  std::string out;
  if (path == "-") return "stdin";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escape;
  }
  return path.starts_with("/") ? "file://" + out : out;
}

// Where byte `at` of a text stands, as SARIF counts by default: lines from the first, columns from 1 in UTF-16 code
// units. A byte that is not UTF-8 is one unit, as U+FFFD is, which readers put in its place.
struct Position {
  std::uint64_t line = 0;
  std::uint64_t column = 1;
};
Position position(std::string_view text, std::size_t at) {
  Position out;
  for (std::size_t i = 0; i < std::min(at, text.size());) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > 1 && (i + length > text.size() || !is_utf8(text.substr(i, length)))) length = 1;
    if (lead == '\n') {
      ++out.line;
      out.column = 1;
    } else {
      out.column += length == 4 ? 2 : 1;
    }
    i += length;
  }
  return out;
}

constexpr const char* kSecretHelp =
    "Whoever can read this text can use the secret. Change or revoke it where it is valid, then keep it from being written: log the name of the field, not its "
    "value; pass passwords as parameters, by file or by environment.";
constexpr const char* kPersonalHelp =
    "Whoever can read this text learns a personal number. Find out whom it belongs to and who could read it, then write an internal id in its place.";

// Results are printed as they come; the tool and its rules follow behind them, which JSON does not mind.
class Sarif : public ScanReport {
 public:
  explicit Sarif(const Scanner& scanner) : scanner_(scanner) {
    for (const auto& rule : scanner.rules()) index_.emplace(rule.id, index_.size());
    std::printf("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"columnKind\":\"utf16CodeUnits\",\"results\":[");
  }

  void hit(const std::string& file, const Line& line, const Hit& hit) override {
    json::object out = result(file, line, hit.rule, hit.start, hit.end);
    out["kind"] = "fail";
    out["level"] = hit.tier == rules::secrets::Tier::kPattern ? "warning" : "error";
    out["message"] = json::object{{"text", std::string(hit.description) + ": " + hit.preview + (hit.note.empty() ? "" : " (" + hit.note + ")")}};
    if (!hit.fingerprint.empty()) out["partialFingerprints"] = json::object{{"tocsinSecret/v1", hit.fingerprint}};
    json::object& properties = out["properties"].as_object();
    properties["kind"] = name(hit.kind);
    properties["tier"] = name(hit.tier);
    print(out);
  }
  // What was dropped is no failure, and says why.
  void drop(const std::string& file, const Line& line, const Drop& drop) override {
    json::object out = result(file, line, drop.rule, drop.start, drop.end);
    out["kind"] = "informational";
    out["level"] = "none";
    out["message"] = json::object{{"text", "dropped: " + to_utf8(drop.reason)}};
    out["suppressions"] = json::array{json::object{{"kind", "external"}, {"status", "accepted"}, {"justification", to_utf8(drop.reason)}}};
    print(out);
  }
  void finish(const Outcome& outcome) override {
    json::array rules;
    for (const auto& rule : scanner_.rules()) {
      const std::string_view description = rule.description.empty() ? rule.id : rule.description;
      const bool personal = rule.kind == rules::secrets::Kind::kPersonal;
      rules.push_back(json::object{{"id", rule.id},
                                   {"shortDescription", text(description)},
                                   {"fullDescription", text(std::string(description) + (personal ? " in plain text: personal data." : " in plain text."))},
                                   {"help", text(personal ? kPersonalHelp : kSecretHelp)},
                                   {"defaultConfiguration", json::object{{"level", "warning"}}},
                                   {"properties", json::object{{"kind", name(rule.kind)}, {"file", to_utf8(std::string(rule.file))}}}});
    }
    const json::object tool{{"driver", json::object{{"name", "tocsin"}, {"version", TOCSIN_VERSION}, {"semanticVersion", TOCSIN_VERSION}, {"rules", std::move(rules)}}}};
    json::array left_out, notes;
    bool failed = false;
    for (const auto& one : outcome.left_out) {
      const bool error = one.why == NotScanned::Why::kUnreadable;
      failed = failed || error;
      left_out.push_back(json::object{{"level", error ? "error" : "note"}, {"message", text(to_utf8(one.path + ": " + one.reason))}, {"locations", json::array{place(one.path)}}});
    }
    for (const auto& note : outcome.notes) notes.push_back(json::object{{"level", "note"}, {"message", text(to_utf8(note.where + ": " + note.message))}});
    const json::object invocation{{"executionSuccessful", !failed},
                                  {"exitCode", outcome.exit_status},
                                  {"toolExecutionNotifications", std::move(left_out)},
                                  {"toolConfigurationNotifications", std::move(notes)}};
    std::printf("],\"tool\":%s,\"invocations\":[%s]}]}\n", json::serialize(tool).c_str(), json::serialize(invocation).c_str());
  }

 private:
  static json::object text(std::string_view words) { return json::object{{"text", words}}; }
  static json::object place(const std::string& file) { return json::object{{"physicalLocation", json::object{{"artifactLocation", json::object{{"uri", as_uri(file)}}}}}}; }

  json::object result(const std::string& file, const Line& line, std::string_view rule, std::size_t start, std::size_t end) const {
    json::object out{{"ruleId", rule}};
    if (const auto known = index_.find(rule); known != index_.end()) out["ruleIndex"] = known->second;
    json::object region{{"startLine", line.number}, {"byteOffset", line.offset + start}, {"byteLength", std::max(start, end) - start}};
    // Of a line that came in windows only the bytes are known.
    if (!line.text.empty() && end <= line.text.size()) {
      const Position from = position(line.text, start), to = position(line.text, end);
      region["startLine"] = line.number + from.line;
      region["startColumn"] = from.column;
      region["endLine"] = line.number + to.line;
      region["endColumn"] = to.column;
    }
    out["locations"] = json::array{json::object{
        {"physicalLocation", json::object{{"artifactLocation", json::object{{"uri", as_uri(file)}}}, {"region", region}}}}};
    out["properties"] = json::object{{"start", start}, {"end", end}};
    return out;
  }
  void print(const json::object& out) {
    std::printf("%s%s", any_ ? "," : "", json::serialize(out).c_str());
    any_ = true;
  }

  const Scanner& scanner_;
  std::map<std::string_view, std::size_t> index_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<ScanReport> ScanReport::make(Form form, const Scanner& scanner) {
  switch (form) {
    case Form::kJson: return std::make_unique<Json>();
    case Form::kSarif: return std::make_unique<Sarif>(scanner);
    case Form::kText: break;
  }
  return std::make_unique<Text>();
}

}  // namespace tocsin::engine
