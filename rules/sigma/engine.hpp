// The Sigma engine: rules in, matches out.
//
//   const Loaded loaded = load(sources, {});          // every rule that can be honoured exactly; a report for each
//   std::vector<Match> matches;
//   loaded.engine->match(event, matches);             // from any number of threads
//   for (const Match& m : matches) use(*m.rule, loaded.engine->explain(event, *m.rule));
//
// How it is fast, in the order in which an event meets it:
//   route     events are routed by log source; a route is made when its first event comes, in milliseconds (route.hpp);
//   witness   every rule is indexed by one necessary condition, its witness, chosen to be rare (witness.hpp, ordinary.hpp):
//             a value, a number, a beginning, an end, a text held, presence. Most are looked up by hash (table.hpp,
//             affixes.hpp); texts held are sought by their rarest four bytes (needles.hpp). Only rules whose witness is in
//             the event are evaluated; rules without one always are;
//   evaluate  a field is looked up, turned into text and folded at most once per event, equal tests of several rules are
//             asked once, all beginnings and ends of a field together (together.hpp), and the parts of a condition in the
//             order that decides it soonest (order.hpp). Regular expressions are RE2's, in linear time.
// tests/oracle holds the slow interpreter that this must agree with; ops/docs/sigma.md has the figures.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/event.hpp"
#include "rules/sigma/compile.hpp"
#include "rules/sigma/correlation.hpp"
#include "rules/sigma/report.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

// A rule that is true for an event. Valid while the engine lives.
struct Match {
  const Rule* rule = nullptr;
  std::uint32_t index = 0;  // of the rule in the engine
  bool silent = false;      // a correlation refers to the rule and does not say `generate`: no alert of its own
};

// Why a rule is true for an event: the tests that hold, with the value that made each hold.
struct Reason {
  std::string selection;  // "selection"; with "not " before it where it is true by not matching; "filter: selection"
                          // if it came with a filter
  std::string field;      // empty for keywords
  std::string test;       // canonical: eventName is "putbucketpolicy"
  std::string value;      // as in the event, cut at kMaxValue bytes; empty if the field is absent
  static constexpr std::size_t kMaxValue = 256;
};

enum class Routing : std::uint8_t {
  kByLogSource,  // a rule is tried unless its log source and the event's contradict each other
  kEverything,   // every rule is tried on every event
};

class Engine {
 public:
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Appends the rules that are true for `event`, in the order in which they were loaded. Thread-safe.
  void match(const Event& event, std::vector<Match>& out, Routing routing = Routing::kByLogSource) const;

  // Why `rule` (one of this engine's) is true for `event`; empty if it is not. Slower than match(). Thread-safe.
  [[nodiscard]] std::vector<Reason> explain(const Event& event, const Rule& rule) const;

  // Whether the rule's and the event's log sources do not contradict each other (§ "log sources" of ops/docs/sigma.md).
  [[nodiscard]] static bool routed(const Rule& rule, const LogSource& source) noexcept;

  // The rules in load order; Match::index counts in it.
  [[nodiscard]] const std::vector<CompiledRule>& rules() const noexcept;
  // The correlations in load order; what they refer to comes from rules() and from this list.
  [[nodiscard]] const std::vector<CompiledCorrelation>& correlations() const noexcept;
  [[nodiscard]] const Program& program() const noexcept;

 private:
  friend class EngineBuilder;
  struct Inner;
  explicit Engine(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

// A text with rules: the name is used in reports.
struct RuleSource {
  std::string name;
  std::string text;
};

struct LoadOptions {
  Placeholders placeholders;
};

struct Loaded {
  std::shared_ptr<const Engine> engine;  // never null; holds the rules that were not rejected
  std::vector<Report> reports;           // one per rule or refused document, in order
  [[nodiscard]] std::size_t count(Status status) const noexcept;
};

// Whether a path names the description of a pack (pack.yml), which holds no rule.
[[nodiscard]] bool is_pack_description(std::string_view path) noexcept;

// Never fails as a whole: what cannot be honoured exactly is rejected by name in the reports, and the rest load.
[[nodiscard]] Loaded load(std::span<const RuleSource> sources, const LoadOptions& options = {});

// Makes an engine of rules that are parsed already.
[[nodiscard]] Loaded load_rules(std::span<const std::shared_ptr<const Rule>> rules, const LoadOptions& options = {});

// --- Files. The rest of this folder reads none. ---

inline constexpr std::size_t kMaxRuleFileBytes = 64UL * 1024 * 1024;

// The rule files under `paths`: a file is taken as it is, a folder gives all its *.yml and *.yaml in order of name,
// subfolders included, without pack.yml (which describes a pack); each file once, however often it is named.
// Errors: kNotFound, kIo, kTooLarge, naming the path.
[[nodiscard]] Result<std::vector<RuleSource>> read_rule_files(std::span<const std::filesystem::path> paths);

// A table of placeholders: a YAML map of name → value or list of values.
[[nodiscard]] Result<Placeholders> parse_placeholders(std::string_view yaml, std::string_view file);

}  // namespace tocsin::rules::sigma
