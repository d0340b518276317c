// Scopes are looked up one by one and united by pseudonym: a person reached twice is one person.
#include "engine/app/people_source.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/respond/facts.hpp"
#include "storage/frozen_store.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

using storage::ExposedPerson;
using storage::ExposureAnswer;
using storage::ExposureFilter;
using storage::ExposureStore;
using storage::Grade;
using storage::PeopleByDataset;
using storage::Reader;
using storage::Scope;

ExposureFilter filter_of(const Scope& scope) {
  ExposureFilter filter;
  filter.actor = scope.actor;
  filter.dataset = scope.dataset;
  filter.from = scope.from;
  filter.to = scope.to;
  return filter;
}

// The words of the law packs for the catalogue's kinds ("identity" is "name" to the law).
std::string law_kind(const std::string& kind) { return kind == "identity" ? "name" : kind; }

// A column that only says which person a row is about.
bool names_person(const DatasetSpec& spec, const std::string& column) {
  return column == spec.key || std::any_of(spec.tables.begin(), spec.tables.end(), [&](const auto& t) { return t.second == column; });
}

std::string civil_date(Time t) {
  constexpr std::array<const char*, 12> kMonths = {"January", "February", "March", "April", "May", "June", "July",
                                                   "August", "September", "October", "November", "December"};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(t)};
  return std::to_string(static_cast<unsigned>(day.day())) + " " + kMonths.at(static_cast<unsigned>(day.month()) - 1) + " " +
         std::to_string(static_cast<int>(day.year()));
}

using United = std::map<storage::Pseudonym, ExposedPerson>;

void unite(United& united, std::vector<ExposedPerson> people) {
  for (ExposedPerson& person : people) {
    const auto [at, is_new] = united.try_emplace(person.pseudonym, person);
    if (is_new) continue;
    ExposedPerson& known = at->second;
    known.grade = std::min(known.grade, person.grade);
    known.certain = known.certain || person.certain;
    known.first = std::min(known.first, person.first);
    known.last = std::max(known.last, person.last);
    for (std::string& field : person.fields) {
      if (std::find(known.fields.begin(), known.fields.end(), field) == known.fields.end()) known.fields.push_back(std::move(field));
    }
  }
}

template <class Order>
std::vector<ExposedPerson> sorted(United united, Order order) {
  std::vector<ExposedPerson> out;
  out.reserve(united.size());
  for (auto& [pseudonym, person] : united) {
    // The main table's columns are all in "*".
    if (std::find(person.fields.begin(), person.fields.end(), "*") != person.fields.end()) {
      std::erase_if(person.fields, [](const std::string& field) { return field != "*" && field.find('.') == std::string::npos; });
    }
    std::sort(person.fields.begin(), person.fields.end());
    out.push_back(std::move(person));
  }
  std::stable_sort(out.begin(), out.end(), [&](const ExposedPerson& a, const ExposedPerson& b) { return order(a) < order(b); });
  return out;
}

constexpr std::uint64_t kSortedByGrade = 20'000;  // larger lists are not looked up whole for one page

// Each scope is looked up once, whatever is then asked of it.
Result<std::vector<ExposureAnswer>> ask(Reader& reader, std::span<const Scope> scopes) {
  std::vector<ExposureAnswer> out;
  for (const Scope& scope : scopes) {
    auto answer = ExposureAnswer::of(reader, filter_of(scope));
    if (!answer) return pass(std::move(answer));
    out.push_back(std::move(*answer));
  }
  return out;
}

Result<PeopleByDataset> listed_in(std::span<const ExposureAnswer> answers) {
  PeopleByDataset out;
  for (const ExposureAnswer& answer : answers) {
    auto some = answer.listed();
    if (!some) return pass(std::move(some));
    for (auto& [dataset, people] : *some) out[dataset].add(people);
  }
  return out;
}

Result<std::vector<ExposedPerson>> everybody_in(Reader& reader, std::span<const ExposureAnswer> answers) {
  United united;
  for (const ExposureAnswer& answer : answers) {
    auto people = answer.people(reader);
    if (!people) return pass(std::move(people));
    unite(united, std::move(*people));
  }
  return sorted(std::move(united), [](const ExposedPerson& p) { return std::tie(p.grade, p.dataset, p.no); });
}

}  // namespace

Result<std::vector<ExposedPerson>> ExposedPeople::everybody(Reader& reader, std::span<const Scope> scopes) const {
  auto answers = ask(reader, scopes);
  if (!answers) return pass(std::move(answers));
  return everybody_in(reader, *answers);
}

Result<PeopleByDataset> ExposedPeople::listed(Reader& reader, std::span<const Scope> scopes) const {
  auto answers = ask(reader, scopes);
  if (!answers) return pass(std::move(answers));
  return listed_in(*answers);
}

