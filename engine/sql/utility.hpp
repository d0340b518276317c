// Statements that hold no query of their own: SET, FETCH, EXECUTE, DROP, …
#pragma once

#include <functional>
#include <string_view>

#include "engine/sql/reading.hpp"
#include "engine/sql/tree.hpp"

namespace tocsin::engine::sql {

// The constant or parameter that a node is. `looked_at`: its text decides what is read, so that no other may stand
// in its place in a text of the same shape.
using ValueReader = std::function<Value(Tree node, bool looked_at)>;

// Fills `statement` and `kind` if `tag` is one of them; else both stay as they are.
void compile_utility(std::string_view tag, Tree body, const ValueReader& value, Statement& statement, Kind& kind);

}  // namespace tocsin::engine::sql
