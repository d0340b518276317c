// A rule's witness: a set of facts of which at least one holds in every event that the rule can match. An index by
// witnesses is sound exactly if that sentence is true, so it is derived from the whole condition, never from single
// selections: AND takes the cheapest of its parts, OR needs one of each part, NOT has none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rules/sigma/compile.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kShortestNeedle = 3;  // bytes; shorter texts occur nearly everywhere

struct Fact {
  enum class Kind : std::uint8_t { kText, kContains, kNumber, kPresent };
  Kind kind = Kind::kPresent;
  FieldId field = 0;
  std::string text;  // folded, whatever the test. kText: the field's text, folded, equals it; kContains: holds it
  Number number;     // kNumber: the field, read as a number, equals it
};

struct Witness {
  bool any = true;  // no fact is known: the rule must always be evaluated
  std::vector<Fact> facts;
  double cost = 0;  // lower is better; how often the facts are expected to hold
};

// `frequency` says how many rules ask for a fact; common facts make poor witnesses.
[[nodiscard]] Witness find_witness(const Program& program, std::uint32_t root,
                                   const std::function<double(const Fact&)>& frequency);

// The facts of a single test; empty and any for tests that can hold without the field.
[[nodiscard]] Witness facts_of(const Predicate& predicate);

}  // namespace tocsin::rules::sigma
