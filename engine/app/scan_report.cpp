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

// Results are printed as they come; the tool and its rules follow behind them, which JSON does not mind.
class Sarif : public ScanReport {
 public:
  explicit Sarif(const Scanner& scanner) : scanner_(scanner) {
    for (const auto& rule : scanner.rules()) index_.emplace(rule.id, index_.size());
    std::printf("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"results\":[");
  }

  void hit(const std::string& file, const Line& line, const Hit& hit) override {
    json::object out = result(file, line, hit.rule, hit.start, hit.end);
    const char* const level = hit.tier == rules::secrets::Tier::kPattern ? "warning" : "error";
    out["level"] = level;
    out["message"] = json::object{{"text", std::string(hit.description) + ": " + hit.preview + (hit.note.empty() ? "" : " (" + hit.note + ")")}};
    if (!hit.fingerprint.empty()) out["partialFingerprints"] = json::object{{"tocsinSecret/v1", hit.fingerprint}};
    json::object& properties = out["properties"].as_object();
    properties["kind"] = name(hit.kind);
    properties["tier"] = name(hit.tier);
    print(out);
  }
  // What was dropped is a suppressed result with its justification.
  void drop(const std::string& file, const Line& line, const Drop& drop) override {
    json::object out = result(file, line, drop.rule, drop.start, drop.end);
    out["level"] = "none";
    out["message"] = json::object{{"text", "dropped: " + to_utf8(drop.reason)}};
    out["suppressions"] = json::array{json::object{{"kind", "external"}, {"justification", to_utf8(drop.reason)}}};
    print(out);
  }
  void finish() override {
    json::array rules;
    for (const auto& rule : scanner_.rules()) {
      rules.push_back(json::object{{"id", rule.id},
                                   {"shortDescription", json::object{{"text", rule.description.empty() ? rule.id : rule.description}}},
                                   {"properties", json::object{{"kind", name(rule.kind)}, {"file", to_utf8(std::string(rule.file))}}}});
    }
    const json::object tool{{"driver", json::object{{"name", "tocsin"}, {"rules", std::move(rules)}}}};
    std::printf("],\"tool\":%s}]}\n", json::serialize(tool).c_str());
  }

 private:
  json::object result(const std::string& file, const Line& line, std::string_view rule, std::size_t start, std::size_t end) const {
    json::object out{{"ruleId", rule}};
    if (const auto known = index_.find(rule); known != index_.end()) out["ruleIndex"] = known->second;
    // Columns would have to be counted in characters; bytes are exact, from the start of the file.
    const json::object region{{"startLine", line.number}, {"byteOffset", line.offset + start}, {"byteLength", end - start}};
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
