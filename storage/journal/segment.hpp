// The bytes of a segment file: a header, then frames, each with a checksum of its own, so that a damaged frame
// costs one frame. Layout: ops/docs/formats/journal.md. Reading goes through a function, so that files and a
// fuzzer's memory are read by the same code.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::storage {

constexpr std::size_t kSegmentHeaderBytes = 64;
constexpr std::size_t kFrameHeaderBytes = 64;
constexpr std::size_t kMaxFramePayload = 1 << 20;
constexpr std::uint16_t kSegmentVersion = 1;

struct SegmentHeader {
  std::uint64_t number = 0;  // of the file: 1, 2, 3, …
  std::uint64_t first = 0;   // sequence number of its first event
  Time created{};
  std::array<std::uint8_t, 16> instance{};  // random, fixed for a data directory; seeds the frames' checksums

  [[nodiscard]] std::string bytes() const;
  // Errors: kCorrupt, kUnsupported (a newer version).
  [[nodiscard]] static Result<SegmentHeader> parse(std::string_view bytes);
};

// "seg-00000000000003e9.tsg" for the segment that begins with event 1001; nullopt if it is no such name.
[[nodiscard]] std::string segment_name(std::uint64_t first);
[[nodiscard]] std::optional<std::uint64_t> segment_first(std::string_view name);

enum class FrameType : std::uint8_t { kEvent = 1, kMark = 2, kSeal = 4, kOrigin = 5 };

// One frame. What the fields mean for the other types: see the format page.
struct Frame {
  FrameType type = FrameType::kEvent;
  std::uint64_t seq = 0;      // of the event; for other types, of the event that comes next
  Time arrived{};
  std::uint32_t origin = 0;   // number of an origin frame in the same segment
  std::uint64_t line = 0;     // 48 bits
  std::uint64_t position = 0;
  std::array<std::uint8_t, 16> event_id{};
  std::string_view payload;
};

// What an origin frame's payload says.
struct OriginPayload {
  std::uint64_t stream = 0;
  std::string_view source;
  std::string_view file;
  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] static std::optional<OriginPayload> parse(std::string_view payload);
};

// The bytes that a payload of `size` takes as a frame, padding included.
[[nodiscard]] constexpr std::size_t frame_bytes(std::size_t size) noexcept {
  return kFrameHeaderBytes + (size + 7) / 8 * 8;
}
// Appends the frame's bytes to `out`.
void append_frame(std::string& out, const Frame& frame, std::uint32_t checksum_seed);
[[nodiscard]] std::uint32_t checksum_seed(const std::array<std::uint8_t, 16>& instance) noexcept;

// Reads at most `size` bytes at `offset`; returns their number, 0 at the end, −1 (and errno) on failure.
using ReadAt = std::function<ssize_t(std::uint64_t offset, char* out, std::size_t size)>;

// Walks over the frames of one segment, from its header on.
class SegmentScanner {
 public:
  enum class Step : std::uint8_t { kFrame, kEnd, kBad };

  SegmentScanner(ReadAt read_at, const SegmentHeader& header);

  // The next frame up to `limit` (file offset). kFrame: `out` is filled, its payload valid until the next call.
  // kEnd: exactly at the limit, or only zeros follow. kBad: what stands at offset() is no frame that fits there.
  // Error kIo.
  [[nodiscard]] Result<Step> next(Frame& out, std::uint64_t limit);

  // After kBad: moves on to the next frame that is whole and whose number is not behind; false if there is none.
  [[nodiscard]] Result<bool> resync(std::uint64_t limit);

  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }      // of the next frame
  [[nodiscard]] std::uint64_t expected() const noexcept { return expected_; }  // number of the next event

 private:
  // Makes `size` bytes at offset_ available; returns how many there are (fewer only before `limit`).
  Result<std::size_t> fill(std::size_t size, std::uint64_t limit);
  [[nodiscard]] std::string_view window() const noexcept;
  enum class Look : std::uint8_t { kWhole, kNot };
  Result<Look> look(Frame& out, std::uint64_t limit, std::size_t& size);

  ReadAt read_at_;
  std::uint32_t seed_;
  std::uint64_t offset_ = kSegmentHeaderBytes;
  std::uint64_t expected_;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;  // file offset of buffer_[0]
  std::size_t buffered_ = 0;
};

}  // namespace tocsin::storage
