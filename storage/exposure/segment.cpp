// pread and checksums below, decoding above. Nothing is mapped: a failing disk gives an error, not a signal.
#include "storage/exposure/segment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <tuple>

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

Result<bool> ChunkReader::next(Group& group, std::optional<std::uint32_t> only) {
  if (in_.left() == 0) return false;
  const std::uint64_t head = in_.varint();
  bucket_ += head / 2;
  const auto entries = static_cast<std::size_t>(in_.varint(kChunkEntries));
  const std::uint64_t more = in_.varint(kMaxSegmentAccesses);
  const std::uint64_t repeated = more > 0 ? in_.varint(std::min<std::uint64_t>(entries, more)) : 0;
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
  const std::string_view people_bytes = in_.text(kMaxBlock);
  if (in_.failed() || entries == 0 || kinds == 0 || bucket_ > (pair_.daily ? kSliceDays - 1 : 0)) return bad("a group");
  group.accesses = entries + more;
  group.bucket = static_cast<std::uint32_t>(bucket_);
  std::tie(group.first_second, group.last_second) = pair_.seconds_of(group.bucket);
  if (group.first_second > group.last_second) return bad("the bucket of a group");
  group.other_kinds = kinds > 1 ? in_.varint(group.accesses) : 0;
  group.kind_bytes = kinds > 1 ? in_.text(kMaxBlock) : std::string_view();
  group.time_bytes = in_.text(kMaxBlock);
  // Whoever was reached several times takes a bit for each further time.
  if (in_.failed() || more > group.time_bytes.size() * 8) return bad("a group");
  group.people.clear();
  if (only && *only != group.bucket) return true;
  BitReader bits(people_bytes);
  group.people.resize(entries);
  group.counts.assign(entries, 1);
  // The innermost loop of "whom did this actor reach".
  PersonNo* const people = group.people.data();
  std::uint64_t at = first;
  people[0] = first;
  for (std::size_t i = 1; i < entries; ++i) {
    at += std::uint64_t{bits.rice(k)} + 1;
    people[i] = static_cast<PersonNo>(at);
  }
  if (bits.failed() || at > UINT32_MAX) return bad("the people of a group");
  const unsigned gap = rice_for(entries - repeated, repeated);
  std::uint64_t entry = 0, accesses = entries;
  for (std::uint64_t i = 0; i < repeated; ++i, ++entry) {
    entry += bits.rice(gap);
    const std::uint64_t extra = std::uint64_t{bits.golomb(1)} + 1;
    if (entry >= entries || extra > more || bits.failed()) return bad("the people of a group");
    group.counts[entry] = static_cast<std::uint32_t>(extra) + 1;
    accesses += extra;
  }
  if (accesses != group.accesses) return bad("the people of a group");
  return true;
}

Result<void> Group::decode_attributes() {
  attributes.assign(accesses, kinds.front());
  BitReader bits(kind_bytes);
  const unsigned gap = rice_for(accesses - other_kinds, other_kinds);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < other_kinds; ++i, ++at) {
    at += bits.rice(gap);
    const std::uint64_t kind = std::uint64_t{bits.golomb(1)} + 1;
    if (at >= accesses || kind >= kinds.size() || bits.failed()) return bad("the attributes of a group");
    attributes[at] = kinds[kind];
  }
  return {};
}

Result<void> Group::decode_seconds(std::size_t of_people) {
  seconds.resize(accesses);
  BitReader bits(time_bytes);
  const std::uint32_t span = last_second - first_second + 1;
  const Below times(span);
  std::size_t at = 0;
  for (const std::uint32_t count : std::span(counts).first(std::min(of_people, counts.size()))) {
    std::uint64_t second = bits.below(times);
    seconds[at++] = first_second + static_cast<std::uint32_t>(second);
    if (count > 1) {
      const unsigned k = rice_for(span, count);
      for (std::uint32_t i = 1; i < count; ++i) {
        second += bits.rice(k);
        seconds[at++] = first_second + static_cast<std::uint32_t>(second);
      }
    }
    if (second >= span) return bad("the times of a group");
  }
  if (bits.failed()) return bad("the times of a group");
  return {};
}

