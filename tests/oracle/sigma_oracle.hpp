// The slow, obviously right Sigma interpreter: walks the rule as it was parsed, for every event anew. No compiling, no
// index, no shared tests; modifiers, wildcards, base64, dashes, arrays and filters are done here a second time, in
// another way. Fast and slow must always agree (tests/oracle/sigma_oracle_test.cpp).
//
// Shared with the engine on purpose: the YAML parser, the condition parser, parse_number, parse_network,
// parse_address, time_part, places (the table of aliases), folding of single characters, and RE2; these have tests of their own.
#pragma once

#include <memory>
#include <span>

#include "rules/event.hpp"
#include "rules/sigma/filter.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

class Oracle {
 public:
  // A rule that the engine accepts, as it was parsed: before filters were joined to it. Those of `filters` that reach it
  // count. Placeholders are not known.
  explicit Oracle(const Rule& rule, std::span<const Filter> filters = {});
  Oracle(Oracle&&) noexcept;
  ~Oracle();

  // Whether the rule is true for the event. One thread at a time.
  [[nodiscard]] bool matches(const Event& event) const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace tocsin::rules::sigma
