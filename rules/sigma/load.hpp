// The last step of loading: what was parsed, expanded and filtered becomes an engine. Inside the folder only.
#pragma once

#include <vector>

#include "rules/sigma/engine.hpp"
#include "rules/sigma/parse.hpp"

namespace tocsin::rules::sigma {

// Compiles the rules, then resolves what the correlations refer to. Reports keep the order of `documents`.
[[nodiscard]] Loaded build(std::vector<ParsedDocument> documents, const LoadOptions& options);

}  // namespace tocsin::rules::sigma
