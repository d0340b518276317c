// Varints all through; every number that is read is held against what it may be.
#include "storage/exposure/tables.hpp"

#include <algorithm>
#include <functional>

#include "storage/exposure/bits.hpp"
#include "storage/journal/crc32c.hpp"

namespace tocsin::storage::exposure {
namespace {

constexpr std::uint64_t kMost = UINT32_MAX;
constexpr std::uint16_t kVersion = 2;

template <class Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[at + i])) << (8 * i);
  return static_cast<Number>(value);
}

tl::unexpected<Error> damaged(const char* what) { return fail(Errc::kCorrupt, std::string("damaged exposure segment: ") + what); }

}  // namespace

std::size_t Tables::memory() const {
  std::size_t out = sizeof(*this) + texts.capacity() * sizeof(std::string) + attributes.capacity() * sizeof(Attribute) +
                    datasets.capacity() * sizeof(DatasetPart) + pairs.capacity() * sizeof(Pair) + chunks.capacity() * sizeof(Chunk) +
                    blocks.capacity() * sizeof(PostingBlock) + wide.capacity() * sizeof(WideReach);
  for (const std::string& text : texts) out += text.capacity() > 15 ? text.capacity() : 0;
  for (const Attribute& a : attributes) out += a.fields.capacity() + a.way.capacity() + a.reason.capacity();
  for (const auto& set : sets) out += sizeof(set) + set.capacity() * sizeof(std::uint32_t);
  return out;
}

std::string encode(const Tables& t) {
  std::string out;
  ByteWriter w(out);
  w.varint(t.first);
  w.varint(t.last);
  w.varint(t.extent);
  w.varint(t.accesses);
  w.varint(t.first_seq);
  w.varint(t.last_seq);
  w.varint(t.texts.size());
  for (const std::string& text : t.texts) w.text(text);
  w.varint(t.attributes.size());
  for (const Attribute& a : t.attributes) {
    w.varint(static_cast<std::uint64_t>(a.grade) | (a.confirmed ? 4U : 0U));
    w.varint(a.least);
    w.varint(a.extent);
    w.text(a.fields);
    w.text(a.way);
    w.text(a.reason);
  }
  w.varint(t.sets.size());
  for (const auto& set : t.sets) {
    w.varint(set.size());
    for (const std::uint32_t a : set) w.varint(a);
  }
  w.varint(t.datasets.size());
  for (const DatasetPart& d : t.datasets) {
    w.varint(d.name);
    w.varint(d.block_end - d.block_begin);
    PersonNo before = 0;
    for (std::uint32_t b = d.block_begin; b < d.block_end; ++b) {
      w.varint(t.blocks[b].first - before);
      w.varint(t.blocks[b].length);
      before = t.blocks[b].first;
    }
  }
  w.varint(t.pairs.size());
  for (const Pair& p : t.pairs) {
    w.varint(p.actor);
    w.varint(std::uint64_t{p.dataset} * 4 + (p.daily ? 1U : 0U) + (p.confirmed ? 2U : 0U));
    w.varint(p.accesses);
    w.varint(p.first);
    w.varint(p.last - p.first);
    w.varint(p.usual);
    w.varint(p.chunk_end - p.chunk_begin);
    for (std::uint32_t c = p.chunk_begin; c < p.chunk_end; ++c) {
      if (p.daily) w.varint(t.chunks[c].bucket);
      w.varint(t.chunks[c].first);
      w.varint(t.chunks[c].length);
    }
  }
  w.varint(t.wide.size());
  for (const WideReach& r : t.wide) {
    w.varint(r.pair);
    w.varint(r.second);
    w.varint(r.attribute);
    w.varint(r.size);
    w.varint(r.length);
  }
  return out;
}

