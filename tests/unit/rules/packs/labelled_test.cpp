// How well the data-access pack does on events that others have labelled: for each subject that the pack covers, which
// events it tells and which it should have told. labelled_saas.json says which of our rules stand for which of theirs,
// what is outside the pack's subject and why, and which labels we dispute and why. A label is about one event, so a
// rule that only a correlation counts stands for the correlation here. The floors are what the pack reaches, less a
// little: a change that costs recall or precision is seen.
#include <fnmatch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/source.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;

constexpr double kRecallFloor = 0.90;
constexpr double kPrecisionFloor = 0.95;
constexpr double kMostFalseAlarms = 0.04;  // share of all events that must not alert, on which any rule of the pack does

fs::path labelled_events() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  return (named != nullptr ? fs::path(named) : fs::path(TOCSIN_SOURCE_DIR) / "../shared/data") / "labelled-saas";
}

std::string_view text(const Value& value) { return value.kind() == Kind::kString ? value.as_string() : std::string_view(); }

std::string whole(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The judgements of labelled_saas.json.
struct Judgement {
  struct Subject {
    std::string name;
    std::set<std::string, std::less<>> ours;
  };
  std::vector<Subject> subjects;
  std::map<std::string, std::size_t, std::less<>> subject_of;                 // upstream rule → index in subjects
  std::vector<std::pair<std::string, std::string>> outside;                   // pattern, reason
  std::map<std::pair<std::string, std::string>, std::string> disputed;        // upstream rule, test → reason
  std::map<std::string, std::vector<std::string>, std::less<>> log_sources;   // log type → product, category, service
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> vendor_names;  // log type → name → vendor's

  explicit Judgement(const Value& root) {
    for (const Field& type : root.get("log_sources").fields()) {
      for (const char* part : {"product", "category", "service"}) log_sources[std::string(type.key)].emplace_back(text(type.value.get(part)));
    }
    for (const Field& type : root.get("vendor_names").fields()) {
      for (const Field& name : type.value.fields()) vendor_names[std::string(type.key)][std::string(name.key)] = text(name.value);
    }
    for (const Value& one : root.get("subjects").items()) {
      Subject subject;
      subject.name = text(one.get("subject"));
      for (const Value& rule : one.get("ours").items()) subject.ours.emplace(text(rule));
      for (const Value& rule : one.get("upstream").items()) subject_of[std::string(text(rule))] = subjects.size();
      subjects.push_back(std::move(subject));
    }
    for (const Value& one : root.get("outside").items()) {
      for (const Value& pattern : one.get("rules").items()) outside.emplace_back(text(pattern), text(one.get("reason")));
    }
    for (const Value& one : root.get("disputed").items()) {
      disputed[{std::string(text(one.get("upstream"))), std::string(text(one.get("test")))}] = text(one.get("reason"));
    }
  }
};

struct Count {
  int told = 0, missed = 0, false_alarms = 0, quiet = 0;
  void add(bool expected, bool alerted) { ++(expected ? (alerted ? told : missed) : (alerted ? false_alarms : quiet)); }
  void add(const Count& other) {
    told += other.told, missed += other.missed, false_alarms += other.false_alarms, quiet += other.quiet;
  }
  [[nodiscard]] double recall() const { return told + missed == 0 ? 1 : static_cast<double>(told) / (told + missed); }
  [[nodiscard]] double precision() const { return told + false_alarms == 0 ? 1 : static_cast<double>(told) / (told + false_alarms); }
};

std::string share(double value, bool known) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "%.2f", value);
  return known ? buffer : "–";
}

class Labelled : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(labelled_events())) GTEST_SKIP() << "the labelled events are not at " << labelled_events();
    const fs::path folder = fs::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access";
    const auto sources = read_rule_files({&folder, 1});
    ASSERT_TRUE(sources.has_value()) << sources.error().text();
    engine_ = load(*sources).engine;
    for (const CompiledRule& rule : engine_->rules()) names_.insert(name_of(*rule.rule));
    const auto root = parse_json(whole(fs::path(TOCSIN_SOURCE_DIR) / "tests/unit/rules/packs/labelled_saas.json"), kept_);
    ASSERT_TRUE(root.has_value()) << root.error().text();
    judgement_ = std::make_unique<Judgement>(*root);
  }

  // The judgements name a rule by its own name, or by its file.
  static std::string name_of(const Rule& rule) { return !rule.name.empty() ? rule.name : fs::path(rule.file).stem().string(); }

  // The event with the names that the vendor gives its members, where the exporter has changed them.
  Value restored(const std::string& type, const Value& log) {
    const auto changed = judgement_->vendor_names.find(type);
    if (changed == judgement_->vendor_names.end()) return log;
    const auto fields = arena_.make<Field>(log.fields().size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      fields[i] = log.fields()[i];
      const auto name = changed->second.find(fields[i].key);
      if (name != changed->second.end()) fields[i].key = name->second;
    }
    return Value::object(fields);
  }

  std::vector<Match> matches(const std::string& type, const Value& log) {
    Event event;
    event.root = restored(type, log);
    const auto source = judgement_->log_sources.find(type);
    event.source = source != judgement_->log_sources.end() ? LogSource{source->second[0], source->second[1], source->second[2]} : recognise_source(event.root);
    raw_.clear();
    write_json(event.root, raw_);
    event.raw = raw_;
    std::vector<Match> found;
    engine_->match(event, found);
    return found;
  }

  // Calls `see(type, labelled event)` for each event of every file, in order.
  template <class See>
  void each(const See& see) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(labelled_events() / "events")) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      std::ifstream in(file);
      for (std::string line; std::getline(in, line);) {
        arena_.reset();
        const auto event = parse_json(line, arena_);
        ASSERT_TRUE(event.has_value()) << file;
        see(file.stem().string(), *event);
      }
    }
  }

  std::shared_ptr<const Engine> engine_;
  std::set<std::string, std::less<>> names_;
  std::unique_ptr<Judgement> judgement_;
  Arena kept_, arena_;
  std::string raw_;
};

