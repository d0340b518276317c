// The correlator against the oracle, over random correlations and random streams: events out of order within the
// lateness and beyond it, equal times, gaps of exactly the timespan, several rules per event, arrays, chains. The same
// streams run again with the state saved and restored, and with the rules reloaded, at random moments.
// TOCSIN_LONG=n multiplies the work; TOCSIN_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"
#include "rules/sigma/engine.hpp"
#include "tests/oracle/correlation_oracle.hpp"

namespace tocsin::rules::sigma {
namespace {

using std::chrono::seconds;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  T one_of(std::initializer_list<T> list) { return *(list.begin() + static_cast<std::ptrdiff_t>(below(list.size()))); }

 private:
  std::mt19937_64 engine_;
};

struct Step {
  int at = 0;
  std::string json;
};

struct Stream {
  std::string rules;
  std::vector<Step> steps;
  int lateness = 0;
};

constexpr const char* kLetters = "abcd";

std::string correlation(Dice& dice, std::size_t number, std::size_t below) {
  const std::string name = "k" + std::to_string(number);
  const char* const type = dice.one_of({"event_count", "event_count", "value_count", "temporal", "temporal", "temporal_ordered", "temporal_ordered", "value_sum", "value_avg",
                                        "value_percentile", "value_median"});
  const std::string shown = type;
  const bool temporal = shown.starts_with("temporal");
  std::vector<std::string> names;
  const std::size_t wanted = temporal ? 2 + dice.below(2) : 1 + dice.below(2);
  while (names.size() < wanted) {
    const bool chain = below > 0 && dice.chance(30);
    const std::string reference = chain ? "k" + std::to_string(dice.below(below)) : std::string(1, kLetters[dice.below(4)]);
    const bool known = std::find(names.begin(), names.end(), reference) != names.end();
    if (!known || (shown == "temporal_ordered" && dice.chance(50))) names.push_back(reference);
  }
  std::string list;
  for (const std::string& one : names) list += (list.empty() ? "" : ", ") + one;
  std::string text = "---\ntitle: " + name + "\nname: " + name + "\ncorrelation:\n  type: " + shown + "\n  rules: [" + list + "]\n  timespan: " + std::to_string(2 + dice.below(9)) + "s\n";
  switch (dice.below(5)) {
    case 0: break;
    case 1: text += "  group-by: [u, w]\n"; break;
    case 2: text += "  group-by: [who]\n  aliases: {who: {" + names[0] + ": w}}\n"; break;
    default: text += "  group-by: [u]\n";
  }
  const auto bounds = [&](std::size_t highest) {
    const std::string value = std::to_string(dice.below(highest)) + (dice.chance(20) ? ".5" : "");
    switch (dice.below(8)) {
      case 0: return "lt: " + value;
      case 1: return "lte: " + value;
      case 2: return "eq: " + value;
      case 3: return "neq: " + value;
      case 4: return "gte: 1, lt: " + value;
      case 5: return "gt: " + value;
      default: return "gte: " + value;
    }
  };
  if (shown == "temporal_ordered") {
    if (dice.chance(40)) text += "  condition: {gte: " + std::to_string(1 + dice.below(wanted)) + "}\n";
  } else if (shown == "temporal") {
    if (dice.chance(40)) text += "  condition: {" + bounds(3) + "}\n";
    else if (dice.chance(70)) {
      std::string expression = dice.chance(30) ? "not " : "";
      for (std::size_t i = 0; i < names.size(); ++i) expression += (i == 0 ? "" : dice.chance(60) ? " and " : " or ") + std::string(i > 0 && dice.chance(40) ? "not " : "") + names[i];
      text += "  condition: " + expression + "\n";
    }
  } else if (shown == "event_count") {
    text += "  condition: {" + bounds(5) + "}\n";
  } else if (shown == "value_count") {
    text += "  condition: {field: " + std::string(dice.one_of({"v", "n", "[v, w]"})) + ", " + bounds(5) + "}\n";
  } else {
    text += "  condition: {field: n, " + std::string(shown == "value_percentile" ? "percentile: " + std::to_string(dice.below(101)) + ", " : "") + bounds(shown == "value_sum" ? 12 : 5) + "}\n";
  }
  return text;
}

std::string member(Dice& dice, const char* name, std::initializer_list<const char*> values) {
  if (dice.chance(7)) return "";
  if (dice.chance(12)) return std::string(",\"") + name + "\":[" + dice.one_of(values) + "," + dice.one_of(values) + "]";
  return std::string(",\"") + name + "\":" + dice.one_of(values);
}

Stream random_stream(Dice& dice) {
  Stream stream;
  for (const char* at = kLetters; *at != 0; ++at) {
    const std::string name(1, *at);
    stream.rules += (stream.rules.empty() ? "" : "---\n") + ("title: " + name + "\nname: " + name) + "\nlogsource: {category: test}\ndetection: {s: {e|contains: '" + name + "'}, condition: s}\n";
  }
  const std::size_t correlations = 1 + dice.below(4);
  for (std::size_t i = 0; i < correlations; ++i) stream.rules += correlation(dice, i, i);
  stream.lateness = static_cast<int>(dice.below(8));
  const int letters = dice.chance(50) ? 2 : 4;
  int now = 100;
  const std::size_t events = 5 + dice.below(40);
  for (std::size_t i = 0; i < events; ++i) {
    now += dice.chance(5) ? 15 : static_cast<int>(dice.below(4));
    Step step;
    step.at = now;
    if (dice.chance(30)) step.at -= static_cast<int>(dice.below(static_cast<std::size_t>(stream.lateness) + 1));
    if (dice.chance(2)) step.at -= 10;
    std::string kinds(1, kLetters[dice.below(static_cast<std::size_t>(letters))]);
    if (dice.chance(25)) kinds += kLetters[dice.below(static_cast<std::size_t>(letters))];
    if (dice.chance(5)) kinds = "none";
    step.json = "{\"e\":\"" + kinds + "\"" + member(dice, "u", {"\"x\"", "\"x\"", "\"y\"", "1", "\"1\""}) + member(dice, "w", {"\"x\"", "\"y\""}) +
                member(dice, "who", {"\"x\"", "\"y\""}) + member(dice, "v", {"1", "2", "\"2\"", "3", "true", "null"}) +
                member(dice, "n", {"1", "2", "0.25", "-1.5", "\"3\"", "\"no number\"", "4"}) + "}";
    stream.steps.push_back(step);
  }
  return stream;
}

// What is compared: each alert as it was raised, and the events it rested on in the end.
struct Outcome {
  std::vector<std::string> raised;
  std::vector<std::string> rested;
  void sort() {
    std::sort(raised.begin(), raised.end());
    std::sort(rested.begin(), rested.end());
  }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string line_of(const std::string& name, const std::vector<std::string>& group, const std::set<std::uint64_t>& events) {
  std::string out = name + " by";
  for (const std::string& one : group) out += " " + one;
  out += " [";
  for (const std::uint64_t event : events) out += " " + std::to_string(event);
  return out + " ]";
}

std::string value_text(double value, bool under) {
  std::array<char, 32> buffer{};
  const double rounded = std::round(value * 1e6) / 1e6 + 0.0;
  return " = " + std::string(scalar_text(Value::of(rounded), buffer)) + (under ? " under-counted" : "");
}

enum class Trouble { kNone, kRestore, kReload };

Outcome run_correlator(const Stream& stream, Trouble trouble, Dice& dice) {
  const RuleSource source{"stream.yml", stream.rules};
  Loaded loaded = load({&source, 1});
  Correlator::Options options;
  options.lateness = seconds(stream.lateness);
  options.silent_too = true;
  Correlator correlator(loaded.engine, options);
  std::vector<CorrelationAlert> alerts;
  std::vector<Match> matches;
  Outcome outcome;
  std::map<std::string, std::string> last;
  const auto take = [&] {
    for (const CorrelationAlert& alert : alerts) {
      std::vector<std::string> group;
      for (const auto& [field, value] : alert.group) group.push_back(value);
      std::set<std::uint64_t> events;
      for (const EvidenceEvent& event : alert.events) {
        events.insert(event.line);
        EXPECT_NE(event.rule, nullptr);
      }
      EXPECT_TRUE(std::is_sorted(alert.events.begin(), alert.events.end(), [](const auto& a, const auto& b) { return a.time < b.time; }));
      const std::string line = line_of(alert.rule->name, group, events);
      const bool is_raised = alert.change == CorrelationAlert::Change::kRaised;
      if (is_raised) outcome.raised.push_back(line + value_text(alert.value, alert.under_counted));
      EXPECT_EQ(last.contains(alert.id), !is_raised) << line;
      last[alert.id] = line;
    }
    alerts.clear();
  };
  std::uint64_t number = 0;
  for (const Step& step : stream.steps) {
    Arena arena;
    const auto root = parse_json(step.json, arena);
    EXPECT_TRUE(root.has_value()) << step.json;
    Event event;
    event.root = *root;
    matches.clear();
    loaded.engine->match(event, matches);
    correlator.see({event, from_micros(std::int64_t{step.at} * 1'000'000), matches, EventPlace{"s", "f", ++number, 0}, {}}, alerts);
    take();
    if (trouble == Trouble::kRestore && dice.chance(30)) {
      const std::string state = correlator.save();
      Correlator other(loaded.engine, options);
      const auto restored = other.restore(state);
      EXPECT_TRUE(restored.has_value());
      const auto before = correlator.statistics();
      const auto after = other.statistics();
      EXPECT_EQ(before.entries, after.entries);
      EXPECT_EQ(before.groups, after.groups);
      correlator = std::move(other);
    }
    if (trouble == Trouble::kReload && dice.chance(8)) {
      const RuleSource extra{"extra.yml", "title: z\nname: z\nlogsource: {category: test}\ndetection: {s: {e: z}, condition: s}\n---\n" + stream.rules +
                                              "---\ntitle: extra\nname: extra\ncorrelation: {type: event_count, rules: [z], timespan: 1m, condition: {gte: 1}}\n"};
      loaded = load({&extra, 1});
      correlator.adopt(loaded.engine);
    }
  }
  correlator.finish(alerts);
  take();
  for (const auto& [id, line] : last) outcome.rested.push_back(line);
  outcome.sort();
  return outcome;
}

Outcome run_oracle(const Stream& stream) {
  const RuleSource source{"stream.yml", stream.rules};
  const Loaded loaded = load({&source, 1});
  for (const Report& report : loaded.reports) EXPECT_NE(report.status, Status::kRejected) << report.text() << "\n" << stream.rules;
  CorrelationOracle oracle(*loaded.engine, seconds(stream.lateness));
  std::vector<Match> matches;
  std::uint64_t number = 0;
  for (const Step& step : stream.steps) {
    Arena arena;
    Event event;
    event.root = *parse_json(step.json, arena);
    matches.clear();
    loaded.engine->match(event, matches);
    oracle.see(event, from_micros(std::int64_t{step.at} * 1'000'000), matches, ++number);
  }
  oracle.finish();
  Outcome outcome;
  for (const OracleAlert& alert : oracle.alerts()) {
    const std::string& name = loaded.engine->correlations()[alert.correlation].rule->name;
    outcome.raised.push_back(line_of(name, alert.group, alert.raised_events) + value_text(alert.raised_value, alert.raised_under));
    outcome.rested.push_back(line_of(name, alert.group, alert.events));
  }
  outcome.sort();
  return outcome;
}

std::string text_of(const Stream& stream, const Outcome& slow, const Outcome& fast) {
  std::string out = stream.rules + "lateness " + std::to_string(stream.lateness) + "\n";
  int number = 0;
  for (const Step& step : stream.steps) out += std::to_string(++number) + " at " + std::to_string(step.at) + " " + step.json + "\n";
  const auto list = [&](const char* title, const std::vector<std::string>& a, const std::vector<std::string>& b) {
    for (const std::string& line : a) {
      if (std::count(b.begin(), b.end(), line) != std::count(a.begin(), a.end(), line)) out += std::string(title) + line + "\n";
    }
  };
  list("only oracle raised:     ", slow.raised, fast.raised);
  list("only correlator raised: ", fast.raised, slow.raised);
  list("only oracle rests:      ", slow.rested, fast.rested);
  list("only correlator rests:  ", fast.rested, slow.rested);
  return out;
}

TEST(CorrelationOracle, AgreesOnRandomStreams) {
  const char* named = std::getenv("TOCSIN_SEED");
  const std::uint64_t seed = named != nullptr ? std::strtoull(named, nullptr, 10) : 20261123;
  std::printf("seed %llu (TOCSIN_SEED)\n", static_cast<unsigned long long>(seed));
  const char* longer = std::getenv("TOCSIN_LONG");
  const std::size_t streams = 2000 * (longer != nullptr ? std::max<std::size_t>(1, std::strtoull(longer, nullptr, 10)) : 1);
  Dice dice(seed);
  std::size_t raised = 0;
  std::size_t raising = 0;
  for (std::size_t i = 0; i < streams; ++i) {
    const Stream stream = random_stream(dice);
    const Outcome slow = run_oracle(stream);
    for (const Trouble trouble : {Trouble::kNone, Trouble::kRestore, Trouble::kReload}) {
      const Outcome fast = run_correlator(stream, trouble, dice);
      ASSERT_EQ(fast == slow, true) << "stream " << i << (trouble == Trouble::kNone ? "" : trouble == Trouble::kRestore ? ", restored" : ", reloaded") << "\n" << text_of(stream, slow, fast);
      ASSERT_FALSE(HasFailure()) << text_of(stream, slow, fast);
    }
    raised += slow.raised.size();
    raising += slow.raised.empty() ? 0U : 1U;
  }
  std::printf("%zu streams, %zu alerts in %zu of them, no difference\n", streams, raised, raising);
  EXPECT_GT(raising, streams / 2) << "the streams no longer make the correlations speak";
}

}  // namespace
}  // namespace tocsin::rules::sigma
