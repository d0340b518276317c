// What is asked of exposure, put together from the rows and the sealed index: who is in the answer first, as a set;
// then, for as many of them as are wanted, what was reached of each.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "storage/exposure/query.hpp"
#include "storage/exposure_rows.hpp"
#include "storage/exposure_segments.hpp"

namespace tocsin::storage {

using namespace exposure;

namespace {

// ---- what comes together about one person or actor

struct Total {
  Grade grade = Grade::kUnknown;
  std::set<std::string> fields;
  Time first = Time::max(), last = Time::min();
  std::uint64_t reaches = 0;

  void add(Grade other_grade, Time from, Time to, std::uint64_t count) {
    grade = reaches > 0 ? std::min(grade, other_grade) : other_grade;
    first = std::min(first, from);
    last = std::max(last, to);
    reaches += count;
  }
  void add(const StoredReach& r) {
    add(r.grade, r.first, r.last, 1);
    fields.insert(r.fields.begin(), r.fields.end());
  }
  void add(const exposure::Sum& sealed) {
    add(sealed.grade, to_time(sealed.first), to_time(sealed.last), sealed.reaches);
    fields.insert(sealed.fields->begin(), sealed.fields->end());
  }
  [[nodiscard]] std::vector<std::string> field_list() const {
    if (fields.count("*") > 0 && fields.size() > 1) {
      std::vector<std::string> out{"*"};  // the main table's columns are all in "*"
      for (const std::string& f : fields) {
        if (f.find('.') != std::string::npos) out.push_back(f);
      }
      return out;
    }
    return {fields.begin(), fields.end()};
  }
};

// Everything that a filter meets in one dataset.
struct Met {
  std::vector<const StoredReach*> rows;
  std::vector<const StoredReach*> wholes;  // of them
  Found sealed;
  PersonSet listed;  // everyone who is to be named, by whatever reach
};

struct Gathered {
  std::vector<ReachRow> rows;
  Segments segments;
  Damage damage;
  std::map<std::string, Met> datasets;
};

Question question_of(const ExposureFilter& filter) {
  Question q;
  q.actor = filter.actor;
  q.dataset = filter.dataset;
  if (filter.from) q.window.from = floor_second(*filter.from);
  if (filter.to) q.window.to = floor_second(*filter.to);
  return q;
}

// Adds everyone who was in the dataset at some moment of a whole reach.
Result<void> expand_wholes(Reader& reader, const std::string& dataset, Met& met) {
  if (met.wholes.empty()) return {};
  return reader.each(
      "SELECT p.no, p.valid_from, p.valid_to FROM register_person p JOIN register_dataset d ON d.no = p.dataset WHERE d.name = ?1",
      [&](const Columns& c) {
        const Span valid{c.time(1), c.time(2)};
        const bool in = std::any_of(met.wholes.begin(), met.wholes.end(),
                                    [&](const StoredReach* r) { return valid.meets({r->known_from, r->last}); });
        if (in) met.listed.add(static_cast<PersonNo>(c.integer(0)));
        return true;
      },
      {Binding(dataset)});
}

Result<Gathered> gather(Reader& reader, const ExposureFilter& filter) {
  Gathered out;
  auto rows = select_rows(reader, filter, " ORDER BY first, id");
  if (!rows) return pass(std::move(rows));
  out.rows = std::move(*rows);
  const Question question = question_of(filter);
  auto segments = segments_for(reader, question.window, out.damage);
  if (!segments) return pass(std::move(segments));
  out.segments = std::move(*segments);
  for (const ReachRow& row : out.rows) {
    Met& met = out.datasets[row.reach.dataset];
    met.rows.push_back(&row.reach);
    if (row.reach.whole) met.wholes.push_back(&row.reach);
    else met.listed.add(row.reach.people);
  }
  for (auto& [dataset, found] : find_people(out.segments, question, out.damage)) {
    Met& met = out.datasets[dataset];
    met.listed.add(found.confirmed);
    met.listed.add(found.others);
    met.sealed = std::move(found);
  }
  for (auto& [dataset, met] : out.datasets) {
    if (auto done = expand_wholes(reader, dataset, met); !done) return pass(std::move(done));
  }
  return out;
}

// An answer that leaves people out must not look like one that does not.
tl::unexpected<Error> incomplete(const Damage& damage) {
  return fail(Errc::kCorrupt, "part of the exposure index cannot be read, so people would be missing: " + damage.errors.front().message,
              damage.errors.front().where, "restore the file from a backup");
}

// ---- people of the register

struct Registered {
  PersonNo no = 0;
  Pseudonym pseudonym;
  Span valid;
  bool listed = false, erased = false;
  std::string country, language;
};

constexpr std::size_t kOneByOne = 2'000;  // so many are looked up singly; more are picked from a walk over all

// Calls `each` for these people, in ascending order.
Result<void> each_registered(Reader& reader, const std::string& dataset, const PersonSet& wanted,
                             const std::function<void(Registered)>& each) {
  static constexpr std::string_view kSelect =
      "SELECT p.no, p.pseudonym, p.valid_from, p.valid_to, p.listed, p.erased, p.country, p.language "
      "FROM register_person p JOIN register_dataset d ON d.no = p.dataset WHERE d.name = ?1";
  const auto take = [&](const Columns& c) {
    Registered r;
    r.no = static_cast<PersonNo>(c.integer(0));
    if (!wanted.contains(r.no)) return true;
    r.pseudonym = Pseudonym::from_bytes(c.text(1)).value_or(Pseudonym{});
    r.valid = {c.time(2), c.time(3)};
    r.listed = c.integer(4) != 0;
    r.erased = !c.null(5);
    r.country = c.text(6);
    r.language = c.text(7);
    each(std::move(r));
    return true;
  };
  if (wanted.size() > kOneByOne) return reader.each(std::string(kSelect) + " ORDER BY p.no", take, {Binding(dataset)});
  Result<void> out;
  const std::string one = std::string(kSelect) + " AND p.no = ?2";
  wanted.each([&](PersonNo no) {
    out = reader.each(one, take, {Binding(dataset), Binding(no)});
    return out.has_value();
  });
  return out;
}

Result<void> count_countries(Reader& reader, const std::string& dataset, const PersonSet& people, std::map<std::string, std::uint64_t>& out) {
  if (people.size() <= kOneByOne) {
    return each_registered(reader, dataset, people, [&](const Registered& r) { ++out[r.country]; });
  }
  return reader.each(
      "SELECT p.no, p.country FROM register_person p JOIN register_dataset d ON d.no = p.dataset WHERE d.name = ?1",
      [&](const Columns& c) {
        if (people.contains(static_cast<PersonNo>(c.integer(0)))) ++out[c.text(1)];
        return true;
      },
      {Binding(dataset)});
}

// Those whom some reach named that gave as many rows as it names people.
PersonSet confirmed_in(const Met& met) {
  PersonSet out;
  out.add(met.sealed.confirmed);
  for (const StoredReach* r : met.rows) {
    if (!r->whole && r->grade != Grade::kUnknown && r->at_least && *r->at_least == r->people.size()) out.add(r->people);
  }
  return out;
}

// The interval for one dataset that holds the number of people truly reached.
void bound(const Met& met, ExposureSummary& summary) {
  PersonSet named = met.sealed.everyone();
  const PersonSet confirmed = confirmed_in(met);
  if (!named.empty()) summary.grade = std::max(summary.grade, met.sealed.worst);
  std::uint64_t least = met.sealed.least, loose = 0;
  bool open = false;
  for (const StoredReach* r : met.rows) {
    summary.grade = std::max(summary.grade, r->grade);
    least = std::max(least, r->at_least.value_or(0));
    if (r->whole || r->grade == Grade::kUnknown) {
      if (r->at_most) loose += std::min(*r->at_most, UINT64_MAX / 2 - loose);
      else open = true;
    } else {
      named.add(r->people);
    }
  }
  least = std::max<std::uint64_t>(least, confirmed.size());
  summary.at_least = summary.at_least.value_or(0) + least;
  if (open) summary.at_most.reset();
  else if (summary.at_most) *summary.at_most += std::min(met.listed.size(), named.size() + loose);
}

// What was reached of each of `wanted`, who are all listed.
Result<std::unordered_map<PersonNo, Total>> describe(const Gathered& all, const std::string& dataset, const Met& met, const ExposureFilter& filter,
                                                   const PersonSet& wanted) {
  std::unordered_map<PersonNo, Total> out;
  for (const StoredReach* r : met.rows) {
    if (r->whole) continue;
    for (const PersonNo no : r->people) {
      if (wanted.contains(no)) out[no].add(*r);
    }
  }
  Question question = question_of(filter);
  question.dataset = dataset;
  Damage damage;
  const PersonSums sealed = describe_people(all.segments, question, wanted, damage);
  if (!damage.errors.empty()) return incomplete(damage);
  for (std::size_t i = 0; i < sealed.people.size(); ++i) out[sealed.people[i]].add(sealed.sums[i]);
  return out;
}

}  // namespace

struct ExposureAnswer::All : Gathered {};

Result<ExposureAnswer> ExposureAnswer::of(Reader& reader, const ExposureFilter& filter) {
  auto all = gather(reader, filter);
  if (!all) return pass(std::move(all));
  ExposureAnswer out;
  out.filter_ = filter;
  out.all_ = std::make_shared<const All>(All{std::move(*all)});
  return out;
}

Result<ExposureOverview> ExposureAnswer::overview(Reader& reader) const {
  ExposureOverview out;
  out.summary.grade = all_->datasets.empty() ? Grade::kUnknown : Grade::kExact;
  out.summary.at_least = 0;
  out.summary.at_most = 0;
  constexpr std::size_t kMaxReasons = 20;
  const auto because = [&](const std::string& reason) {
    if (out.reasons.size() >= kMaxReasons) return;
    if (std::find(out.reasons.begin(), out.reasons.end(), reason) == out.reasons.end()) out.reasons.push_back(reason);
  };
  if (!all_->damage.errors.empty()) {
    because("Part of the exposure index is damaged: people may be missing here. Restore it from a backup.");
  }
  auto forgotten = reader.row<Time>("SELECT MAX(before) FROM exposure_forgotten HAVING MAX(before) IS NOT NULL", [](const Columns& c) { return c.time(0); });
  if (!forgotten) return pass(std::move(forgotten));
  const bool before_it = *forgotten && filter_.from.value_or(kAlways) < **forgotten;
  if (before_it) because("Of what was reached before " + format_rfc3339(**forgotten) + " some or all has been dropped for its age and is not in this answer.");
  for (const ReachRow& row : all_->rows) because(row.reach.reason);
  for (const auto& [dataset, met] : all_->datasets) {
    out.datasets.push_back(dataset);
    out.total += met.listed.size();
    bound(met, out.summary);
    for (const std::string& reason : met.sealed.reasons) because(reason);
    std::set<std::string>& fields = out.fields[dataset];
    fields = met.sealed.fields;
    for (const StoredReach* r : met.rows) fields.insert(r->fields.begin(), r->fields.end());
  }
  if (!all_->damage.errors.empty()) {
    out.summary.grade = Grade::kUnknown;
    out.summary.at_most.reset();
  }
  // Whoever asks about that time by name gets no upper bound; a question without a beginning is about what is kept.
  if (before_it && filter_.from) out.summary.at_most.reset();
  return out;
}

namespace {

// Adds these people of one dataset to `out`, in ascending order.
Result<void> tell_people(Reader& reader, const Gathered& all, const std::string& dataset, const Met& met, const ExposureFilter& filter,
                         const PersonSet& wanted, std::vector<ExposedPerson>& out) {
  auto sums = describe(all, dataset, met, filter, wanted);
  if (!sums) return pass(std::move(sums));
  const PersonSet sure = confirmed_in(met);
  Total always;  // of whole reaches: the same for everyone who was there all the time
  for (const StoredReach* r : met.wholes) always.add(*r);
  return each_registered(reader, dataset, wanted, [&](Registered r) {
    Total sum = (*sums)[r.no];
    if (r.valid.from == kAlways && r.valid.to == kForever) {
      if (always.reaches > 0) {
        sum.add(always.grade, always.first, always.last, always.reaches);
        sum.fields.insert(always.fields.begin(), always.fields.end());
      }
    } else {
      for (const StoredReach* whole : met.wholes) {
        if (r.valid.meets({whole->known_from, whole->last})) sum.add(*whole);
      }
    }
    if (sum.reaches == 0) return;
    ExposedPerson p;
    p.pseudonym = r.pseudonym;
    p.dataset = dataset;
    p.no = r.no;
    p.grade = sum.grade;
    p.fields = sum.field_list();
    p.first = sum.first;
    p.last = sum.last;
    p.in_register = r.listed;
    p.erased = r.erased;
    p.certain = sure.contains(r.no);
    p.country = std::move(r.country);
    p.language = std::move(r.language);
    out.push_back(std::move(p));
  });
}

}  // namespace

Result<std::vector<ExposedPerson>> ExposureAnswer::people(Reader& reader, std::uint64_t offset, std::uint64_t limit) const {
  if (!all_->damage.errors.empty()) return incomplete(all_->damage);
  std::vector<ExposedPerson> out;
  std::uint64_t at = 0;
  for (const auto& [dataset, met] : all_->datasets) {
    PersonSet page;
    std::uint64_t room = limit == 0 ? UINT64_MAX : limit - out.size();
    met.listed.each([&](PersonNo no) {
      if (at++ < offset) return true;
      if (room == 0) return false;
      page.add(no);
      --room;
      return true;
    });
    if (page.empty()) continue;
    if (auto done = tell_people(reader, *all_, dataset, met, filter_, page, out); !done) return pass(std::move(done));
    if (limit > 0 && out.size() >= limit) break;
  }
  return out;
}

Result<std::vector<ExposedPerson>> ExposureAnswer::people(Reader& reader, const PeopleByDataset& wanted) const {
  if (!all_->damage.errors.empty()) return incomplete(all_->damage);
  std::vector<ExposedPerson> out;
  for (const auto& [dataset, met] : all_->datasets) {
    const auto some = wanted.find(dataset);
    if (some == wanted.end()) continue;
    PersonSet page;
    some->second.each([&, &listed = met.listed](PersonNo no) {
      if (listed.contains(no)) page.add(no);
      return true;
    });
    if (page.empty()) continue;
    if (auto done = tell_people(reader, *all_, dataset, met, filter_, page, out); !done) return pass(std::move(done));
  }
  return out;
}

Result<PeopleByDataset> ExposureAnswer::listed() const {
  if (!all_->damage.errors.empty()) return incomplete(all_->damage);
  PeopleByDataset out;
  for (const auto& [dataset, met] : all_->datasets) out[dataset].add(met.listed);
  return out;
}

Result<std::map<std::string, std::uint64_t>> ExposureStore::countries(Reader& reader, const PeopleByDataset& people) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [dataset, set] : people) {
    if (auto done = count_countries(reader, dataset, set, out); !done) return pass(std::move(done));
  }
  return out;
}

