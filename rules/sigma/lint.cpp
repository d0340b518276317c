// The rule's tree is read as a formula over its tests, and truth is searched for (a tableau): AND asks for all of its
// parts, OR tries one after another. Tests of one field know of each other: what excludes or implies what. Most rules
// are satisfied at the first try, so that the search costs about one walk over the tree.
#include "rules/sigma/lint.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/fold.hpp"

namespace tocsin::rules::sigma {
namespace {

enum class Relation : std::uint8_t {
  kNone,
  kImplies,         // whenever the first holds, the second does
  kExcludes,        // never both
  kExcludesByValue, // never both of one value, though an array may hold two
  kComplement,      // exactly one of them
  kEither,          // at least one of them
};

bool looks_at_values(Test test) noexcept { return test != Test::kNull && test != Test::kExists; }
bool wants_presence(const Predicate& p) noexcept { return p.test == Test::kExists && p.number.integer != 0; }
bool wants_absence(const Predicate& p) noexcept { return p.test == Test::kExists && p.number.integer == 0; }

// The texts that an exact test accepts; empty for other tests.
std::span<const std::string> exact_texts(const Predicate& p) {
  if (p.test == Test::kEquals) return {&p.text, 1};
  if (p.test == Test::kOneOf) return p.texts;
  return {};
}

// Whether the second test accepts a text that the first asks for; nullopt if that cannot be told.
std::optional<bool> accepts(const Predicate& q, const std::string& text, bool text_cased) {
  if (q.cased && !text_cased) return std::nullopt;  // the text stands for all its spellings
  const std::string own = text_cased && !q.cased ? folded(text) : text;
  const auto number = parse_number(own);
  switch (q.test) {
    case Test::kEquals:
    case Test::kOneOf: {
      const auto texts = exact_texts(q);
      return std::find(texts.begin(), texts.end(), own) != texts.end();
    }
    case Test::kLike: return q.pattern.matches(own);
    case Test::kNumber: return number && equal(*number, q.number);
    case Test::kLess: return number && less(*number, q.number);
    case Test::kLessOrEqual: return number && !less(q.number, *number);
    case Test::kGreater: return number && less(q.number, *number);
    case Test::kGreaterOrEqual: return number && !less(*number, q.number);
    case Test::kNetwork: {
      const auto address = parse_address(own);
      return address && q.network.contains(*address);
    }
    default: return std::nullopt;
  }
}

bool compares(Test test) noexcept { return test >= Test::kNumber && test <= Test::kGreaterOrEqual; }

// The numbers that a numeric test accepts, as an interval.
struct Interval {
  std::optional<Number> low, high;
  bool low_open = false, high_open = false;
};
Interval interval(const Predicate& p) {
  switch (p.test) {
    case Test::kLess: return {{}, p.number, false, true};
    case Test::kLessOrEqual: return {{}, p.number, false, false};
    case Test::kGreater: return {p.number, {}, true, false};
    case Test::kGreaterOrEqual: return {p.number, {}, false, false};
    default: return {p.number, p.number, false, false};
  }
}
bool disjoint(const Interval& a, const Interval& b) {
  const auto above = [](const Interval& x, const Interval& y) {  // all of x above all of y
    if (!x.low || !y.high) return false;
    return less(*y.high, *x.low) || (equal(*x.low, *y.high) && (x.low_open || y.high_open));
  };
  return above(a, b) || above(b, a);
}
bool within(const Interval& a, const Interval& b) {
  const bool low = !b.low || (a.low && (less(*b.low, *a.low) || (equal(*a.low, *b.low) && (a.low_open || !b.low_open))));
  const bool high = !b.high || (a.high && (less(*a.high, *b.high) || (equal(*a.high, *b.high) && (a.high_open || !b.high_open))));
  return low && high;
}

Relation relation_of_values(const Predicate& p, const Predicate& q) {
  if (compares(p.test) && compares(q.test)) {
    if (within(interval(p), interval(q))) return Relation::kImplies;
    return disjoint(interval(p), interval(q)) ? Relation::kExcludesByValue : Relation::kNone;
  }
  if (p.test == Test::kNetwork && q.test == Test::kNetwork) {
    const bool q_wider = q.network.prefix <= p.network.prefix;
    if (q_wider && q.network.contains(p.network.address)) return Relation::kImplies;
    return q_wider || p.network.contains(q.network.address) ? (q_wider ? Relation::kExcludesByValue : Relation::kNone) : Relation::kExcludesByValue;
  }
  if (p.test == Test::kTimePart && q.test == Test::kTimePart && p.part == q.part && !equal(p.number, q.number)) return Relation::kExcludesByValue;
  const auto texts = exact_texts(p);
  if (texts.empty()) return Relation::kNone;
  bool all = true;
  bool none = true;
  for (const std::string& text : texts) {
    const auto accepted = accepts(q, text, p.cased);
    if (!accepted) return Relation::kNone;
    (*accepted ? none : all) = false;
  }
  return all ? Relation::kImplies : none ? Relation::kExcludesByValue : Relation::kNone;
}

// What the truth of `p` says of `q`.
Relation relation(const Predicate& p, const Predicate& q) {
  const bool p_values = looks_at_values(p.test);
  const bool q_values = looks_at_values(q.test);
  const bool q_reads_p = q.other != 0 && q.other == p.field;  // a comparison needs both fields
  if (p.field != q.field && q_reads_p && wants_absence(p)) return Relation::kExcludes;
  if (p.field != q.field) return Relation::kNone;
  if (wants_absence(p)) {
    if (q_values) return Relation::kExcludes;
    return wants_presence(q) ? Relation::kComplement : Relation::kImplies;  // absent is null
  }
  if (wants_absence(q)) return p_values ? Relation::kExcludes : wants_presence(p) ? Relation::kComplement : Relation::kNone;
  if (p_values && wants_presence(q)) return Relation::kImplies;
  if (p.test == Test::kNull && wants_presence(q)) return Relation::kEither;
  if (p_values != q_values && (p.test == Test::kNull || q.test == Test::kNull)) return Relation::kExcludesByValue;
  return p_values && q_values ? relation_of_values(p, q) : Relation::kNone;
}

bool impossible(const Predicate& p) {
  if (p.test != Test::kTimePart) return false;
  static constexpr std::int64_t kLeast[] = {0, 0, 1, 1, 1, -9999};
  static constexpr std::int64_t kMost[] = {59, 23, 31, 53, 12, 9999};
  const auto part = static_cast<std::size_t>(p.part);
  return !p.number.exact || p.number.integer < kLeast[part] || p.number.integer > kMost[part];
}

class Search {
 public:
  // `one_value`: fields are taken to hold one value each.
  Search(const Program& program, bool one_value) : program_(program), one_value_(one_value) {}

