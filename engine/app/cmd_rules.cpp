// tocsin rules check | match | test: rules before they are put to work.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/app/cli.hpp"
#include "engine/detect/access_event.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/intake/decoder.hpp"
#include "engine/intake/file_reader.hpp"
#include "engine/intake/recognise.hpp"
#include "rules/base/text.hpp"
#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/event_time.hpp"
#include "rules/sigma/pack.hpp"
#include "rules/sigma/source.hpp"

namespace tocsin::engine {
namespace {

namespace sigma = rules::sigma;
using rules::Value;

// One flat JSON object, built member by member.
class Line {
 public:
  Line& text(std::string_view key, std::string_view value) {
    begin(key);
    rules::write_json(Value::of(value), out_);
    return *this;
  }
  Line& number(std::string_view key, std::uint64_t value) {
    begin(key);
    out_ += std::to_string(value);
    return *this;
  }
  // `json` is a JSON text already.
  Line& raw(std::string_view key, std::string_view json) {
    begin(key);
    out_ += json;
    return *this;
  }
  [[nodiscard]] std::string done() { return out_ + "}"; }
  void print() { std::printf("%s\n", done().c_str()); }

 private:
  void begin(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    rules::write_json(Value::of(key), out_);
    out_ += ':';
  }
  std::string out_ = "{";
};

Result<sigma::LoadOptions> load_options(const std::string& placeholder_file) {
  sigma::LoadOptions options;
  if (placeholder_file.empty()) return options;
  std::ifstream in(placeholder_file, std::ios::binary);
  if (!in) return fail(Errc::kIo, "the placeholder table cannot be read", placeholder_file, "check that it exists and may be read");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto tables = sigma::parse_placeholders(text, placeholder_file);
  if (!tables) return pass(std::move(tables));
  options.placeholders = std::move(*tables);
  return options;
}

Result<sigma::Loaded> load_rules(const std::vector<std::filesystem::path>& paths, const std::string& placeholder_file) {
  auto options = load_options(placeholder_file);
  if (!options) return pass(std::move(options));
  auto sources = sigma::read_rule_files(paths);
  if (!sources) return pass(std::move(sources));
  if (sources->empty()) return fail(Errc::kNotFound, "there are no rule files (*.yml, *.yaml) under the paths given", {}, "name a rule file or a folder of them");
  return sigma::load(*sources, *options);
}

// --- check ---

struct CheckOptions {
  std::vector<std::filesystem::path> paths;
  std::string placeholders;
  bool json = false;
};

std::string remarks_json(const std::vector<sigma::Remark>& remarks) {
  std::string out = "[";
  for (const sigma::Remark& remark : remarks) {
    if (out.size() > 1) out += ',';
    out += Line().number("line", static_cast<std::uint64_t>(remark.line)).text("code", remark.code).text("message", remark.message).text("remedy", remark.remedy).done();
  }
  return out + "]";
}

void print_report(const sigma::Report& report, bool json) {
  const sigma::Remark* first = report.remarks.empty() ? nullptr : &report.remarks.front();
  if (!json) {
    if (first != nullptr) std::printf("%s\n", printable(report.text(), 2000).c_str());
    return;
  }
  Line line;
  line.text("file", report.file).number("line", static_cast<std::uint64_t>(report.line));
  if (report.rule.empty()) line.raw("rule", "null");
  else line.text("rule", report.rule);
  if (report.title.empty()) line.raw("title", "null");
  else line.text("title", report.title);
  line.text("status", name(report.status));
  if (first == nullptr) line.raw("code", "null").raw("message", "null").raw("remedy", "null");
  else line.text("code", first->code).text("message", first->message).text("remedy", first->remedy);
  line.raw("remarks", remarks_json(report.remarks)).print();
}

int check(const CheckOptions& options) {
  const auto loaded = load_rules(options.paths, options.placeholders);
  if (!loaded) return report(loaded.error());
  for (const sigma::Report& one : loaded->reports) print_report(one, options.json);
  std::fflush(stdout);
  const std::size_t rejected = loaded->count(sigma::Status::kRejected);
  std::fprintf(stderr, "%zu rules: %zu ok, %zu with a warning, %zu rejected\n", loaded->reports.size(), loaded->count(sigma::Status::kOk),
               loaded->count(sigma::Status::kWarning), rejected);
  return rejected == 0 ? kAllWell : kFoundWrong;
}

// --- match ---

struct MatchOptions {
  std::vector<std::filesystem::path> rules;
  std::string placeholders;
  std::string format;
  std::string lateness;  // empty: all events are put in order of time first
  bool all_log_sources = false;
  bool json = false;
  std::vector<std::string> files;
};

// "90s", "15m", "2h", "1d", or a number of seconds.
std::optional<Duration> parse_span(std::string_view text) {
  std::int64_t unit = 1;
  if (!text.empty()) {
    switch (text.back()) {
      case 's': unit = 1; break;
      case 'm': unit = 60; break;
      case 'h': unit = 3600; break;
      case 'd': unit = 86400; break;
      default: unit = 0;
    }
    if (unit == 0) unit = 1;
    else text.remove_suffix(1);
  }
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr std::int64_t kLongest = 36525LL * 86400;  // a century, in seconds
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number < 0 || number > kLongest / unit) return std::nullopt;
  return std::chrono::seconds(number * unit);
}

// Runs the correlations over the events of all files as one stream in event time. Normally what has matched is kept
// until all files are read and then taken in order of time; with a lateness it is taken as it comes, as the running
// engine would, and what comes too late is left out.
class Correlations {
 public:
  Correlations(const std::shared_ptr<const sigma::Engine>& engine, std::optional<Duration> lateness, bool json)
      : engine_(*engine), wanted_(engine->rules().size(), false), streaming_(lateness.has_value()), json_(json), correlator_(engine, options(lateness)) {
    for (const sigma::CompiledCorrelation& one : engine->correlations()) {
      for (const auto& input : one.inputs) {
        if (!input.correlation) wanted_[input.index] = true;
      }
    }
  }

