// Inserts, updates and deletes that the log shows keep the register true, as far as they tell; the rest makes it say
// that it no longer knows everybody.
#pragma once

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

void write(StatementLine& line, const sql::Statement& s);

// A write to the line's table that could not be read.
void unread_write(StatementLine& line);
// People may have left with a table that was emptied, dropped, renamed or altered.
void emptied(StatementLine& line, const sql::Relation& relation);
// Since `when`, records are missing: any change may be among them.
void lost_changes(ReaderState& state, Time when);

}  // namespace tocsin::engine
