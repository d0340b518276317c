// Running the samples of a pack.
#include "rules/sigma/pack.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;

struct Counts {
  std::size_t must = 0;
  std::size_t must_not = 0;
};

std::string_view text_of(const Value& value) {
  return value.kind() == Kind::kString ? value.as_string() : std::string_view();
}

LogSource source_in(const Value& source) {
  return {text_of(source.get("product")), text_of(source.get("category")), text_of(source.get("service"))};
}

std::optional<double> number_in(const Value& value) {
  if (value.kind() == Kind::kInt) return static_cast<double>(value.as_int());
  if (value.kind() == Kind::kDouble) return value.as_double();
  return std::nullopt;
}

// A copy of `value` in which every "{n}" in a text is the number `n`.
Value numbered(const Value& value, std::size_t n, Arena& arena) {
  switch (value.kind()) {
    case Kind::kString: {
      std::string text(value.as_string());
      const std::string number = std::to_string(n);
      bool changed = false;
      for (std::size_t at = text.find("{n}"); at != std::string::npos; at = text.find("{n}", at + number.size())) {
        text.replace(at, 3, number);
        changed = true;
      }
      return changed ? Value::of(arena.copy(text)) : value;
    }
    case Kind::kArray: {
      const std::span<Value> items = arena.make<Value>(value.items().size());
      for (std::size_t i = 0; i < items.size(); ++i) items[i] = numbered(value.items()[i], n, arena);
      return Value::array(items);
    }
    case Kind::kObject: {
      const std::span<Field> fields = arena.make<Field>(value.fields().size());
      for (std::size_t i = 0; i < fields.size(); ++i) fields[i] = {value.fields()[i].key, numbered(value.fields()[i].value, n, arena)};
      return Value::object(fields);
    }
    default: return value;
  }
}

// The plain rule whose log source events of a correlation have where the sample does not say.
const Rule* first_rule(const Engine& engine, const CompiledCorrelation& correlation) {
  const CompiledCorrelation* at = &correlation;
  while (at->inputs.front().correlation) at = &engine.correlations()[at->inputs.front().index];
  return engine.rules()[at->inputs.front().index].rule.get();
}

class PackTest {
 public:
  PackTest(std::shared_ptr<const Engine> engine, PackReport& report) : shared_(std::move(engine)), engine_(*shared_), report_(report) {
    for (const CompiledRule& rule : engine_.rules()) by_file_[rule.rule->file].push_back({rule.rule.get(), rule.rule.get(), nullptr});
    for (const CompiledCorrelation& one : engine_.correlations()) by_file_[one.rule->file].push_back({one.rule.get(), nullptr, &one});
  }

  void run() {
    for (auto& [file, tested] : by_file_) {
      std::stable_sort(tested.begin(), tested.end(), [](const Tested& a, const Tested& b) { return a.description->line < b.description->line; });
      const fs::path samples = samples_of(file);
      std::ifstream in(samples, std::ios::binary);
      std::string line;
      int number = 0;
      counts_.clear();
      while (std::getline(in, line)) {
        ++number;
        if (!trim(line).empty()) run_sample(line, samples.string(), number, tested);
      }
      for (const Tested& one : tested) {
        const Counts counts = counts_[one.description];
        if (counts.must > 0 && counts.must_not > 0) continue;
        const std::string what = one.correlation != nullptr ? "the correlation" : "the rule";
        mistake(file, one.description->line, *one.description,
                counts.must == 0 && counts.must_not == 0 ? what + " has no samples; it needs one that must match and one that must not, in " + samples.filename().string()
                : counts.must == 0                       ? what + " has no sample that must match"
                                                         : what + " has no sample that must not match");
      }
    }
  }

 private:
  // A rule or a correlation.
  struct Tested {
    const Description* description = nullptr;
    const Rule* rule = nullptr;
    const CompiledCorrelation* correlation = nullptr;
  };

  static fs::path samples_of(const fs::path& rule_file) {
    fs::path path = rule_file;
    path.replace_extension(".samples.ndjson");
    return path;
  }

  void mistake(const std::string& file, int line, const Description& rule, std::string message) {
    report_.mistakes.push_back(PackMistake{file, line, rule.key(), std::move(message)});
  }