  void begin_file(const std::string& name) { files_.push_back(name); }

  // `matches` of one form of the event with that number in the present file.
  void see(const rules::Event& event, std::optional<Time> time, std::span<const sigma::Match> matches, std::uint64_t number, std::span<const std::string_view> subjects) {
    if (engine_.correlations().empty()) return;
    std::vector<std::uint32_t> indices;
    for (const sigma::Match& match : matches) {
      if (wanted_[match.index]) indices.push_back(match.index);
    }
    if (!time) {
      if (!indices.empty()) ++without_time_;
      return;
    }
    if (streaming_) {
      feed(event, *time, matches, files_.size(), number, subjects);
      return;
    }
    if (indices.empty()) return;
    Kept kept;
    kept.time = *time;
    kept.file = files_.size();
    kept.number = number;
    kept.matches = std::move(indices);
    rules::write_json(event.root, kept.json);
    for (const std::string_view subject : subjects) kept.subjects.emplace_back(subject);
    kept_.push_back(std::move(kept));
  }

  void finish() {
    std::stable_sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) { return a.time < b.time; });
    rules::Arena arena;
    std::vector<sigma::Match> matches;
    std::vector<std::string_view> subjects;
    for (const Kept& kept : kept_) {
      arena.reset();
      rules::Event event;
      if (auto root = rules::parse_json(kept.json, arena)) event.root = *root;
      matches.clear();
      for (const std::uint32_t index : kept.matches) matches.push_back({engine_.rules()[index].rule.get(), index, false});
      subjects.assign(kept.subjects.begin(), kept.subjects.end());
      feed(event, kept.time, matches, kept.file, kept.number, subjects);
    }
    alerts_.clear();
    too_late_ = correlator_.statistics().too_late;
    correlator_.finish(alerts_);
    tell();
  }
  [[nodiscard]] std::uint64_t found() const { return found_; }
  [[nodiscard]] std::uint64_t without_time() const { return without_time_; }
  [[nodiscard]] std::uint64_t too_late() const { return too_late_; }

 private:
  struct Kept {
    Time time{};
    std::size_t file = 0;  // from 1
    std::uint64_t number = 0;
    std::vector<std::uint32_t> matches;
    std::string json;
    std::vector<std::string> subjects;
  };

  static sigma::Correlator::Options options(std::optional<Duration> lateness) {
    sigma::Correlator::Options options;
    options.lateness = lateness.value_or(Duration::zero());
    return options;
  }

  void feed(const rules::Event& event, Time time, std::span<const sigma::Match> matches, std::size_t file, std::uint64_t number, std::span<const std::string_view> subjects) {
    alerts_.clear();
    correlator_.see({event, time, matches, sigma::EventPlace{{}, files_[file - 1], number, file}, subjects}, alerts_);
    tell();
  }

  void tell() {
    for (const sigma::CorrelationAlert& alert : alerts_) {
      if (alert.change != sigma::CorrelationAlert::Change::kRaised) continue;
      ++found_;
      json_ ? tell_json(alert) : tell_plain(alert);
    }
  }

  void tell_plain(const sigma::CorrelationAlert& alert) {
    const sigma::EvidenceEvent newest = alert.events.empty() ? sigma::EvidenceEvent{} : alert.events.back();
    std::string group;
    for (const auto& [field, value] : alert.group) group += " " + field + "=" + value;
    std::printf("%s event %llu  %-13s  %s: %s of %llu events%s%s%s\n", printable(newest.file, 200).c_str(), static_cast<unsigned long long>(newest.line),
                std::string(name(alert.rule->level)).c_str(), printable(alert.rule->title, 200).c_str(), number_text(alert.value).c_str(),
                static_cast<unsigned long long>(alert.event_count), printable(group, 300).c_str(), alert.under_counted ? ", under-counted" : "", alert.estimated ? ", estimated" : "");
  }

  void tell_json(const sigma::CorrelationAlert& alert) {
    const sigma::EvidenceEvent newest = alert.events.empty() ? sigma::EvidenceEvent{} : alert.events.back();
    std::string events = "[";
    for (const sigma::EvidenceEvent& event : alert.events) {
      if (events.size() > 1) events += ',';
      // An index counts in the alert's own file; where the event is in another, that file is named too.
      events += event.seq == newest.seq ? std::to_string(event.line) : Line().text("file", event.file).number("event", event.line).done();
    }
    Line group;
    for (const auto& [field, value] : alert.group) group.text(field, value);
    Line line;
    line.text("file", newest.file).number("event", newest.line).text("rule", alert.rule->key()).text("title", alert.rule->title);
    line.text("level", name(alert.rule->level)).text("kind", "correlation").text("type", name(alert.rule->type));
    if (!alert.rule->author.empty()) line.text("author", alert.rule->author);
    line.raw("events", events + "]").number("event_count", alert.event_count).raw("group", group.done()).raw("value", number_text(alert.value));
    line.text("first", format_rfc3339(alert.first)).text("last", format_rfc3339(alert.last));
    if (!alert.subjects.empty()) {
      std::string subjects = "[";
      for (const std::string& subject : alert.subjects) {
        if (subjects.size() > 1) subjects += ',';
        rules::write_json(Value::of(std::string_view(subject)), subjects);
      }
      line.raw("subjects", subjects + "]").number("subject_count", alert.subject_count);
    }
    if (alert.under_counted) line.raw("under_counted", "true");
    if (alert.estimated) line.raw("estimated", "true");
    line.print();
  }

  static std::string number_text(double value) {
    std::array<char, 32> buffer{};
    return std::string(rules::scalar_text(Value::of(value), buffer));
  }

  const sigma::Engine& engine_;
  std::vector<bool> wanted_;  // by rule: a correlation refers to it
  bool streaming_;
  bool json_;
  sigma::Correlator correlator_;
  std::vector<std::string> files_;
  std::vector<Kept> kept_;
  std::vector<sigma::CorrelationAlert> alerts_;
  std::uint64_t found_ = 0;
  std::uint64_t without_time_ = 0;
  std::uint64_t too_late_ = 0;
};