Result<Tables> decode_tables(std::string_view bytes, Second base, std::uint64_t body) {
  Tables t;
  ByteReader r(bytes);
  const auto u32 = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  // A count of things that take at least one byte each.
  const auto count = [&] { return static_cast<std::size_t>(r.varint(r.left())); };
  constexpr auto kLastSecond = static_cast<std::uint64_t>(kSlice - 1);
  t.base = base;
  t.first = u32(r.varint(kLastSecond));
  t.last = u32(r.varint(kLastSecond));
  t.extent = u32(r.varint(static_cast<std::uint64_t>(kMaxExtent)));
  t.accesses = r.varint();
  t.first_seq = r.varint();
  t.last_seq = r.varint();
  for (std::size_t n = count(); n > 0 && !r.failed(); --n) t.texts.emplace_back(r.text(kMaxText));
  const std::size_t attributes = count();
  if (attributes > kMaxAttributes) return damaged("too many attributes");
  for (std::size_t n = attributes; n > 0 && !r.failed(); --n) {
    Attribute a;
    const std::uint64_t bits = r.varint(7);
    a.grade = static_cast<Grade>(bits & 3);
    a.confirmed = (bits & 4) != 0;
    a.least = u32(r.varint(kMost));
    a.extent = u32(r.varint(t.extent));
    a.fields = r.text(kMaxText);
    a.way = r.text(kMaxText);
    a.reason = r.text(kMaxText);
    t.attributes.push_back(std::move(a));
  }
  for (std::size_t n = count(); n > 0 && !r.failed(); --n) {
    std::vector<std::uint32_t> set;
    for (std::size_t m = count(); m > 0 && !r.failed(); --m) set.push_back(u32(r.varint(attributes == 0 ? 0 : attributes - 1)));
    t.sets.push_back(std::move(set));
  }
  for (std::size_t n = count(); n > 0 && !r.failed(); --n) {
    DatasetPart d;
    d.name = u32(r.varint(t.texts.empty() ? 0 : t.texts.size() - 1));
    d.block_begin = u32(t.blocks.size());
    PersonNo before = 0;
    for (std::size_t m = count(); m > 0 && !r.failed(); --m) {
      PostingBlock block;
      before = block.first = u32(r.varint(kMost - before)) + before;
      block.length = u32(r.varint(kMaxBlock));
      t.blocks.push_back(block);
    }
    d.block_end = u32(t.blocks.size());
    t.datasets.push_back(d);
  }
  for (std::size_t n = count(); n > 0 && !r.failed(); --n) {
    Pair p;
    p.actor = u32(r.varint(t.texts.empty() ? 0 : t.texts.size() - 1));
    const std::uint64_t dataset = r.varint(t.datasets.empty() ? 0 : t.datasets.size() * 4 - 1);
    p.dataset = u32(dataset / 4);
    p.confirmed = (dataset & 2) != 0;
    p.daily = (dataset & 1) != 0;
    p.accesses = r.varint();
    p.first = u32(r.varint(kLastSecond));
    p.last = u32(r.varint(kLastSecond - p.first)) + p.first;
    p.usual = u32(r.varint(t.sets.empty() ? 0 : t.sets.size() - 1));
    p.chunk_begin = u32(t.chunks.size());
    for (std::size_t m = count(); m > 0 && !r.failed(); --m) {
      Chunk chunk;
      if (p.daily) chunk.bucket = u32(r.varint(static_cast<std::uint64_t>(kSliceDays - 1)));
      chunk.first = u32(r.varint(kMost));
      chunk.length = u32(r.varint(kMaxBlock));
      if (t.chunks.size() > p.chunk_begin) {
        const Chunk& before = t.chunks.back();
        if (std::pair(chunk.bucket, chunk.first) <= std::pair(before.bucket, before.first)) return damaged("chunks are not in order");
      }
      t.chunks.push_back(chunk);
    }
    p.chunk_end = u32(t.chunks.size());
    t.pairs.push_back(p);
  }
  for (std::size_t n = count(); n > 0 && !r.failed(); --n) {
    WideReach w;
    w.pair = u32(r.varint(t.pairs.empty() ? 0 : t.pairs.size() - 1));
    w.second = u32(r.varint(kLastSecond));
    w.attribute = u32(r.varint(attributes == 0 ? 0 : attributes - 1));
    w.size = u32(r.varint(kMost));
    w.length = u32(r.varint(kMaxBlock));
    t.wide.push_back(w);
  }
  if (r.failed() || r.left() > 0) return damaged("its tables cannot be read");
  if (t.first > t.last || t.attributes.empty() || t.pairs.empty()) return damaged("its tables say nothing");
  if (t.datasets.empty() || t.texts.empty()) return damaged("its tables name nothing");
  for (Pair& p : t.pairs) p.actor_hash = std::hash<std::string_view>{}(t.texts[p.actor]);
  std::uint64_t at = kHeaderBytes;
  const auto place = [&](auto& block) {
    block.offset = at;
    at += block.length + kBlockSum;
  };
  for (Chunk& chunk : t.chunks) place(chunk);
  for (PostingBlock& block : t.blocks) place(block);
  for (WideReach& w : t.wide) place(w);
  if (at != body) return damaged("its blocks do not fill it");
  return t;
}

std::string encode(const Header& header) {
  std::string out(kMagic);
  put<std::uint16_t>(out, kVersion);
  put<std::uint16_t>(out, kHeaderBytes);
  put<std::uint32_t>(out, 0);  // flags
  put<std::int64_t>(out, header.base);
  put<std::uint64_t>(out, header.tables_offset);
  put<std::uint64_t>(out, header.tables_length);
  put<std::uint32_t>(out, header.tables_sum);
  out.resize(kHeaderBytes - 4, '\0');
  put<std::uint32_t>(out, crc32c(out));
  return out;
}

Result<Header> decode_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || bytes.substr(0, kMagic.size()) != kMagic) return damaged("not an exposure segment");
  if (get<std::uint32_t>(bytes, kHeaderBytes - 4) != crc32c(bytes.substr(0, kHeaderBytes - 4))) return damaged("its header");
  if (get<std::uint16_t>(bytes, 8) != kVersion || get<std::uint16_t>(bytes, 10) != kHeaderBytes || get<std::uint32_t>(bytes, 12) != 0) {
    return fail(Errc::kUnsupported, "an exposure segment of another version");
  }
  Header header;
  header.base = get<std::int64_t>(bytes, 16);
  header.tables_offset = get<std::uint64_t>(bytes, 24);
  header.tables_length = get<std::uint64_t>(bytes, 32);
  header.tables_sum = get<std::uint32_t>(bytes, 40);
  constexpr Second kFar = std::numeric_limits<Second>::max() / 4;
  if (header.base < -kFar || header.base > kFar || header.base % kSlice != 0) return damaged("its time");
  if (header.tables_offset < kHeaderBytes || header.tables_offset > kMaxSegmentFile || header.tables_length > kMaxTables) {
    return damaged("its header");
  }
  return header;
}

std::uint32_t block_sum(std::string_view bytes, std::uint64_t offset) {
  std::string place;
  put<std::uint64_t>(place, offset);
  return crc32c(bytes, crc32c(place));
}

}  // namespace tocsin::storage::exposure