Result<PeopleSummary> ExposedPeople::summary(Reader& reader, std::span<const Scope> scopes) const {
  PeopleSummary out;
  auto answers = ask(reader, scopes);
  if (!answers) return pass(std::move(answers));
  auto people = listed_in(*answers);
  if (!people) return pass(std::move(people));
  for (const auto& [dataset, set] : *people) out.total += set.size();
  out.grade = Grade::kExact;
  std::uint64_t at_least = 0, sum_at_most = 0;
  bool at_most_known = true, any = false;
  std::set<std::string> reasons;
  for (const ExposureAnswer& answer : *answers) {
    auto overview = answer.overview(reader);
    if (!overview) return pass(std::move(overview));
    const auto& s = overview->summary;
    any = true;
    out.grade = std::max(out.grade, s.grade);
    at_least = std::max(at_least, s.at_least.value_or(0));
    if (s.at_most) sum_at_most += *s.at_most;
    else at_most_known = false;
    reasons.insert(overview->reasons.begin(), overview->reasons.end());
    for (const auto& [dataset, fields] : overview->fields) {
      for (const std::string& field : fields) out.fields.insert(dataset + "\n" + field);
    }
  }
  if (!any) {
    out.grade = Grade::kUnknown;
    return out;
  }
  out.at_least = at_least;
  // Who is listed bounds the number from above, unless something reached people who cannot be listed.
  if (at_most_known) out.at_most = out.total > 0 ? std::min<std::uint64_t>(sum_at_most, out.total) : sum_at_most;
  if (out.at_most && *out.at_most < at_least) out.at_most = at_least;
  out.reasons.assign(reasons.begin(), reasons.end());
  out.kinds_complete = true;
  auto countries = ExposureStore::countries(reader, *people);
  if (!countries) return pass(std::move(countries));
  out.by_country = std::move(*countries);
  std::set<std::string> plain;
  for (const std::string& entry : out.fields) {
    const std::size_t at = entry.find('\n');
    const std::string dataset = entry.substr(0, at), field = entry.substr(at + 1);
    plain.insert(field);
    if (field == "*") {
      // Everything the catalogue knows of that dataset; whether that is all, it cannot say.
      if (datasets_.find(dataset) == nullptr) out.kinds_complete = false;
    }
    const std::set<std::string> kinds = datasets_.kinds_of(dataset, field);
    for (const std::string& kind : kinds) out.kinds.insert(law_kind(kind));
    if (field == "*") continue;
    if (field.ends_with(".*")) out.kinds_complete = false;
    else if (!kinds.empty()) continue;
    else if (const DatasetSpec* spec = datasets_.find(dataset); spec == nullptr || !names_person(*spec, field.substr(field.rfind('.') + 1))) out.kinds_complete = false;
  }
  out.fields = std::move(plain);
  return out;
}

Result<std::vector<PersonReached>> ExposedPeople::page(Reader& reader, std::span<const Scope> scopes, std::size_t offset, std::size_t limit) const {
  auto answers = ask(reader, scopes);
  if (!answers) return pass(std::move(answers));
  auto all = listed_in(*answers);
  if (!all) return pass(std::move(all));
  std::uint64_t total = 0;
  for (const auto& [dataset, set] : *all) total += set.size();
  std::vector<ExposedPerson> people;
  if (total <= kSortedByGrade) {
    auto found = everybody_in(reader, *answers);
    if (!found) return pass(std::move(found));
    const std::size_t begin = std::min(offset, found->size()), end = begin + std::min(limit, found->size() - begin);
    for (std::size_t i = begin; i < end; ++i) people.push_back(std::move((*found)[i]));
  } else {
    PeopleByDataset wanted;
    std::uint64_t at = 0, room = limit;
    for (const auto& [dataset, set] : *all) {
      set.each([&, &name = dataset](storage::PersonNo no) {
        if (at++ < offset) return true;
        if (room == 0) return false;
        wanted[name].add(no);
        --room;
        return true;
      });
    }
    United united;
    for (const ExposureAnswer& answer : *answers) {
      auto some = answer.people(reader, wanted);
      if (!some) return pass(std::move(some));
      unite(united, std::move(*some));
    }
    people = sorted(std::move(united), [](const ExposedPerson& p) { return std::tie(p.dataset, p.no); });
  }
  std::vector<PersonReached> out;
  for (ExposedPerson& person : people) out.push_back(reached_of(std::move(person)));
  return out;
}

