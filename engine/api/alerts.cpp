// Requests become calls of Respond; errors become problems.
#include "engine/api/alerts.hpp"

#include <algorithm>
#include <charconv>

namespace tocsin::engine {

namespace json = boost::json;
using storage::AlertStore;
using storage::Reader;

namespace {

constexpr std::size_t kDefaultPage = 100;

Result<std::vector<std::int64_t>> ids_of(const json::object& body) {
  const json::value* value = body.if_contains("ids");
  const json::array* list = value != nullptr ? value->if_array() : nullptr;
  if (list == nullptr || list->size() > Respond::kMaxBulk) {
    return fail(Errc::kInvalid, "'ids' must be a list of at most " + std::to_string(Respond::kMaxBulk) + " alerts");
  }
  std::vector<std::int64_t> out;
  for (const json::value& item : *list) {
    auto id = maybe_id_of({{"id", item}}, "id");
    if (!id) return pass(std::move(id));
    if (!*id) return fail(Errc::kInvalid, "'ids' holds something that is no alert");
    out.push_back(**id);
  }
  return out;
}

Result<storage::AlertState> state_of(const json::object& body) {
  auto text = text_of(body, "state");
  if (!text) return pass(std::move(text));
  const auto state = storage::alert_state_from(*text);
  if (!state) {
    return fail(Errc::kInvalid, "'state' is not a state of an alert", "",
                "use new, acknowledged, false_positive or closed");
  }
  return *state;
}

Result<storage::AlertQuery> query_of(const Request& request) {
  storage::AlertQuery query;
  query.state = request.query_or("state", "");
  if (!query.state.empty() && query.state != "open" && !storage::alert_state_from(query.state)) {
    return fail(Errc::kInvalid, "'state' is not a state of an alert", "",
                "use open, new, acknowledged, false_positive, incident or closed");
  }
  if (const std::string level = request.query_or("level", ""); !level.empty()) {
    query.level = storage::level_from(level);
    if (!query.level) {
      return fail(Errc::kInvalid, "'level' is not a level", "", "use informational, low, medium, high or critical");
    }
  }
  query.text = request.query_or("q", "");
  query.after = request.query_or("after", "");
  auto limit = number_of(request, "limit", kDefaultPage, AlertStore::kMaxPage);
  if (!limit) return pass(std::move(limit));
  query.limit = static_cast<std::size_t>(*limit);
  return query;
}

// The number of the incident beside its id, for those who read.
Result<void> add_number(Reader& reader, const storage::Alert& alert, json::object& out) {
  out["incident_number"] = nullptr;
  if (!alert.incident) return {};
  auto incident = storage::IncidentStore::incident(reader, *alert.incident);
  if (!incident) return pass(std::move(incident));
  if (*incident) out["incident_number"] = (*incident)->number;
  return {};
}

Result<storage::Alert> load(Reader& reader, std::int64_t id) {
  auto alert = AlertStore::alert(reader, id);
  if (!alert) return pass(std::move(alert));
  if (!*alert) return fail(Errc::kNotFound, "there is no alert " + std::to_string(id));
  return std::move(**alert);
}

// Findings of one alert may tell of the same people (a bulk export that is off-hours, too), which adding up cannot know.
// The index knows who they are: where its upper bound is lower, it is taken; both hold the truth.
Result<void> tighten(const WorkflowApi& api, Reader& reader, storage::Alert& alert) {
  if (!alert.exposure || !alert.exposure->at_most || api.respond.deps().people == nullptr) return {};
  auto people = api.respond.people(reader, std::span<const storage::Alert>(&alert, 1));
  if (!people) return pass(std::move(people));
  const std::uint64_t least = alert.exposure->at_least.value_or(0);
  if (people->at_most && *people->at_most >= least) alert.exposure->at_most = std::min(*alert.exposure->at_most, *people->at_most);
  return {};
}

// In a list the index is asked for so many alerts; of the others the sum is told, and that it is one.
constexpr std::size_t kMaxCounted = 25;

bool is_summed(const storage::Alert& alert) {
  return alert.findings > 1 && alert.exposure && alert.exposure->at_most && alert.exposure->at_most != alert.exposure->at_least;
}

Result<json::object> detail(const WorkflowApi& api, Reader& reader, std::int64_t id, std::size_t findings_offset) {
  auto alert = load(reader, id);
  if (!alert) return pass(std::move(alert));
  if (auto done = tighten(api, reader, *alert); !done) return pass(std::move(done));
  json::object out = alert_json(*alert);
  if (auto done = add_number(reader, *alert, out); !done) return pass(std::move(done));
  auto findings = AlertStore::findings_of(reader, id, findings_offset, kMaxFindingsShown, kMaxEvidenceShown);
  if (!findings) return pass(std::move(findings));
  json::array list;
  for (const auto& finding : *findings) list.emplace_back(finding_json(finding));
  const std::size_t shown = findings_offset + list.size();
  out["findings_total"] = alert->findings;
  out["findings_next"] = shown < alert->findings && !list.empty() ? json::value(std::to_string(shown)) : json::value(nullptr);
  out["findings"] = std::move(list);
  auto changes = storage::HistoryStore::of(reader, "alert", id);
  if (!changes) return pass(std::move(changes));
  json::array history;
  for (const auto& change : *changes) history.emplace_back(change_json(change, ""));
  out["history"] = std::move(history);
  return out;
}

// What every decision answers: the alert as it stands now.
Response now_is(const WorkflowApi& api, const Result<storage::Alert>& decided) {
  if (!decided) return problem(decided.error());
  auto out = api.database().read([&](Reader& reader) { return detail(api, reader, decided->id, 0); });
  if (!out) return problem(out.error());
  return ok(*out);
}

template <class T>
Response answer(const Result<T>& result) {
  if (!result) return problem(result.error());
  return ok(*result);
}

void add_reading(Router& router, const WorkflowApi& api) {
  router.add("GET", "/v1/alerts", kAnyUser, [api](const Request& request) {
    auto query = query_of(request);
    if (!query) return problem(query.error());
    auto page = api.database().read([&](Reader& reader) -> Result<std::pair<json::array, std::string>> {
      auto found = AlertStore::list(reader, *query);
      if (!found) return pass(std::move(found));
      json::array items;
      std::size_t asked = 0;
      for (auto& alert : found->items) {
        const bool summed = is_summed(alert);
        const bool counted = summed && asked < kMaxCounted;
        if (counted) {
          ++asked;
          if (auto done = tighten(api, reader, alert); !done) return pass(std::move(done));
        }
        json::object item = alert_json(alert);
        if (summed && !counted) item["exposure"].as_object()["summed"] = true;
        if (auto done = add_number(reader, alert, item); !done) return pass(std::move(done));
        items.emplace_back(std::move(item));
      }
      return std::pair(std::move(items), found->next);
    });
    if (!page) return problem(page.error());
    return ok_list(std::move(page->first), page->second.empty() ? std::nullopt : std::optional(page->second));
  });

  router.add("GET", "/v1/alerts/{id}", kAnyUser, [api](const Request& request) {
    auto id = id_param(request, "id", "alert");
    if (!id) return problem(id.error());
    auto offset = number_of(request, "findings_offset", 0, 1'000'000'000);
    if (!offset) return problem(offset.error());
    return answer(api.database().read([&](Reader& reader) { return detail(api, reader, *id, *offset); }));
  });

  router.add("GET", "/v1/alerts/{id}/people", kAnyUser, [api](const Request& request) {
    auto id = id_param(request, "id", "alert");
    if (!id) return problem(id.error());
    auto page = people_page_of(request);
    if (!page) return problem(page.error());
    return answer(api.database().read([&](Reader& reader) -> Result<json::object> {
      auto alert = load(reader, *id);
      if (!alert) return pass(std::move(alert));
      return people_page_json(api, reader, std::span<const storage::Alert>(&*alert, 1), *page);
    }));
  });
}

void add_deciding(Router& router, const WorkflowApi& api) {
  router.add("POST", "/v1/alerts/triage", kAnalyst, [api](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto ids = ids_of(*body);
    if (!ids) return problem(ids.error());
    auto state = state_of(*body);
    if (!state) return problem(state.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    auto alerts = api.respond.triage(*ids, *by, *state);
    if (!alerts) return problem(alerts.error());
    json::array items;
    for (const auto& alert : *alerts) items.emplace_back(alert_json(alert));
    return ok_list(std::move(items));
  });

  router.add("POST", "/v1/alerts/{id}/triage", kAnalyst, [api](const Request& request) {
    auto id = id_param(request, "id", "alert");
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto state = state_of(*body);
    if (!state) return problem(state.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    return now_is(api, api.respond.triage(*id, *by, *state));
  });

  router.add("POST", "/v1/alerts/{id}/assign", kAnalyst | kManager, [api](const Request& request) {
    auto id = id_param(request, "id", "alert");
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto assignee = maybe_text_of(*body, "assignee");
    if (!assignee) return problem(assignee.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    return now_is(api, api.respond.assign(*id, *by, assignee->value_or("")));
  });

  router.add("POST", "/v1/alerts/{id}/incident", kAnalyst, [api](const Request& request) {
    auto id = id_param(request, "id", "alert");
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    Respond::Promotion promotion;
    promotion.alerts = {*id};
    if (body->contains("alerts")) {
      json::object more{{"ids", body->at("alerts")}};
      auto others = ids_of(more);
      if (!others) return problem(others.error());
      promotion.alerts.insert(promotion.alerts.end(), others->begin(), others->end());
      by->version.reset();
    }
    auto title = maybe_text_of(*body, "title");
    if (!title) return problem(title.error());
    promotion.title = title->value_or("");
    auto confirm = maybe_bool_of(*body, "confirm");
    if (!confirm) return problem(confirm.error());
    promotion.confirm = confirm->value_or(false);
    auto incident_id = maybe_id_of(*body, "incident");
    if (!incident_id) return problem(incident_id.error());
    promotion.incident = *incident_id;
    auto aware = maybe_time_of(*body, "aware_at");
    if (!aware) return problem(aware.error());
    promotion.aware_at = *aware;
    auto incident = api.respond.promote(promotion, *by);
    if (!incident) return problem(incident.error());
    return ok(json::object{{"incident", std::to_string(incident->id)},
                           {"number", incident->number},
                           {"state", name(incident->state)}});
  });
}

void add_silences(Router& router, const WorkflowApi& api) {
  router.add("GET", "/v1/silences", kAnyUser, [api](const Request& request) {
    const bool all = request.query_or("all", "") == "true";
    const Time now = api.now();
    auto found = api.database().read([&](Reader& reader) { return AlertStore::silences(reader, !all, now); });
    if (!found) return problem(found.error());
    json::array items;
    for (const auto& silence : *found) items.emplace_back(silence_json(silence, now));
    return ok_list(std::move(items));
  });

  router.add("POST", "/v1/silences", kAnalyst | kManager, [api](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    storage::Silence silence;
    struct Part {
      std::string_view key;
      std::optional<std::string>& target;
    };
    for (const Part& part : {Part{"rule", silence.rule}, Part{"actor", silence.actor}, Part{"dataset", silence.dataset}}) {
      auto text = maybe_text_of(*body, part.key);
      if (!text) return problem(text.error());
      part.target = std::move(*text);
    }
    auto until = maybe_time_of(*body, "until");
    if (!until) return problem(until.error());
    if (!*until) {
      Error error;
      error.code = Errc::kInvalid;
      error.message = "'until' is missing";
      error.remedy = "a silence needs an end; choose the day on which somebody should look again";
      return problem(error);
    }
    silence.until = **until;
    auto made = api.respond.silence(std::move(silence), *by);
    if (!made) return problem(made.error());
    return ok(silence_json(*made, api.now()), 201);
  });

  router.add("DELETE", "/v1/silences/{id}", kAnalyst | kManager, [api](const Request& request) {
    auto id = id_param(request, "id", "silence");
    if (!id) return problem(id.error());
    By by;
    by.by = request.who.login;
    if (!request.body.empty()) {
      auto body = request.json();
      if (!body) return problem(body.error());
      auto said = by_of(request, *body);
      if (!said) return problem(said.error());
      by.reason = said->reason;
    }
    auto ended = api.respond.end_silence(*id, by);
    if (!ended) return problem(ended.error());
    Response done;
    done.status = 204;
    return done;
  });
}

}  // namespace

void add_alert_routes(Router& router, const WorkflowApi& api) {
  add_reading(router, api);
  add_deciding(router, api);
  add_silences(router, api);
}

}  // namespace tocsin::engine
