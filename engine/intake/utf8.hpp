// The record as valid UTF-8, checked once for the whole of it: every field is then valid too, because fields end
// at ASCII characters.
#pragma once

#include <string_view>

#include "rules/event.hpp"

namespace tocsin::engine {

// `record` itself if it is valid, else a copy in `arena` with each bad byte as U+FFFD.
[[nodiscard]] std::string_view valid_utf8(std::string_view record, rules::Arena& arena);

}  // namespace tocsin::engine