Result<notifier::NoticeFacts> IncidentsForNotices::facts(std::int64_t incident) {
  return db_.read([&](Reader& reader) -> Result<notifier::NoticeFacts> {
    auto found = storage::IncidentStore::incident(reader, incident);
    if (!found) return pass(std::move(found));
    if (!*found) return fail(Errc::kNotFound, "there is no such incident");
    if ((*found)->over()) return fail(Errc::kConflict, "the incident is closed");
    if (!(*found)->confirmed_at) {
      return fail(Errc::kConflict, "the incident is not confirmed as a breach of personal data", "", "confirm it first");
    }
    auto rows = storage::IncidentStore::facts(reader, incident);
    if (!rows) return pass(std::move(rows));
    auto scopes = respond_.scope_of_incident(reader, incident);
    if (!scopes) return pass(std::move(scopes));
    auto summary = people_.summary(reader, *scopes);
    if (!summary) return pass(std::move(summary));

    notifier::NoticeFacts out;
    out.organisation = organisation_.name;
    out.contact = organisation_.contact;
    out.phone = organisation_.phone;
    out.website = organisation_.website;
    const auto text = [&](std::string_view name) { return fact_text(*rows, name).value_or(""); };
    const auto date = [&](std::string_view name, Time otherwise) { return civil_date(fact_time(*rows, name).value_or(otherwise)); };
    out.what = text("story.what");
    out.measures = text("story.measures");
    Time first = (*found)->opened;
    for (const Scope& scope : *scopes) first = std::min(first, scope.from);
    out.happened_on = date("times.occurred", first);
    out.noticed_on = date("times.noticed", (*found)->opened);
    // Kinds as the catalogue has them: advice for readers goes by these words.
    std::set<std::string> kinds;
    for (const std::string& kind : summary->kinds) kinds.insert(kind == "name" ? "identity" : kind);
    out.kinds.assign(kinds.begin(), kinds.end());
    // "Were read" is true of everyone listed only if nobody is in the list merely because they could be.
    out.certain = summary->grade == Grade::kExact || summary->grade == Grade::kDerived ||
                  (summary->at_least && summary->at_most && *summary->at_least == *summary->at_most);
    return out;
  });
}

notifier::Recipient IncidentsForNotices::recipient(const storage::Pseudonym& pseudonym, const std::string& dataset, Grade grade,
                                                   const std::vector<std::string>& reached) const {
  notifier::Recipient out;
  out.pseudonym = pseudonym;
  out.dataset = dataset;
  out.grade = storage::name(grade);
  // "All columns" says little to a reader: name what the catalogue knows.
  const DatasetSpec* spec = people_.datasets().find(dataset);
  std::set<std::string> fields;
  for (const std::string& field : reached) {
    const bool all = field == "*" || (field.size() > 2 && field.compare(field.size() - 2, 2, ".*") == 0);
    if (all && spec != nullptr && !spec->columns.empty()) {
      for (const auto& [column, kind] : spec->columns) {
        if (column.find('.') == std::string::npos) fields.insert(column);
      }
    } else {
      const std::size_t dot = field.rfind('.');
      const std::string column = dot == std::string::npos ? field : field.substr(dot + 1);
      if (spec == nullptr || !names_person(*spec, column)) fields.insert(column);
    }
  }
  out.fields.assign(fields.begin(), fields.end());
  return out;
}

Result<std::vector<notifier::Recipient>> IncidentsForNotices::frozen_recipients(Reader& reader, std::int64_t incident) const {
  auto people = storage::FrozenStore::people(reader, incident);
  if (!people) return pass(std::move(people));
  // Who was erased since is in the set, and is not written to.
  std::map<std::string, std::set<storage::PersonNo>> erased;
  for (const storage::FrozenPerson& person : *people) {
    const auto [at, is_new] = erased.try_emplace(person.dataset);
    if (!is_new) continue;
    auto gone = storage::RegisterStore::erased(reader, person.dataset);
    if (!gone) return pass(std::move(gone));
    at->second.insert(gone->begin(), gone->end());
  }
  std::vector<notifier::Recipient> out;
  out.reserve(people->size());
  for (const storage::FrozenPerson& person : *people) {
    if (erased[person.dataset].count(person.no) > 0) continue;
    out.push_back(recipient(person.pseudonym, person.dataset, person.grade, person.fields));
  }
  return out;
}

Result<std::vector<notifier::Recipient>> IncidentsForNotices::recipients(std::int64_t incident) {
  return db_.read([&](Reader& reader) -> Result<std::vector<notifier::Recipient>> {
    auto sets = storage::FrozenStore::of_incident(reader, incident);
    if (!sets) return pass(std::move(sets));
    if (!sets->empty()) return frozen_recipients(reader, incident);
    auto scopes = respond_.scope_of_incident(reader, incident);
    if (!scopes) return pass(std::move(scopes));
    auto people = people_.everybody(reader, *scopes);
    if (!people) return pass(std::move(people));
    std::vector<notifier::Recipient> out;
    for (const ExposedPerson& person : *people) {
      if (!person.erased) out.push_back(recipient(person.pseudonym, person.dataset, person.grade, person.fields));
    }
    return out;
  });
}

Result<std::vector<notifier::Recipient>> IncidentsForNotices::freeze(storage::Transaction& tx, std::int64_t incident, std::int64_t notice,
                                                                     const std::string& by, Time now) {
  if (auto done = frozen_.freeze(tx, incident, notice, by, now); !done) return pass(std::move(done));
  return frozen_recipients(tx, incident);
}

}  // namespace tocsin::engine
