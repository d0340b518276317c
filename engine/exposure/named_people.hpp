// Events that name people themselves: objects and paths by their templates, health records, events with ids.
#pragma once

#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

void read_event(ReaderState& state, Access& access, std::vector<Reach>& out);

// A connection for replication may read everything there is (pg_basebackup, a standby, a logical subscriber).
void read_replication(ReaderState& state, Access& access, std::vector<Reach>& out);

}  // namespace tocsin::engine
