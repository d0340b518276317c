// A correlation as it was written (specification 2.1.0, "correlation rules"): what the matches of other rules must add
// up to within a span of time. rules/sigma/correlator.hpp runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/time.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kMaxCorrelationRules = 1000;  // that one correlation refers to
inline constexpr std::size_t kMaxGroupFields = 32;         // of group-by, and of a tuple that is counted
inline constexpr Duration kMaxTimespan = std::chrono::seconds(10LL * 31556952);  // ten years

enum class CorrelationType : std::uint8_t {
  kEventCount,       // matches
  kValueCount,       // distinct values of a field
  kTemporal,         // different rules seen
  kTemporalOrdered,  // the same, in the order of `rules`
  kValueSum, kValueAvg, kValuePercentile, kValueMedian,  // of a numeric field
};
[[nodiscard]] std::string_view name(CorrelationType type) noexcept;  // "event_count" …

// One operator of a condition; all of them must hold (gte: 10 with lt: 20 is a range).
struct Bound {
  enum class Operator : std::uint8_t { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };
  Operator op = Operator::kGreaterOrEqual;
  double value = 0;
};

// A group-by field that has another name in each rule.
struct Alias {
  struct Field {
    std::string rule;  // as in Correlation::rules
    std::string field;
  };
  std::string name;  // as in Correlation::group_by
  std::vector<Field> fields;
};

struct Correlation : Description {
  CorrelationType type = CorrelationType::kEventCount;
  std::vector<std::string> rules;     // ids or names of rules or other correlations, in the order of the file
  std::vector<std::string> group_by;  // fields; empty = one group for everything
  std::vector<Alias> aliases;
  Duration timespan{};
  std::vector<Bound> bounds;          // empty for temporal types without a condition: all rules must be seen
  std::vector<std::string> fields;    // condition.field; several form a tuple (kValueCount only)
  double percentile = 50;             // 0–100, kValuePercentile only
  std::optional<Condition> expression;  // "a and not b" of temporal types: kName nodes hold names of rules
  std::string condition_text;           // as written, for explanations
  bool generate = false;                // the rules it refers to also alert on their own
};

// A correlation whose references are resolved. Part of an Engine.
struct CompiledCorrelation {
  struct Input {
    bool correlation = false;  // index counts in Engine::correlations(), else in Engine::rules()
    std::uint32_t index = 0;
  };
  // One step of `rule->expression` in postfix order, over the set of inputs that a window has seen.
  struct Step {
    enum class Op : std::uint8_t { kSeen, kAnd, kOr, kNot };
    Op op = Op::kSeen;
    std::uint32_t count = 0;  // kSeen: which input; kAnd, kOr: how many operands
  };
  std::shared_ptr<const Correlation> rule;
  std::vector<Input> inputs;  // one for each of rule->rules
  std::vector<Step> expression;  // empty without rule->expression
  std::vector<Bound> bounds;     // rule->bounds; for temporal types without a condition: all rules
  // A larger window may meet the condition no more (lt, lte, eq, neq, "not b"): only windows that are complete are judged.
  bool whole_windows = false;
  bool silent = false;  // another correlation refers to it and none of those says `generate`: no alert of its own
  // 32 hex digits over the definition and everything it refers to: windows survive a reload exactly if it is the same.
  std::string fingerprint;
};

// Whether the expression holds where the inputs of `seen` (bit i = input i) have been seen.
[[nodiscard]] bool holds(std::span<const CompiledCorrelation::Step> expression, std::uint64_t seen);
[[nodiscard]] bool holds(std::span<const Bound> bounds, double value) noexcept;

}  // namespace tocsin::rules::sigma
