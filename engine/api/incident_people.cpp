// The people of an incident: as they are known now, as they were frozen with the approved notices, and the difference,
// which a manager may take in.
#include <algorithm>
#include <charconv>

#include "engine/api/incidents.hpp"
#include "engine/respond/frozen.hpp"
#include "rules/base/text.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {

namespace json = boost::json;
using storage::IncidentStore;
using storage::Reader;

namespace {

// "now" (default), "added", "frozen", or the number of one frozen set.
struct WhichSet {
  bool now = true, added = false;
  int frozen = 0;  // 0 = all of them
};

Result<WhichSet> set_of(const Request& request) {
  const std::string text = request.query_or("set", "now");
  WhichSet out;
  if (text == "now") return out;
  out.now = false;
  out.added = text == "added";
  if (out.added || text == "frozen") return out;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out.frozen);
  if (ec != std::errc() || end != text.data() + text.size() || out.frozen <= 0) {
    return fail(Errc::kInvalid, "'set' must be now, added, frozen, or the number of a frozen set");
  }
  return out;
}

Result<json::array> frozen_items(Reader& reader, std::int64_t incident, int set, const PeoplePage& page) {
  json::array items;
  if (page.limit == 0) return items;
  auto people = storage::FrozenStore::people(reader, incident, set, page.offset, page.limit);
  if (!people) return pass(std::move(people));
  for (const storage::FrozenPerson& person : *people) {
    auto known = storage::RegisterStore::find(reader, person.dataset, person.no);
    if (!known) return pass(std::move(known));
    const std::string country = *known ? (*known)->country : "";
    items.emplace_back(json::object{{"pseudonym", person.pseudonym.hex()}, {"dataset", to_utf8(person.dataset)},
                                    {"grade", storage::name(person.grade)}, {"certain", person.certain},
                                    {"fields", safe_texts(person.fields)}, {"first", nullptr}, {"last", nullptr},
                                    {"in_register", *known && (*known)->listed}, {"erased", *known && (*known)->erased.has_value()},
                                    {"country", text_or_null(country)}, {"set", person.set}});
  }
  return items;
}

Result<json::object> people_of(const WorkflowApi& api, Reader& reader, std::int64_t id, const WhichSet& which, const PeoplePage& page) {
  auto incident = IncidentStore::incident(reader, id);
  if (!incident) return pass(std::move(incident));
  if (!*incident) return fail(Errc::kNotFound, "there is no such incident");
  auto alerts = storage::AlertStore::of_incident(reader, id);
  if (!alerts) return pass(std::move(alerts));
  PeoplePage shown = page;
  if (!which.now) shown.limit = 0;
  auto out = people_page_json(api, reader, *alerts, shown);
  if (!out) return out;
  const FrozenPeople frozen(api.respond);
  auto state = frozen.state(reader, id);
  if (!state) return pass(std::move(state));
  (*out)["incident"] = (*incident)->number;
  (*out)["title"] = to_utf8((*incident)->title);
  (*out)["frozen"] = frozen_json(*state);
  if (which.now) return out;
  json::array items;
  std::uint64_t total = 0;
  if (which.added) {
    auto added = frozen.added(reader, id);
    if (!added) return pass(std::move(added));
    total = added->size();
    std::vector<PersonReached> people;
    const std::size_t begin = std::min(page.offset, added->size()), end = begin + std::min(page.limit, added->size() - begin);
    for (std::size_t i = begin; i < end; ++i) people.push_back(reached_of(std::move((*added)[i])));
    auto scopes = api.respond.scope_of_incident(reader, id);
    if (!scopes) return pass(std::move(scopes));
    auto told = people_items(reader, *scopes, people, page.events);
    if (!told) return pass(std::move(told));
    items = std::move(*told);
  } else {
    for (const storage::FrozenSet& set : state->sets) total += which.frozen == 0 || which.frozen == set.number ? set.people : 0;
    auto told = frozen_items(reader, id, which.frozen, page);
    if (!told) return pass(std::move(told));
    items = std::move(*told);
  }
  (*out)["total"] = total;
  const bool more = !items.empty() && page.offset + items.size() < total;
  (*out)["next"] = more ? json::value(std::to_string(page.offset + items.size())) : json::value(nullptr);
  (*out)["items"] = std::move(items);
  return out;
}

}  // namespace

void add_incident_people_routes(Router& router, const WorkflowApi& api) {
  router.add("GET", "/v1/incidents/{id}/people", kAnyUser, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto page = people_page_of(request);
    if (!page) return problem(page.error());
    auto which = set_of(request);
    if (!which) return problem(which.error());
    auto out = api.database().read([&](Reader& reader) { return people_of(api, reader, *id, *which, *page); });
    if (!out) return problem(out.error());
    return ok(*out);
  });

  router.add("POST", "/v1/incidents/{id}/frozen", kManager, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    const json::value* people = body->if_contains("people");
    if (people == nullptr || !people->is_int64() || people->get_int64() <= 0) {
      Error error;
      error.code = Errc::kInvalid;
      error.message = "'people' must be how many are to be taken in";
      return problem(error);
    }
    const FrozenPeople frozen(api.respond);
    auto set = frozen.add(*id, static_cast<std::uint64_t>(people->get_int64()), *by);
    if (!set) return problem(set.error());
    auto state = api.database().read([&](Reader& reader) { return frozen.state(reader, *id); });
    if (!state) return problem(state.error());
    return ok(frozen_json(*state), 201);
  });
}

}  // namespace tocsin::engine
