// Rows know their line; the sealed index knows the second. Both are gone through, and only the newest are kept.
#include "storage/exposure_events.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "storage/exposure/accesses.hpp"
#include "storage/exposure_rows.hpp"
#include "storage/exposure_segments.hpp"

namespace tocsin::storage {

using namespace exposure;

namespace {

constexpr std::size_t kOneByOne = 2'000;  // people who are looked up singly

AccessEvent event_of(const StoredReach& r) {
  AccessEvent e;
  e.actor = r.actor;
  e.dataset = r.dataset;
  e.first = r.first;
  e.last = r.last;
  e.grade = r.grade;
  e.certain = !r.whole && r.grade != Grade::kUnknown && r.at_least && *r.at_least == r.people.size();
  e.whole = r.whole;
  e.fields = r.fields;
  e.way = r.way;
  e.reason = r.reason;
  e.at_least = r.at_least;
  e.at_most = r.at_most;
  e.source = r.source;
  e.file = r.file;
  e.line = r.line;
  e.seq = r.seq;
  e.account = r.account;
  e.role = r.role;
  e.application = r.application;
  e.client_ip = r.client_ip;
  return e;
}

AccessEvent event_of(const SealedAccess& a, const std::string& dataset, const Tables& of) {
  AccessEvent e;
  e.actor = a.actor;
  e.dataset = dataset;
  e.first = to_time(a.first);
  e.last = to_time(a.first + a.attribute->extent);
  e.grade = a.attribute->grade;
  e.certain = a.attribute->confirmed;
  e.fields = separated(a.attribute->fields);
  e.way = a.attribute->way;
  e.reason = a.attribute->reason;
  e.sealed = true;
  e.seq = of.first_seq;
  e.last_seq = of.last_seq;
  return e;
}

bool newer(const AccessEvent& a, const AccessEvent& b) {
  return std::tie(a.first, a.seq, a.line, a.actor) > std::tie(b.first, b.seq, b.line, b.actor);
}

// The newest of what is added.
template <class T, class Newer>
class Newest {
 public:
  explicit Newest(std::size_t most) : most_(most) {}
  // False: there are enough newer ones, so it need not be made.
  [[nodiscard]] bool wants(Time first) const { return most_ > 0 && (!full_ || first >= oldest_); }
  void add(T item, Time first) {
    if (!wants(first)) return;
    items_.push_back(std::move(item));
    if (items_.size() >= most_ * 2 + 64) shrink();
  }
  std::vector<T> take() {
    shrink();
    return std::move(items_);
  }