Result<std::vector<Watcher>> ExposureStore::watchers(Reader& reader, std::string_view dataset, PersonNo person,
                                                     std::optional<Time> from, std::optional<Time> to) {
  auto valid = reader.row<Span>(
      "SELECT p.valid_from, p.valid_to FROM register_person p JOIN register_dataset d ON d.no = p.dataset "
      "WHERE d.name = ?1 AND p.no = ?2",
      [](const Columns& c) { return Span{c.time(0), c.time(1)}; }, dataset, person);
  if (!valid) return pass(std::move(valid));
  const Time until = to.value_or(kForever), since = from.value_or(kAlways);
  std::unordered_map<std::string, Total> actors;
  auto named = reader.rows<ReachRow>("SELECT " + std::string(kReachColumns) +
                                         " FROM reach WHERE id IN (SELECT reach FROM reach_person WHERE dataset = ?1 AND "
                                         "no = ?2) AND first <= ?3 AND last >= ?4",
                                     row_from, dataset, person, until, since);
  if (!named) return pass(std::move(named));
  for (const ReachRow& row : *named) actors[row.reach.actor].add(row.reach);
  auto large = reader.rows<ReachRow>("SELECT " + std::string(kReachColumns) +
                                         " FROM reach WHERE dataset = ?1 AND (wide = 1 OR whole = 1) AND first <= ?2 AND "
                                         "last >= ?3",
                                     row_from, dataset, until, since);
  if (!large) return pass(std::move(large));
  for (const ReachRow& row : *large) {
    const StoredReach& r = row.reach;
    const bool in = r.whole ? *valid && (*valid)->meets({r.known_from, r.last})
                            : std::binary_search(r.people.begin(), r.people.end(), person);
    if (in) actors[r.actor].add(r);
  }
  ExposureFilter filter;
  filter.from = from;
  filter.to = to;
  const Seconds window = question_of(filter).window;
  Damage damage;
  auto segments = segments_for(reader, window, damage);
  if (!segments) return pass(std::move(segments));
  const ActorSums sealed = find_actors(*segments, dataset, person, window, damage);
  if (!damage.errors.empty()) return incomplete(damage);
  for (const auto& [actor, sum] : sealed.actors) actors[actor].add(sum);
  std::vector<Watcher> out;
  for (const auto& [actor, sum] : actors) {
    out.push_back({actor, std::string(dataset), sum.grade, sum.field_list(), sum.first, sum.last, sum.reaches});
  }
  std::sort(out.begin(), out.end(), [](const Watcher& a, const Watcher& b) { return a.last != b.last ? a.last > b.last : a.actor < b.actor; });
  return out;
}

}  // namespace tocsin::storage
