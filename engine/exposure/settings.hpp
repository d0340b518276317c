// Settings of a session that let its statements mean something else than they seem to.
#pragma once

#include <string>

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

// SET, RESET, set_config() and ALTER … SET of a statement that did not fail.
void note_settings(StatementLine& line, const sql::Statement& s);

// Why `line`'s text may mean something else in this session; "" if it surely does not.
[[nodiscard]] std::string odd_reason(const StatementLine& line);

}  // namespace tocsin::engine
