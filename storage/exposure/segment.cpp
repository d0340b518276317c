// pread and checksums below, decoding above. Nothing is mapped: a failing disk gives an error, not a signal.
#include "storage/exposure/segment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/exposure/person_set.hpp"
#include "storage/files/durable_file.hpp"

namespace tocsin::storage::exposure {
namespace {

constexpr auto kDay32 = static_cast<std::uint32_t>(kDay);
constexpr auto kSlice32 = static_cast<std::uint32_t>(kSlice);
constexpr std::uint64_t kReadAhead = 1U << 20;
constexpr unsigned kMaxRice = 31;

static_assert(std::endian::native == std::endian::little, "BitReader loads words as they lie");

tl::unexpected<Error> bad(const char* what) { return fail(Errc::kCorrupt, std::string("damaged exposure segment: ") + what); }

std::uint32_t sum_at(std::string_view bytes, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i) out |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
  return out;
}

}  // namespace

Result<bool> ChunkReader::next(Group& group) {
  if (in_.left() == 0) return false;
  const std::uint64_t head = in_.varint();
  bucket_ += head / 2;
  const auto entries = static_cast<std::size_t>(in_.varint(kChunkEntries));
  const std::uint64_t more = in_.varint(kMaxSegmentAccesses);
  const PersonNo first = begun_ ? static_cast<PersonNo>(in_.varint(UINT32_MAX)) : first_;
  begun_ = true;
  const auto k = static_cast<unsigned>(in_.varint(kMaxRice));
  const std::uint64_t kinds = (head & 1) != 0 ? in_.varint(std::min<std::uint64_t>(attributes_, in_.left())) : 1;
  group.kinds.clear();
  for (std::uint64_t i = 0; i < kinds && !in_.failed(); ++i) {
    const std::uint64_t kind = in_.varint(UINT32_MAX);
    if (kind >= attributes_) return bad("an attribute");
    group.kinds.push_back(static_cast<std::uint32_t>(kind));
  }
  const std::string_view gap_bytes = in_.text(kMaxBlock);
  if (in_.failed() || entries == 0 || kinds == 0 || bucket_ > (daily_ ? kSliceDays - 1 : 0)) return bad("a group");
  group.accesses = entries + more;
  group.bucket_seconds = daily_ ? kDay32 : kSlice32;
  group.bucket_begin = static_cast<std::uint32_t>(bucket_) * group.bucket_seconds;
  group.kind_bytes = kinds > 1 ? in_.text(kMaxBlock) : std::string_view();
  group.time_bytes = in_.text(kMaxBlock);
  if (in_.failed() || group.accesses > group.time_bytes.size() * 8) return bad("a group");
  BitReader bits(gap_bytes);
  group.people.resize(entries);
  group.counts.resize(entries);
  // The innermost loop of "whom did this actor reach": plain pointers, one load for most people.
  PersonNo* const people = group.people.data();
  std::uint32_t* const counts = group.counts.data();
  std::uint64_t at = first, accesses = entries;
  bool several = bits.bits(1) != 0;
  for (std::size_t i = 0;;) {
    people[i] = static_cast<PersonNo>(at);
    counts[i] = 1;
    if (several) {
      const std::uint32_t extra = bits.golomb(1);
      counts[i] = extra + 2;
      accesses += std::uint64_t{extra} + 1;
    }
    if (++i == entries) break;
    at += std::uint64_t{bits.rice_and_bit(k, several)} + 1;
  }
  if (bits.failed() || at > UINT32_MAX || accesses != group.accesses) return bad("the people of a group");
  return true;
}

Result<void> Group::decode_attributes() {
  attributes.resize(accesses);
  if (kinds.size() == 1) {
    std::fill(attributes.begin(), attributes.end(), kinds.front());
  } else {
    BitReader bits(kind_bytes);
    const std::size_t count = kinds.size();
    const std::uint32_t* const names = kinds.data();
    bool fits = true;
    for (std::uint32_t& attribute : attributes) {
      const std::uint32_t kind = bits.golomb(0);
      fits = fits && kind < count;
      attribute = names[kind < count ? kind : 0];
    }
    if (!fits || bits.failed()) return bad("the attributes of a group");
  }
  return {};
}

