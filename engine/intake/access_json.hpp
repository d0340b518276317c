// An access as one line of JSON: the output of `tocsin decode --json`, which other programs read. Members may be
// added, never renamed; what is not known is null.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/access/access.hpp"

namespace tocsin::engine {

// Appends {"file", "line", "time", "actor", "action", "resource", "subjects", "rows", "bytes", "client", "outcome",
// "format", …} without a line break.
void write_access(const Access& access, std::string& out);

// Appends {"file", "line", "error"} for a record that could not be decoded.
void write_fault(std::string_view file, std::uint64_t line, std::string_view error, std::string& out);

}  // namespace tocsin::engine
