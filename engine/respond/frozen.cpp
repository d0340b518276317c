// Sets are compared as bitmaps of numbers; only who is frozen or listed is looked up one by one.
#include "engine/respond/frozen.hpp"

#include "engine/respond/checks.hpp"
#include "storage/incident_store.hpp"

namespace tocsin::engine {
namespace {

using storage::ExposedPerson;
using storage::FrozenSet;
using storage::FrozenStore;
using storage::PeopleByDataset;

std::string text_of(const std::optional<std::uint64_t>& count) { return count ? std::to_string(*count) : "unknown"; }

storage::ExposureFilter filter_of(const storage::Scope& scope) {
  storage::ExposureFilter filter;
  filter.actor = scope.actor;
  filter.dataset = scope.dataset;
  filter.from = scope.from;
  filter.to = scope.to;
  return filter;
}

std::uint64_t size_of(const PeopleByDataset& people) {
  std::uint64_t out = 0;
  for (const auto& [dataset, set] : people) out += set.size();
  return out;
}

PeopleByDataset without(const PeopleByDataset& all, const PeopleByDataset& known) {
  PeopleByDataset out;
  for (const auto& [dataset, set] : all) {
    const auto frozen = known.find(dataset);
    set.each([&, &name = dataset](storage::PersonNo no) {
      if (frozen == known.end() || !frozen->second.contains(no)) out[name].add(no);
      return true;
    });
  }
  return out;
}

}  // namespace

Result<FrozenPeople::State> FrozenPeople::state(storage::Reader& reader, std::int64_t incident) const {
  State out;
  auto sets = FrozenStore::of_incident(reader, incident);
  if (!sets) return pass(std::move(sets));
  const PeopleSource* source = respond_.deps().people;
  if (sets->empty() || source == nullptr) return out;
  out.sets = std::move(*sets);
  for (const FrozenSet& set : out.sets) out.people += set.people;
  auto scopes = respond_.scope_of_incident(reader, incident);
  if (!scopes) return pass(std::move(scopes));
  auto now = source->listed(reader, *scopes);
  if (!now) return pass(std::move(now));
  auto known = FrozenStore::numbers(reader, incident);
  if (!known) return pass(std::move(known));
  const PeopleByDataset more = without(*now, *known);
  out.added = size_of(more);
  if (out.added == 0) return out;
  std::vector<storage::ExposureFilter> filters;
  for (const storage::Scope& scope : *scopes) filters.push_back(filter_of(scope));
  auto by = storage::events_reaching(reader, filters, more, kMaxEvents);
  if (!by) return pass(std::move(by));
  out.by = std::move(*by);
  return out;
}

Result<std::vector<ExposedPerson>> FrozenPeople::outside(storage::Reader& reader, std::int64_t incident, const PeopleByDataset& sets) const {
  const PeopleSource* source = respond_.deps().people;
  if (source == nullptr) return std::vector<ExposedPerson>();
  auto scopes = respond_.scope_of_incident(reader, incident);
  if (!scopes) return pass(std::move(scopes));
  auto people = source->everybody(reader, *scopes);
  if (!people) return pass(std::move(people));
  std::erase_if(*people, [&](const ExposedPerson& person) {
    const auto frozen = sets.find(person.dataset);
    return frozen != sets.end() && frozen->second.contains(person.no);
  });
  return people;
}

Result<std::vector<ExposedPerson>> FrozenPeople::added(storage::Reader& reader, std::int64_t incident) const {
  auto sets = FrozenStore::numbers(reader, incident);
  if (!sets) return pass(std::move(sets));
  if (sets->empty()) return std::vector<ExposedPerson>();
  return outside(reader, incident, *sets);
}

Result<FrozenSet> FrozenPeople::keep(Decision& decision, FrozenSet set, std::span<const ExposedPerson> people) const {
  std::vector<storage::FrozenPerson> frozen;
  frozen.reserve(people.size());
  for (const ExposedPerson& person : people) {
    frozen.push_back({person.no, person.pseudonym, person.dataset, person.grade, person.certain, person.fields});
  }
  auto scopes = respond_.scope_of_incident(decision.tx(), set.incident);
  if (!scopes) return pass(std::move(scopes));
  auto summary = respond_.deps().people->summary(decision.tx(), *scopes);
  if (!summary) return pass(std::move(summary));
  set.summary = {summary->grade, summary->at_least, summary->at_most};
  set.at = decision.now();
  set.by = decision.by();
  auto before = FrozenStore::of_incident(decision.tx(), set.incident);
  if (!before) return pass(std::move(before));
  std::uint64_t so_far = 0;
  for (const FrozenSet& earlier : *before) so_far += earlier.people;
  auto kept = FrozenStore::add(decision.tx(), std::move(set), frozen);
  if (!kept) return kept;
  auto row = decision.change("incident", kept->incident, kept->incident, "people_frozen", before->empty() ? "" : std::to_string(so_far),
                             std::to_string(so_far + kept->people));
  if (!row) return pass(std::move(row));
  decision.note("incident", std::to_string(kept->incident));
  decision.note("set", std::to_string(kept->number));
  decision.note("people", std::to_string(kept->people));
  decision.note("hash", kept->hash);
  decision.note("grade", std::string(storage::name(kept->summary.grade)));
  decision.note("at_least", text_of(kept->summary.at_least));
  decision.note("at_most", text_of(kept->summary.at_most));
  if (kept->notice != 0) decision.note("notice", std::to_string(kept->notice));
  decision.tell("incident", kept->incident);
  if (auto done = decision.finish(FrozenStore::kEntry, respond_.deps().record, respond_.deps().tell); !done) return pass(std::move(done));
  return kept;
}

Result<void> FrozenPeople::freeze(storage::Transaction& tx, std::int64_t incident, std::int64_t notice, const std::string& by, Time now) const {
  auto sets = FrozenStore::of_incident(tx, incident);
  if (!sets) return pass(std::move(sets));
  if (!sets->empty()) return {};
  auto people = outside(tx, incident, {});
  if (!people) return pass(std::move(people));
  if (people->empty()) return fail(Errc::kConflict, "this notice would reach nobody", "", "the incident concerns nobody yet");
  Decision decision(tx, now, by, "");
  FrozenSet set;
  set.incident = incident;
  set.notice = notice;
  auto kept = keep(decision, std::move(set), *people);
  if (!kept) return pass(std::move(kept));
  return {};
}

Result<FrozenSet> FrozenPeople::add(std::int64_t incident, std::uint64_t people, const By& by) const {
  auto reason = words(by.reason, "reason", Respond::kMaxReason, true);
  if (!reason) return pass(std::move(reason));
  const Time now = respond_.deps().clock.now();
  return respond_.deps().database.write([&](storage::Transaction& tx) -> Result<FrozenSet> {
    auto found = storage::IncidentStore::incident(tx, incident);
    if (!found) return pass(std::move(found));
    if (!*found) return missing("incident", incident);
    if ((*found)->over()) return fail(Errc::kConflict, "the incident is closed", "", "open it again first");
    auto sets = FrozenStore::numbers(tx, incident);
    if (!sets) return pass(std::move(sets));
    if (sets->empty()) {
      return fail(Errc::kConflict, "nobody is frozen yet", "", "the first approved notice freezes everyone whom the incident concerns then");
    }
    auto more = outside(tx, incident, *sets);
    if (!more) return pass(std::move(more));
    if (more->empty()) return fail(Errc::kConflict, "nobody has come since");
    if (more->size() != people) {
      return fail(Errc::kConflict, "it is not " + std::to_string(people) + " people by now but " + std::to_string(more->size()), "",
                  "look at them again, then decide");
    }
    Decision decision(tx, now, by.by, *reason);
    FrozenSet set;
    set.incident = incident;
    return keep(decision, std::move(set), *more);
  });
}

}  // namespace tocsin::engine
