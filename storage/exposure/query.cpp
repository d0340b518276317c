// One segment after the other; within one, only the pairs and buckets that the window meets.
#include "storage/exposure/query.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin::storage::exposure {
namespace {

// The window in seconds of a segment's slice: which seconds can matter, and which surely count.
struct Cut {
  Cut(const Tables& t, Seconds window)
      : from(window.from - t.base), to(window.to - t.base), none(to < t.first || from - t.extent > t.last) {
    low = static_cast<std::uint32_t>(std::clamp<Second>(from - t.extent, 0, kSlice - 1));
    high = static_cast<std::uint32_t>(std::clamp<Second>(to, 0, kSlice - 1));
  }
  // Every reach that begins in these seconds overlaps the window.
  [[nodiscard]] bool holds(std::uint32_t first, std::uint32_t last) const { return first >= from && last <= to; }
  [[nodiscard]] bool meets(std::uint32_t second, std::uint32_t extent) const { return second <= to && Second{second} + extent >= from; }
  Second from, to;
  std::uint32_t low = 0, high = 0;  // begin of reaches that can overlap
  bool none;
};

// What a text of `Tables::texts` is numbered; nullopt if it does not occur. An empty one means any.
std::optional<std::uint32_t> text_no(const Tables& t, std::string_view text) {
  for (std::size_t i = 0; i < t.texts.size(); ++i) {
    if (t.texts[i] == text) return static_cast<std::uint32_t>(i);
  }
  return std::nullopt;
}

bool tolerate(Result<void> done, Damage& damage) {
  if (done) return true;
  damage.errors.push_back(std::move(done).error());
  return false;
}

// What a question picks out of a segment.
struct Picked {
  Picked(const Segment& segment, const Question& question) : cut(segment.tables(), question.window) {
    const Tables& t = segment.tables();
    if (cut.none) return;
    std::optional<std::uint32_t> actor, dataset;
    if (!question.actor.empty() && !(actor = text_no(t, question.actor))) return;
    if (!question.dataset.empty() && !(dataset = text_no(t, question.dataset))) return;
    wanted.assign(t.pairs.size(), false);
    for (std::size_t i = 0; i < t.pairs.size(); ++i) {
      const Pair& p = t.pairs[i];
      wanted[i] = (!actor || p.actor == *actor) && (!dataset || t.datasets[p.dataset].name == *dataset);
    }
  }
  // Pairs that have single people in reach.
  [[nodiscard]] bool open(const Pair& p, std::size_t i) const {
    return wanted[i] && p.accesses > 0 && p.first <= cut.high && p.last >= cut.low;
  }
  Cut cut;
  std::vector<bool> wanted;  // empty = nothing
};

Result<void> find_in(const Segment& segment, const Question& question, std::map<std::string, Found>& out) {
  const Tables& t = segment.tables();
  const Picked picked(segment, question);
  const Cut& cut = picked.cut;
  if (picked.wanted.empty()) return {};
  std::vector<std::vector<char>> used(t.datasets.size());  // per dataset: which attributes
  std::vector<Found*> found(t.datasets.size(), nullptr);
  const auto found_of = [&](std::uint32_t dataset) -> Found& {
    if (found[dataset] == nullptr) {
      found[dataset] = &out[t.texts[t.datasets[dataset].name]];
      used[dataset].assign(t.attributes.size(), 0);
    }
    return *found[dataset];
  };
  for (std::size_t i = 0; i < t.pairs.size(); ++i) {
    const Pair& p = t.pairs[i];
    if (!picked.open(p, i)) continue;
    auto done = segment.groups(p, cut.low, cut.high, [&](Group& g) -> Result<void> {
      if (cut.holds(g.first_second, g.last_second)) {
        Found& f = found_of(p.dataset);
        (p.confirmed ? f.confirmed : f.others).add(g.people);
        for (const std::uint32_t kind : g.kinds) used[p.dataset][kind] = 1;
        return {};
      }
      if (auto decoded = g.details(); !decoded) return decoded;
      std::size_t at = 0;
      for (std::size_t e = 0; e < g.people.size(); ++e) {
        for (std::uint32_t n = 0; n < g.counts[e]; ++n, ++at) {
          const std::uint32_t kind = g.attributes[at];
          if (!cut.meets(g.seconds[at], t.attributes[kind].extent)) continue;
          Found& f = found_of(p.dataset);
          (p.confirmed ? f.confirmed : f.others).add(g.people[e]);
          used[p.dataset][kind] = 1;
        }
      }
      return {};
    });
    if (!done) return done;
  }
  for (const WideReach& w : t.wide) {
    const std::uint32_t dataset = t.pairs[w.pair].dataset;
    if (!picked.wanted[w.pair] || !cut.meets(w.second, t.attributes[w.attribute].extent)) continue;
    auto bytes = segment.wide(w);
    if (!bytes) return pass(std::move(bytes));
    Found& f = found_of(dataset);
    if (!(t.attributes[w.attribute].confirmed ? f.confirmed : f.others).add_roaring(*bytes)) {
      return fail(Errc::kCorrupt, "damaged exposure segment: a wide set", segment.file().string());
    }
    used[dataset][w.attribute] = 1;
  }
  for (std::size_t d = 0; d < used.size(); ++d) {
    for (std::size_t a = 0; a < used[d].size(); ++a) {
      if (used[d][a] == 0) continue;
      const Attribute& attribute = t.attributes[a];
      found[d]->worst = std::max(found[d]->worst, attribute.grade);
      if (!attribute.confirmed) found[d]->least = std::max<std::uint64_t>(found[d]->least, attribute.least);
      found[d]->reasons.insert(attribute.reason);
      for (std::size_t at = 0; at < attribute.fields.size();) {
        const std::size_t end = std::min(attribute.fields.find('\x1f', at), attribute.fields.size());
        found[d]->fields.emplace(attribute.fields.substr(at, end - at));
        at = end + 1;
      }
    }
  }
  return {};
}

// A sum while it grows: fields as a number of FieldSets.
struct Growing {
  Second first = 0, last = 0;
  std::uint64_t reaches = 0;
  std::uint32_t fields = 0;
  Grade grade = Grade::kUnknown;