Result<std::vector<Hit>> read_postings(std::string_view bytes, PersonNo first, const Tables& t, PersonNo person) {
  std::vector<Hit> hits;
  ByteReader head(bytes);
  const std::uint64_t people = head.varint(kPostingPeople);
  const auto k = static_cast<unsigned>(head.varint(kMaxRice));
  if (head.failed()) return bad("a block of postings");
  BitReader bits(bytes.substr(bytes.size() - head.left()));
  std::uint64_t at = first;
  for (std::uint64_t i = 0; i < people; ++i) {
    if (i > 0) at += std::uint64_t{bits.rice(k)} + 1;
    if (at > person) return hits;
    const std::uint64_t pairs = std::uint64_t{bits.golomb(0)} + 1;
    // Each takes a bit at least, so damaged bytes cannot ask for much memory.
    if (pairs > t.pairs.size() || pairs > bytes.size() * 8 || bits.failed()) return bad("the postings of a person");
    const bool wanted = at == person, all = pairs >= kSummarised;
    if (wanted) hits.reserve(pairs);
    const unsigned g = pair_code(t.pairs.size(), pairs), often = all ? static_cast<unsigned>(bits.bits(kOftenBits)) : 0;
    std::uint64_t next = 0;
    for (std::uint64_t n = 0; n < pairs; ++n) {
      next += bits.golomb(g);
      if (next >= t.pairs.size()) return bad("the postings of a person");
      Hit hit;
      hit.pair = static_cast<std::uint32_t>(next++);
      const Pair& p = t.pairs[hit.pair];
      hit.summary = all || bits.bits(1) != 0;
      if (!hit.summary) {
        if (p.daily) hit.day = p.first / kDay32 + static_cast<std::uint32_t>(bits.below(Below(p.days())));
      } else {
        hit.count = std::uint64_t{bits.golomb(often)} + (all ? 1 : 2);
        hit.first = p.first + static_cast<std::uint32_t>(bits.below(Below(p.span())));
        hit.last = hit.first;
        if (hit.count > 1) hit.last += static_cast<std::uint32_t>(bits.below(Below(p.last - hit.first + 1)));
        hit.set = bits.bits(1) == 0 ? p.usual : bits.golomb(kSetCode);
        if (hit.set >= t.sets.size()) return bad("the postings of a person");
      }
      if (wanted) hits.push_back(hit);
    }
    if (bits.failed()) return bad("the postings of a person");
    if (wanted) return hits;
  }
  return hits;
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
      ChunkReader reader(block, chunk, pair, tables_.attributes.size());
      while (true) {
        auto more = reader.next(group);
        if (!more) return pass(std::move(more));
        if (!*more) break;
        if (group.bucket < low || group.bucket > high) continue;
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
  ChunkReader reader(std::string_view(bytes).substr(0, at->length), *at, pair, tables_.attributes.size());
  Group group;
  while (true) {
    auto more = reader.next(group, bucket);
    if (!more) return pass(std::move(more));
    if (!*more) return {};
    if (group.bucket != bucket) continue;
    const auto found = std::lower_bound(group.people.begin(), group.people.end(), person);
    if (found == group.people.end() || *found != person) return {};
    const auto entry = static_cast<std::size_t>(found - group.people.begin());
    if (auto done = group.decode_attributes(); !done) return done;
    if (auto done = group.decode_seconds(entry + 1); !done) return done;
    std::size_t first = 0;
    for (std::size_t i = 0; i < entry; ++i) first += group.counts[i];
    for (std::size_t i = first; i < first + group.counts[entry]; ++i) each(group.seconds[i], group.attributes[i]);
    return {};
  }
}

Result<std::vector<Hit>> Segment::postings(const DatasetPart& dataset, PersonNo person) const {
  const auto begin = tables_.blocks.begin() + dataset.block_begin, end = tables_.blocks.begin() + dataset.block_end;
  auto at = std::upper_bound(begin, end, person, [](PersonNo wanted, const PostingBlock& block) { return wanted < block.first; });
  if (at == begin) return std::vector<Hit>();
  --at;
  std::string bytes;
  if (auto done = read_block(at->offset, at->length, bytes); !done) return pass(std::move(done));
  return read_postings(std::string_view(bytes).substr(0, at->length), at->first, tables_, person);
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
    auto walked = read_postings(std::string_view(bytes).substr(0, block.length), block.first, tables_, UINT32_MAX);
    if (!walked) return pass(std::move(walked));
  }
  for (const WideReach& reach : tables_.wide) {
    auto set = wide(reach);
    if (!set) return pass(std::move(set));
    if (PersonSet people; !people.add_roaring(*set)) return damaged("a wide set");
  }
  return {};
}

}  // namespace tocsin::storage::exposure
