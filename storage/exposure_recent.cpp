// Rows first, then segments from the newest on, so that what is left out by the limit is the oldest.
#include "storage/exposure_recent.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "storage/exposure_rows.hpp"
#include "storage/exposure_segments.hpp"

namespace tocsin::storage {

using namespace exposure;

namespace {

constexpr std::int64_t kNewestRows = 5'000;  // one that tells a time far off must not decide alone

// The reaches of one pair of a segment that began in its seconds from `low` on.
Result<void> recent_of_pair(const Segment& segment, const Pair& pair, std::uint32_t low, std::size_t& people, const EachRecent& each) {
  const Tables& t = segment.tables();
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<PersonNo>> reaches;  // (second, attribute)
  auto done = segment.groups(pair, low, static_cast<std::uint32_t>(kSlice - 1), [&](Group& g) -> Result<void> {
    if (auto decoded = g.details(); !decoded) return decoded;
    std::size_t at = 0;
    for (std::size_t e = 0; e < g.people.size(); ++e) {
      for (std::uint32_t n = 0; n < g.counts[e]; ++n, ++at) {
        if (g.seconds[at] >= low) reaches[{g.seconds[at], g.attributes[at]}].push_back(g.people[e]);
      }
    }
    return {};
  });
  if (!done) return done;
  StoredReach out;
  out.actor = t.texts[pair.actor];
  out.dataset = t.texts[t.datasets[pair.dataset].name];
  for (auto& [key, reached] : reaches) {
    const Attribute& a = t.attributes[key.second];
    std::sort(reached.begin(), reached.end());
    reached.erase(std::unique(reached.begin(), reached.end()), reached.end());
    people += reached.size();
    out.first = out.known_from = to_time(t.base + key.first);
    out.last = to_time(t.base + key.first + a.extent);
    out.grade = a.grade;
    out.people = std::move(reached);
    out.at_most = out.people.size();
    out.at_least = a.confirmed ? out.people.size() : a.least;
    out.way = a.way;
    out.reason = a.reason;
    each(out);
  }
  return {};
}

}  // namespace

Result<std::optional<Time>> newest_reach(Reader& reader) {
  auto newest = reader.row<std::optional<Time>>("SELECT MAX(last) FROM (SELECT last FROM reach ORDER BY id DESC LIMIT ?1)",
                                                [](const Columns& c) { return c.maybe_time(0); }, kNewestRows);
  if (!newest) return pass(std::move(newest));
  return *newest ? **newest : std::nullopt;
}

Result<bool> recent_reaches(Reader& reader, Time from, const EachRecent& each) {
  std::size_t people = 0;
  auto rows = reader.each(
      "SELECT " + std::string(kReachColumns) + " FROM reach WHERE first >= ?1 ORDER BY id DESC",
      [&](const Columns& c) {
        const StoredReach r = row_from(c).reach;
        people += r.people.size();
        each(r);
        return people < kMaxRecentPeople;
      },
      {Binding(from)});
  if (!rows) return pass(std::move(rows));
  Damage damage;  // what cannot be read is told by the index's keeper
  auto segments = segments_for(reader, {floor_second(from), Seconds().to}, damage);
  if (!segments) return pass(std::move(segments));
  std::sort(segments->begin(), segments->end(), [](const auto& a, const auto& b) {
    return a->tables().base + a->tables().last > b->tables().base + b->tables().last;
  });
  for (const auto& segment : *segments) {
    const Tables& t = segment->tables();
    const auto low = static_cast<std::uint32_t>(std::clamp<Second>(floor_second(from) - t.base, 0, kSlice - 1));
    for (const Pair& pair : t.pairs) {
      if (people >= kMaxRecentPeople) return false;
      if (pair.accesses == 0 || pair.last < low) continue;
      if (auto done = recent_of_pair(*segment, pair, low, people, each); !done) return pass(std::move(done));
    }
  }
  return people < kMaxRecentPeople;
}

}  // namespace tocsin::storage
