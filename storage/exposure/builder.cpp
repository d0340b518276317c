// Rows are sorted by (pair, bucket, person, second) and written as chunks; what each person was seen by falls out of
// that walk, is sorted by person and written as postings.
#include "storage/exposure/builder.hpp"

#include <algorithm>
#include <numeric>

#include "storage/exposure/bits.hpp"
#include "storage/exposure/person_set.hpp"
#include "storage/exposure/radix.hpp"

namespace tocsin::storage::exposure {
namespace {

constexpr auto kDay32 = static_cast<std::uint32_t>(kDay);

void append_block(std::string& out, std::string_view bytes) {
  const std::uint32_t sum = block_sum(bytes, out.size());
  out.append(bytes);
  for (unsigned i = 0; i < 4; ++i) out.push_back(static_cast<char>(sum >> (8 * i)));
}

}  // namespace

// What one pair and one person have to do with each other in this segment.
struct SegmentBuilder::Posting {
  std::uint32_t person, pair, first, last, count, set;
};

// Numbers for sets of attributes; growing one is a look-up once that step has been taken before.
class SegmentBuilder::Sets {
 public:
  explicit Sets(std::vector<std::vector<std::uint32_t>>& sets) : sets_(sets) {}
  std::uint32_t of(std::uint32_t attribute) {
    if (attribute >= single_.size()) single_.resize(attribute + 1, kNone);
    if (single_[attribute] == kNone) single_[attribute] = number({attribute});
    return single_[attribute];
  }
  std::uint32_t both(std::uint32_t a, std::uint32_t b) {
    if (a == b) return a;
    const std::uint64_t step = (std::uint64_t{a} << 32) | b;
    if (const auto known = steps_.find(step); known != steps_.end()) return known->second;
    std::vector<std::uint32_t> all;
    std::set_union(sets_[a].begin(), sets_[a].end(), sets_[b].begin(), sets_[b].end(), std::back_inserter(all));
    const std::uint32_t out = number(std::move(all));
    steps_.emplace(step, out);
    return out;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t number(std::vector<std::uint32_t> set) {
    std::string key;
    for (const std::uint32_t a : set) key += std::to_string(a) + ',';
    const auto [at, is_new] = numbers_.try_emplace(key, static_cast<std::uint32_t>(sets_.size()));
    if (is_new) sets_.push_back(std::move(set));
    return at->second;
  }
  std::vector<std::vector<std::uint32_t>>& sets_;
  std::vector<std::uint32_t> single_;
  std::unordered_map<std::uint64_t, std::uint32_t> steps_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

std::optional<std::uint32_t> SegmentBuilder::attribute(const Attribute& a) {
  if (a.fields.size() > kMaxText || a.way.size() > kMaxText || a.reason.size() > kMaxText || a.extent > kMaxExtent) return {};
  std::string key;
  ByteWriter w(key);
  w.varint(static_cast<std::uint64_t>(a.grade) | (a.confirmed ? 4U : 0U));
  w.varint(a.least);
  w.varint(a.extent);
  w.text(a.fields);
  w.text(a.way);
  w.text(a.reason);
  if (const auto known = attributes_.find(key); known != attributes_.end()) return known->second;
  if (tables_.attributes.size() >= kMaxAttributes) return {};
  const auto number = static_cast<std::uint32_t>(tables_.attributes.size());
  tables_.attributes.push_back(a);
  tables_.extent = std::max(tables_.extent, a.extent);
  attributes_.emplace(std::move(key), number);
  return number;
}

std::uint32_t SegmentBuilder::text(std::string_view text) {
  if (const auto known = texts_.find(text); known != texts_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(tables_.texts.size());
  tables_.texts.emplace_back(text);
  texts_.emplace(text, number);
  return number;
}

std::optional<std::uint32_t> SegmentBuilder::pair(std::string_view actor, std::string_view dataset, bool confirmed) {
  if (actor.size() > kMaxText || dataset.size() > kMaxText) return {};
  const std::uint32_t who = text(actor);
  std::uint32_t where = 0;
  if (const auto known = datasets_.find(dataset); known != datasets_.end()) {
    where = known->second;
  } else {
    where = static_cast<std::uint32_t>(tables_.datasets.size());
    tables_.datasets.push_back({text(dataset), 0, 0});
    datasets_.emplace(dataset, where);
  }
  const std::uint64_t key = (std::uint64_t{who} << 32) | (where * 2) | (confirmed ? 1U : 0U);
  if (const auto known = pairs_.find(key); known != pairs_.end()) return known->second;
  if (tables_.pairs.size() >= kMaxPairs) return {};
  const auto number = static_cast<std::uint32_t>(tables_.pairs.size());
  Pair made;
  made.actor = who;
  made.dataset = where;
  made.confirmed = confirmed;
  made.first = UINT32_MAX;
  tables_.pairs.push_back(made);
  pairs_.emplace(key, number);
  return number;
}

bool SegmentBuilder::add(std::string_view actor, std::string_view dataset, std::uint32_t attribute, Second second,
                         std::span<const PersonNo> people) {
  if (people.empty()) return true;
  const bool wide = people.size() >= kWide;
  if (!wide && rows_.size() + people.size() > kMaxSegmentAccesses) return false;
  const auto number = pair(actor, dataset, tables_.attributes[attribute].confirmed);
  if (!number) return false;
  const auto at = static_cast<std::uint32_t>(second - slice_ * kSlice);
  const bool first = size() == 0;
  in_order_ = in_order_ && (first || at >= tables_.last);
  tables_.first = first ? at : std::min(tables_.first, at);
  tables_.last = std::max(tables_.last, at);
  Pair& p = tables_.pairs[*number];
  p.first = std::min(p.first, at);
  p.last = std::max(p.last, at);
  if (wide) {
    Wide w;
    w.reach.pair = *number;
    w.reach.second = at;
    w.reach.attribute = attribute;
    w.reach.size = static_cast<std::uint32_t>(people.size());
    w.bytes = to_roaring({people.begin(), people.end()});
    wide_.push_back(std::move(w));
    wide_people_ += people.size();
    return true;
  }
  p.accesses += people.size();
  for (const PersonNo no : people) rows_.push_back({*number, no, at, attribute});
  return true;
}

void SegmentBuilder::covers(std::uint64_t seq) {
  if (seq == 0) return;
  tables_.first_seq = tables_.first_seq == 0 ? seq : std::min(tables_.first_seq, seq);
  tables_.last_seq = std::max(tables_.last_seq, seq);
}

std::size_t SegmentBuilder::memory() const {
  std::size_t out = rows_.capacity() * sizeof(Row) + tables_.memory();
  for (const Wide& w : wide_) out += sizeof(w) + w.bytes.capacity();
  return out + texts_.size() * 96 + pairs_.size() * 32 + attributes_.size() * 128;
}

// The busiest pair becomes number 0: small numbers take few bits in the postings.
void SegmentBuilder::number_pairs() {
  std::vector<std::uint32_t> order(tables_.pairs.size()), now(order.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return tables_.pairs[a].accesses > tables_.pairs[b].accesses; });
  std::vector<Pair> pairs;
  pairs.reserve(order.size());
  for (const std::uint32_t before : order) {
    now[before] = static_cast<std::uint32_t>(pairs.size());
    Pair p = tables_.pairs[before];
    p.daily = p.accesses >= std::uint64_t{p.days()} * kDailyFrom;
    pairs.push_back(p);
  }
  tables_.pairs = std::move(pairs);
  for (Row& row : rows_) row.pair = now[row.pair];
  for (Wide& w : wide_) w.reach.pair = now[w.reach.pair];
}

void SegmentBuilder::sort_rows() {
  std::vector<Row> spare;
  if (!in_order_) radix_sort(rows_, spare, bits_for(static_cast<std::uint64_t>(kSlice)), [](const Row& r) { return r.second; });
  std::uint32_t most = 0;
  for (const Row& r : rows_) most = std::max(most, r.person);
  radix_sort(rows_, spare, bits_for(most), [](const Row& r) { return r.person; });
  radix_sort(rows_, spare, 6, [&](const Row& r) { return tables_.pairs[r.pair].daily ? r.second / kDay32 : 0; });
  radix_sort(rows_, spare, bits_for(tables_.pairs.size()), [](const Row& r) { return r.pair; });
}

namespace {

// The attributes that occur in a group, the most frequent first.
template <class Row>
std::vector<std::uint32_t> kinds_of(std::span<const Row> rows) {
  std::vector<std::uint32_t> kinds, often;
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t next = i + 1;
    while (next < rows.size() && rows[next].attribute == rows[i].attribute) ++next;
    const auto at = static_cast<std::size_t>(std::find(kinds.begin(), kinds.end(), rows[i].attribute) - kinds.begin());
    if (at == kinds.size()) {
      kinds.push_back(rows[i].attribute);
      often.push_back(0);
    }
    often[at] += static_cast<std::uint32_t>(next - i);
    i = next;
  }
  std::vector<std::size_t> order(kinds.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return often[a] > often[b]; });
  std::vector<std::uint32_t> out;
  for (const std::size_t at : order) out.push_back(kinds[at]);
  return out;
}

// One bucket's people in a chunk, reached in the seconds from `begin` on that `times` can tell: how many, which, how
// often; then attributes; then times.
template <class Row>
void write_group(std::string& out, std::span<const Row> rows, std::uint32_t bucket_gap, bool with_first, std::uint32_t begin,
                 std::uint32_t seconds, std::string& scratch) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> entries;  // each person's first row, and how many
  std::uint32_t repeated = 0;
  for (std::uint32_t i = 0; i < rows.size();) {
    std::uint32_t next = i + 1;
    while (next < rows.size() && rows[next].person == rows[i].person) ++next;
    entries.emplace_back(i, next - i);
    repeated += next - i > 1 ? 1 : 0;
    i = next;
  }
  const std::vector<std::uint32_t> kinds = kinds_of(rows);
  const auto people = entries.size();
  const unsigned k = people < 2 ? 0 : rice_for(rows.back().person - rows.front().person - (people - 1), people - 1);
  ByteWriter w(out);
  w.varint(std::uint64_t{bucket_gap} * 2 + (kinds.size() > 1 ? 1 : 0));
  w.varint(people);
  w.varint(rows.size() - people);
  if (repeated > 0) w.varint(repeated);
  if (with_first) w.varint(rows.front().person);
  w.varint(k);
  if (kinds.size() > 1) w.varint(kinds.size());
  for (const std::uint32_t kind : kinds) w.varint(kind);
  scratch.clear();
  {
    BitWriter bits(scratch);
    for (std::size_t e = 1; e < people; ++e) bits.rice(rows[entries[e].first].person - rows[entries[e - 1].first].person - 1, k);
    const unsigned gap = rice_for(people - repeated, repeated);
    std::uint32_t next = 0;
    for (std::uint32_t e = 0; e < people; ++e) {
      if (entries[e].second == 1) continue;
      bits.rice(e - next, gap);
      bits.golomb(entries[e].second - 2, 1);
      next = e + 1;
    }
    bits.finish();
  }
  w.text(scratch);
  if (kinds.size() > 1) {
    const auto others = static_cast<std::uint32_t>(std::count_if(rows.begin(), rows.end(), [&](const Row& row) { return row.attribute != kinds.front(); }));
    const unsigned gap = rice_for(rows.size() - others, others);
    scratch.clear();
    BitWriter bits(scratch);
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      if (rows[i].attribute == kinds.front()) continue;
      bits.rice(i - next, gap);
      bits.golomb(static_cast<std::uint32_t>(std::find(kinds.begin(), kinds.end(), rows[i].attribute) - kinds.begin() - 1), 1);
      next = i + 1;
    }
    bits.finish();
    w.varint(others);
    w.text(scratch);
  }
  scratch.clear();
  {
    BitWriter bits(scratch);
    const Below times(seconds);
    for (const auto& [first, count] : entries) {
      bits.below(rows[first].second - begin, times);
      const unsigned gap = rice_for(seconds, count);
      for (std::uint32_t i = first + 1; i < first + count; ++i) bits.rice(rows[i].second - rows[i - 1].second, gap);
    }
    bits.finish();
  }
  w.text(scratch);
}

}  // namespace

