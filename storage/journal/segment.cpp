// Segment headers and frames as bytes; all integers little-endian.
#include "storage/journal/segment.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "storage/files/durable_file.hpp"
#include "storage/journal/crc32c.hpp"

namespace tocsin::storage {
namespace {

constexpr std::string_view kSegmentMagic = "TOCSSEG1";
constexpr std::string_view kFrameMagic = "TSF1";
constexpr std::size_t kReadAhead = 1 << 20;
constexpr std::size_t kChecked = 8;  // a frame's checksum covers everything from here on

void put(char* at, std::uint64_t value, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<char>(value >> (8 * i) & 0xff);
}
std::uint64_t get(const char* at, std::size_t bytes) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes; ++i) out |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return out;
}

std::uint64_t nanoseconds(Time t) noexcept { return static_cast<std::uint64_t>(to_micros(t)) * 1000; }
Time from_nanoseconds(std::uint64_t ns) noexcept {
  return from_micros(static_cast<std::int64_t>(ns) / 1000);
}

bool known(std::uint8_t type) noexcept { return type == 1 || type == 2 || type == 4 || type == 5; }

}  // namespace

std::string SegmentHeader::bytes() const {
  std::string out(kSegmentHeaderBytes, '\0');
  std::memcpy(out.data(), kSegmentMagic.data(), kSegmentMagic.size());
  put(out.data() + 8, kSegmentVersion, 2);
  put(out.data() + 10, kSegmentHeaderBytes, 2);
  put(out.data() + 16, number, 8);
  put(out.data() + 24, first, 8);
  put(out.data() + 32, nanoseconds(created), 8);
  std::memcpy(out.data() + 40, instance.data(), instance.size());
  put(out.data() + 60, crc32c({out.data(), 60}), 4);
  return out;
}

Result<SegmentHeader> SegmentHeader::parse(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) {
    return fail(Errc::kCorrupt, "this is not a segment of the journal");
  }
  if (crc32c(bytes.substr(0, 60)) != get(bytes.data() + 60, 4)) {
    return fail(Errc::kCorrupt, "the header of this segment is damaged");
  }
  if (get(bytes.data() + 8, 2) != kSegmentVersion || get(bytes.data() + 10, 2) != kSegmentHeaderBytes) {
    return fail(Errc::kUnsupported, "this segment was written by a newer tocsin", {}, "update tocsin");
  }
  if (get(bytes.data() + 12, 4) != 0) {
    return fail(Errc::kUnsupported, "this segment has a feature that is not known", {}, "update tocsin");
  }
  SegmentHeader out;
  out.number = get(bytes.data() + 16, 8);
  out.first = get(bytes.data() + 24, 8);
  out.created = from_nanoseconds(get(bytes.data() + 32, 8));
  std::memcpy(out.instance.data(), bytes.data() + 40, out.instance.size());
  return out;
}

std::string segment_name(std::uint64_t first) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex(16, '0');
  for (std::size_t i = 16; i-- > 0; first >>= 4) hex[i] = kDigits[first & 15];
  return "seg-" + hex + ".tsg";
}

std::optional<std::uint64_t> segment_first(std::string_view name) {
  if (name.size() != 24 || !name.starts_with("seg-") || !name.ends_with(".tsg")) return std::nullopt;
  std::uint64_t out = 0;
  const char* begin = name.data() + 4;
  const auto [end, error] = std::from_chars(begin, begin + 16, out, 16);
  if (error != std::errc{} || end != begin + 16 || segment_name(out) != name) return std::nullopt;
  return out;
}

std::string OriginPayload::bytes() const {
  std::string out(8 + 2, '\0');
  put(out.data(), stream, 8);
  put(out.data() + 8, source.size(), 2);
  out += source;
  out += file;
  return out;
}

std::optional<OriginPayload> OriginPayload::parse(std::string_view payload) {
  if (payload.size() < 10) return std::nullopt;
  const std::size_t size = static_cast<std::size_t>(get(payload.data() + 8, 2));
  if (payload.size() - 10 < size) return std::nullopt;
  return OriginPayload{get(payload.data(), 8), payload.substr(10, size), payload.substr(10 + size)};
}

std::uint32_t checksum_seed(const std::array<std::uint8_t, 16>& instance) noexcept {
  return crc32c({reinterpret_cast<const char*>(instance.data()), instance.size()});
}

void append_frame(std::string& out, const Frame& frame, std::uint32_t seed) {
  const std::size_t start = out.size();
  out.resize(start + frame_bytes(frame.payload.size()));  // zeros where nothing is written below
  char* at = out.data() + start;
  std::memcpy(at, kFrameMagic.data(), kFrameMagic.size());
  put(at + 8, frame.payload.size(), 4);
  put(at + 12, static_cast<std::uint8_t>(frame.type), 1);
  put(at + 14, frame.line >> 32, 2);
  put(at + 16, frame.seq, 8);
  put(at + 24, nanoseconds(frame.arrived), 8);
  put(at + 32, frame.origin, 4);
  put(at + 36, frame.line & 0xffffffff, 4);
  put(at + 40, frame.position, 8);
  std::memcpy(at + 48, frame.event_id.data(), frame.event_id.size());
  if (!frame.payload.empty()) std::memcpy(at + kFrameHeaderBytes, frame.payload.data(), frame.payload.size());
  put(at + 4, crc32c({at + kChecked, kFrameHeaderBytes - kChecked + frame.payload.size()}, seed), 4);
}

