// A connection that a database's own copy is made by (pg_basebackup, pg_receivewal, a standby, a logical subscriber). What it
// reads is in no log.
#pragma once

#include <string_view>

namespace tocsin::engine {

inline constexpr std::string_view kReplication = "replication connection authorized";  // Access::operation

}  // namespace tocsin::engine
