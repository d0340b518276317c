// Fast against slow: the compiled, indexed, memoised engine must agree with the interpreter on every rule and event.
// Rules come from a generator, and from the rules of the packs (and SigmaHQ's, where they are) with random changes;
// events are made to satisfy a rule, or nearly. TOCSIN_LONG=1 makes it ten million pairs, TOCSIN_LONG=n n times the
// usual; TOCSIN_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <unordered_map>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/lint.hpp"
#include "rules/sigma/parse.hpp"
#include "tests/oracle/sigma_generator.hpp"
#include "tests/oracle/sigma_oracle.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kPairs = 110000;   // of each of the two tests
constexpr std::size_t kExplained = 8;    // one match of so many is explained

std::uint64_t seed() {
  const char* named = std::getenv("TOCSIN_SEED");
  const std::uint64_t value = named != nullptr ? std::strtoull(named, nullptr, 10) : 20261123;
  std::printf("seed %llu (TOCSIN_SEED)\n", static_cast<unsigned long long>(value));
  return value;
}
std::size_t wanted_pairs() {
  constexpr std::size_t kLong = 50;
  const char* named = std::getenv("TOCSIN_LONG");
  if (named == nullptr) return kPairs;
  const std::size_t times = std::strtoull(named, nullptr, 10);
  return kPairs * (times > 1 ? times : kLong);
}

// Some rules in both forms.
class Comparison {
 public:
  explicit Comparison(std::vector<ParsedDocument> documents) {
    std::vector<Filter> filters;
    std::vector<Rule> written;
    for (const ParsedDocument& document : documents) {
      if (document.filter) filters.push_back(*document.filter);
      if (document.rule) written.push_back(*document.rule);
    }
    apply_filters(documents);
    std::vector<std::shared_ptr<const Rule>> joined;
    for (ParsedDocument& document : documents) {
      if (document.rule) joined.push_back(std::make_shared<const Rule>(std::move(*document.rule)));
    }
    loaded_ = load_rules(joined);
    std::unordered_map<const Rule*, std::size_t> numbers;
    for (std::size_t i = 0; i < joined.size(); ++i) numbers[joined[i].get()] = i;
    for (const CompiledRule& rule : loaded_.engine->rules()) {
      rules_.push_back(written[numbers.at(rule.rule.get())]);
      oracles_.emplace_back(rules_.back(), filters);
      const std::vector<Remark> said = lint(loaded_.engine->program(), rule);
      never_.push_back(!said.empty() && said[0].code == "never-true");
      always_.push_back(!said.empty() && said[0].code == "always-true");
    }
    refused = joined.size() - rules_.size();
  }

  // False after a difference, which it has reported.
  bool compare(const std::string& json, bool plain_text, const LogSource& source) {
    arena_.reset();
    Event event;
    event.raw = json;
    if (!plain_text) {
      const auto root = parse_json(json, arena_);
      if (!root) {
        ADD_FAILURE() << "the generator made bad JSON: " << root.error().message << ": " << json;
        return false;
      }
      event.root = *root;
    }
    matches_.clear();
    loaded_.engine->match(event, matches_, Routing::kEverything);
    routed_.clear();
    event.source = source;
    loaded_.engine->match(event, routed_);
    bool agree = true;
    std::size_t next = 0;
    std::size_t next_routed = 0;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      const CompiledRule& rule = loaded_.engine->rules()[i];
      const bool fast = next < matches_.size() && matches_[next].index == i;
      const bool by_source = next_routed < routed_.size() && routed_[next_routed].index == i;
      next += fast ? 1 : 0;
      next_routed += by_source ? 1 : 0;
      const bool slow = oracles_[i].matches(event);
      ++pairs;
      hits += slow ? 1 : 0;
      if ((never_[i] && slow) || (always_[i] && !slow)) {
        ADD_FAILURE() << "the rule is said to match " << (slow ? "never" : "always") << "\nrule: " << loaded_.engine->program().canonical(rule) << "\nevent: " << json;
        agree = false;
      }
      if (fast && i % kExplained == pairs % kExplained && loaded_.engine->explain(event, *rule.rule).empty()) {
        ADD_FAILURE() << "no reason for a match\nevent: " << json;
        agree = false;
      }
      if (fast == slow && by_source == (slow && Engine::routed(*rule.rule, source))) continue;
      ADD_FAILURE() << "engine says " << fast << " (by log source " << by_source << "), oracle says " << slow << "\nrule: " << loaded_.engine->program().canonical(rule)
                    << "\nfrom: " << rule.rule->file << " " << rule.rule->title << "\nevent: " << json;
      agree = false;
    }
    return agree;
  }
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }

  std::size_t pairs = 0;
  std::size_t hits = 0;
  std::size_t refused = 0;

 private:
  Loaded loaded_;
  std::vector<Rule> rules_;  // as written, in the engine's order
  std::vector<Oracle> oracles_;
  std::vector<bool> never_;  // what is said of the rules
  std::vector<bool> always_;
  Arena arena_;
  std::vector<Match> matches_;
  std::vector<Match> routed_;
};