  // Whether the node can have that truth. True also when the search was given up.
  bool possible(std::uint32_t node, bool truth) {
    goals_.assign(1, Goal{node, truth});
    return solve() || steps_ > kMaxLintSteps;
  }
  [[nodiscard]] const std::string& conflict() const noexcept { return conflict_; }

 private:
  struct Goal {
    std::uint32_t node;
    bool truth;
  };
  struct Assigned {
    PredicateId predicate;
    bool truth;
  };

  // Works off the goals; on failure everything is as it was.
  bool solve() {
    if (++steps_ > kMaxLintSteps) return true;
    if (goals_.empty()) return true;
    const Goal goal = goals_.back();
    goals_.pop_back();
    const bool solved = meet(goal);
    if (!solved) goals_.push_back(goal);
    return solved;
  }

  bool meet(const Goal& goal) {
    const Node& node = program_.nodes()[goal.node];
    switch (node.kind) {
      case Node::Kind::kTest: {
        const std::size_t before = assigned_.size();
        if (assign(node.value, goal.truth) && solve()) return true;
        assigned_.resize(before);
        return false;
      }
      case Node::Kind::kNot: return with({{node.first, !goal.truth}});
      case Node::Kind::kEach: {
        const Quantifier quantifier = program_.every()[node.value].quantifier;
        const bool needs_one = quantifier == Quantifier::kAny || quantifier == Quantifier::kAll;
        if (goal.truth && needs_one) {
          Search inside(program_, one_value_);
          if (!inside.possible(node.first, true)) {
            conflict_ = inside.conflict();
            return false;
          }
        }
        return solve();
      }
      case Node::Kind::kAnd:
      case Node::Kind::kOr: {
        if ((node.kind == Node::Kind::kAnd) == goal.truth) {
          std::vector<Goal> all;
          for (std::uint32_t i = node.count; i-- > 0;) all.push_back({node.first + i, goal.truth});
          return with(all);
        }
        for (std::uint32_t i = 0; i < node.count; ++i) {
          if (with({{node.first + i, goal.truth}})) return true;
        }
        return false;
      }
      case Node::Kind::kAtLeast: {
        // Enough parts that decide it: n that hold, or all but n - 1 that do not.
        const std::uint32_t needed = goal.truth ? node.value : node.count - node.value + 1;
        std::vector<Goal> chosen;
        return choose(node, goal.truth, 0, needed, chosen);
      }
    }
    return true;
  }