TEST_F(Labelled, EveryUpstreamRuleIsJudgedAndEveryJudgementHolds) {
  std::set<std::string> upstream;
  std::ifstream in(labelled_events() / "rules.ndjson");
  for (std::string line; std::getline(in, line);) {
    arena_.reset();
    const auto rule = parse_json(line, arena_);
    ASSERT_TRUE(rule.has_value());
    upstream.emplace(text(rule->get("rule_id")));
  }
  ASSERT_GT(upstream.size(), 700U);
  std::set<std::string> used;
  for (const std::string& id : upstream) {
    if (judgement_->subject_of.contains(id)) continue;
    const auto pattern = std::find_if(judgement_->outside.begin(), judgement_->outside.end(),
                                      [&](const auto& one) { return fnmatch(one.first.c_str(), id.c_str(), 0) == 0; });
    EXPECT_NE(pattern, judgement_->outside.end()) << id << " is neither among the subjects nor outside them";
    if (pattern != judgement_->outside.end()) used.insert(pattern->first);
  }
  for (const auto& [id, subject] : judgement_->subject_of) EXPECT_TRUE(upstream.contains(id)) << id << " does not exist";
  for (const auto& subject : judgement_->subjects) {
    for (const std::string& ours : subject.ours) EXPECT_TRUE(names_.contains(ours)) << subject.name << ": we have no rule " << ours;
  }
}

TEST_F(Labelled, RecallAndPrecisionByLogType) {
  std::map<std::string, Count> by_type;
  std::map<std::string, Count> by_subject;
  std::vector<std::string> wrong;
  std::set<std::pair<std::string, std::string>> disputes;
  int mocked = 0;
  each([&](const std::string& type, const Value& event) {
    const std::string id(text(event.get("rule_id")));
    const std::string test(text(event.get("test_name")));
    const auto subject = judgement_->subject_of.find(id);
    if (subject == judgement_->subject_of.end()) return;
    if (event.get("mocked").present()) {  // the label depends on a table that the event does not show
      ++mocked;
      return;
    }
    if (judgement_->disputed.contains({id, test})) {
      disputes.emplace(id, test);
      return;
    }
    const auto& wanted = judgement_->subjects[subject->second];
    const auto found = matches(type, event.get("log"));
    const bool alerted = std::any_of(found.begin(), found.end(), [&](const Match& m) { return wanted.ours.contains(name_of(*m.rule)); });
    const bool expected = event.get("expected").as_bool();
    by_type[type].add(expected, alerted);
    by_subject[wanted.name].add(expected, alerted);
    if (alerted != expected) wrong.push_back((expected ? "missed:      " : "false alarm: ") + id + ": " + test);
  });

  Count all;
  std::printf("\n%-38s %5s %6s %6s %6s %7s %9s\n", "log type", "told", "missed", "false", "quiet", "recall", "precision");
  const auto row = [](const std::string& name, const Count& c) {
    std::printf("%-38s %5d %6d %6d %6d %7s %9s\n", name.c_str(), c.told, c.missed, c.false_alarms, c.quiet,
                share(c.recall(), c.told + c.missed > 0).c_str(), share(c.precision(), c.told + c.false_alarms > 0).c_str());
  };
  for (const auto& [type, count] : by_type) {
    row(type, count);
    all.add(count);
  }
  row("all", all);
  std::printf("\n%-50s %5s %6s %6s %6s\n", "subject", "told", "missed", "false", "quiet");
  for (const auto& [subject, c] : by_subject) std::printf("%-50s %5d %6d %6d %6d\n", subject.c_str(), c.told, c.missed, c.false_alarms, c.quiet);
  std::printf("\n%d events left out because their label depends on a table that is not shown, %zu because we dispute the label\n", mocked, disputes.size());
  for (const std::string& one : wrong) std::printf("  %s\n", one.c_str());

  EXPECT_EQ(disputes.size(), judgement_->disputed.size()) << "a disputed label does not exist";
  EXPECT_GE(all.told + all.missed, 95);
  EXPECT_GE(all.recall(), kRecallFloor);
  EXPECT_GE(all.precision(), kPrecisionFloor);
}

TEST_F(Labelled, TheWholePackIsQuietOnWhatMustNotAlert) {
  std::map<std::string, std::pair<int, int>> by_type;  // events that must not alert, and those on which the pack does
  std::map<std::string, int> by_rule;
  int events = 0;
  int alarms = 0;
  each([&](const std::string& type, const Value& event) {
    if (event.get("expected").as_bool()) return;
    ++events;
    ++by_type[type].first;
    bool alarm = false;
    for (const Match& match : matches(type, event.get("log"))) {
      if (match.silent) continue;
      alarm = true;
      ++by_rule[name_of(*match.rule)];
    }
    alarms += alarm ? 1 : 0;
    by_type[type].second += alarm ? 1 : 0;
  });
  std::printf("\nalarms of the whole pack on the %d events that must not alert: %d\n", events, alarms);
  for (const auto& [type, count] : by_type) {
    if (count.second > 0) std::printf("  %-38s %d of %d\n", type.c_str(), count.second, count.first);
  }
  for (const auto& [rule, count] : by_rule) std::printf("  %-38s %d\n", rule.c_str(), count);
  ASSERT_GT(events, 700);
  EXPECT_LE(alarms, static_cast<int>(kMostFalseAlarms * events));
}

}  // namespace
}  // namespace tocsin::rules::sigma
