// MariaDB's and MySQL's server_audit: the tables of a statement come on lines before its own, nothing is counted.
#pragma once

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

void read_mariadb(ReaderState& state, Access& access, std::vector<Reach>& out);

// A session ended: statements whose own line never came have only their tables.
void end_mariadb_session(ReaderState& state, const Access& access, std::vector<Reach>& out);

}  // namespace tocsin::engine