  void run_sample(const std::string& line, const std::string& file, int number, const std::vector<Tested>& tested) {
    ++report_.samples;
    const Tested* one = &tested.front();
    arena_.reset();
    const auto sample = parse_json(line, arena_);
    if (!sample) return mistake(file, number, *one->description, "the sample is not one JSON object: " + sample.error().message);
    if (const Value named = sample->get("rule"); named.present()) {
      const auto found = std::find_if(tested.begin(), tested.end(), [&](const Tested& t) { return t.description->key() == text_of(named); });
      if (found == tested.end()) return mistake(file, number, *one->description, "the sample names a rule that the file beside it does not hold");
      one = &*found;
    } else if (tested.size() > 1) {
      return mistake(file, number, *one->description, "the file holds several rules, so each sample must name its own: \"rule\": \"id\"");
    }
    const Value match = sample->get("match");
    if (match.kind() != Kind::kBool) return mistake(file, number, *one->description, "a sample needs \"match\": true or false");
    ++(match.as_bool() ? counts_[one->description].must : counts_[one->description].must_not);
    const std::string name = printable(text_of(sample->get("name")), 120);
    const std::string message = one->correlation != nullptr ? run_correlation(*sample, match.as_bool(), *one->correlation, name)
                                                            : run_rule(*sample, match.as_bool(), *one->rule, line, name);
    if (!message.empty()) mistake(file, number, *one->description, message);
  }

  static std::string wrong(bool matched, const std::string& name) {
    return (matched ? "matches, but must not" : "does not match, but must") + (name.empty() ? "" : " (" + name + ")");
  }

  // What is wrong with the sample; empty if it is as it says.
  std::string run_rule(const Value& sample, bool must, const Rule& rule, const std::string& line, const std::string& name) {
    const Value root = sample.get("event");
    const Value raw = sample.get("raw");
    if (root.kind() != Kind::kObject && raw.kind() != Kind::kString) return "a sample needs \"match\": true or false, and an \"event\" object or a \"raw\" line";
    Event event;
    event.root = root;
    event.raw = raw.kind() == Kind::kString ? raw.as_string() : std::string_view(line);
    const Value source = sample.get("source");
    event.source = source.present() ? source_in(source) : LogSource{rule.product, rule.category, rule.service};
    matches_.clear();
    engine_.match(event, matches_);
    const bool matched = std::any_of(matches_.begin(), matches_.end(), [&](const Match& m) { return m.rule == &rule; });
    if (matched != must) {
      std::string why;
      if (matched) {
        for (const Reason& reason : engine_.explain(event, rule)) why += (why.empty() ? ": " : ", ") + reason.test;
      }
      return wrong(matched, name) + why;
    }
    if (matched && engine_.explain(event, rule).empty()) return "matches without any reason to show";
    return {};
  }

  struct Timed {
    double at = 0;
    std::size_t number = 0;
    Event event;
  };

  // The events of a sample with all their copies, in order of time. On a mistake its message is in `message`.
  std::vector<Timed> events_of(const Value& list, const LogSource& usual, std::string& message) {
    std::vector<Timed> events;
    for (const Value& item : list.items()) {
      const Value root = item.get("event");
      const Value raw = item.get("raw");
      const auto at = number_in(item.get("at"));
      const Value repeat = item.get("repeat");
      const auto every = number_in(item.get("every"));
      const bool shaped = at && (root.kind() == Kind::kObject || raw.kind() == Kind::kString);
      const bool counted = !repeat.present() || (repeat.kind() == Kind::kInt && repeat.as_int() >= 1);
      if (!shaped || !counted || std::abs(*at) > kMaxSampleSeconds || (item.get("every").present() && (!every || !(std::abs(*every) <= kMaxSampleSeconds)))) {
        message = "each of the events needs \"at\" (seconds) and an \"event\" object or a \"raw\" line; \"repeat\" is a number of copies, \"every\" the seconds between them";
        return {};
      }
      const auto copies = repeat.present() ? static_cast<std::size_t>(repeat.as_int()) : 1;
      if (copies > kMaxSampleEvents - std::min(kMaxSampleEvents, events.size())) {
        message = "the sample has more than " + std::to_string(kMaxSampleEvents) + " events";
        return {};
      }
      for (std::size_t n = 0; n < copies; ++n) {
        Timed timed;
        timed.at = *at + static_cast<double>(n) * every.value_or(1);
        timed.event.root = repeat.present() ? numbered(root, n, arena_) : root;
        timed.event.raw = text_of(repeat.present() ? numbered(raw, n, arena_) : raw);
        timed.event.source = item.get("source").present() ? source_in(item.get("source")) : usual;
        events.push_back(timed);
      }
    }
    std::stable_sort(events.begin(), events.end(), [](const Timed& a, const Timed& b) { return a.at < b.at; });
    return events;
  }

