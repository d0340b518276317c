// The values that a group-by field or a counted field has in an event, as texts.
//
// A name is looked up as rules do it: the literal member first, then the path cut at its dots, through arrays; and in
// the other places where the log source of the rule that matched keeps the field (alias.hpp). An array
// gives one value for each of its members, so that "distinct subjects" of an access that names a hundred people are a
// hundred. An object is its compact JSON text. Absent, null and an empty array are no value; the empty text is one.
// Texts are taken as they are: 1 and "1" are the same, "Bob" and "bob" are not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/event.hpp"
#include "rules/sigma/alias.hpp"

namespace tocsin::rules::sigma {

class FieldPath {
 public:
  static constexpr std::size_t kMaxValues = 10000;  // of one field of one event; what follows is left out
  static constexpr std::size_t kMaxText = 1024;     // bytes of one value; a longer one is cut and ends in its hash

  explicit FieldPath(std::string name);
  FieldPath(std::string name, const std::vector<Place>& places);  // tried in order; the first that is there counts
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Appends the values, in their order. What is made for them lives in `arena`. False if kMaxValues left some out.
  bool collect(const Value& root, Arena& arena, std::vector<std::string_view>& out) const;

 private:
  struct Step {
    std::string literal;
    std::vector<std::string> path;
    std::string member;
  };
  std::string name_;
  std::vector<Step> steps_;
};

}  // namespace tocsin::rules::sigma
