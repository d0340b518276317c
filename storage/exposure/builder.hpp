// The open bucket: accesses of one slice in memory, 16 bytes each, until they are sealed into the bytes of a segment.
//
//   SegmentBuilder open(slice_of(second));
//   auto kind = open.attribute({Grade::kExact, true, 0, 0, "name", "select", "…"});
//   open.add("mallory", "patient", *kind, second, {&person, 1});
//   std::string file = open.seal();
//
// One thread. Sealing takes about as much memory again as the accesses hold.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/exposure/access.hpp"
#include "storage/exposure/bits.hpp"
#include "storage/exposure/tables.hpp"

namespace tocsin::storage::exposure {

class SegmentBuilder {
 public:
  explicit SegmentBuilder(Second slice) : slice_(slice) {}

  // The number under which this attribute is kept; nullopt if there are too many (seal first), or it has a text
  // longer than kMaxText or an extent over kMaxExtent.
  [[nodiscard]] std::optional<std::uint32_t> attribute(const Attribute& attribute);

  // One reach: these people (sorted, each once) at this second, which MUST lie in the slice. False, with nothing
  // added, if a name is too long or the limits of a segment are reached (kMaxPairs, kMaxSegmentAccesses; a single
  // wide reach may exceed the latter).
  [[nodiscard]] bool add(std::string_view actor, std::string_view dataset, std::uint32_t attribute, Second second,
                         std::span<const PersonNo> people);
  void covers(std::uint64_t seq);  // a record of the journal stands behind it

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size() + wide_people_; }
  [[nodiscard]] std::size_t memory() const;
  [[nodiscard]] Second slice() const noexcept { return slice_; }

  // The bytes of the segment file; empties the builder. MUST NOT be empty.
  [[nodiscard]] std::string seal();

 private:
  struct Row {
    std::uint32_t pair, person, second, attribute;
  };
  struct Wide {
    WideReach reach;
    std::string bytes;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  using Names = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;
  struct Posting;
  class Sets;

  std::uint32_t text(std::string_view text);
  std::optional<std::uint32_t> pair(std::string_view actor, std::string_view dataset, bool confirmed);
  void number_pairs();
  void sort_rows();
  std::vector<Posting> write_chunks(std::string& out, Sets& sets);
  void write_person(BitWriter& bits, std::span<const Posting> sums, std::uint64_t accesses) const;
  void write_postings(std::string& out, std::vector<Posting> postings, Sets& sets);

  Second slice_;
  Tables tables_;
  std::vector<Row> rows_;
  std::vector<Wide> wide_;
  std::size_t wide_people_ = 0;
  bool in_order_ = true;  // seconds never went back
  Names texts_;
  Names datasets_;
  std::unordered_map<std::uint64_t, std::uint32_t> pairs_;  // (actor, dataset and kind) -> pair
  std::unordered_map<std::string, std::uint32_t> attributes_;
};

}  // namespace tocsin::storage::exposure