struct Totals {
  std::size_t pairs = 0;
  std::size_t hits = 0;
  std::size_t rules = 0;
  std::size_t refused = 0;

  // Tries events on the rules; false after a difference.
  bool run(Generator& generator, Comparison& comparison, std::size_t events) {
    for (std::size_t i = 0; i < events && !comparison.rules().empty(); ++i) {
      const Rule& near = comparison.rules()[generator.below(comparison.rules().size())];
      const Rule& other = comparison.rules()[generator.below(comparison.rules().size())];
      const LogSource source = generator.chance(30) ? LogSource{} : LogSource{other.product, other.category, other.service};
      if (!comparison.compare(generator.chance(85) ? generator.event_near(near) : generator.event(), generator.chance(2), source)) return false;
    }
    pairs += comparison.pairs;
    hits += comparison.hits;
    rules += comparison.rules().size();
    refused += comparison.refused;
    return true;
  }
  void print() const { std::printf("%zu pairs of %zu rules and events, %zu matches, %zu rules refused\n", pairs, rules, hits, refused); }
};

TEST(Oracle, AgreesOnGeneratedRulesAndEvents) {
  Generator generator(seed());
  Totals totals;
  while (totals.pairs < wanted_pairs()) {
    std::vector<ParsedDocument> documents;
    const auto parse = [&](const std::string& text) {
      for (ParsedDocument& document : parse_rules(text, "generated")) documents.push_back(std::move(document));
    };
    for (int i = 0; i < 16; ++i) parse(generator.rule());
    if (generator.chance(40)) parse(generator.filter());
    Comparison comparison(std::move(documents));
    if (!totals.run(generator, comparison, wanted_pairs() > kPairs ? 300 : 60)) return;
  }
  totals.print();
  EXPECT_GT(totals.hits, totals.pairs / 20) << "the events no longer come near the rules";
}

TEST(Oracle, AgreesOnRealRulesWithChanges) {
  std::vector<std::filesystem::path> folders = {std::filesystem::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access"};
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  const auto shared = (named != nullptr ? std::filesystem::path(named) : std::filesystem::path(TOCSIN_SOURCE_DIR) / "../shared/data") / "sigma-rules/sigma";
  if (std::filesystem::exists(shared)) folders.push_back(shared);
  else std::printf("the public rules are not at %s: only those of the packs\n", shared.c_str());
  const auto sources = read_rule_files(folders);
  ASSERT_TRUE(sources.has_value()) << sources.error().text();
  Generator generator(seed() + 1);
  Totals totals;
  while (totals.pairs < wanted_pairs()) {
    std::vector<Rule> originals;
    while (originals.size() < 40) {
      const RuleSource& source = (*sources)[generator.below(sources->size())];
      for (ParsedDocument& document : parse_rules(source.text, source.name)) {
        if (document.rule) originals.push_back(std::move(*document.rule));
      }
    }
    std::vector<ParsedDocument> documents(originals.size());
    for (std::size_t i = 0; i < originals.size(); ++i) {
      documents[i].rule = generator.chance(70) ? generator.mutated(originals[i], originals[generator.below(originals.size())]) : originals[i];
    }
    Comparison comparison(std::move(documents));
    if (!totals.run(generator, comparison, wanted_pairs() > kPairs ? 1000 : 150)) return;
  }
  totals.print();
  EXPECT_GT(totals.hits, totals.pairs / 100) << "the events no longer come near the rules";
}

}  // namespace
}  // namespace tocsin::rules::sigma
