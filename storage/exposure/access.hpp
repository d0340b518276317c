// What the index is about: an access is one person reached at one second by one actor in one dataset, with the
// attributes of the reach that it belongs to. The second is the index's grain: questions are widened to whole
// seconds, never narrowed.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/time.hpp"
#include "storage/exposure/grade.hpp"

namespace tocsin::storage::exposure {

using Second = std::int64_t;  // since 1970 in UTC

inline constexpr Second kDay = 86'400;
// Segments never cross the border of a slice, so that retention can drop whole segments.
inline constexpr Second kSliceDays = 32;
inline constexpr Second kSlice = kSliceDays * kDay;
inline constexpr Second kMaxExtent = 7 * kDay;              // a reach that lasts longer is not for the index
inline constexpr std::size_t kMaxAttributes = 60'000;       // different ones in one segment
inline constexpr std::size_t kMaxText = 4'096;              // bytes of a name, a list of fields, a reason
inline constexpr std::size_t kMaxPairs = 1'000'000;         // (actor, dataset) in one segment
inline constexpr std::size_t kMaxSegmentAccesses = 1U << 22;
inline constexpr std::size_t kWide = 4'096;                 // reaches of so many people are kept as one bitmap

[[nodiscard]] constexpr Second floor_second(Time t) {
  return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}
[[nodiscard]] constexpr Time to_time(Second s) { return Time{std::chrono::seconds{s}}; }
[[nodiscard]] constexpr Second slice_of(Second s) { return s >= 0 ? s / kSlice : -((-s + kSlice - 1) / kSlice); }

// What is the same for all people of a reach, apart from its time. Few different ones, so they are kept once.
struct Attribute {
  Grade grade = Grade::kUnknown;
  bool confirmed = false;      // the log counted as many people as are named
  std::uint32_t least = 0;     // else: at least so many of those named
  std::uint32_t extent = 0;    // seconds from the first to the last record of the reach
  std::string fields;          // columns, joined by U+001F
  std::string way, reason;
  auto operator<=>(const Attribute&) const = default;
};

// A stretch of whole seconds, both ends inside.
struct Seconds {
  Second from = std::numeric_limits<Second>::min() / 4;
  Second to = std::numeric_limits<Second>::max() / 4;
};

}  // namespace tocsin::storage::exposure
