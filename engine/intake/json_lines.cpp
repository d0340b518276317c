// JSON of no known shape, read by a mapping. Where the configuration gives none, the names that logs commonly
// use (OCSF, ECS, and plain habit) are tried.
#include <array>
#include <cmath>

#include "engine/intake/factories.hpp"
#include "engine/intake/forwarded.hpp"
#include "engine/intake/json_record.hpp"
#include "engine/intake/zone.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

using rules::Kind;
using rules::Value;

enum class Into : std::uint8_t {
  kTime, kEventId, kPerson, kAccount, kRole, kSession, kVia, kAction, kOperation, kSystem, kStore, kDataset, kObject, kColumns,
  kSubjects, kRows, kBytes, kIp, kPort, kUserAgent, kOutcome, kError, kStatement, kParameters, kForwarded
};

constexpr std::array<std::string_view, 25> kFields = {
    "time", "event_id", "actor.person", "actor.account", "actor.role", "actor.session", "via", "action", "operation",
    "resource.system", "resource.store", "resource.dataset", "resource.object", "resource.columns", "subjects", "rows", "bytes",
    "client.ip", "client.port", "client.user_agent", "outcome", "error", "statement.text", "statement.parameters", "client.forwarded"};

std::optional<Into> into_of(std::string_view name) {
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i] == name) return static_cast<Into>(i);
  }
  // Short forms.
  struct Short { std::string_view name; Into into; };
  for (const Short& s : {Short{"actor", Into::kAccount}, Short{"user", Into::kAccount}, Short{"person", Into::kPerson},
                         Short{"role", Into::kRole}, Short{"session", Into::kSession}, Short{"system", Into::kSystem},
                         Short{"store", Into::kStore}, Short{"dataset", Into::kDataset},
                         Short{"columns", Into::kColumns}, Short{"subject", Into::kSubjects},
                         Short{"ip", Into::kIp}, Short{"application", Into::kVia},
                         Short{"statement", Into::kStatement}}) {
    if (s.name == name) return s.into;
  }
  return std::nullopt;
}

// Tried in order where no mapping is configured; the first that is there is taken.
struct Guess { Into into; std::string_view path; };
constexpr Guess kGuesses[] = {
    {Into::kTime, "time"}, {Into::kTime, "@timestamp"}, {Into::kTime, "timestamp"}, {Into::kTime, "ts"},
    {Into::kTime, "datetime"}, {Into::kTime, "created_at"},
    {Into::kEventId, "event_id"}, {Into::kEventId, "event.id"}, {Into::kEventId, "metadata.uid"},
    {Into::kPerson, "actor.person"}, {Into::kPerson, "actor.user.email_addr"}, {Into::kPerson, "user.email"},
    {Into::kAccount, "actor.account"}, {Into::kAccount, "actor.user.name"}, {Into::kAccount, "actor.user.uid"},
    {Into::kAccount, "actor"}, {Into::kAccount, "user.name"}, {Into::kAccount, "user.id"}, {Into::kAccount, "user"},
    {Into::kAccount, "username"}, {Into::kAccount, "account"},
    {Into::kRole, "actor.role"}, {Into::kRole, "role"},
    {Into::kSession, "actor.session.uid"}, {Into::kSession, "actor.session"}, {Into::kSession, "session"},
    {Into::kSession, "session_id"},
    {Into::kVia, "via"}, {Into::kVia, "actor.app_name"}, {Into::kVia, "service.name"}, {Into::kVia, "application"},
    {Into::kVia, "app"},
    {Into::kAction, "action"}, {Into::kAction, "event.action"}, {Into::kAction, "activity_name"},
    {Into::kAction, "method"},
    {Into::kOperation, "operation"}, {Into::kOperation, "api.operation"},
    {Into::kSystem, "resource.system"}, {Into::kSystem, "system"},
    {Into::kStore, "resource.store"}, {Into::kStore, "database.name"}, {Into::kStore, "databucket.name"},
    {Into::kStore, "store"}, {Into::kStore, "database"},
    {Into::kDataset, "resource.dataset"}, {Into::kDataset, "dataset"}, {Into::kDataset, "table.name"},
    {Into::kDataset, "table"}, {Into::kDataset, "url.path"}, {Into::kDataset, "path"},
    {Into::kObject, "resource.object"}, {Into::kObject, "object.key"}, {Into::kObject, "url.path"}, {Into::kObject, "path"},
    {Into::kColumns, "resource.columns"}, {Into::kColumns, "columns"}, {Into::kColumns, "fields"},
    {Into::kSubjects, "subjects"}, {Into::kSubjects, "subject"}, {Into::kSubjects, "record_ids"},
    {Into::kRows, "rows"}, {Into::kRows, "row_count"}, {Into::kRows, "count"},
    {Into::kBytes, "bytes"}, {Into::kBytes, "http.response.body.bytes"}, {Into::kBytes, "size"},
    {Into::kIp, "client.ip"}, {Into::kIp, "src_endpoint.ip"}, {Into::kIp, "source.ip"}, {Into::kIp, "client_ip"},
    {Into::kIp, "remote_addr"}, {Into::kIp, "remote_ip"}, {Into::kIp, "ip"},
    {Into::kPort, "client.port"}, {Into::kPort, "src_endpoint.port"}, {Into::kPort, "source.port"},
    {Into::kUserAgent, "client.user_agent"}, {Into::kUserAgent, "user_agent.original"}, {Into::kUserAgent, "user_agent"},
    {Into::kOutcome, "outcome"}, {Into::kOutcome, "event.outcome"}, {Into::kOutcome, "status"},
    {Into::kOutcome, "success"},
    {Into::kError, "error"}, {Into::kError, "error.message"},
    {Into::kStatement, "statement.text"}, {Into::kStatement, "statement"}, {Into::kStatement, "query_info.query_string"},
    {Into::kParameters, "statement.parameters"},
};

