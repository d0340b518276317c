// Array matching (sigma-version 3): what the brackets in the key of an item say.
//
//   connections[any].ip   one element has such an ip       tags[all]   every element, and there is one
//   args[0]  args[-1]     that position                    args\[0\]   brackets that belong to the name
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

// A stretch of a key up to a quantifier, or the rest without one: "connections[any]" of "connections[any].ip".
struct KeyPart {
  std::vector<Step> steps;  // empty only for the part after a quantifier at the end: the element itself
  bool quantified = false;
  Quantifier quantifier = Quantifier::kAny;
};

// The parts of a field's text; the last is never quantified. Errors: kInvalid, with a message about the brackets.
[[nodiscard]] Result<std::vector<KeyPart>> parse_key(std::string_view field);

[[nodiscard]] std::string_view name(Quantifier quantifier) noexcept;  // "any", "all", "all_or_empty", "none"
// "args[0].name", for output.
[[nodiscard]] std::string written(const std::vector<Step>& steps);

}  // namespace tocsin::rules::sigma