Result<void> Group::decode_seconds() {
  seconds.resize(accesses);
  BitReader bits(time_bytes);
  const unsigned time_bits = bits_for(bucket_seconds - 1);
  std::size_t at = 0;
  for (const std::uint32_t count : counts) {
    std::uint64_t second = bits.bits(time_bits);
    seconds[at++] = bucket_begin + static_cast<std::uint32_t>(second);
    if (count > 1) {
      const unsigned k = rice_for(bucket_seconds, count);
      for (std::uint32_t i = 1; i < count; ++i) {
        second += bits.rice(k);
        seconds[at++] = bucket_begin + static_cast<std::uint32_t>(second);
      }
    }
    if (second >= bucket_seconds) return bad("the times of a group");
  }
  if (bits.failed()) return bad("the times of a group");
  return {};
}

Result<void> read_postings(std::string_view bytes, PersonNo first, const Tables& t, PersonNo person,
                           const std::function<Result<void>(const Hit&)>& each) {
  ByteReader head(bytes);
  const std::uint64_t people = head.varint(kPostingPeople);
  const auto k = static_cast<unsigned>(head.varint(kMaxRice));
  if (head.failed()) return bad("a block of postings");
  BitReader bits(bytes.substr(bytes.size() - head.left()));
  const unsigned span_bits = bits_for(t.last - t.first);
  const unsigned day_bits = bits_for(t.last_day() - t.first_day());
  std::uint64_t at = first;
  for (std::uint64_t i = 0; i < people; ++i) {
    if (i > 0) at += std::uint64_t{bits.rice(k)} + 1;
    if (at > person) return {};
    const std::uint64_t pairs = std::uint64_t{bits.golomb(0)} + 1;
    if (pairs > t.pairs.size() || bits.failed()) return bad("the postings of a person");
    const unsigned g = std::clamp(bits_for(t.pairs.size() / pairs), 1U, 7U) - 1;
    Hit hit;
    std::uint64_t pair = 0;
    for (std::uint64_t p = 0; p < pairs; ++p) {
      pair = p == 0 ? bits.golomb(g) : pair + 1 + bits.golomb(g);
      hit.summary = bits.bits(1) != 0;
      if (pair >= t.pairs.size() || bits.failed()) return bad("the postings of a person");
      hit.pair = static_cast<std::uint32_t>(pair);
      hit.count = 1;
      hit.sets.clear();
      if (!hit.summary) {
        if (t.pairs[pair].daily) hit.day = t.first_day() + static_cast<std::uint32_t>(bits.bits(day_bits));
      } else {
        hit.count = std::uint64_t{bits.golomb(1)} + 1;
        hit.first = t.first + static_cast<std::uint32_t>(bits.bits(span_bits));
        hit.last = hit.first + (hit.count > 1 ? static_cast<std::uint32_t>(bits.bits(span_bits)) : 0);
        const std::uint64_t sets = std::uint64_t{bits.golomb(0)} + 1;
        if (sets > t.sets.size() || bits.failed()) return bad("the postings of a person");
        for (std::uint64_t s = 0; s < sets; ++s) {
          const std::uint32_t set = bits.golomb(2);
          if (set >= t.sets.size()) return bad("the postings of a person");
          if (at == person) hit.sets.push_back(set);
        }
        if (hit.last > t.last) return bad("the postings of a person");
      }
      if (at != person) continue;
      if (bits.failed()) return bad("the postings of a person");
      if (auto done = each(hit); !done) return done;
    }
    if (at == person) return {};
  }
  return {};
}

Segment::~Segment() {
  if (fd_ >= 0) ::close(fd_);
}

tl::unexpected<Error> Segment::damaged(const char* what) const {
  return fail(Errc::kCorrupt, std::string("damaged exposure segment: ") + what, file_.string());
}