 private:
  void shrink() {
    std::sort(items_.begin(), items_.end(), Newer());
    if (items_.size() <= most_) return;
    items_.resize(most_);
    full_ = true;
    if (most_ > 0) oldest_ = Newer::first(items_.back());
  }
  std::size_t most_;
  bool full_ = false;
  Time oldest_{};
  std::vector<T> items_;
};

struct NewerEvent {
  bool operator()(const AccessEvent& a, const AccessEvent& b) const { return newer(a, b); }
  static Time first(const AccessEvent& e) { return e.first; }
};
struct NewerOne {
  bool operator()(const Reaching::One& a, const Reaching::One& b) const { return newer(a.event, b.event); }
  static Time first(const Reaching::One& one) { return one.event.first; }
};

// A list while it grows.
struct Growing {
  explicit Growing(std::size_t most) : newest(most) {}
  std::uint64_t total = 0, certain = 0;
  Newest<AccessEvent, NewerEvent> newest;
  void count(bool is_certain) {
    ++total;
    certain += is_certain ? 1U : 0U;
  }
  AccessList take(std::size_t skip) {
    AccessList out;
    out.total = total;
    out.certain = certain;
    out.events = newest.take();
    out.events.erase(out.events.begin(), out.events.begin() + static_cast<std::ptrdiff_t>(std::min(skip, out.events.size())));
    return out;
  }
};

// When people were in the dataset, of those who were not always.
using Bounded = std::unordered_map<PersonNo, Span>;

Result<Bounded> validity(Reader& reader, const std::string& dataset, const PersonSet& wanted) {
  Bounded out;
  const auto take = [&](const Columns& c) {
    const Span valid{c.time(1), c.time(2)};
    const auto no = static_cast<PersonNo>(c.integer(0));
    if ((valid.from != kAlways || valid.to != kForever) && wanted.contains(no)) out.emplace(no, valid);
    return true;
  };
  const std::string sql = "SELECT p.no, p.valid_from, p.valid_to FROM register_person p JOIN register_dataset d ON d.no = p.dataset WHERE d.name = ?1";
  if (wanted.size() > kOneByOne) {
    if (auto done = reader.each(sql, take, {Binding(dataset)}); !done) return pass(std::move(done));
    return out;
  }
  Result<void> done;
  wanted.each([&](PersonNo no) {
    done = reader.each(sql + " AND p.no = ?2", take, {Binding(dataset), Binding(no)});
    return done.has_value();
  });
  if (!done) return pass(std::move(done));
  return out;
}

bool was_there(const Bounded& bounded, PersonNo no, const StoredReach& whole) {
  const auto at = bounded.find(no);
  return at == bounded.end() || at->second.meets({whole.known_from, whole.last});
}

// Calls `each` for those of `wanted` whom the row reached.
void each_reached(const StoredReach& r, const PersonSet& wanted, const Bounded& bounded, const std::function<void(PersonNo)>& each) {
  if (!r.whole) {
    for (const PersonNo no : r.people) {
      if (wanted.contains(no)) each(no);
    }
    return;
  }
  wanted.each([&](PersonNo no) {
    if (was_there(bounded, no, r)) each(no);
    return true;
  });
}

Seconds window_of(const ExposureFilter& filter) {
  Seconds window;
  if (filter.from) window.from = floor_second(*filter.from);
  if (filter.to) window.to = floor_second(*filter.to);
  return window;
}

Result<Segments> open_segments(Reader& reader, const ExposureFilter& filter) {
  Damage damage;
  auto segments = segments_for(reader, window_of(filter), damage);
  if (!segments) return pass(std::move(segments));
  if (!damage.errors.empty()) return tl::unexpected<Error>(damage.errors.front());
  return segments;
}

Question question_of(const ExposureFilter& filter, const std::string& dataset) { return {filter.actor, dataset, window_of(filter)}; }

}  // namespace

Result<std::map<PersonNo, AccessList>> events_of_people(Reader& reader, std::span<const ExposureFilter> filters, const std::string& dataset,
                                                        const PersonSet& wanted, std::size_t each) {
  std::unordered_map<PersonNo, Growing> growing;
  const auto of = [&](PersonNo no) -> Growing& { return growing.try_emplace(no, each).first->second; };
  auto bounded = validity(reader, dataset, wanted);
  if (!bounded) return pass(std::move(bounded));
  std::set<std::int64_t> seen;
  for (ExposureFilter filter : filters) {
    if (!filter.dataset.empty() && filter.dataset != dataset) continue;
    filter.dataset = dataset;
    auto rows = select_rows(reader, filter, "");
    if (!rows) return pass(std::move(rows));
    for (const ReachRow& row : *rows) {
      if (!seen.insert(row.id).second) continue;
      const AccessEvent event = event_of(row.reach);
      each_reached(row.reach, wanted, *bounded, [&](PersonNo no) {
        Growing& list = of(no);
        list.count(event.certain);
        list.newest.add(event, event.first);
      });
    }
    auto segments = open_segments(reader, filter);
    if (!segments) return pass(std::move(segments));
    for (const auto& segment : *segments) {
      auto done = accesses_of(*segment, question_of(filter, dataset), wanted, [&](const SealedAccess& access) {
        Growing& list = of(access.person);
        list.count(access.attribute->confirmed);
        if (list.newest.wants(to_time(access.first))) list.newest.add(event_of(access, dataset, segment->tables()), to_time(access.first));
      });
      if (!done) return pass(std::move(done));
    }
  }
  std::map<PersonNo, AccessList> out;
  for (auto& [no, list] : growing) out.emplace(no, list.take(0));
  return out;
}

Result<std::map<std::string, AccessList>> events_of_person(Reader& reader, const ExposureFilter& filter, PersonNo person,
                                                           const std::set<std::string>& actors, std::size_t each, std::size_t skip) {
  std::map<std::string, Growing, std::less<>> growing;
  const auto of = [&](std::string_view actor) -> Growing& {
    const auto at = growing.find(actor);
    return at != growing.end() ? at->second : growing.try_emplace(std::string(actor), each + skip).first->second;
  };
  const Time until = filter.to.value_or(kForever), since = filter.from.value_or(kAlways);
  const std::string select = "SELECT " + std::string(kReachColumns) + " FROM reach WHERE ";
  auto rows = reader.rows<ReachRow>(select + "id IN (SELECT reach FROM reach_person WHERE dataset = ?1 AND no = ?2) AND first <= ?3 AND last >= ?4",
                                    row_from, filter.dataset, person, until, since);
  if (!rows) return pass(std::move(rows));
  auto large = reader.rows<ReachRow>(select + "dataset = ?1 AND (wide = 1 OR whole = 1) AND first <= ?2 AND last >= ?3", row_from,
                                     filter.dataset, until, since);
  if (!large) return pass(std::move(large));
  PersonSet one;
  one.add(person);
  auto bounded = validity(reader, filter.dataset, one);
  if (!bounded) return pass(std::move(bounded));
  for (const std::vector<ReachRow>* some : {&*rows, &*large}) {
    for (const ReachRow& row : *some) {
      if (actors.count(row.reach.actor) == 0) continue;
      each_reached(row.reach, one, *bounded, [&](PersonNo) {
        AccessEvent event = event_of(row.reach);
        Growing& list = of(event.actor);
        list.count(event.certain);
        const Time first = event.first;
        list.newest.add(std::move(event), first);
      });
    }
  }
  auto segments = open_segments(reader, filter);
  if (!segments) return pass(std::move(segments));
  const auto by = [&](std::string_view actor) { return actors.count(std::string(actor)) > 0; };
  for (const auto& segment : *segments) {
    auto done = accesses_to(*segment, filter.dataset, person, window_of(filter), by, [&](const SealedAccess& access) {
      Growing& list = of(access.actor);
      list.count(access.attribute->confirmed);
      if (list.newest.wants(to_time(access.first))) list.newest.add(event_of(access, filter.dataset, segment->tables()), to_time(access.first));
    });
    if (!done) return pass(std::move(done));
  }
  std::map<std::string, AccessList> out;
  for (auto& [actor, list] : growing) out.emplace(actor, list.take(skip));
  return out;
}

Result<Reaching> events_reaching(Reader& reader, std::span<const ExposureFilter> filters, const std::map<std::string, PersonSet>& wanted,
                                 std::size_t most) {
  Reaching out;
  Newest<Reaching::One, NewerOne> newest(most);
  std::set<std::int64_t> seen;
  std::map<std::string, Bounded> bounded;
  for (const auto& [dataset, people] : wanted) {
    auto spans = validity(reader, dataset, people);
    if (!spans) return pass(std::move(spans));
    bounded.emplace(dataset, std::move(*spans));
  }
  for (const ExposureFilter& filter : filters) {
    auto rows = select_rows(reader, filter, "");
    if (!rows) return pass(std::move(rows));
    for (const ReachRow& row : *rows) {
      const auto people = wanted.find(row.reach.dataset);
      if (people == wanted.end() || !seen.insert(row.id).second) continue;
      std::uint64_t reached = 0;
      each_reached(row.reach, people->second, bounded[row.reach.dataset], [&](PersonNo) { ++reached; });
      if (reached == 0) continue;
      ++out.total;
      newest.add({event_of(row.reach), reached}, row.reach.first);
    }
    auto segments = open_segments(reader, filter);
    if (!segments) return pass(std::move(segments));
    for (const auto& segment : *segments) {
      for (const auto& [dataset, people] : wanted) {
        if (!filter.dataset.empty() && filter.dataset != dataset) continue;
        // Accesses of one reach have the same actor, second and attribute.
        std::map<std::tuple<std::string_view, Second, const Attribute*>, std::uint64_t> reaches;
        auto done = accesses_of(*segment, question_of(filter, dataset), people, [&](const SealedAccess& access) {
          ++reaches[{access.actor, access.first, access.attribute}];
        });
        if (!done) return pass(std::move(done));
        out.total += reaches.size();
        for (const auto& [key, reached] : reaches) {
          const SealedAccess access{0, std::get<0>(key), std::get<1>(key), std::get<2>(key)};
          if (newest.wants(to_time(access.first))) newest.add({event_of(access, dataset, segment->tables()), reached}, to_time(access.first));
        }
      }
    }
  }
  out.events = newest.take();
  return out;
}

}  // namespace tocsin::storage