std::vector<SegmentBuilder::Posting> SegmentBuilder::write_chunks(std::string& out, Sets& sets) {
  std::vector<Posting> postings;
  postings.reserve(rows_.size() * 3 / 4);
  std::string payload, scratch;
  for (std::size_t i = 0; i < rows_.size();) {
    const std::uint32_t number = rows_[i].pair;
    Pair& p = tables_.pairs[number];
    const std::size_t end = i + p.accesses;
    const auto bucket_of = [&](const Row& row) { return p.daily ? row.second / kDay32 : 0; };
    const std::size_t pair_begin = postings.size();
    p.chunk_begin = static_cast<std::uint32_t>(tables_.chunks.size());
    while (i < end) {
      Chunk chunk;
      chunk.bucket = bucket_of(rows_[i]);
      chunk.first = rows_[i].person;
      payload.clear();
      std::uint32_t bucket = chunk.bucket;
      for (std::size_t begin = i, entries = 0; i < end && entries < kChunkEntries && i - begin < kChunkAccesses;) {
        const std::uint32_t here = bucket_of(rows_[i]);
        const std::size_t group = i;
        while (i < end && bucket_of(rows_[i]) == here && entries < kChunkEntries && i - begin < kChunkAccesses) {
          Posting posting{rows_[i].person, number, rows_[i].second, 0, 0, sets.of(rows_[i].attribute)};
          const std::size_t from = i;
          for (; i < end && rows_[i].person == posting.person && bucket_of(rows_[i]) == here; ++i) {
            posting.last = rows_[i].second;
            posting.set = sets.both(posting.set, sets.of(rows_[i].attribute));
          }
          posting.count = static_cast<std::uint32_t>(i - from);
          postings.push_back(posting);
          ++entries;
        }
        const auto [from, to] = p.seconds_of(here);
        write_group<Row>(payload, {rows_.data() + group, i - group}, here - bucket, group != begin, from, to - from + 1, scratch);
        bucket = here;
      }
      chunk.length = static_cast<std::uint32_t>(payload.size());
      append_block(out, payload);
      tables_.chunks.push_back(chunk);
    }
    p.chunk_end = static_cast<std::uint32_t>(tables_.chunks.size());
    std::unordered_map<std::uint32_t, std::uint32_t> often;
    for (std::size_t at = pair_begin; at < postings.size(); ++at) ++often[postings[at].set];
    std::uint32_t most = 0;
    for (const auto& [set, times] : often) {
      if (times < most || (times == most && set > p.usual)) continue;
      most = times;
      p.usual = set;
    }
  }
  return postings;
}