std::optional<Action> action_from(std::string_view word) {
  struct Word { std::string_view word; Action action; };
  static constexpr Word kWords[] = {
      {"read", Action::kRead}, {"view", Action::kRead}, {"get", Action::kRead}, {"access", Action::kRead},
      {"open", Action::kRead}, {"query", Action::kQuery}, {"search", Action::kQuery}, {"select", Action::kQuery},
      {"list", Action::kList}, {"browse", Action::kList}, {"head", Action::kList}, {"export", Action::kExport},
      {"download", Action::kExport}, {"copy", Action::kExport}, {"share", Action::kShare}, {"publish", Action::kShare},
      {"write", Action::kWrite}, {"create", Action::kWrite}, {"update", Action::kWrite}, {"edit", Action::kWrite},
      {"insert", Action::kWrite}, {"post", Action::kWrite}, {"put", Action::kWrite}, {"patch", Action::kWrite},
      {"upload", Action::kWrite}, {"delete", Action::kDelete}, {"remove", Action::kDelete},
      {"authenticate", Action::kAuthenticate}, {"login", Action::kAuthenticate}, {"logon", Action::kAuthenticate},
      {"signin", Action::kAuthenticate}, {"configure", Action::kConfigure}, {"grant", Action::kConfigure},
  };
  for (const Word& w : kWords) {
    if (iequals(w.word, word)) return w.action;
  }
  return std::nullopt;
}

Outcome outcome_from(const Value& value) {
  if (value.kind() == Kind::kBool) return value.as_bool() ? Outcome::kSuccess : Outcome::kFailure;
  if (const auto n = count_of(value)) {
    if (*n >= 100 && *n < 600) return *n < 400 ? Outcome::kSuccess : Outcome::kFailure;  // an HTTP status
    return Outcome::kUnknown;
  }
  const std::string_view text = text_of(value);
  for (const std::string_view word : {"success", "succeeded", "successful", "ok", "allowed", "granted", "permit"}) {
    if (iequals(text, word)) return Outcome::kSuccess;
  }
  for (const std::string_view word : {"failure", "failed", "fail", "error", "denied", "deny", "forbidden", "refused"}) {
    if (iequals(text, word)) return Outcome::kFailure;
  }
  return Outcome::kUnknown;
}

void texts_into(const Value& value, std::vector<std::string>& out) {
  if (value.kind() == Kind::kArray) {
    for (const Value& item : value.items()) {
      if (std::string text = scalar_of(item); !text.empty()) out.push_back(std::move(text));
    }
  } else if (std::string text = scalar_of(value); !text.empty()) {
    out.push_back(std::move(text));
  }
}

class Json final : public Decoder {
 public:
  Json(const DecoderOptions& options, LocalTime zone) : mapping_(options.mapping), proxies_(options.proxies), zone_(std::move(zone)) {
    for (const auto& [field, path] : mapping_.paths) paths_.emplace_back(*into_of(field), path);
    if (paths_.empty()) {
      guessing_ = true;
      for (const Guess& guess : kGuesses) paths_.emplace_back(guess.into, std::string(guess.path));
    }
    for (const auto& [field, value] : mapping_.constants) constants_.emplace_back(*into_of(field), value);
    if (!options.system.empty()) constants_.emplace_back(Into::kSystem, options.system);
    if (!options.store.empty()) constants_.emplace_back(Into::kStore, options.store);
  }

