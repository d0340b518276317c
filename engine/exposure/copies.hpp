// Which relations hold data of people whom their own rows do not name: copies, whatever way they were made.
#pragma once

#include "engine/exposure/reader_state.hpp"
#include "engine/exposure/statements.hpp"

namespace tocsin::engine {

// What a statement copies into other relations, and which columns of copies it changes.
void follow_copies(StatementLine& line, const ReadingPtr& reading, const sql::Statement& s);

// CREATE TABLE, CREATE … AS EXECUTE, CREATE VIEW, ALTER, RENAME, ATTACH, DROP, rules.
void change_relations(StatementLine& line, const ReadingPtr& reading, const sql::Statement& s);
// At the end of a transaction: what was dropped in it is gone, or is not.
void settle_dropped(StatementLine& line, bool rolled_back);

// The line's relation, as part of what its statement reads and writes: what a function, trigger, rule or block writes
// may come from all that it reads. `reading` is nullptr if the text cannot be read.
void touch(StatementLine& line, const sql::Reading* reading);

// A statement that makes or fills a relation could not be read. False if it makes none.
bool hide_made(StatementLine& line, const std::string& why);

}  // namespace tocsin::engine