// Who reached one person: `sums` by pair, `accesses` together.
void SegmentBuilder::write_person(BitWriter& bits, std::span<const Posting> sums, std::uint64_t accesses) const {
  const std::size_t pairs = sums.size();
  const bool all = pairs >= kSummarised;
  bits.golomb(static_cast<std::uint32_t>(pairs - 1), 0);
  const unsigned g = pair_code(tables_.pairs.size(), pairs), often = std::min(bits_for((accesses - pairs) / pairs), kMostOften);
  if (all) bits.bits(often, kOftenBits);
  std::uint32_t next = 0;
  for (const Posting& sum : sums) {
    const Pair& p = tables_.pairs[sum.pair];
    bits.golomb(sum.pair - next, g);
    next = sum.pair + 1;
    if (!all) bits.bits(sum.count > 1 ? 1 : 0, 1);
    if (!all && sum.count == 1) {
      if (p.daily) bits.below(sum.first / kDay32 - p.first / kDay32, Below(p.days()));
      continue;
    }
    bits.golomb(all ? sum.count - 1 : sum.count - 2, all ? often : 0);
    bits.below(sum.first - p.first, Below(p.span()));
    if (sum.count > 1) bits.below(sum.last - sum.first, Below(p.last - sum.first + 1));
    bits.bits(sum.set == p.usual ? 0 : 1, 1);
    if (sum.set != p.usual) bits.golomb(sum.set, kSetCode);
  }
}