  std::string_view format() const noexcept override { return "json"; }

  Result<void> decode(std::string_view record, const Origin& origin, rules::Arena& arena,
                      std::vector<Decoded>& out) override {
    auto root = parse_record(record, arena);
    if (!root) return pass(std::move(root));
    Decoded decoded;
    Access& a = decoded.access;
    action_word_.clear();  // an earlier record may have been given up
    forwarded_.clear();
    std::array<bool, kFields.size()> filled{};
    for (const auto& [into, path] : paths_) {
      const auto slot = static_cast<std::size_t>(into);
      if (filled[slot]) continue;
      const Value value = at_path(*root, path);
      if (!value.present() || value.kind() == Kind::kNull) continue;
      auto put_there = put(into, value, a);
      if (!put_there) {
        // A guess that does not fit was a wrong guess; a configured path that does not fit is a bad line.
        if (guessing_) continue;
        Error error = std::move(put_there).error();
        error.message += " (member '" + printable(path, 100) + "')";
        return tl::unexpected<Error>(std::move(error));
      }
      filled[slot] = *put_there;
    }
    for (const auto& [into, text] : constants_) {
      if (filled[static_cast<std::size_t>(into)]) continue;
      auto done = put(into, Value::of(std::string_view(text)), a);
      if (!done) return pass(std::move(done));
    }
    if (a.operation.empty()) a.operation = action_word_;
    if (!forwarded_.empty()) a.client.ip = client_behind(proxies_, a.client.ip, forwarded_);
    a.origin = origin;
    a.format = "json";
    decoded.event.source = {.product = mapping_.product, .category = mapping_.category, .service = mapping_.service};
    decoded.event.root = *root;
    decoded.event.raw = record;
    decoded.raw = record;
    out.push_back(std::move(decoded));
    return {};
  }

 private:
  Result<bool> put(Into into, const Value& value, Access& a) {
    const auto text = [&](std::string& slot) {
      slot = scalar_of(value);
      return !slot.empty();
    };
    switch (into) {
      case Into::kTime: {
        const auto time = time_of(value);
        if (!time) return fail(Errc::kInvalid, "the time of this record is not one that the mapping's time format reads");
        a.time = *time;
        a.time_known = true;
        return true;
      }
      case Into::kEventId: return text(a.event_id);
      case Into::kPerson: return text(a.actor.person);
      case Into::kAccount: return text(a.actor.account);
      case Into::kRole: return text(a.actor.role);
      case Into::kSession: return text(a.actor.session);
      case Into::kVia: return text(a.via);
      case Into::kAction: {
        if (!text(action_word_)) return false;
        a.action = action_from(action_word_).value_or(Action::kUnknown);
        return true;
      }
      case Into::kOperation: return text(a.operation);
      case Into::kSystem: return text(a.resource.system);
      case Into::kStore: return text(a.resource.store);
      case Into::kDataset: return text(a.resource.dataset);
      case Into::kObject: return text(a.resource.object);
      case Into::kColumns: texts_into(value, a.resource.columns); return !a.resource.columns.empty();
      case Into::kSubjects: texts_into(value, a.subjects); return !a.subjects.empty();
      case Into::kRows:
      case Into::kBytes: {
        const auto n = count_of(value);
        if (!n) return fail(Errc::kInvalid, "an amount of this record is not a whole number");
        (into == Into::kRows ? a.rows : a.bytes) = {*n, Certainty::kExact};
        return true;
      }
      case Into::kIp: return text(a.client.ip);
      case Into::kForwarded: return text(forwarded_);
      case Into::kPort: {
        const auto n = count_of(value);
        if (!n || *n > 65535) return fail(Errc::kInvalid, "the client port of this record is not a port");
        a.client.port = static_cast<std::uint16_t>(*n);
        return true;
      }
      case Into::kUserAgent: return text(a.client.user_agent);
      case Into::kOutcome: a.outcome = outcome_from(value); return a.outcome != Outcome::kUnknown;
      case Into::kError: return text(a.error);
      case Into::kStatement: return text(a.statement.text);
      case Into::kParameters:
        texts_into(value, a.statement.parameters);
        a.statement.parameters_known = true;
        return true;
    }
    return false;
  }