Result<std::unique_ptr<Segment>> Segment::open(const std::filesystem::path& file) {
  auto segment = std::unique_ptr<Segment>(new Segment);
  segment->file_ = file;
  segment->fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (segment->fd_ < 0) return system_failure(errno, "open", file);
  struct stat info {};
  if (::fstat(segment->fd_, &info) != 0) return system_failure(errno, "read", file);
  segment->bytes_ = static_cast<std::uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || segment->bytes_ < kHeaderBytes || segment->bytes_ > kMaxSegmentFile) return segment->damaged("its size");
  std::string bytes;
  if (auto done = segment->read(0, kHeaderBytes, bytes); !done) return pass(std::move(done));
  auto header = decode_header(std::string_view(bytes).substr(0, kHeaderBytes));
  const auto placed = [&](Error error) -> tl::unexpected<Error> {
    error.where = file.string();
    return tl::unexpected<Error>(std::move(error));
  };
  if (!header) return placed(std::move(header).error());
  if (header->tables_offset + header->tables_length != segment->bytes_) return segment->damaged("its length");
  if (auto done = segment->read(header->tables_offset, header->tables_length, bytes); !done) return pass(std::move(done));
  const std::string_view tables = std::string_view(bytes).substr(0, header->tables_length);
  if (block_sum(tables, header->tables_offset) != header->tables_sum) return segment->damaged("its tables");
  auto decoded = decode_tables(tables, header->base, header->tables_offset);
  if (!decoded) return placed(std::move(decoded).error());
  segment->tables_ = std::move(*decoded);
  return segment;
}