// The end of the JSON value that begins at text[at]; npos if it does not end. Only arrays and objects nest.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (text[at] != '{' && text[at] != '[') {
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end;
  }
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return at + 1;
    }
  }
  return std::string_view::npos;
}

class Matcher {
 public:
  Matcher(const sigma::Engine& engine, const MatchOptions& options, Correlations& correlations)
      : engine_(engine), options_(options), correlations_(correlations) {}

  // Reads one file; what is wrong with its events is said and counted, and reading goes on.
  Result<void> file(const std::string& path) {
    name_ = path;
    number_ = 0;
    correlations_.begin_file(path);
    if (options_.format.empty() || options_.format == "json") {
      std::string text;
      if (auto read = read_whole(path, text); !read) return read;
      const std::size_t first = text.find_first_not_of(" \t\r\n");
      const bool json = first == std::string::npos || text[first] == '{' || text[first] == '[';
      // PostgreSQL's jsonlog is JSON too, but what an audit record says stands inside its message.
      const auto recognised = recognise(std::string_view(text).substr(0, kRecognitionSample));
      const bool packed = options_.format.empty() && recognised && recognised->format == "pgaudit-json";
      if ((json && !packed) || options_.format == "json") {
        json_text(text);
        return {};
      }
    }
    return decoded_file(path);
  }
  [[nodiscard]] std::uint64_t faults() const { return faults_; }
  [[nodiscard]] std::uint64_t found() const { return found_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  static Result<void> read_whole(const std::string& path, std::string& text) {
    if (path == "-") {
      text.assign(std::istreambuf_iterator<char>(std::cin), {});
      return {};
    }
    std::error_code ec;
    if (std::filesystem::is_directory(path, ec)) return fail(Errc::kInvalid, "this is a folder, not a file of events", path);
    std::ifstream in(path, std::ios::binary);
    if (in) text.assign(std::istreambuf_iterator<char>(in), {});
    if (!in.is_open() || in.bad()) return fail(Errc::kIo, "the file cannot be read", path, "check that it exists and may be read");
    return {};
  }

  void fault(const std::string& message) {
    ++faults_;
    std::fflush(stdout);
    std::fprintf(stderr, "%s: event %llu: %s\n", name_.c_str(), static_cast<unsigned long long>(number_), message.c_str());
  }

  // NDJSON, an array of events, one object, or objects one after another.
  void json_text(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::size_t at = 0;
    bool by_line = false;  // after a value that never ends: only whole lines are tried, each once
    while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string_view::npos) {
      std::size_t end = by_line ? std::min(text.find('\n', at), text.size()) : end_of_value(text, at);
      if (by_line && text[at] != '{') {
        at = end;
        continue;
      }
      std::string_view document = text.substr(at, end == std::string_view::npos ? end : end - at);
      arena_.reset();
      auto root = rules::parse_json(document, arena_);
      if (!root) {
        fault(root.error().message);
        ++number_;
        // A broken document must not take its neighbours with it: go on at the next line.
        by_line = by_line || end == std::string_view::npos;
        end = text.find('\n', at);
        if (end == std::string_view::npos) return;
      } else {
        json_value(*root, document);
      }
      at = end;
    }
  }