SegmentScanner::SegmentScanner(ReadAt read_at, const SegmentHeader& header)
    : read_at_(std::move(read_at)), seed_(checksum_seed(header.instance)), expected_(header.first) {}

std::string_view SegmentScanner::window() const noexcept {
  const auto skip = static_cast<std::size_t>(offset_ - buffer_offset_);
  return std::string_view(buffer_).substr(skip, buffered_ - skip);
}

Result<std::size_t> SegmentScanner::fill(std::size_t size, std::uint64_t limit) {
  const auto there = [&] {
    return offset_ >= buffer_offset_ && offset_ - buffer_offset_ <= buffered_
               ? buffered_ - static_cast<std::size_t>(offset_ - buffer_offset_)
               : 0;
  };
  const std::uint64_t left = limit > offset_ ? limit - offset_ : 0;
  const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(size, left));
  if (there() >= want) return std::min<std::size_t>(there(), static_cast<std::size_t>(left));
  // Keep what is there of this frame, read on behind it.
  const std::size_t kept = there();
  if (kept > 0) std::memmove(buffer_.data(), buffer_.data() + (offset_ - buffer_offset_), kept);
  buffer_offset_ = offset_;
  buffered_ = kept;
  const std::size_t room = std::max(kReadAhead, want);
  if (buffer_.size() < room) buffer_.resize(room);
  while (buffered_ < want) {
    const std::uint64_t at = buffer_offset_ + buffered_;
    const std::size_t ask = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - buffered_, limit - at));
    const ssize_t n = read_at_(at, buffer_.data() + buffered_, ask);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure(errno, "read the journal", {});
    if (n == 0) break;
    buffered_ += static_cast<std::size_t>(n);
  }
  return std::min<std::size_t>(buffered_, static_cast<std::size_t>(left));
}

Result<SegmentScanner::Look> SegmentScanner::look(Frame& out, std::uint64_t limit, std::size_t& size) {
  auto have = fill(kFrameHeaderBytes, limit);
  if (!have) return pass(std::move(have));
  if (*have < kFrameHeaderBytes || !window().starts_with(kFrameMagic)) return Look::kNot;
  const std::size_t payload = static_cast<std::size_t>(get(window().data() + 8, 4));
  if (payload > kMaxFramePayload) return Look::kNot;
  size = frame_bytes(payload);
  have = fill(size, limit);
  if (!have) return pass(std::move(have));
  if (*have < size) return Look::kNot;
  const char* at = window().data();
  const std::uint32_t sum = crc32c({at + kChecked, kFrameHeaderBytes - kChecked + payload}, seed_);
  const auto type = static_cast<std::uint8_t>(at[12]);
  if (sum != get(at + 4, 4) || !known(type) || at[13] != 0) return Look::kNot;
  out.type = static_cast<FrameType>(type);
  out.line = get(at + 14, 2) << 32 | get(at + 36, 4);
  out.seq = get(at + 16, 8);
  out.arrived = from_nanoseconds(get(at + 24, 8));
  out.origin = static_cast<std::uint32_t>(get(at + 32, 4));
  out.position = get(at + 40, 8);
  std::memcpy(out.event_id.data(), at + 48, out.event_id.size());
  out.payload = {at + kFrameHeaderBytes, payload};
  return Look::kWhole;
}

Result<SegmentScanner::Step> SegmentScanner::next(Frame& out, std::uint64_t limit) {
  if (offset_ >= limit) return Step::kEnd;
  std::size_t size = 0;
  auto seen = look(out, limit, size);
  if (!seen) return pass(std::move(seen));
  if (*seen == Look::kWhole && out.seq == expected_) {
    offset_ += size;
    if (out.type == FrameType::kEvent) ++expected_;
    return Step::kFrame;
  }
  // Zeros up to the end are space that was never written to.
  for (std::uint64_t at = offset_; at < limit;) {
    const std::uint64_t keep = offset_;
    offset_ = at;
    auto have = fill(kReadAhead, limit);
    const std::string_view bytes = have ? window().substr(0, *have) : std::string_view();
    offset_ = keep;
    if (!have) return pass(std::move(have));
    if (bytes.find_first_not_of('\0') != std::string_view::npos) return Step::kBad;
    if (bytes.empty()) break;
    at += bytes.size();
  }
  return Step::kEnd;
}

Result<bool> SegmentScanner::resync(std::uint64_t limit) {
  const std::uint64_t from = offset_;
  // Frames begin at multiples of eight.
  for (offset_ = (offset_ + 8) / 8 * 8; offset_ + kFrameHeaderBytes <= limit; offset_ += 8) {
    auto have = fill(kFrameHeaderBytes, limit);
    if (!have) return pass(std::move(have));
    if (*have < kFrameHeaderBytes) break;
    if (!window().starts_with(kFrameMagic)) continue;
    Frame frame;
    std::size_t size = 0;
    auto seen = look(frame, limit, size);
    if (!seen) return pass(std::move(seen));
    if (*seen == Look::kWhole && frame.seq >= expected_) {
      expected_ = frame.seq;
      return true;
    }
  }
  offset_ = from;
  return false;
}

}  // namespace tocsin::storage
