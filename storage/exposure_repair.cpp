// What sound segments of the slice hold is a sorted list of hashes of (actor, dataset, second, person), so that nothing
// of it is taken in twice. All changes are one transaction, which ends well only if as many accesses as were lost came back.
#include "storage/exposure_repair.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "storage/exposure/open_segments.hpp"
#include "storage/exposure/segment.hpp"
#include "storage/exposure_rows.hpp"
#include "storage/exposure_segments.hpp"

namespace tocsin::storage {

using namespace exposure;

namespace {

struct Listed {
  LostSegments::Part part;
  Second slice = 0, first = 0, last = 0;
};

Result<std::vector<Listed>> listed(Reader& reader) {
  return reader.rows<Listed>("SELECT id, first_seq, last_seq, accesses, slice, first, last FROM exposure_segment ORDER BY slice, id", [](const Columns& c) {
    const auto number = [&](int at) { return static_cast<std::uint64_t>(c.integer(at)); };
    return Listed{{c.integer(0), number(1), number(2), number(3)}, c.integer(4), c.integer(5), c.integer(6)};
  });
}

std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}
std::uint64_t pair_hash(std::string_view actor, std::string_view dataset) {
  return mixed(std::hash<std::string_view>{}(actor) + 0x9E3779B97F4A7C15ULL) ^ std::hash<std::string_view>{}(dataset);
}
std::uint64_t access_hash(std::uint64_t pair, Second second, PersonNo person) {
  return mixed(mixed(pair + static_cast<std::uint64_t>(second) * 0x9E3779B97F4A7C15ULL) ^ person);
}

Result<void> learn_sound(const Segment& segment, std::vector<std::uint64_t>& known) {
  const Tables& t = segment.tables();
  if (known.size() + t.accesses > kMaxRepairKnown) return fail(Errc::kTooLarge, "too much of the index lies beside the damaged segment");
  for (const Pair& p : t.pairs) {
    const std::uint64_t pair = pair_hash(t.texts[p.actor], t.texts[t.datasets[p.dataset].name]);
    auto done = segment.groups(p, 0, static_cast<std::uint32_t>(kSlice - 1), [&](Group& g) -> Result<void> {
      if (auto decoded = g.decode_seconds(); !decoded) return decoded;
      std::size_t at = 0;
      for (std::size_t e = 0; e < g.people.size(); ++e) {
        for (std::uint32_t n = 0; n < g.counts[e]; ++n, ++at) known.push_back(access_hash(pair, t.base + g.seconds[at], g.people[e]));
      }
      return {};
    });
    if (!done) return done;
  }
  for (const WideReach& w : t.wide) {
    const Pair& p = t.pairs[w.pair];
    auto bytes = segment.wide(w);
    if (!bytes) return pass(std::move(bytes));
    PersonSet set;
    if (!set.add_roaring(*bytes)) return fail(Errc::kCorrupt, "damaged exposure segment: a wide set", segment.file().string());
    const std::uint64_t pair = pair_hash(t.texts[p.actor], t.texts[t.datasets[p.dataset].name]);
    set.each([&](PersonNo no) {
      known.push_back(access_hash(pair, t.base + w.second, no));
      return true;
    });
  }
  return {};
}

}  // namespace

std::uint64_t LostSegments::first_seq() const {
  return std::min_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.first_seq < b.first_seq; })->first_seq;
}
std::uint64_t LostSegments::last_seq() const {
  return std::max_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.last_seq < b.last_seq; })->last_seq;
}
std::uint64_t LostSegments::accesses() const {
  std::uint64_t out = 0;
  for (const Part& part : parts) out += part.accesses;
  return out;
}
bool LostSegments::about(std::uint64_t seq) const {
  return std::any_of(parts.begin(), parts.end(), [&](const Part& p) { return p.first_seq <= seq && seq <= p.last_seq; });
}