  void json_value(const Value& root, std::string_view document) {
    if (root.kind() == rules::Kind::kArray) {
      for (const Value& item : root.items()) json_event(item, document);
    } else if (root.kind() == rules::Kind::kObject && root.fields().size() == 1 && root.get("Records").kind() == rules::Kind::kArray) {
      for (const Value& item : root.get("Records").items()) json_event(item, document);
    } else {
      json_event(root, document);
    }
  }

  void json_event(const Value& root, std::string_view document) {
    if (root.kind() != rules::Kind::kObject) {
      fault("is not a JSON object");
    } else {
      rules::Event event;
      event.source = sigma::recognise_source(root);
      event.root = sigma::flatten_windows(root, arena_);
      event.raw = document;
      begin_event();
      match(event, sigma::event_time(event.root), {});
    }
    ++number_;
  }

  Result<void> decoded_file(const std::string& path) {
    ReadOptions how;
    how.format = options_.format;
    auto reader = FileReader::open(path, how);
    if (!reader) return pass(std::move(reader));
    if ((*reader)->format().empty()) return {};
    auto decoder = make_decoder((*reader)->format(), {});
    if (!decoder) return pass(std::move(decoder));
    std::vector<Decoded> decoded;
    Origin origin;
    origin.file = path;
    for (;; ++number_) {
      auto frame = (*reader)->next();
      if (!frame) return pass(std::move(frame));
      if (!*frame) return {};
      if (!(*frame)->error.empty()) {
        fault((*frame)->error);
        continue;
      }
      arena_.reset();
      decoded.clear();
      origin.line = (*frame)->line;
      if (auto done = (*decoder)->decode((*frame)->bytes, origin, arena_, decoded); !done) {
        fault(done.error().message);
        continue;
      }
      begin_event();
      for (Decoded& one : decoded) {
        reaches_.clear();
        exposure_.read(one.access, reaches_);  // fills in whom a statement names
        std::optional<Time> time;
        if (one.access.time_known) time = one.access.time;
        else if (one.event.root.present()) time = sigma::event_time(one.event.root);
        const std::vector<std::string_view> subjects(one.access.subjects.begin(), one.access.subjects.end());
        match(one.event, time, subjects);
        match(access_event(one.access, arena_), time, subjects);
      }
    }
  }

