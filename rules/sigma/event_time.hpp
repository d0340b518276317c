// When a JSON event happened, told from the members in which logs usually say so. For reading files that nobody has
// described; a decoder that knows its format needs none of this.
#pragma once

#include <optional>
#include <string_view>

#include "rules/base/time.hpp"
#include "rules/event.hpp"

namespace tocsin::rules::sigma {

// The first of the usual members (eventTime, @timestamp, protoPayload's and Windows' own … the table is in the .cpp)
// that holds a time. Members that say when something happened come before those that say when it was noted.
[[nodiscard]] std::optional<Time> event_time(const Value& root);

// A time as logs write it: RFC 3339 and its usual variants (blank for T, comma, slashes, no zone = UTC), the date of
// mail and HTTP (RFC 5322) and of web logs, and seconds, milliseconds, microseconds or nanoseconds since 1970, told apart
// by their size. Numbers before 1973 are no times: they are durations and counters that have a similar name.
[[nodiscard]] std::optional<Time> read_time(const Value& value);
[[nodiscard]] std::optional<Time> read_time(std::string_view text);

}  // namespace tocsin::rules::sigma