  void add(Second from, Second to, std::uint64_t count, std::uint32_t more_fields, Grade more_grade, FieldSets& sets) {
    if (reaches == 0) {
      *this = {from, to, count, more_fields, more_grade};
      return;
    }
    first = std::min(first, from);
    last = std::max(last, to);
    reaches += count;
    grade = std::min(grade, more_grade);
    if (fields != more_fields) fields = sets.both(fields, more_fields);
  }
  [[nodiscard]] Sum sum(const FieldSets& sets) const { return {grade, &sets.at(fields), first, last, reaches}; }
};

// The numbers that a segment's attributes have in `sets`.
std::vector<std::uint32_t> field_numbers(const Tables& t, FieldSets& sets) {
  std::vector<std::uint32_t> out;
  out.reserve(t.attributes.size());
  for (const Attribute& a : t.attributes) out.push_back(sets.of(a.fields));
  return out;
}

// Where a person of a set stands in it.
class Ranks {
 public:
  explicit Ranks(const PersonSet& set) {
    set.each([&](PersonNo no) {
      if ((no >> 16) >= pages_.size()) pages_.resize((no >> 16) + 1);
      auto& page = pages_[no >> 16];
      if (page.empty()) page.assign(1 << 16, kNone);
      page[no & 0xFFFF] = static_cast<std::uint32_t>(people_.size());
      people_.push_back(no);
      return true;
    });
  }
  static constexpr std::uint32_t kNone = UINT32_MAX;
  [[nodiscard]] std::uint32_t of(PersonNo no) const {
    const std::size_t page = no >> 16;
    return page < pages_.size() && !pages_[page].empty() ? pages_[page][no & 0xFFFF] : kNone;
  }
  [[nodiscard]] const std::vector<PersonNo>& people() const { return people_; }

