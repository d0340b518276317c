// Records that a log has lost, where their numbers tell: an access of its own stands for them.
#pragma once

#include <string_view>

namespace tocsin::engine {

// The operation of such an access; `error` is how many records are missing before the next one of its session.
inline constexpr std::string_view kRecordsMissing = "records missing";

}  // namespace tocsin::engine
