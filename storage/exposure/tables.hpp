// The tables of a segment file: the part that is held in memory while the segment is open. Everything else is read
// when it is asked for. Bytes: ops/docs/formats/exposure-segments.md.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure/access.hpp"

namespace tocsin::storage::exposure {

inline constexpr std::string_view kMagic = "TOCSEXP1";
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kBlockSum = 4;                   // CRC-32C behind each block
inline constexpr std::size_t kChunkEntries = 1024;            // people in one chunk of a pair, about
inline constexpr std::size_t kChunkAccesses = 4096;           // a chunk ends after so many accesses
inline constexpr std::size_t kPostingPeople = 128;            // people in one block of postings, at most
inline constexpr std::size_t kPostingBytes = 4096;            // … which ends after so many bytes
inline constexpr std::size_t kSummarised = 32;                // a person seen by so many pairs has first and last of each inline
inline constexpr std::size_t kDailyFrom = 256;                // accesses a day from which a pair is kept by day
inline constexpr std::uint64_t kMaxBlock = 64ULL << 20;
inline constexpr std::uint64_t kMaxTables = 256ULL << 20;
inline constexpr std::uint64_t kMaxSegmentFile = 1ULL << 30;

struct Chunk {
  std::uint32_t bucket = 0;  // day of the slice of its first group; 0 for a pair that is not daily
  PersonNo first = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;  // without the checksum
};

// What one actor did in one dataset, by reaches of one kind: confirmed ones (Attribute::confirmed) and others are
// apart, so that a bucket's people need not be told apart one by one. Numbered by falling number of accesses.
struct Pair {
  std::uint32_t actor = 0;    // text
  std::uint32_t dataset = 0;  // in Tables::datasets
  bool confirmed = false;
  bool daily = false;         // one bucket a day; else one for the whole slice
  std::uint64_t accesses = 0;  // of single people; wide reaches are not in it
  std::uint32_t first = 0, last = 0;  // seconds of the slice
  std::uint32_t usual = 0;    // the set of attributes (Tables::sets) that most people of the pair have
  std::uint32_t chunk_begin = 0, chunk_end = 0;  // in Tables::chunks
  std::uint64_t actor_hash = 0;  // std::hash of the actor's text, while the tables are in memory; not written

  [[nodiscard]] std::uint32_t span() const noexcept { return last - first + 1; }
  [[nodiscard]] std::uint32_t days() const noexcept { return last / static_cast<std::uint32_t>(kDay) - first / static_cast<std::uint32_t>(kDay) + 1; }
  // The first and the last second that a reach of this bucket can have; the last is the smaller one if none can.
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> seconds_of(std::uint32_t bucket) const noexcept {
    if (!daily) return {first, last};
    const std::uint32_t begin = bucket * static_cast<std::uint32_t>(kDay);
    return {std::max(begin, first), std::min(begin + static_cast<std::uint32_t>(kDay) - 1, last)};
  }
};

// How postings code their numbers.
inline constexpr unsigned kSetCode = 2;                 // exponential Golomb, for sets other than the usual one
inline constexpr unsigned kOftenBits = 2, kMostOften = 3;  // the code of how often, chosen for each person with many pairs
// For the distances between the pairs of a person.
[[nodiscard]] constexpr unsigned pair_code(std::size_t all, std::size_t of_person) noexcept {
  return std::clamp(static_cast<unsigned>(std::bit_width(all / of_person)), 1U, 7U) - 1;
}

struct PostingBlock {
  PersonNo first = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

struct DatasetPart {
  std::uint32_t name = 0;  // text
  std::uint32_t block_begin = 0, block_end = 0;  // in Tables::blocks
};

// A reach of very many people: its set is a Roaring bitmap of its own.
struct WideReach {
  std::uint32_t pair = 0, second = 0, attribute = 0, size = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

struct Tables {
  Second base = 0;                   // begin of the slice
  std::uint32_t first = 0, last = 0;  // seconds of the slice: first access, last access
  std::uint32_t extent = 0;          // the largest of all attributes
  std::uint64_t accesses = 0;        // people of all reaches, wide ones too
  std::uint64_t first_seq = 0, last_seq = 0;  // journal numbers of the records behind it; 0 = not known
  std::vector<std::string> texts;
  std::vector<Attribute> attributes;
  std::vector<std::vector<std::uint32_t>> sets;  // sets of attributes that occur together, each sorted
  std::vector<DatasetPart> datasets;
  std::vector<Pair> pairs;
  std::vector<Chunk> chunks;
  std::vector<PostingBlock> blocks;
  std::vector<WideReach> wide;

  [[nodiscard]] std::uint32_t first_day() const noexcept { return first / static_cast<std::uint32_t>(kDay); }
  [[nodiscard]] std::uint32_t last_day() const noexcept { return last / static_cast<std::uint32_t>(kDay); }
  [[nodiscard]] std::size_t memory() const;
};

// Chunks, blocks and wide sets follow each other from kHeaderBytes on, in the order of the tables, so offsets are
// not written but added up. `body` = where they end.
[[nodiscard]] std::string encode(const Tables& tables);
[[nodiscard]] Result<Tables> decode_tables(std::string_view bytes, Second base, std::uint64_t body);

struct Header {
  Second base = 0;
  std::uint64_t tables_offset = 0, tables_length = 0;
  std::uint32_t tables_sum = 0;
};
[[nodiscard]] std::string encode(const Header& header);
[[nodiscard]] Result<Header> decode_header(std::string_view bytes);

// The checksum of a block; it begins with the block's place, so that blocks cannot be mistaken for each other.
[[nodiscard]] std::uint32_t block_sum(std::string_view bytes, std::uint64_t offset);

}  // namespace tocsin::storage::exposure