  void begin_event() {
    ++events_;
    told_.clear();
  }

  // One line per rule and event, even where a rule is true for the raw and for the normalised form.
  void match(const rules::Event& event, std::optional<Time> time, std::span<const std::string_view> subjects) {
    matches_.clear();
    engine_.match(event, matches_, options_.all_log_sources ? sigma::Routing::kEverything : sigma::Routing::kByLogSource);
    for (const sigma::Match& one : matches_) {
      if (one.silent) continue;  // only a correlation counts it
      if (std::find(told_.begin(), told_.end(), one.rule) != told_.end()) continue;
      told_.push_back(one.rule);
      ++found_;
      tell(event, *one.rule);
    }
    correlations_.see(event, time, matches_, number_, subjects);
  }

  void tell(const rules::Event& event, const sigma::Rule& rule) {
    if (!options_.json) {
      std::printf("%s event %llu  %-13s  %s\n", printable(name_, 200).c_str(), static_cast<unsigned long long>(number_), std::string(name(rule.level)).c_str(),
                  printable(rule.title, 200).c_str());
      return;
    }
    std::string reasons = "[";
    for (const sigma::Reason& reason : engine_.explain(event, rule)) {
      if (reasons.size() > 1) reasons += ',';
      reasons += Line().text("selection", reason.selection).text("field", reason.field).text("test", reason.test).text("value", reason.value).done();
    }
    Line line;
    line.text("file", name_).number("event", number_).text("rule", rule.key()).text("title", rule.title).text("level", name(rule.level)).text("kind", "detection");
    if (!rule.author.empty()) line.text("author", rule.author);
    line.raw("reasons", reasons + "]").print();
  }

  const sigma::Engine& engine_;
  const MatchOptions& options_;
  Correlations& correlations_;
  storage::Registers registers_{storage::process_hash()};
  ExposureReader exposure_{{}, registers_, {}};
  std::vector<Reach> reaches_;
  rules::Arena arena_;
  std::vector<sigma::Match> matches_;
  std::vector<const sigma::Rule*> told_;
  std::string name_;
  std::uint64_t number_ = 0;  // of the event in the file, from 0
  std::uint64_t events_ = 0;
  std::uint64_t faults_ = 0;
  std::uint64_t found_ = 0;
};

// "--rules a.yml b.yml events.json": rule files and folders that follow the first are rules, not events.
void sort_out(MatchOptions& options) {
  std::vector<std::string> events;
  for (const std::string& file : options.files) {
    const std::filesystem::path path(file);
    std::error_code ec;
    const bool rules = path.extension() == ".yml" || path.extension() == ".yaml" || std::filesystem::is_directory(path, ec);
    if (rules) options.rules.push_back(path);
    else events.push_back(file);
  }
  options.files = std::move(events);
}

int match(MatchOptions options) {
  sort_out(options);
  const auto loaded = load_rules(options.rules, options.placeholders);
  if (!loaded) return report(loaded.error());
  int status = kAllWell;
  for (const sigma::Report& one : loaded->reports) {
    if (one.status != sigma::Status::kRejected) continue;
    std::fprintf(stderr, "%s\n", printable(one.text(), 2000).c_str());
    status = kFoundWrong;
  }
  std::optional<Duration> lateness;
  if (!options.lateness.empty()) {
    lateness = parse_span(options.lateness);
    if (!lateness) {
      std::fprintf(stderr, "--lateness: '%s' is no span of time (write a number with s, m, h or d, such as 5m)\n", printable(options.lateness, 60).c_str());
      return kUsage;
    }
  }
  Correlations correlations(loaded->engine, lateness, options.json);
  Matcher matcher(*loaded->engine, options, correlations);
  for (const std::string& file : options.files) {
    if (auto done = matcher.file(file); !done) status = std::max(status, report(done.error()));
  }
  correlations.finish();
  std::fflush(stdout);
  if (matcher.faults() > 0) status = std::max<int>(status, kFoundWrong);
  if (correlations.without_time() > 0) {
    std::fprintf(stderr, "%llu events have no time that is known how to read, so no correlation counted them\n", static_cast<unsigned long long>(correlations.without_time()));
  }
  if (correlations.too_late() > 0) {
    std::fprintf(stderr, "%llu events came later than --lateness allows, so no correlation counted them\n", static_cast<unsigned long long>(correlations.too_late()));
  }
  std::fprintf(stderr, "%llu events, %llu matches, %llu events that could not be read\n", static_cast<unsigned long long>(matcher.events()),
               static_cast<unsigned long long>(matcher.found() + correlations.found()), static_cast<unsigned long long>(matcher.faults()));
  return status;
}

