// Fast against slow: the compiled, indexed, memoised engine must agree with the interpreter on every rule and event.
// TOCSIN_LONG=n multiplies the work; TOCSIN_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/parse.hpp"
#include "tests/oracle/sigma_generator.hpp"
#include "tests/oracle/sigma_oracle.hpp"

namespace tocsin::rules::sigma {
namespace {

std::uint64_t seed() {
  const char* named = std::getenv("TOCSIN_SEED");
  const std::uint64_t value = named != nullptr ? std::strtoull(named, nullptr, 10) : 20261123;
  std::printf("seed %llu (TOCSIN_SEED)\n", static_cast<unsigned long long>(value));
  return value;
}
std::size_t factor() {
  const char* named = std::getenv("TOCSIN_LONG");
  return named != nullptr ? std::max<std::size_t>(1, std::strtoull(named, nullptr, 10)) : 1;
}

class Comparison {
 public:
  explicit Comparison(std::vector<std::shared_ptr<const Rule>> rules) : loaded_(load_rules(rules)) {}

  // False after a difference, which it has reported.
  bool compare(const std::string& json) {
    arena_.reset();
    const auto root = parse_json(json, arena_);
    if (!root) {
      ADD_FAILURE() << "the generator made bad JSON: " << json;
      return false;
    }
    Event event;
    event.root = *root;
    event.raw = json;
    matches_.clear();
    loaded_.engine->match(event, matches_, Routing::kEverything);
    bool agree = true;
    for (const CompiledRule& rule : loaded_.engine->rules()) {
      const bool fast = std::any_of(matches_.begin(), matches_.end(), [&](const Match& m) { return m.rule == rule.rule.get(); });
      const bool slow = oracle_matches(*rule.rule, event);
      ++pairs;
      hits += slow ? 1 : 0;
      if (fast && loaded_.engine->explain(event, *rule.rule).empty()) {
        ADD_FAILURE() << "no reason for a match\nevent: " << json;
        agree = false;
      }
      if (fast == slow) continue;
      ADD_FAILURE() << "engine says " << fast << ", oracle says " << slow << "\nrule: " << loaded_.engine->program().canonical(rule)
                    << "\nfrom: " << rule.rule->file << " " << rule.rule->title << "\nevent: " << json;
      agree = false;
    }
    return agree;
  }
  [[nodiscard]] const std::vector<CompiledRule>& rules() const { return loaded_.engine->rules(); }

  std::size_t pairs = 0;
  std::size_t hits = 0;

 private:
  Loaded loaded_;
  Arena arena_;
  std::vector<Match> matches_;
};

TEST(Oracle, AgreesOnGeneratedRulesAndEvents) {
  Generator generator(seed());
  std::size_t pairs = 0;
  std::size_t hits = 0;
  std::size_t rejected = 0;
  const std::size_t rounds = 80 * factor();
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::shared_ptr<const Rule>> rules;
    for (int i = 0; i < 16; ++i) {
      const std::string text = generator.rule();
      for (ParsedDocument& document : parse_rules(text, "generated")) {
        if (document.rule) rules.push_back(std::make_shared<const Rule>(std::move(*document.rule)));
        else ++rejected;
      }
    }
    Comparison comparison(rules);
    for (int i = 0; i < 24 && !comparison.rules().empty(); ++i) {
      const auto& near = *comparison.rules()[generator.below(comparison.rules().size())].rule;
      if (!comparison.compare(generator.chance(70) ? generator.event_near(near) : generator.event())) return;
    }
    pairs += comparison.pairs;
    hits += comparison.hits;
  }
  std::printf("%zu pairs, %zu matches, %zu rules refused\n", pairs, hits, rejected);
  EXPECT_GE(pairs, 20000U);
  EXPECT_GT(hits, pairs / 20) << "the events no longer come near the rules";
}

TEST(Oracle, AgreesOnThePublicRules) {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  const std::filesystem::path folder = (named != nullptr ? std::filesystem::path(named) : std::filesystem::path(TOCSIN_SOURCE_DIR) / "../shared/data") / "sigma-rules/sigma";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the public rules are not at " << folder;
  const auto sources = read_rule_files({&folder, 1});
  ASSERT_TRUE(sources.has_value());
  Generator generator(seed());
  std::size_t pairs = 0;
  std::size_t hits = 0;
  const std::size_t rounds = 12 * factor();
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::shared_ptr<const Rule>> rules;
    for (int i = 0; i < 40; ++i) {
      const RuleSource& source = (*sources)[generator.below(sources->size())];
      for (ParsedDocument& document : parse_rules(source.text, source.name)) {
        if (document.rule) rules.push_back(std::make_shared<const Rule>(std::move(*document.rule)));
      }
    }
    Comparison comparison(rules);
    for (const CompiledRule& rule : comparison.rules()) {
      if (!comparison.compare(generator.event_near(*rule.rule))) return;
    }
    pairs += comparison.pairs;
    hits += comparison.hits;
  }
  std::printf("%zu pairs, %zu matches\n", pairs, hits);
}

}  // namespace
}  // namespace tocsin::rules::sigma
