// Which format is this? Decided by the content of the first records, never by the file's name.
#pragma once

#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::engine {

struct Recognised {
  std::string format;  // one of known_formats()
  std::string reason;  // why, for a person: "9 of 9 lines have 26 CSV columns and begin with a time"
};

// How much of a stream is enough; more is not looked at.
inline constexpr std::size_t kRecognitionSample = 256 * 1024;

// Reads the beginning of a stream (uncompressed). It may begin in the middle of a record and end in one.
// kInvalid if nothing fits: the message says what the sample looks like, the remedy lists the known formats.
// kUnavailable if the sample is too short to tell (empty, or one unfinished line).
[[nodiscard]] Result<Recognised> recognise(std::string_view sample);

}  // namespace tocsin::engine
