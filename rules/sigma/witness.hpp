// A rule's witness: a set of facts of which at least one holds in every event that the rule can match. An index by
// witnesses is sound exactly if that sentence is true, so it is derived from the whole condition, never from single
// selections: AND takes the cheapest of its parts, OR needs one of each part, "n of m" one of m - n + 1 parts, NOT has
// none. What a test requires of a field is a fact: a value, a beginning, an end, something held, a number, presence.
// A regular expression requires the literal texts that every match holds.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/sigma/compile.hpp"

namespace tocsin::rules::sigma {

struct Fact {
  enum class Kind : std::uint8_t { kText, kFirst, kLast, kContains, kNumber, kPresent };
  Kind kind = Kind::kPresent;
  FieldId field = 0;
  std::string_view text;  // folded, whatever the test. The field's folded text is, begins with, ends with or holds it
  Number number;          // kNumber: the field, read as a number, equals it
};

struct Witness {
  bool any = true;  // no fact is known: the rule must always be evaluated
  std::vector<const Fact*> facts;
  double cost = 0;  // lower is better; how often the facts are expected to hold
  double overhead = 0;  // what every event pays for having it looked for, on the same scale
};

// The facts of a program's tests and how often its rules ask for them. Refers to the program, which must not change.
class Witnesses {
 public:
  explicit Witnesses(const Program& program);
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;

  [[nodiscard]] Witness find(std::uint32_t root) const;

 private:
  // What one test requires: one of the facts, or nothing (any).
  struct Required {
    bool any = false;
    std::vector<Fact> facts;
  };
  [[nodiscard]] Required required(const Predicate& predicate);
  void require_pieces(const Predicate& predicate, Required& out);
  void require_literals(const Predicate& predicate, Required& out);
  [[nodiscard]] std::string_view keep(std::string text);
  [[nodiscard]] double cost(const Fact& fact) const;
  [[nodiscard]] double overhead(const Fact& fact) const;

  const Program& program_;
  std::deque<std::string> texts_;
  std::vector<Required> required_;  // by predicate
  std::unordered_map<FieldId, Fact> arrays_;  // by the field of an array: that it is there
  std::unordered_map<std::uint64_t, double> uses_;  // by a hash of the fact: how many rules ask for it
};

}  // namespace tocsin::rules::sigma
