// Rules to a program: every distinct test of a field becomes one predicate, shared by all rules that ask it, and
// every rule a small tree over predicates. The program has one canonical text, which is what tests compare.
//
// A program is built by one thread and never changes afterwards; then any number of threads may read it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <re2/re2.h>

#include "rules/base/result.hpp"
#include "rules/event.hpp"
#include "rules/sigma/pattern.hpp"
#include "rules/sigma/report.hpp"
#include "rules/sigma/rule.hpp"
#include "rules/sigma/scalar.hpp"

namespace tocsin::rules::sigma {

// The values that stand for %name% under the modifier `expand`; each is a Sigma string, wildcards included.
using Placeholders = std::map<std::string, std::vector<std::string>, std::less<>>;

inline constexpr std::size_t kMaxExpansions = 10000;         // values that one item may become
inline constexpr std::int64_t kMaxRegexMemory = 8 << 20;     // bytes per regular expression
inline constexpr std::size_t kMaxRegexBytes = 16 * 1024;     // of its text

using FieldId = std::uint32_t;
using PredicateId = std::uint32_t;
inline constexpr FieldId kKeywords = 0;  // the pseudo-field whose values are all scalars of the event

inline constexpr FieldId kNoField = 0xFFFFFFFF;

// Where the values of a field are found in an event, or in the element of an array that a block looks at. A rule's field
// may be part of another, or stand for several.
struct FieldName {
  enum class Kind : std::uint8_t {
    kPlain,     // of the event: the literal name first, then the path through objects and all members of arrays
    kAnyOf,     // the first of `chain` that is there (rules/sigma/alias.hpp)
    kMember,    // of every {"name": …, "value": …} in `base`, the value whose name is `member`
    kElement,   // the element that the block around looks at
    kScalars,   // all scalars within that element: its keywords
    kPosition,  // of every array in `base`, the element at `position`
    kInside,    // of every value in `base`, what `member` names there: literally, else by `path`
    kElements,  // of every array in `base`, each element; of other values, themselves
  };
  std::string name;               // as the rule has it
  std::vector<std::string> path;  // kPlain: `name`, kInside: `member`, cut at its dots; one part = no path
  Kind kind = Kind::kPlain;
  bool relative = false;          // looked up in an element: other values each time
  std::vector<FieldId> chain;     // kAnyOf: never empty, none of them a kAnyOf
  FieldId base = 0;               // kMember, kPosition, kInside, kElements
  std::string member;             // kMember, kInside
  int position = 0;               // kPosition
};

// What a kEach node asks of the elements of an array.
struct Every {
  FieldId field = 0;           // the array
  FieldId indexed = kNoField;  // see Predicate
  Quantifier quantifier = Quantifier::kAny;
};

// What a test compares with. Text tests see strings, the text of numbers and booleans, and the compact JSON of
// objects and arrays; an array is also tested member by member, and one member is enough.
enum class Test : std::uint8_t {
  kEquals,    // text
  kOneOf,     // text, any of several
  kLike,      // pattern
  kRegex,
  kNumber,    // equal to a number
  kLess, kLessOrEqual, kGreater, kGreaterOrEqual,
  kTimePart,
  kNetwork,
  kNull,      // absent or null
  kExists,
  kSameAs, kContainsField, kStartsWithField, kEndsWithField,  // another field of the same event
};

struct Predicate {
  FieldId field = 0;
  // Where the index finds the values of `field`: the same, but for relative fields one of the whole event that has all
  // values of all elements. kNoField if the test can hold without such a value.
  FieldId indexed = 0;
  bool relative = false;              // asks of an element: the answer is not kept
  Test test = Test::kEquals;
  bool cased = false;                 // text tests: compare without folding
  std::string text;                   // kEquals: what to equal, folded unless cased
  std::vector<std::string> texts;     // kOneOf: sorted
  Pattern pattern;                    // kLike
  std::unique_ptr<RE2> regex;         // kRegex
  Number number;                      // numeric tests and kTimePart
  TimePart part = TimePart::kMinute;  // kTimePart
  Network network;                    // kNetwork
  FieldId other = 0;                  // k…Field
  std::string canonical;              // its text, unique in the program
};

// A node of a rule's tree. Children are contiguous.
struct Node {
  enum class Kind : std::uint8_t { kTest, kAnd, kOr, kNot, kAtLeast, kEach };
  Kind kind = Kind::kTest;
  std::uint32_t value = 0;      // kTest: the predicate; kAtLeast: how many; kEach: index into Program::every
  std::uint32_t first = 0;      // child nodes
  std::uint32_t count = 0;
  std::int32_t selection = -1;  // index into Rule::selections if this node is a whole selection
};

struct CompiledRule {
  std::shared_ptr<const Rule> rule;
  std::uint32_t root = 0;        // index into Program::nodes
};

class Program {
 public:
  Program();
  Program(Program&&) = default;
  Program& operator=(Program&&) = default;

  // Adds a rule. On failure nothing of it remains that could match. Errors come back as the remark to show; warnings
  // are appended to `warnings`.
  [[nodiscard]] std::optional<Remark> add(std::shared_ptr<const Rule> rule, const Placeholders& placeholders,
                                          std::vector<Remark>& warnings);

  [[nodiscard]] const std::vector<FieldName>& fields() const noexcept { return fields_; }
  [[nodiscard]] const std::vector<Predicate>& predicates() const noexcept { return predicates_; }
  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] const std::vector<Every>& every() const noexcept { return every_; }
  [[nodiscard]] const std::vector<CompiledRule>& rules() const noexcept { return rules_; }

  // The rule's tree as text: (eventName is "x" and not (userAgent like "*y*")).
  [[nodiscard]] std::string canonical(const CompiledRule& rule) const { return canonical(rule.root); }
  [[nodiscard]] std::string canonical(std::uint32_t node) const;

 private:
  friend class RuleCompiler;
  [[nodiscard]] FieldId field(std::string_view name);                    // by that name only
  [[nodiscard]] FieldId field(const Rule& rule, std::string_view name);  // wherever rules of that log source find it
  [[nodiscard]] FieldId field(const std::string& key, FieldName&& made);
  [[nodiscard]] FieldId derived(FieldName::Kind kind, FieldId base, const std::string& member = {}, int position = 0);
  [[nodiscard]] PredicateId predicate(Predicate&& predicate);
  void write(std::uint32_t node, std::string& out) const;

  std::vector<FieldName> fields_;
  std::vector<Predicate> predicates_;
  std::vector<Node> nodes_;
  std::vector<Every> every_;
  std::vector<CompiledRule> rules_;
  std::unordered_map<std::string, FieldId> field_ids_;
  std::unordered_map<std::string, PredicateId> predicate_ids_;
};

}  // namespace tocsin::rules::sigma
