// The slow, obviously right Sigma interpreter: walks the rule as it was parsed, for every event anew. No compiling, no
// index, no cache, no folded copies; modifiers, wildcards, base64 and dashes are done here a second time, in another
// way. Fast and slow must always agree (tests/oracle/sigma_oracle_test.cpp).
//
// Shared with the engine on purpose: the YAML parser, the condition parser, parse_number, parse_network,
// parse_address, time_part and RE2; these have tests of their own.
#pragma once

#include "rules/event.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

// Whether the rule is true for the event. The rule must be one that the engine accepts. Placeholders are not known.
[[nodiscard]] bool oracle_matches(const Rule& rule, const Event& event);

}  // namespace tocsin::rules::sigma