 private:
  std::vector<std::vector<std::uint32_t>> pages_;
  std::vector<PersonNo> people_;
};

Result<void> describe_in(const Segment& segment, const Question& question, const Ranks& ranks, std::vector<Growing>& sums, FieldSets& sets) {
  const Tables& t = segment.tables();
  const Picked picked(segment, question);
  const Cut& cut = picked.cut;
  if (picked.wanted.empty()) return {};
  const std::vector<std::uint32_t> fields = field_numbers(t, sets);
  for (std::size_t i = 0; i < t.pairs.size(); ++i) {
    const Pair& p = t.pairs[i];
    if (!picked.open(p, i)) continue;
    auto done = segment.groups(p, cut.low, cut.high, [&](Group& g) -> Result<void> {
      if (auto decoded = g.details(); !decoded) return decoded;
      std::size_t at = 0;
      for (std::size_t e = 0; e < g.people.size(); ++e) {
        const std::uint32_t rank = ranks.of(g.people[e]);
        if (rank == Ranks::kNone) {
          at += g.counts[e];
          continue;
        }
        for (std::uint32_t n = 0; n < g.counts[e]; ++n, ++at) {
          const Attribute& a = t.attributes[g.attributes[at]];
          if (!cut.meets(g.seconds[at], a.extent)) continue;
          const Second second = t.base + g.seconds[at];
          sums[rank].add(second, second + a.extent, 1, fields[g.attributes[at]], a.grade, sets);
        }
      }
      return {};
    });
    if (!done) return done;
  }
  for (const WideReach& w : t.wide) {
    const Attribute& a = t.attributes[w.attribute];
    if (!picked.wanted[w.pair] || !cut.meets(w.second, a.extent)) continue;
    auto bytes = segment.wide(w);
    if (!bytes) return pass(std::move(bytes));
    PersonSet set;
    if (!set.add_roaring(*bytes)) return fail(Errc::kCorrupt, "damaged exposure segment: a wide set", segment.file().string());
    const Second second = t.base + w.second;
    set.each([&](PersonNo no) {
      if (const std::uint32_t rank = ranks.of(no); rank != Ranks::kNone) {
        sums[rank].add(second, second + a.extent, 1, fields[w.attribute], a.grade, sets);
      }
      return true;
    });
  }
  return {};
}

// The sums of actors while they grow, by name; names belong to the segments, whose tables bring their hashes along.
class GrowingActors {
 public:
  // From 0 on; stays the same.
  [[nodiscard]] std::uint32_t number_of(std::uint64_t hash, std::string_view name) {
    if ((actors_.size() + 1) * 2 > slots_.size()) grow();
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      Slot& slot = slots_[at];
      if (slot.number == 0) {
        actors_.push_back({name, {}});
        slot = {hash, static_cast<std::uint32_t>(actors_.size())};
        return slot.number - 1;
      }
      if (slot.hash == hash && actors_[slot.number - 1].name == name) return slot.number - 1;
    }
  }
  [[nodiscard]] Growing& at(std::uint32_t number) { return actors_[number].sum; }
  struct Actor {
    std::string_view name;
    Growing sum;
  };
  [[nodiscard]] const std::vector<Actor>& all() const { return actors_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t number = 0;  // in actors_, from 1; 0 = empty
  };
  void grow() {
    const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(64, slots_.size() * 2)));
    mask_ = slots_.size() - 1;
    for (const Slot& slot : before) {
      if (slot.number == 0) continue;
      std::size_t at = slot.hash & mask_;
      while (slots_[at].number != 0) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::vector<Actor> actors_;
};

// What a segment's sets of attributes say together, each worked out when first asked for.
class SetSums {
 public:
  SetSums(const Tables& t, FieldSets& sets) : t_(t), fields_(field_numbers(t, sets)), sets_(sets), sums_(t.sets.size()) {}
  struct One {
    Grade grade = Grade::kUnknown;
    bool known = false;
    bool stretched = false;  // a reach may end later than its second
    std::uint32_t fields = 0;
  };
  const One& at(std::uint32_t set) {
    One& one = sums_[set];
    if (one.known) return one;
    for (const std::uint32_t kind : t_.sets[set]) {
      const Attribute& a = t_.attributes[kind];
      one.grade = one.known ? std::min(one.grade, a.grade) : a.grade;
      one.fields = one.known ? sets_.both(one.fields, fields_[kind]) : fields_[kind];
      one.stretched = one.stretched || a.extent > 0;
      one.known = true;
    }
    one.known = true;
    return one;
  }
  [[nodiscard]] std::uint32_t fields(std::uint32_t attribute) const { return fields_[attribute]; }

 private:
  const Tables& t_;
  std::vector<std::uint32_t> fields_;
  FieldSets& sets_;
  std::vector<One> sums_;
};

