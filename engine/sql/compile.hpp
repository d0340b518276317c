// From a parse tree to Readings. The one place that knows PostgreSQL's node names.
#pragma once

#include "engine/sql/reading.hpp"
#include "engine/sql/tree.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine::sql {

// One statement node ({"SelectStmt": …}) of `text`, in which the tree's locations count. Errors: kTooLarge.
[[nodiscard]] Result<Statement> compile(Tree statement, std::string_view text, ReadOptions options);

}  // namespace tocsin::engine::sql