  std::string run_correlation(const Value& sample, bool must, const CompiledCorrelation& correlation, const std::string& name) {
    const Value list = sample.get("events");
    if (list.kind() != Kind::kArray || list.items().empty()) return "a sample of a correlation needs \"events\": a list of {\"at\": seconds, \"event\": {…}}";
    const Rule& first = *first_rule(engine_, correlation);
    const LogSource usual = sample.get("source").present() ? source_in(sample.get("source")) : LogSource{first.product, first.category, first.service};
    std::string message;
    const std::vector<Timed> events = events_of(list, usual, message);
    if (!message.empty()) return message;
    Correlator correlator(shared_, options_);
    std::vector<CorrelationAlert> alerts;
    std::uint64_t number = 0;
    for (const Timed& timed : events) {
      matches_.clear();
      engine_.match(timed.event, matches_);
      const Time time = from_micros(kSampleStart + static_cast<std::int64_t>(timed.at * 1e6));
      correlator.see({timed.event, time, matches_, EventPlace{{}, {}, ++number, 0}, {}}, alerts);
    }
    correlator.finish(alerts);
    const auto raised = std::find_if(alerts.begin(), alerts.end(), [&](const CorrelationAlert& alert) {
      return alert.rule == correlation.rule.get() && alert.change == CorrelationAlert::Change::kRaised;
    });
    const bool matched = raised != alerts.end();
    if (matched != must) return wrong(matched, name) + (matched ? ": the value is " + text_of_number(raised->value) : "");
    return matched ? wrong_alert(sample, *raised, name) : std::string();
  }

  static std::string text_of_number(double value) {
    std::array<char, 32> buffer{};
    return std::string(scalar_text(Value::of(value), buffer));
  }

  // The first alert against what the sample says of it.
  static std::string wrong_alert(const Value& sample, const CorrelationAlert& alert, const std::string& name) {
    const std::string named = name.empty() ? "" : " (" + name + ")";
    if (const Value value = sample.get("value"); value.present()) {
      const auto wanted = number_in(value);
      if (!wanted) return "\"value\" is not a number";
      if (std::abs(*wanted - alert.value) > 1e-9 * std::max(1.0, std::abs(*wanted))) {
        return "the value of the first alert is " + text_of_number(alert.value) + ", and must be " + text_of_number(*wanted) + named;
      }
    }
    const Value group = sample.get("group");
    if (!group.present()) return {};
    if (group.kind() != Kind::kObject) return "\"group\" is not an object of group-by fields";
    for (const Field& field : group.fields()) {
      std::array<char, 32> buffer{};
      const std::string_view wanted = scalar_text(field.value, buffer);
      const auto at = std::find_if(alert.group.begin(), alert.group.end(), [&](const auto& pair) { return pair.first == field.key; });
      if (at == alert.group.end()) return "the alert is not grouped by '" + printable(field.key, 60) + "'" + named;
      if (at->second != wanted) return "the group's '" + printable(field.key, 60) + "' is '" + printable(at->second, 60) + "', and must be '" + printable(wanted, 60) + "'" + named;
    }
    return {};
  }

  static constexpr std::size_t kMaxSampleEvents = 100000;
  static constexpr double kMaxSampleSeconds = 1e9;
  static constexpr std::int64_t kSampleStart = 1'800'000'000'000'000;

  std::shared_ptr<const Engine> shared_;
  const Engine& engine_;
  PackReport& report_;
  Correlator::Options options_ = [] {
    Correlator::Options options;
    options.silent_too = true;
    return options;
  }();
  Arena arena_;
  std::vector<Match> matches_;
  std::map<std::string, std::vector<Tested>> by_file_;
  std::map<const Description*, Counts> counts_;
};

}  // namespace

Result<PackReport> test_pack(const fs::path& folder, const LoadOptions& options) {
  const auto sources = read_rule_files({&folder, 1});
  if (!sources) return tl::unexpected(sources.error());
  const Loaded loaded = load(*sources, options);
  PackReport report;
  report.rules = loaded.engine->rules().size() + loaded.engine->correlations().size();
  for (const Report& one : loaded.reports) {
    if (one.status == Status::kRejected) report.refused.push_back(one);
  }
  PackTest(loaded.engine, report).run();
  return report;
}

}  // namespace tocsin::rules::sigma
