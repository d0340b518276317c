// In what order the parts of a condition are asked. "and" is over with the first part that does not hold, "or" with the
// first that does; so what is cheap and likely to end it comes first. A rule's own order, and its text, stay as they are.
#pragma once

#include <cstdint>
#include <vector>

#include "rules/sigma/compile.hpp"

namespace tocsin::rules::sigma {

class Together;

class Order {
 public:
  // Keeps nothing of what it is given.
  Order(const Program& program, const Together& together);

  // For the nodes [first, first + count), the children of one node: the same numbers in the order to ask them.
  [[nodiscard]] const std::uint32_t* of(std::uint32_t first) const noexcept { return order_.data() + first; }

 private:
  struct Estimate {
    double chance = 0;  // that it holds for an ordinary event
    double cost = 0;    // of asking
  };
  Estimate arrange(const Program& program, const std::vector<Estimate>& tests, std::uint32_t node);

  std::vector<std::uint32_t> order_;
};

}  // namespace tocsin::rules::sigma