  bool choose(const Node& node, bool truth, std::uint32_t from, std::uint32_t needed, std::vector<Goal>& chosen) {
    if (needed == 0) return with(chosen);
    for (std::uint32_t i = from; i + needed <= node.count; ++i) {
      if (++steps_ > kMaxLintSteps) return true;
      chosen.push_back({node.first + i, truth});
      if (choose(node, truth, i + 1, needed - 1, chosen)) return true;
      chosen.pop_back();
    }
    return false;
  }

  bool with(const std::vector<Goal>& goals) {
    const std::size_t before = goals_.size();
    goals_.insert(goals_.end(), goals.begin(), goals.end());
    if (solve()) return true;
    goals_.resize(before);
    return false;
  }

  bool assign(PredicateId id, bool truth) {
    const Predicate& predicate = program_.predicates()[id];
    if (truth && impossible(predicate)) {
      conflict_ = "'" + printable(predicate.canonical, 120) + "' never holds";
      return false;
    }
    for (const Assigned& known : assigned_) {
      if (known.predicate == id) {
        if (known.truth == truth) return true;
        conflict_ = "'" + printable(predicate.canonical, 120) + "' would have to hold and not to hold";
        return false;
      }
    }
    for (const Assigned& known : assigned_) {
      const Predicate& other = program_.predicates()[known.predicate];
      if (contradict(predicate, truth, other, known.truth) || contradict(other, known.truth, predicate, truth)) {
        conflict_ = describe(predicate, truth) + " and " + describe(other, known.truth) + " exclude each other";
        return false;
      }
    }
    assigned_.push_back({id, truth});
    return true;
  }

  [[nodiscard]] bool contradict(const Predicate& p, bool p_truth, const Predicate& q, bool q_truth) const {
    if (p.field != q.field && q.other != p.field) return false;
    if (!p_truth && !q_truth && (looks_at_values(p.test) || looks_at_values(q.test))) return false;
    const Relation between = relation(p, q);
    if (between == Relation::kComplement) return p_truth == q_truth;
    if (between == Relation::kEither) return !p_truth && !q_truth;
    if (!p_truth) return false;
    if (between == Relation::kImplies) return !q_truth;
    if (between == Relation::kExcludes) return q_truth;
    return between == Relation::kExcludesByValue && one_value_ && q_truth;
  }

  static std::string describe(const Predicate& predicate, bool truth) {
    return (truth ? "'" : "not '") + printable(predicate.canonical, 120) + "'";
  }

  const Program& program_;
  bool one_value_;
  int steps_ = 0;
  std::vector<Goal> goals_;
  std::vector<Assigned> assigned_;
  std::string conflict_;
};

}  // namespace

std::vector<Remark> lint(const Program& program, const CompiledRule& rule) {
  const std::string what = rule.rule->filters.empty() ? "the rule" : "the rule with the filters joined to it";
  const auto warning = [&](const char* code, std::string message, const char* remedy) {
    return std::vector<Remark>{Remark{code, std::move(message), remedy, rule.rule->line}};
  };
  Search of_one_value(program, true);
  if (!of_one_value.possible(rule.root, true)) {
    Search of_any(program, false);
    if (!of_any.possible(rule.root, true)) {
      return warning("never-true", what + " can never match: " + of_any.conflict(), "check the condition and these tests");
    }
    return warning("never-true-of-one-value", what + " can only match where one field holds several values: " + of_one_value.conflict(),
                   "check the condition and these tests");
  }
  Search otherwise(program, false);
  if (!otherwise.possible(rule.root, false)) {
    return warning("always-true", what + " matches every event of its log source", "check the condition");
  }
  return {};
}

}  // namespace tocsin::rules::sigma
