// Inserts, updates and deletes that the log shows keep the register true, as far as they tell; the rest makes it say
// that it no longer knows everybody.
#pragma once

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

void write(StatementLine& line, const sql::Statement& s);

}  // namespace tocsin::engine