void SegmentBuilder::write_postings(std::string& out, std::vector<Posting> postings, Sets& sets) {
  {
    std::vector<Posting> spare;
    std::uint32_t most = 0;
    for (const Posting& p : postings) most = std::max(most, p.person);
    radix_sort(postings, spare, bits_for(most), [](const Posting& p) { return p.person; });
    if (tables_.datasets.size() > 1) {
      radix_sort(postings, spare, bits_for(tables_.datasets.size()), [&](const Posting& p) { return tables_.pairs[p.pair].dataset; });
    }
  }
  std::string bytes;
  std::vector<Posting> sums;
  for (std::size_t i = 0; i < postings.size();) {
    const std::uint32_t dataset = tables_.pairs[postings[i].pair].dataset;
    DatasetPart& part = tables_.datasets[dataset];
    part.block_begin = static_cast<std::uint32_t>(tables_.blocks.size());
    while (i < postings.size() && tables_.pairs[postings[i].pair].dataset == dataset) {
      // The block's people first, to know their mean distance.
      std::size_t end = i, people = 0, weight = 0;
      PersonNo last = 0;
      while (end < postings.size() && people < kPostingPeople && weight < kPostingBytes && tables_.pairs[postings[end].pair].dataset == dataset) {
        last = postings[end].person;
        std::size_t next = end;
        while (next < postings.size() && postings[next].person == last && tables_.pairs[postings[next].pair].dataset == dataset) ++next;
        weight += (next - end) * 2;
        end = next;
        ++people;
      }
      PostingBlock block;
      block.first = postings[i].person;
      const unsigned k = people < 2 ? 0 : rice_for(last - block.first - (people - 1), people - 1);
      bytes.clear();
      ByteWriter w(bytes);
      w.varint(people);
      w.varint(k);
      {
        BitWriter bits(bytes);
        for (std::size_t begin = i; i < end;) {
          const PersonNo person = postings[i].person;
          if (i > begin) bits.rice(person - postings[i - 1].person - 1, k);
          // A daily pair has one posting a day until here: one a pair from here on.
          sums.clear();
          std::uint64_t accesses = 0;
          for (; i < end && postings[i].person == person; ++i) {
            accesses += postings[i].count;
            if (sums.empty() || sums.back().pair != postings[i].pair) {
              sums.push_back(postings[i]);
              continue;
            }
            sums.back().last = postings[i].last;
            sums.back().count += postings[i].count;
            sums.back().set = sets.both(sums.back().set, postings[i].set);
          }
          write_person(bits, sums, accesses);
        }
        bits.finish();
      }
      block.length = static_cast<std::uint32_t>(bytes.size());
      append_block(out, bytes);
      tables_.blocks.push_back(block);
    }
    part.block_end = static_cast<std::uint32_t>(tables_.blocks.size());
  }
}

std::string SegmentBuilder::seal() {
  std::string out(kHeaderBytes, '\0');
  tables_.base = slice_ * kSlice;
  tables_.accesses = size();
  number_pairs();
  sort_rows();
  out.reserve(rows_.size() * 6 + kHeaderBytes);
  {
    Sets sets(tables_.sets);
    std::vector<Posting> postings = write_chunks(out, sets);
    std::vector<Row>().swap(rows_);
    write_postings(out, std::move(postings), sets);
  }
  for (Wide& w : wide_) {
    w.reach.length = static_cast<std::uint32_t>(w.bytes.size());
    append_block(out, w.bytes);
    tables_.wide.push_back(w.reach);
  }
  const std::string tables = encode(tables_);
  Header header;
  header.base = tables_.base;
  header.tables_offset = out.size();
  header.tables_length = tables.size();
  header.tables_sum = block_sum(tables, out.size());
  out += tables;
  const std::string head = encode(header);
  std::copy(head.begin(), head.end(), out.begin());
  *this = SegmentBuilder(slice_);
  return out;
}

}  // namespace tocsin::storage::exposure
