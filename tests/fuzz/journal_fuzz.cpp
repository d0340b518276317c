// The segment reader on any bytes: never a crash, never a payload beyond the file, never a number that goes back.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "storage/journal/segment.hpp"

using namespace tocsin;
using namespace tocsin::storage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(OriginPayload::parse(bytes));
  auto parsed = SegmentHeader::parse(bytes.substr(0, kSegmentHeaderBytes));
  // Most inputs have no right header; their frames are worth reading all the same.
  SegmentHeader header = parsed ? *parsed : SegmentHeader{.first = 1};
  if (parsed && SegmentHeader::parse(parsed->bytes())->first != parsed->first) std::abort();
  const ReadAt read = [&](std::uint64_t offset, char* out, std::size_t want) -> ssize_t {
    if (offset >= bytes.size()) return 0;
    // Short reads, as a file may give them.
    const std::size_t n = std::min({want, bytes.size() - static_cast<std::size_t>(offset), std::size_t{1000}});
    std::memcpy(out, bytes.data() + offset, n);
    return static_cast<ssize_t>(n);
  };
  SegmentScanner scanner(read, header);
  std::uint64_t last = 0, last_offset = 0;
  std::size_t frames = 0;
  while (true) {
    Frame frame;
    auto step = scanner.next(frame, bytes.size());
    if (!step) std::abort();
    if (*step == SegmentScanner::Step::kEnd) break;
    if (*step == SegmentScanner::Step::kBad) {
      auto again = scanner.resync(bytes.size());
      if (!again) std::abort();
      if (!*again) break;
      if (scanner.offset() <= last_offset && last_offset != 0) std::abort();
      continue;
    }
    ++frames;
    if (scanner.offset() <= last_offset || scanner.offset() > bytes.size()) std::abort();
    last_offset = scanner.offset();
    if (frame.type == FrameType::kEvent) {
      if (frame.seq < header.first || (last != 0 && frame.seq <= last)) std::abort();
      last = frame.seq;
    }
    if (frame.payload.size() > kMaxFramePayload) std::abort();
    // What was read is what would be written (the checksum says so).
    std::string again;
    append_frame(again, frame, checksum_seed(header.instance));
    if (again.size() != frame_bytes(frame.payload.size())) std::abort();
  }
  if (frames > bytes.size() / kFrameHeaderBytes) std::abort();
  return 0;
}
