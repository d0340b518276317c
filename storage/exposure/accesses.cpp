// Chunks are decoded pair by pair where many people are asked for; postings lead to the buckets of one person.
#include "storage/exposure/accesses.hpp"

#include <algorithm>

namespace tocsin::storage::exposure {
namespace {

// A window in seconds of a segment's slice.
struct Window {
  Window(const Tables& t, Seconds window) : from(window.from - t.base), to(window.to - t.base) {
    none = to < t.first || from - t.extent > t.last;
    low = static_cast<std::uint32_t>(std::clamp<Second>(from - t.extent, 0, kSlice - 1));
    high = static_cast<std::uint32_t>(std::clamp<Second>(to, 0, kSlice - 1));
  }
  [[nodiscard]] bool meets(std::uint32_t second, std::uint32_t extent) const { return second <= to && Second{second} + extent >= from; }
  Second from, to;
  std::uint32_t low = 0, high = 0;  // begin of reaches that can overlap
  bool none;
};

Result<void> wide_accesses(const Segment& segment, const Window& window, const std::function<bool(const Pair&)>& wanted_pair,
                           const std::function<void(const PersonSet&, const SealedAccess&)>& each) {
  const Tables& t = segment.tables();
  for (const WideReach& w : t.wide) {
    const Attribute& a = t.attributes[w.attribute];
    if (!wanted_pair(t.pairs[w.pair]) || !window.meets(w.second, a.extent)) continue;
    auto bytes = segment.wide(w);
    if (!bytes) return pass(std::move(bytes));
    PersonSet set;
    if (!set.add_roaring(*bytes)) return fail(Errc::kCorrupt, "damaged exposure segment: a wide set", segment.file().string());
    each(set, {0, t.texts[t.pairs[w.pair].actor], t.base + w.second, &a});
  }
  return {};
}

}  // namespace

Result<void> accesses_of(const Segment& segment, const Question& question, const PersonSet& wanted, const EachAccess& each) {
  const Tables& t = segment.tables();
  const Window window(t, question.window);
  if (window.none) return {};
  const auto picked = [&](const Pair& p) {
    return (question.actor.empty() || t.texts[p.actor] == question.actor) &&
           (question.dataset.empty() || t.texts[t.datasets[p.dataset].name] == question.dataset);
  };
  for (const Pair& p : t.pairs) {
    if (p.accesses == 0 || p.first > window.high || p.last < window.low || !picked(p)) continue;
    auto done = segment.groups(p, window.low, window.high, [&](Group& g) -> Result<void> {
      if (std::none_of(g.people.begin(), g.people.end(), [&](PersonNo no) { return wanted.contains(no); })) return {};
      if (auto decoded = g.details(); !decoded) return decoded;
      std::size_t at = 0;
      for (std::size_t e = 0; e < g.people.size(); ++e) {
        const bool in = wanted.contains(g.people[e]);
        for (std::uint32_t n = 0; n < g.counts[e]; ++n, ++at) {
          const Attribute& a = t.attributes[g.attributes[at]];
          if (in && window.meets(g.seconds[at], a.extent)) each({g.people[e], t.texts[p.actor], t.base + g.seconds[at], &a});
        }
      }
      return {};
    });
    if (!done) return done;
  }
  return wide_accesses(segment, window, picked, [&](const PersonSet& set, SealedAccess access) {
    wanted.each([&](PersonNo no) {
      if (!set.contains(no)) return true;
      access.person = no;
      each(access);
      return true;
    });
  });
}

Result<void> accesses_to(const Segment& segment, std::string_view dataset, PersonNo person, Seconds asked,
                         const std::function<bool(std::string_view actor)>& by, const EachAccess& each) {
  const Tables& t = segment.tables();
  const Window window(t, asked);
  if (window.none) return {};
  const auto part = std::find_if(t.datasets.begin(), t.datasets.end(), [&](const DatasetPart& d) { return t.texts[d.name] == dataset; });
  if (part == t.datasets.end()) return {};
  const auto own = static_cast<std::uint32_t>(part - t.datasets.begin());
  auto hits = segment.postings(*part, person);
  if (!hits) return pass(std::move(hits));
  for (const Hit& hit : *hits) {
    const Pair& p = t.pairs[hit.pair];
    if (p.dataset != own) return fail(Errc::kCorrupt, "damaged exposure segment: postings", segment.file().string());
    if (!by(t.texts[p.actor]) || (hit.summary && (hit.first > window.high || hit.last < window.low))) continue;
    const auto tell = [&](std::uint32_t second, std::uint32_t kind) {
      const Attribute& a = t.attributes[kind];
      if (window.meets(second, a.extent)) each({person, t.texts[p.actor], t.base + second, &a});
    };
    const auto [begin, end] = buckets_of(p, hit, window.low, window.high);
    for (std::uint32_t bucket = begin; bucket <= end; ++bucket) {
      if (auto looked = segment.lookup(p, bucket, person, tell); !looked) return looked;
    }
  }
  return wide_accesses(segment, window, [&](const Pair& p) { return p.dataset == own && by(t.texts[p.actor]); },
                       [&](const PersonSet& set, SealedAccess access) {
                         if (!set.contains(person)) return;
                         access.person = person;
                         each(access);
                       });
}

}  // namespace tocsin::storage::exposure
