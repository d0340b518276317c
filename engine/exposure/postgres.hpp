// pgaudit: a line of the log → the statements it is about.
//
// One statement leaves several lines (one per relation, one for a COPY around a sub-select, one for an EXECUTE): all
// lines of one statement lead to the same reach, whose key makes the later replace the earlier. What a line cannot
// say (the rows of a FETCH, the query behind an EXECUTE) is remembered per session.
#pragma once

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

void read_postgres(StatementLine& line);

// Records of the session are missing before this one.
void read_gap(ReaderState& state, Access& access, std::vector<Reach>& out);

}  // namespace tocsin::engine