Result<std::vector<LostSegments>> lost_segments(Reader& reader) {
  auto all = listed(reader);
  if (!all) return pass(std::move(all));
  std::map<Second, LostSegments> lost;
  for (const Listed& one : *all) {
    const std::filesystem::path file = segment_path(reader, one.part.id);
    auto segment = Segment::open(file);
    auto sound = segment ? (*segment)->check() : Result<void>(tl::unexpected(segment.error()));
    if (sound) continue;
    LostSegments& group = lost[one.slice];
    const Time from = to_time(one.first), to = to_time(one.last);
    group.from = group.parts.empty() ? from : std::min(group.from, from);
    group.to = group.parts.empty() ? to : std::max(group.to, to);
    group.slice = one.slice;
    group.parts.push_back(one.part);
    group.errors.push_back(std::move(sound).error());
  }
  std::vector<LostSegments> out;
  for (auto& [slice, group] : lost) out.push_back(std::move(group));
  return out;
}

Result<Repaired> repair_segments(Database& db, const LostSegments& lost, Time now,
                                 const std::function<Result<void>(const KeepLost&)>& read_again) {
  std::vector<std::uint64_t> known;
  auto prepared = db.read([&](Reader& reader) -> Result<void> {
    auto all = listed(reader);
    if (!all) return pass(std::move(all));
    for (const Listed& one : *all) {
      const bool damaged = std::any_of(lost.parts.begin(), lost.parts.end(), [&](const LostSegments::Part& p) { return p.id == one.part.id; });
      const bool beside = one.slice == lost.slice && one.part.first_seq <= lost.last_seq() && lost.first_seq() <= one.part.last_seq;
      if (damaged || !beside) continue;
      auto segment = Segment::open(segment_path(reader, one.part.id));
      if (!segment) return pass(std::move(segment));
      if (auto done = learn_sound(**segment, known); !done) return done;
    }
    return {};
  });
  if (!prepared) return pass(std::move(prepared));
  std::sort(known.begin(), known.end());

  Repaired out;
  auto done = db.write([&](Transaction& tx) -> Result<void> {
    auto before = tx.number("SELECT COALESCE(MAX(id), 0) FROM reach");
    if (!before) return pass(std::move(before));
    const KeepLost keep = [&](std::span<const StoredReach> reaches) -> Result<void> {
      std::vector<StoredReach> kept;
      for (const StoredReach& r : reaches) {
        if (slice_of(floor_second(r.first)) != lost.slice || !lost.about(r.seq)) continue;
        auto row = tx.number("SELECT COUNT(*) FROM reach WHERE key = ?1 AND id <= ?2", r.key, *before);
        if (!row) return pass(std::move(row));
        if (*row > 0) continue;
        const std::uint64_t pair = pair_hash(r.actor, r.dataset);
        const bool sealed = !r.people.empty() && std::all_of(r.people.begin(), r.people.end(), [&](PersonNo no) {
          return std::binary_search(known.begin(), known.end(), access_hash(pair, floor_second(r.first), no));
        });
        if (!sealed) kept.push_back(r);
      }
      return ExposureStore::add(tx, kept);
    };
    if (auto read = read_again(keep); !read) return read;
    auto counted = tx.each("SELECT " + std::string(kReachColumns) + " FROM reach WHERE id > ?1",
                           [&](const Columns& c) {
                             const ReachRow row = row_from(c);
                             if (is_sealable(row.reach)) out.found += row.reach.people.size();
                             return true;
                           },
                           {Binding(*before)});
    if (!counted) return counted;
    if (out.found < lost.accesses()) return fail(Errc::kNotFound, "not all of it came back");
    for (const LostSegments::Part& part : lost.parts) {
      if (auto retired = retire_segment(tx, part.id, now); !retired) return retired;
    }
    out.whole = true;
    return {};
  });
  if (!done && done.error().code != Errc::kNotFound) return pass(std::move(done));
  if (out.whole) {
    for (const LostSegments::Part& part : lost.parts) forget_segment(segment_path(db, part.id));
  }
  return out;
}

}  // namespace tocsin::storage
