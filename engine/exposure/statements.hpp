// What one statement means in its session: it delivers rows, or prepares, declares, fetches, copies, names a view,
// takes on a role, ends a transaction.
#pragma once

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

// A new statement begins in the session: what was put off for the one before is done.
void begin_statement(ReaderState& state, Session& session, const Access& access);

// Statement `index` of the text, of which this line is one. `several`: others of the text fit the line as well.
void read_statement(StatementLine& line, const ReadingPtr& reading, std::size_t index, bool several);

// A write that nobody could read may have given rows back: its text holds RETURNING, in any case, any letter of which
// may be a byte that was no UTF-8 and has become U+FFFD.
[[nodiscard]] bool may_return(std::string_view text);

// The statement, to be remembered.
[[nodiscard]] KnownStatement said(const StatementLine& line, const ReadingPtr& reading, const sql::Statement& s);
// The relation as standing for the statement's query: a view, or a copy of what it gave.
[[nodiscard]] Definition definition(const StatementLine& line, KnownStatement said, bool copy);

}  // namespace tocsin::engine