  std::optional<Time> time_of(const Value& value) {
    using Format = JsonMapping::TimeFormat;
    const Format format = mapping_.time_format;
    double number = 0;
    if (value.kind() == Kind::kInt) number = static_cast<double>(value.as_int());
    else if (value.kind() == Kind::kDouble) number = value.as_double();
    else if (value.kind() == Kind::kString) {
      if (format == Format::kAuto || format == Format::kRfc3339) {
        if (const auto time = zone_.parse(value.as_string())) return time;
        if (format == Format::kRfc3339) return std::nullopt;
      }
      const auto digits = count_of(value);
      if (!digits) return std::nullopt;
      number = static_cast<double>(*digits);
    } else {
      return std::nullopt;
    }
    double micros = 0;
    switch (format) {
      case Format::kRfc3339: return std::nullopt;
      case Format::kSeconds: micros = number * 1e6; break;
      case Format::kMillis: micros = number * 1e3; break;
      case Format::kMicros: micros = number; break;
      case Format::kAuto:  // by size: seconds until the year 5138, then ms, then us, then ns
        micros = number < 1e11 ? number * 1e6 : number < 1e14 ? number * 1e3 : number < 1e17 ? number : number / 1e3;
        break;
    }
    constexpr double kMost = 4e15;  // the year 2096
    if (!(micros > 0 && micros < kMost)) return std::nullopt;
    return from_micros(std::llround(micros));
  }

  JsonMapping mapping_;
  Networks proxies_;
  LocalTime zone_;
  std::vector<std::pair<Into, std::string>> paths_;
  std::vector<std::pair<Into, std::string>> constants_;
  std::string action_word_, forwarded_;  // of the record in work
  bool guessing_ = false;
};

}  // namespace

std::span<const std::string_view> JsonMapping::fields() noexcept { return kFields; }

Result<JsonMapping::TimeFormat> JsonMapping::time_format_from(std::string_view name) {
  if (name == "auto" || name.empty()) return TimeFormat::kAuto;
  if (name == "rfc3339") return TimeFormat::kRfc3339;
  if (name == "s") return TimeFormat::kSeconds;
  if (name == "ms") return TimeFormat::kMillis;
  if (name == "us") return TimeFormat::kMicros;
  return fail(Errc::kInvalid, "unknown time format '" + printable(name, 40) + "'", "time_format",
              "use auto, rfc3339, s, ms or us");
}

Result<void> JsonMapping::check() const {
  for (const auto* list : {&paths, &constants}) {
    for (const auto& [field, value] : *list) {
      if (!into_of(field)) {
        const std::vector<std::string_view> known(kFields.begin(), kFields.end());
        const std::string_view near = nearest(field, known);
        std::string all;
        for (const std::string_view name : kFields) all += (all.empty() ? "" : ", ") + std::string(name);
        return fail(Errc::kInvalid,
                    "unknown field '" + printable(field, 60) + "'" +
                        (near.empty() ? std::string() : " (did you mean '" + std::string(near) + "'?)"),
                    "fields", "the fields are " + all);
      }
      if (value.empty()) return fail(Errc::kInvalid, "field '" + field + "' has no path or value", "fields");
    }
  }
  for (const auto& [field, value] : constants) {
    const Into into = *into_of(field);
    if (into == Into::kAction && !action_from(value)) {
      return fail(Errc::kInvalid, "'" + printable(value, 40) + "' is not an action", "fields.action",
                  "use read, query, list, export, share, write, delete, authenticate or configure");
    }
    if (into == Into::kTime || into == Into::kRows || into == Into::kBytes || into == Into::kPort) {
      return fail(Errc::kInvalid, "field '" + field + "' cannot be the same in every record", "fields",
                  "give the path of the member that holds it");
    }
  }
  return {};
}

Result<JsonMapping> JsonMapping::from(const std::map<std::string, std::string>& fields) {
  JsonMapping mapping;
  for (const auto& [field, value] : fields) {
    if (field == "time_format") {
      auto format = time_format_from(value);
      if (!format) return pass(std::move(format));
      mapping.time_format = *format;
    } else if (field == "product") {
      mapping.product = value;
    } else if (field == "category") {
      mapping.category = value;
    } else if (field == "service") {
      mapping.service = value;
    } else if (value.starts_with('=')) {
      mapping.constants.emplace_back(field, value.substr(1));
    } else {
      mapping.paths.emplace_back(field, value);
    }
  }
  if (auto checked = mapping.check(); !checked) return pass(std::move(checked));
  return mapping;
}

std::unique_ptr<Decoder> make_json(const DecoderOptions& options) {
  auto zone = LocalTime::of(options.timezone);
  if (!zone) return nullptr;  // make_decoder has said so already
  return std::make_unique<Json>(options, std::move(*zone));
}

}  // namespace tocsin::engine
