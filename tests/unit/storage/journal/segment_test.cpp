// Frames: what is written is read, and no changed byte passes.
#include "storage/journal/segment.hpp"

#include <cstring>

#include <gtest/gtest.h>

namespace tocsin::storage {
namespace {

SegmentHeader header() {
  SegmentHeader out;
  out.number = 3;
  out.first = 1001;
  out.created = from_micros(1'764'000'000'000'000);
  out.instance.fill(0x5a);
  return out;
}

ReadAt memory(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, char* out, std::size_t size) -> ssize_t {
    if (offset >= bytes.size()) return 0;
    const std::size_t n = std::min<std::size_t>(size, bytes.size() - static_cast<std::size_t>(offset));
    std::memcpy(out, bytes.data() + offset, n);
    return static_cast<ssize_t>(n);
  };
}

std::string segment(std::size_t events) {
  std::string out = header().bytes();
  for (std::size_t i = 0; i < events; ++i) {
    const std::string payload(i * 13 % 40, static_cast<char>('a' + i % 26));
    Frame frame;
    frame.seq = 1001 + i;
    frame.arrived = from_micros(static_cast<std::int64_t>(i));
    frame.origin = 7;
    frame.line = (std::uint64_t{1} << 47) + i;
    frame.position = 1'000'000 + i;
    frame.event_id.fill(static_cast<std::uint8_t>(i));
    frame.payload = payload;
    append_frame(out, frame, checksum_seed(header().instance));
  }
  return out;
}

std::vector<std::uint64_t> numbers(const std::string& bytes) {
  std::vector<std::uint64_t> out;
  SegmentScanner scanner(memory(bytes), header());
  while (true) {
    Frame frame;
    auto step = scanner.next(frame, bytes.size());
    EXPECT_TRUE(step);
    if (!step || *step == SegmentScanner::Step::kEnd) return out;
    if (*step == SegmentScanner::Step::kBad) {
      if (!*scanner.resync(bytes.size())) return out;
      continue;
    }
    out.push_back(frame.seq);
  }
}

TEST(SegmentName, is_the_first_number_in_hexadecimal) {
  EXPECT_EQ(segment_name(1001), "seg-00000000000003e9.tsg");
  EXPECT_EQ(segment_first("seg-00000000000003e9.tsg"), 1001U);
  for (const char* bad : {"", "seg-00000000000003E9.tsg", "seg-3e9.tsg", "seg-00000000000003e9.tsg.cut", "seg-0000000000000-e9.tsg"}) {
    EXPECT_FALSE(segment_first(bad)) << bad;
  }
}

TEST(SegmentHeader, reads_what_it_wrote_and_notices_every_changed_bit) {
  const std::string bytes = header().bytes();
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  auto back = SegmentHeader::parse(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->first, 1001U);
  EXPECT_EQ(back->number, 3U);
  EXPECT_EQ(back->created, header().created);
  EXPECT_EQ(back->instance, header().instance);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(SegmentHeader::parse(changed)) << bit;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_FALSE(SegmentHeader::parse(bytes.substr(0, i)));
}

TEST(Frame, reads_what_it_wrote) {
  const std::string bytes = segment(30);
  SegmentScanner scanner(memory(bytes), header());
  for (std::size_t i = 0; i < 30; ++i) {
    Frame frame;
    auto step = scanner.next(frame, bytes.size());
    ASSERT_TRUE(step && *step == SegmentScanner::Step::kFrame);
    EXPECT_EQ(frame.seq, 1001 + i);
    EXPECT_EQ(frame.line, (std::uint64_t{1} << 47) + i);
    EXPECT_EQ(frame.position, 1'000'000 + i);
    EXPECT_EQ(frame.origin, 7U);
    EXPECT_EQ(frame.arrived, from_micros(static_cast<std::int64_t>(i)));
    EXPECT_EQ(frame.payload, std::string(i * 13 % 40, static_cast<char>('a' + i % 26)));
  }
  Frame frame;
  EXPECT_EQ(*scanner.next(frame, bytes.size()), SegmentScanner::Step::kEnd);
}

TEST(Frame, costs_one_frame_when_one_byte_changes) {
  const std::string bytes = segment(8);
  const auto all = numbers(bytes);
  ASSERT_EQ(all.size(), 8U);
  // The frames' first bytes, to know which frame a byte belongs to.
  for (std::size_t i = kSegmentHeaderBytes; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    const auto left = numbers(changed);
    // Padding behind a payload carries nothing and is not checked; everything else costs exactly its frame.
    EXPECT_GE(left.size(), 7U) << "byte " << i;
    if (left.size() == 8) {
      EXPECT_EQ(bytes[i], '\0') << "byte " << i;
    }
  }
}

TEST(Frame, of_another_journal_is_not_taken) {
  // A payload that contains a whole frame, as somebody might send to plant evidence behind a damage.
  std::string planted;
  Frame inner;
  inner.seq = 1003;
  inner.payload = "planted";
  std::array<std::uint8_t, 16> guessed{};
  append_frame(planted, inner, checksum_seed(guessed));
  std::string bytes = header().bytes();
  Frame outer;
  outer.seq = 1001;
  outer.payload = planted;
  append_frame(bytes, outer, checksum_seed(header().instance));
  bytes[kSegmentHeaderBytes + 20] ^= 1;
  EXPECT_TRUE(numbers(bytes).empty());
}

TEST(Frame, ends_where_only_zeros_follow) {
  const std::string bytes = segment(3) + std::string(3 << 20, '\0');
  EXPECT_EQ(numbers(bytes).size(), 3U);
  SegmentScanner scanner(memory(bytes), header());
  Frame frame;
  for (int i = 0; i < 3; ++i) static_cast<void>(scanner.next(frame, bytes.size()));
  EXPECT_EQ(*scanner.next(frame, bytes.size()), SegmentScanner::Step::kEnd);
  const std::string bad = bytes + "x";
  SegmentScanner again(memory(bad), header());
  for (int i = 0; i < 3; ++i) static_cast<void>(again.next(frame, bad.size()));
  EXPECT_EQ(*again.next(frame, bad.size()), SegmentScanner::Step::kBad);
}

TEST(Origin, reads_what_it_wrote) {
  const OriginPayload origin{42, "postgres", "/var/log/postgresql/audit.csv"};
  const std::string bytes = origin.bytes();
  auto back = OriginPayload::parse(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->stream, 42U);
  EXPECT_EQ(back->source, origin.source);
  EXPECT_EQ(back->file, origin.file);
  EXPECT_FALSE(OriginPayload::parse(bytes.substr(0, 9)));
  EXPECT_FALSE(OriginPayload::parse(bytes.substr(0, 15)));
}

}  // namespace
}  // namespace tocsin::storage