Result<void> Segment::read(std::uint64_t offset, std::uint64_t length, std::string& out) const {
  if (offset > bytes_ || length > bytes_ - offset) return damaged("a block beyond its end");
  if (out.size() < length + BitReader::kPadding) out.resize(length + BitReader::kPadding);
  std::uint64_t done = 0;
  while (done < length) {
    const ssize_t n = ::pread(fd_, out.data() + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure(errno, "read", file_);
    if (n == 0) return damaged("it became shorter");
    done += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> Segment::read_block(std::uint64_t offset, std::uint32_t length, std::string& out) const {
  if (auto done = read(offset, std::uint64_t{length} + kBlockSum, out); !done) return done;
  if (block_sum(std::string_view(out).substr(0, length), offset) != sum_at(out, length)) return damaged("a checksum");
  return {};
}

Result<void> Segment::groups(const Pair& pair, std::uint32_t from, std::uint32_t to,
                             const std::function<Result<void>(Group&)>& each) const {
  if (from > to) return {};
  const std::uint32_t low = pair.daily ? from / kDay32 : 0, high = pair.daily ? to / kDay32 : 0;
  // A chunk may begin before the bucket that is looked for.
  std::uint32_t begin = pair.chunk_begin, end = pair.chunk_begin;
  while (end < pair.chunk_end && tables_.chunks[end].bucket <= high) ++end;
  while (begin + 1 < end && tables_.chunks[begin + 1].bucket < low) ++begin;
  std::string bytes;
  Group group;
  while (begin < end) {
    const std::uint64_t offset = tables_.chunks[begin].offset;
    std::uint64_t length = 0;
    std::uint32_t next = begin;
    while (next < end && (next == begin || length + tables_.chunks[next].length < kReadAhead)) length += tables_.chunks[next++].length + kBlockSum;
    if (auto done = read(offset, length, bytes); !done) return done;
    for (; begin < next; ++begin) {
      const Chunk& chunk = tables_.chunks[begin];
      const std::string_view block = std::string_view(bytes).substr(chunk.offset - offset, chunk.length);
      if (block_sum(block, chunk.offset) != sum_at(bytes, chunk.offset - offset + chunk.length)) return damaged("a checksum");
      ChunkReader reader(block, chunk, pair.daily, tables_.attributes.size());
      while (true) {
        auto more = reader.next(group);
        if (!more) return pass(std::move(more));
        if (!*more) break;
        if (pair.daily && (group.bucket_begin / kDay32 < low || group.bucket_begin / kDay32 > high)) continue;
        if (auto done = each(group); !done) return done;
      }
    }
  }
  return {};
}

Result<void> Segment::lookup(const Pair& pair, std::uint32_t bucket, PersonNo person,
                             const std::function<void(std::uint32_t, std::uint32_t)>& each) const {
  const auto begin = tables_.chunks.begin() + pair.chunk_begin, end = tables_.chunks.begin() + pair.chunk_end;
  auto at = std::upper_bound(begin, end, std::pair(bucket, person),
                             [](const auto& wanted, const Chunk& chunk) { return wanted < std::pair(chunk.bucket, chunk.first); });
  if (at == begin) return {};
  --at;
  std::string bytes;
  if (auto done = read_block(at->offset, at->length, bytes); !done) return done;
  ChunkReader reader(std::string_view(bytes).substr(0, at->length), *at, pair.daily, tables_.attributes.size());
  Group group;
  while (true) {
    auto more = reader.next(group);
    if (!more) return pass(std::move(more));
    if (!*more) return {};
    if (group.bucket_begin / group.bucket_seconds != bucket) continue;
    const auto found = std::lower_bound(group.people.begin(), group.people.end(), person);
    if (found == group.people.end() || *found != person) return {};
    const auto entry = static_cast<std::size_t>(found - group.people.begin());
    if (auto done = group.details(); !done) return done;
    std::size_t first = 0;
    for (std::size_t i = 0; i < entry; ++i) first += group.counts[i];
    for (std::size_t i = first; i < first + group.counts[entry]; ++i) each(group.seconds[i], group.attributes[i]);
    return {};
  }
}

Result<void> Segment::postings(const DatasetPart& dataset, PersonNo person,
                               const std::function<Result<void>(const Hit&)>& each) const {
  const auto begin = tables_.blocks.begin() + dataset.block_begin, end = tables_.blocks.begin() + dataset.block_end;
  auto at = std::upper_bound(begin, end, person, [](PersonNo wanted, const PostingBlock& block) { return wanted < block.first; });
  if (at == begin) return {};
  --at;
  std::string bytes;
  if (auto done = read_block(at->offset, at->length, bytes); !done) return done;
  return read_postings(std::string_view(bytes).substr(0, at->length), at->first, tables_, person, each);
}

Result<std::string> Segment::wide(const WideReach& reach) const {
  std::string bytes;
  if (auto done = read_block(reach.offset, reach.length, bytes); !done) return pass(std::move(done));
  bytes.resize(reach.length);
  return bytes;
}

Result<void> Segment::check() const {
  std::string bytes;
  const auto all = [&](const auto& blocks) -> Result<void> {
    for (const auto& block : blocks) {
      if (auto done = read_block(block.offset, block.length, bytes); !done) return done;
    }
    return {};
  };
  if (auto done = all(tables_.chunks); !done) return done;
  if (auto done = all(tables_.blocks); !done) return done;
  return all(tables_.wide);
}

Result<void> Segment::verify() const {
  for (const Pair& pair : tables_.pairs) {
    std::uint64_t accesses = 0;
    auto done = groups(pair, 0, kSlice32 - 1, [&](Group& group) -> Result<void> {
      accesses += group.accesses;
      return group.details();
    });
    if (!done) return done;
    if (accesses != pair.accesses) return damaged("accesses are missing");
  }
  std::string bytes;
  for (const PostingBlock& block : tables_.blocks) {
    if (auto done = read_block(block.offset, block.length, bytes); !done) return done;
    auto walked = read_postings(std::string_view(bytes).substr(0, block.length), block.first, tables_, UINT32_MAX,
                                [](const Hit&) { return Result<void>(); });
    if (!walked) return walked;
  }
  for (const WideReach& reach : tables_.wide) {
    auto set = wide(reach);
    if (!set) return pass(std::move(set));
    if (PersonSet people; !people.add_roaring(*set)) return damaged("a wide set");
  }
  return {};
}

}  // namespace tocsin::storage::exposure
