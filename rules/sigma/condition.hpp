// The grammar of conditions (Sigma 2.1): identifiers, "1 of x*", "all of them", not, and, or, parentheses.
#pragma once

#include <string_view>

#include "rules/base/result.hpp"
#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

inline constexpr int kMaxConditionDepth = 64;
inline constexpr std::size_t kMaxConditionBytes = 64 * 1024;

struct ParsedCondition {
  Condition condition;
  bool upper_case_keywords = false;  // AND, OR, NOT … were written; read as keywords, worth a warning
};

// Errors: kInvalid; `where` holds the stable code ("condition-syntax", "aggregation"), the message names the column.
[[nodiscard]] Result<ParsedCondition> parse_condition(std::string_view text);

// Whether `pattern` ("*" stands for any run) selects the identifier `name`. Identifiers that start with "_" are
// reached only by patterns that start with "_"; "them" reaches all others.
[[nodiscard]] bool selects(std::string_view pattern, std::string_view name) noexcept;

}  // namespace tocsin::rules::sigma