// --- test ---

struct TestOptions {
  std::vector<std::filesystem::path> packs;
  std::string placeholders;
  bool json = false;
};

int test(const TestOptions& options) {
  const auto how = load_options(options.placeholders);
  if (!how) return report(how.error());
  int status = kAllWell;
  for (const std::filesystem::path& pack : options.packs) {
    const auto tested = sigma::test_pack(pack, *how);
    if (!tested) {
      status = std::max(status, report(tested.error()));
      continue;
    }
    if (!tested->good() || tested->rules == 0) status = std::max<int>(status, kFoundWrong);
    for (const sigma::Report& refused : tested->refused) print_report(refused, options.json);
    for (const sigma::PackMistake& mistake : tested->mistakes) {
      if (options.json) {
        Line().text("file", mistake.file).number("line", static_cast<std::uint64_t>(mistake.line)).text("rule", mistake.rule).text("status", "failed").text("message", mistake.message).print();
      } else {
        std::printf("%s:%d: %s\n", printable(mistake.file, 300).c_str(), mistake.line, printable(mistake.message, 1000).c_str());
      }
    }
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %zu rules, %zu samples, %zu mistakes\n", pack.string().c_str(), tested->rules, tested->samples,
                 tested->mistakes.size() + tested->refused.size());
    if (tested->rules == 0) std::fprintf(stderr, "%s: there is no rule to test\n", pack.string().c_str());
  }
  return status;
}

}  // namespace

void add_rules(CLI::App& app, Context& context) {
  CLI::App* rules = app.add_subcommand("rules", "check Sigma rules, try them on events, run the samples of packs");
  rules->require_subcommand(1);

  auto checking = std::make_shared<CheckOptions>();
  CLI::App* check_command = rules->add_subcommand("check", "say of each rule whether it can be honoured, and if not, why and what to do");
  check_command->add_option("PATH", checking->paths, "rule files and folders")->required();
  check_command->add_option("--placeholders", checking->placeholders, "YAML table of values for %placeholders%")->type_name("FILE");
  check_command->add_flag("--json", checking->json, "one JSON object per rule");
  check_command->callback([checking, &context] { context.exit_status = check(*checking); });

  auto matching = std::make_shared<MatchOptions>();
  CLI::App* match_command = rules->add_subcommand("match", "try rules on the events of files");
  match_command->add_option("--rules", matching->rules, "rule files and folders")->required()->type_name("PATH")->allow_extra_args(false);
  match_command->add_option("--placeholders", matching->placeholders, "YAML table of values for %placeholders%")->type_name("FILE");
  match_command->add_option("--format", matching->format, "format of the files (default: JSON events, else recognised)");
  match_command->add_option("--lateness", matching->lateness, "take events in the order of the files, and leave out for correlations what comes later than this")->type_name("DURATION");
  match_command->add_flag("--all-logsources", matching->all_log_sources, "try each rule on each event, whatever its log source");
  match_command->add_flag("--json", matching->json, "one JSON object per match");
  match_command->add_option("FILE", matching->files, "files of events; - is standard input")->required();
  match_command->callback([matching, &context] { context.exit_status = match(*matching); });

  auto testing = std::make_shared<TestOptions>();
  CLI::App* test_command = rules->add_subcommand("test", "run the samples that stand beside the rules of packs");
  test_command->add_option("PACK", testing->packs, "folders of rules with samples")->required();
  test_command->add_option("--placeholders", testing->placeholders, "YAML table of values for %placeholders%")->type_name("FILE");
  test_command->add_flag("--json", testing->json, "one JSON object per mistake");
  test_command->callback([testing, &context] { context.exit_status = test(*testing); });
}

}  // namespace tocsin::engine
