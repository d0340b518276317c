// Rules that load but cannot mean what they say: conditions that no event can make true, or every event does.
// Nothing here changes what a rule matches.
#pragma once

#include <vector>

#include "rules/sigma/compile.hpp"
#include "rules/sigma/report.hpp"

namespace tocsin::rules::sigma {

inline constexpr int kMaxLintSteps = 1000;  // of the search for one rule; beyond it nothing is said

// Warnings about the rule's tree: "never-true", "never-true-of-one-value" (only an array could satisfy it) and
// "always-true". Every one of them is proved; that none is given proves nothing.
[[nodiscard]] std::vector<Remark> lint(const Program& program, const CompiledRule& rule);

}  // namespace tocsin::rules::sigma