Result<void> actors_in(const Segment& segment, std::string_view dataset, PersonNo person, Seconds window, GrowingActors& actors,
                       FieldSets& sets) {
  const Tables& t = segment.tables();
  const Cut cut(t, window);
  if (cut.none) return {};
  const auto name = text_no(t, dataset);
  if (!name) return {};
  const auto part = std::find_if(t.datasets.begin(), t.datasets.end(), [&](const DatasetPart& d) { return d.name == *name; });
  if (part == t.datasets.end()) return {};
  const auto own = static_cast<std::uint32_t>(part - t.datasets.begin());
  SetSums told(t, sets);
  // The hottest person has been seen by every actor in every segment: names are looked up once a segment.
  std::vector<std::uint32_t> numbers(t.texts.size(), UINT32_MAX);
  const auto grow = [&](const Pair& p, Second from, Second to, std::uint64_t count, std::uint32_t fields, Grade grade) {
    std::uint32_t& number = numbers[p.actor];
    if (number == UINT32_MAX) number = actors.number_of(p.actor_hash, t.texts[p.actor]);
    actors.at(number).add(from, to, count, fields, grade, sets);
  };
  auto hits = segment.postings(*part, person);
  if (!hits) return pass(std::move(hits));
  for (const Hit& hit : *hits) {
    const Pair& p = t.pairs[hit.pair];
    if (p.dataset != own) return fail(Errc::kCorrupt, "damaged exposure segment: postings", segment.file().string());
    if (hit.summary && (hit.first > cut.high || hit.last < cut.low)) continue;
    if (hit.summary && cut.holds(hit.first, hit.last)) {
      // An extent makes the last moment later than the last second: those few are looked up.
      if (const SetSums::One& all = told.at(hit.set); !all.stretched) {
        grow(p, t.base + hit.first, t.base + hit.last, hit.count, all.fields, all.grade);
        continue;
      }
    }
    const auto each_access = [&](std::uint32_t second, std::uint32_t kind) {
      const Attribute& a = t.attributes[kind];
      if (cut.meets(second, a.extent)) grow(p, t.base + second, t.base + second + a.extent, 1, told.fields(kind), a.grade);
    };
    const auto [begin, end] = buckets_of(p, hit, cut.low, cut.high);
    for (std::uint32_t bucket = begin; bucket <= end; ++bucket) {
      if (auto looked = segment.lookup(p, bucket, person, each_access); !looked) return looked;
    }
  }
  for (const WideReach& w : t.wide) {
    const Attribute& a = t.attributes[w.attribute];
    if (t.datasets[t.pairs[w.pair].dataset].name != *name || !cut.meets(w.second, a.extent)) continue;
    auto bytes = segment.wide(w);
    if (!bytes) return pass(std::move(bytes));
    if (roaring_contains(*bytes, person)) grow(t.pairs[w.pair], t.base + w.second, t.base + w.second + a.extent, 1, told.fields(w.attribute), a.grade);
  }
  return {};
}

}  // namespace

std::uint32_t FieldSets::number(std::set<std::string> set) {
  const auto [at, is_new] = numbers_.try_emplace(set, static_cast<std::uint32_t>(sets_.size()));
  if (is_new) sets_.push_back(std::make_unique<const std::set<std::string>>(std::move(set)));
  return at->second;
}

std::uint32_t FieldSets::of(std::string_view joined) {
  if (const auto known = joined_.find(joined); known != joined_.end()) return known->second;
  std::set<std::string> set;
  for (std::size_t at = 0; at < joined.size();) {
    const std::size_t end = std::min(joined.find('\x1f', at), joined.size());
    set.emplace(joined.substr(at, end - at));
    at = end + 1;
  }
  const std::uint32_t out = number(std::move(set));
  joined_.emplace(joined, out);
  return out;
}

std::uint32_t FieldSets::both(std::uint32_t a, std::uint32_t b) {
  if (a == b) return a;
  const bool quick = a < kQuick && b < kQuick;
  if (quick && quick_[a * kQuick + b] != 0) return quick_[a * kQuick + b] - 1;
  if (const auto known = steps_.find({a, b}); known != steps_.end()) return known->second;
  std::set<std::string> all = *sets_[a];
  all.insert(sets_[b]->begin(), sets_[b]->end());
  const std::uint32_t out = number(std::move(all));
  steps_.emplace(std::pair(a, b), out);
  if (quick) quick_[a * kQuick + b] = out + 1;
  return out;
}

std::map<std::string, Found> find_people(const Segments& segments, const Question& question, Damage& damage) {
  std::map<std::string, Found> out;
  for (const auto& segment : segments) tolerate(find_in(*segment, question, out), damage);
  return out;
}

PersonSums describe_people(const Segments& segments, const Question& question, const PersonSet& wanted, Damage& damage) {
  PersonSums out;
  const Ranks ranks(wanted);
  std::vector<Growing> sums(ranks.people().size());
  for (const auto& segment : segments) tolerate(describe_in(*segment, question, ranks, sums, out.fields), damage);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i].reaches == 0) continue;
    out.people.push_back(ranks.people()[i]);
    out.sums.push_back(sums[i].sum(out.fields));
  }
  return out;
}

ActorSums find_actors(const Segments& segments, std::string_view dataset, PersonNo person, Seconds window, Damage& damage) {
  ActorSums out;
  GrowingActors actors;
  for (const auto& segment : segments) tolerate(actors_in(*segment, dataset, person, window, actors, out.fields), damage);
  out.actors.reserve(actors.all().size());
  for (const auto& actor : actors.all()) out.actors.emplace_back(std::string(actor.name), actor.sum.sum(out.fields));
  return out;
}

}  // namespace tocsin::storage::exposure
