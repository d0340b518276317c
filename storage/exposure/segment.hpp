// A sealed segment, open for reading. Its tables are in memory; chunks, postings and wide sets are read and checked
// when they are asked for. Whatever its bytes are, reading ends in an answer or in Errc::kCorrupt.
// Thread-safe: reading changes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure/bits.hpp"
#include "storage/exposure/tables.hpp"

namespace tocsin::storage::exposure {

// The people of one bucket within a chunk. Seconds are those of the slice.
struct Group {
  std::uint32_t bucket = 0;
  std::uint32_t first_second = 0, last_second = 0;  // that its accesses can have
  std::vector<PersonNo> people;       // ascending
  std::vector<std::uint32_t> counts;  // accesses of each
  std::vector<std::uint32_t> kinds;   // the attributes that occur
  std::uint64_t accesses = 0;
  // For each access, person by person, its attribute and second: there once they have been decoded.
  std::vector<std::uint32_t> attributes, seconds;
  [[nodiscard]] Result<void> decode_attributes();
  [[nodiscard]] Result<void> decode_seconds(std::size_t of_people = SIZE_MAX);  // of the first so many
  [[nodiscard]] Result<void> details() {  // both
    if (auto done = decode_attributes(); !done) return done;
    return decode_seconds();
  }

  std::uint64_t other_kinds = 0;  // accesses that have not the first of `kinds`
  std::string_view kind_bytes, time_bytes;
};

// Walks the groups of a chunk's bytes, behind which BitReader::kPadding bytes MUST be readable.
class ChunkReader {
 public:
  // `pair` MUST outlive this.
  ChunkReader(std::string_view bytes, const Chunk& chunk, const Pair& pair, std::size_t attributes)
      : in_(bytes), bucket_(chunk.bucket), first_(chunk.first), pair_(pair), attributes_(attributes) {}
  // The next group; false at the end. Of other buckets than `only` the people are left out.
  [[nodiscard]] Result<bool> next(Group& group, std::optional<std::uint32_t> only = {});

 private:
  ByteReader in_;
  std::uint64_t bucket_;
  PersonNo first_;
  bool begun_ = false;
  const Pair& pair_;
  std::size_t attributes_;
};

// What the postings say about one person and one pair.
struct Hit {
  std::uint32_t pair = 0;
  bool summary = false;       // else: one access, to be looked up with Segment::lookup
  std::uint32_t day = 0;      // of that access, if the pair is daily
  std::uint64_t count = 1;
  std::uint32_t first = 0, last = 0;  // of the summary
  std::uint32_t set = 0;              // of the summary, in Tables::sets
};

// The hits of `person` in the bytes of a block of postings that begins with `first`; padded as above. By pair.
[[nodiscard]] Result<std::vector<Hit>> read_postings(std::string_view bytes, PersonNo first, const Tables& tables, PersonNo person);

// In which buckets of its pair the accesses of a hit lie, as far as they begin in the seconds `low` … `high`.
[[nodiscard]] inline std::pair<std::uint32_t, std::uint32_t> buckets_of(const Pair& pair, const Hit& hit, std::uint32_t low, std::uint32_t high) {
  constexpr auto kDaySeconds = static_cast<std::uint32_t>(kDay);
  if (!pair.daily) return {0, 0};
  if (!hit.summary) return {hit.day, hit.day};
  return {std::max(hit.first, low) / kDaySeconds, std::min(hit.last, high) / kDaySeconds};
}

class Segment {
 public:
  // Checks header and tables. Errors: kNotFound, kCorrupt, kUnsupported, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Segment>> open(const std::filesystem::path& file);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  [[nodiscard]] const Tables& tables() const noexcept { return tables_; }
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t memory() const { return tables_.memory() + sizeof(*this); }
  // Holds every block against its checksum; faster than verify(), which decodes them too.
  [[nodiscard]] Result<void> check() const;
  // Reads and checks every block.
  [[nodiscard]] Result<void> verify() const;

  // All groups of a pair whose bucket meets these seconds of the slice, in the order of (bucket, person).
  [[nodiscard]] Result<void> groups(const Pair& pair, std::uint32_t from, std::uint32_t to,
                                    const std::function<Result<void>(Group&)>& each) const;
  // One person in one bucket of a pair: each access (second, attribute).
  [[nodiscard]] Result<void> lookup(const Pair& pair, std::uint32_t bucket, PersonNo person,
                                    const std::function<void(std::uint32_t, std::uint32_t)>& each) const;
  // Which pairs reached a person, wide reaches not among them.
  [[nodiscard]] Result<std::vector<Hit>> postings(const DatasetPart& dataset, PersonNo person) const;
  // Roaring's portable bytes.
  [[nodiscard]] Result<std::string> wide(const WideReach& reach) const;

 private:
  Segment() = default;
  // `length` bytes from `offset`, with room behind them for BitReader.
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::uint64_t length, std::string& out) const;
  [[nodiscard]] Result<void> read_block(std::uint64_t offset, std::uint32_t length, std::string& out) const;
  [[nodiscard]] tl::unexpected<Error> damaged(const char* what) const;

  int fd_ = -1;
  std::filesystem::path file_;
  std::uint64_t bytes_ = 0;
  Tables tables_;
};

}  // namespace tocsin::storage::exposure
