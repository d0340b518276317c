// Scopes are looked up one by one and united by pseudonym: a person reached twice is one person.
#include "engine/app/people_source.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/respond/facts.hpp"

namespace tocsin::engine {
namespace {

using storage::ExposedPerson;
using storage::ExposureFilter;
using storage::ExposureStore;
using storage::Grade;
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

}  // namespace

Result<std::vector<ExposedPerson>> ExposedPeople::everyone(Reader& reader, std::span<const Scope> scopes) const {
  std::map<storage::Pseudonym, ExposedPerson> united;
  for (const Scope& scope : scopes) {
    auto people = ExposureStore::people(reader, filter_of(scope));
    if (!people) return pass(std::move(people));
    for (ExposedPerson& person : *people) {
      const auto [at, is_new] = united.try_emplace(person.pseudonym, person);
      if (is_new) continue;
      ExposedPerson& known = at->second;
      known.grade = std::min(known.grade, person.grade);
      known.first = std::min(known.first, person.first);
      known.last = std::max(known.last, person.last);
      for (std::string& field : person.fields) {
        if (std::find(known.fields.begin(), known.fields.end(), field) == known.fields.end()) known.fields.push_back(std::move(field));
      }
    }
  }
  std::vector<ExposedPerson> out;
  out.reserve(united.size());
  for (auto& [pseudonym, person] : united) out.push_back(std::move(person));
  std::stable_sort(out.begin(), out.end(), [](const ExposedPerson& a, const ExposedPerson& b) {
    return std::tie(a.grade, a.dataset, a.no) < std::tie(b.grade, b.dataset, b.no);
  });
  return out;
}

Result<PeopleSummary> ExposedPeople::summary(Reader& reader, std::span<const Scope> scopes) const {
  PeopleSummary out;
  auto people = everyone(reader, scopes);
  if (!people) return pass(std::move(people));
  out.total = people->size();
  out.grade = Grade::kExact;
  std::uint64_t at_least = 0, sum_at_most = 0;
  bool at_most_known = true, any = false;
  std::set<std::string> reasons;
  for (const Scope& scope : scopes) {
    auto overview = ExposureStore::overview(reader, filter_of(scope));
    if (!overview) return pass(std::move(overview));
    const auto& s = overview->summary;
    any = true;
    out.grade = std::max(out.grade, s.grade);
    at_least = std::max(at_least, s.at_least.value_or(0));
    if (s.at_most) sum_at_most += *s.at_most;
    else at_most_known = false;
    reasons.insert(overview->reasons.begin(), overview->reasons.end());
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
  for (const ExposedPerson& person : *people) {
    ++out.by_country[person.country];
    for (const std::string& field : person.fields) {
      if (!out.fields.insert(person.dataset + "\n" + field).second) continue;
    }
  }
  std::set<std::string> plain;
  for (const std::string& entry : out.fields) {
    const std::size_t at = entry.find('\n');
    const std::string dataset = entry.substr(0, at), field = entry.substr(at + 1);
    plain.insert(field);
    if (field == "*") {
      // Everything the catalogue knows of that dataset; whether that is all, it cannot say.
      if (const DatasetSpec* spec = datasets_.find(dataset); spec != nullptr) {
        for (const auto& [column, kind] : spec->columns) {
          if (column.find('.') == std::string::npos) out.kinds.insert(law_kind(kind));
        }
      } else {
        out.kinds_complete = false;
      }
      continue;
    }
    const std::string kind = datasets_.kind_of(dataset, field);
    if (!kind.empty()) out.kinds.insert(law_kind(kind));
    else if (const DatasetSpec* spec = datasets_.find(dataset); spec == nullptr || !names_person(*spec, field.substr(field.rfind('.') + 1))) out.kinds_complete = false;
  }
  out.fields = std::move(plain);
  return out;
}

Result<std::vector<PersonReached>> ExposedPeople::page(Reader& reader, std::span<const Scope> scopes, std::size_t offset, std::size_t limit) const {
  auto people = everyone(reader, scopes);
  if (!people) return pass(std::move(people));
  std::vector<PersonReached> out;
  for (std::size_t i = offset; i < people->size() && out.size() < limit; ++i) {
    ExposedPerson& person = (*people)[i];
    PersonReached reached;
    reached.pseudonym = person.pseudonym.hex();
    reached.dataset = std::move(person.dataset);
    reached.grade = person.grade;
    reached.fields = std::move(person.fields);
    reached.first = person.first;
    reached.last = person.last;
    reached.in_register = person.in_register;
    out.push_back(std::move(reached));
  }
  return out;
}

Result<std::vector<std::string>> ExposedPeople::pseudonyms(Reader& reader, std::span<const Scope> scopes) const {
  auto people = everyone(reader, scopes);
  if (!people) return pass(std::move(people));
  std::vector<std::string> out;
  for (const ExposedPerson& person : *people) out.push_back(person.pseudonym.hex());
  std::sort(out.begin(), out.end());
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

Result<std::vector<notifier::Recipient>> IncidentsForNotices::recipients(std::int64_t incident) {
  return db_.read([&](Reader& reader) -> Result<std::vector<notifier::Recipient>> {
    auto scopes = respond_.scope_of_incident(reader, incident);
    if (!scopes) return pass(std::move(scopes));
    auto people = people_.everyone(reader, *scopes);
    if (!people) return pass(std::move(people));
    std::vector<notifier::Recipient> out;
    for (ExposedPerson& person : *people) {
      if (person.erased) continue;
      notifier::Recipient recipient;
      recipient.pseudonym = person.pseudonym;
      recipient.dataset = person.dataset;
      recipient.grade = storage::name(person.grade);
      // "All columns" says little to a reader: name what the catalogue knows.
      const DatasetSpec* spec = people_.datasets().find(person.dataset);
      std::set<std::string> fields;
      for (const std::string& field : person.fields) {
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
      recipient.fields.assign(fields.begin(), fields.end());
      out.push_back(std::move(recipient));
    }
    return out;
  });
}

}  // namespace tocsin::engine
