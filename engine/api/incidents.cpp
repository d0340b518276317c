// Requests become calls of Respond; one incident is put together from its stores in one snapshot.
#include "engine/api/incidents.hpp"

#include <algorithm>

namespace tocsin::engine {

namespace json = boost::json;
using storage::AlertStore;
using storage::IncidentState;
using storage::IncidentStore;
using storage::Reader;

namespace {

constexpr std::size_t kDefaultPage = 100;

// People in short for a list: what the findings said, with the numbers of the facts where those are better.
json::value people_in_short(std::span<const storage::Alert> alerts, std::span<const storage::Fact> facts) {
  std::optional<storage::Grade> grade;
  for (const auto& alert : alerts) {
    if (alert.exposure) grade = std::max(grade.value_or(storage::Grade::kExact), alert.exposure->grade);
  }
  if (!grade) return nullptr;
  json::object out{{"grade", name(*grade)}, {"at_least", nullptr}, {"at_most", nullptr}};
  const json::object known = facts_object(facts);
  if (const auto* people = known.if_contains("people"); people != nullptr && people->is_object()) {
    for (const std::string_view end : {"at_least", "at_most"}) {
      if (const auto* value = people->get_object().if_contains(end)) out[end] = *value;
    }
  }
  return out;
}

Result<json::object> row(Reader& reader, const storage::Incident& incident, Time now) {
  json::object out = incident_json(incident);
  auto alerts = AlertStore::of_incident(reader, incident.id);
  if (!alerts) return pass(std::move(alerts));
  auto facts = IncidentStore::facts(reader, incident.id);
  if (!facts) return pass(std::move(facts));
  auto duties = IncidentStore::duties(reader, incident.id);
  if (!duties) return pass(std::move(duties));
  storage::TaskQuery query;
  query.incident = incident.id;
  query.open = true;
  auto tasks = storage::TaskStore::list(reader, query, now);
  if (!tasks) return pass(std::move(tasks));
  std::optional<Time> next_due;
  std::uint64_t open_duties = 0, late_duties = 0, late_tasks = 0;
  for (const auto& duty : *duties) {
    if (!duty.open()) continue;
    ++open_duties;
    if (duty.late(now)) ++late_duties;
    if (duty.due && (!next_due || *duty.due < *next_due)) next_due = duty.due;
  }
  for (const auto& task : *tasks) late_tasks += task.late(now) ? 1U : 0U;
  out["people"] = people_in_short(*alerts, *facts);
  out["alert_count"] = alerts->size();
  out["next_due"] = incident.over() ? json::value(nullptr) : time_json(next_due);
  out["open_duties"] = open_duties;
  out["late_duties"] = late_duties;
  out["open_tasks"] = tasks->size();
  out["late_tasks"] = late_tasks;
  return out;
}

struct Listed {
  json::array items;
  std::optional<std::string> next;
};

Result<Listed> list(Reader& reader, const storage::IncidentQuery& wanted, Time now) {
  storage::IncidentQuery query = wanted;
  ++query.limit;
  auto found = IncidentStore::list(reader, query);
  if (!found) return pass(std::move(found));
  Listed out;
  if (found->size() > wanted.limit) {
    found->pop_back();
    out.next = std::to_string(found->back().id);
  }
  for (const auto& incident : *found) {
    auto item = row(reader, incident, now);
    if (!item) return pass(std::move(item));
    out.items.emplace_back(std::move(*item));
  }
  return out;
}

tl::unexpected<Error> managers_only(std::string_view what) {
  return fail(Errc::kForbidden, "only a manager may " + std::string(what), "", "ask somebody with the role of manager");
}

Result<Respond::Step> step_of(const json::object& body) {
  Respond::Step step;
  auto text = text_of(body, "state");
  if (!text) return pass(std::move(text));
  const auto state = storage::incident_state_from(*text);
  if (!state) {
    return fail(Errc::kInvalid, "'state' is not a state of an incident", "",
                "use suspected, confirmed, contained, recovered, closed or dismissed");
  }
  step.to = *state;
  auto aware = maybe_time_of(body, "aware_at");
  if (!aware) return pass(std::move(aware));
  step.aware_at = *aware;
  auto override_open = maybe_bool_of(body, "override");
  if (!override_open) return pass(std::move(override_open));
  step.override_open = override_open->value_or(false);
  return step;
}

void add_reading(Router& router, const WorkflowApi& api) {
  router.add("GET", "/v1/incidents", kAnyUser, [api](const Request& request) {
    storage::IncidentQuery query;
    query.state = request.query_or("state", "");
    if (!query.state.empty() && query.state != "open" && !storage::incident_state_from(query.state)) {
      Error error;
      error.code = Errc::kInvalid;
      error.message = "'state' is not a state of an incident";
      return problem(error);
    }
    auto limit = number_of(request, "limit", kDefaultPage, IncidentStore::kMaxPage);
    if (!limit) return problem(limit.error());
    auto before = number_of(request, "after", 0, 1ULL << 52);
    if (!before) return problem(before.error());
    query.limit = std::max<std::size_t>(1, *limit);
    query.before = static_cast<std::int64_t>(*before);
    auto listed = api.database().read([&](Reader& reader) { return list(reader, query, api.now()); });
    if (!listed) return problem(listed.error());
    return ok_list(std::move(listed->items), listed->next);
  });

  router.add("GET", "/v1/incidents/{id}", kAnyUser, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto out = api.database().read([&](Reader& reader) { return incident_detail_json(api, reader, *id); });
    if (!out) return problem(out.error());
    return ok(*out);
  });
}

// What every decision answers: the incident as it stands now.
Response now_is(const WorkflowApi& api, std::int64_t id) {
  auto out = api.database().read([&](Reader& reader) { return incident_detail_json(api, reader, id); });
  if (!out) return problem(out.error());
  return ok(*out);
}

void add_deciding(Router& router, const WorkflowApi& api) {
  router.add("PATCH", "/v1/incidents/{id}", kAnalyst | kManager, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    Respond::Edit edit;
    auto title = maybe_text_of(*body, "title");
    if (!title) return problem(title.error());
    edit.title = std::move(*title);
    auto summary = maybe_text_of(*body, "summary");
    if (!summary) return problem(summary.error());
    edit.summary = std::move(*summary);
    if (const json::value* facts = body->if_contains("facts"); facts != nullptr && !facts->is_null()) {
      if (!facts->is_object()) {
        Error error;
        error.code = Errc::kInvalid;
        error.message = "'facts' must be an object";
        return problem(error);
      }
      edit.facts = facts->get_object();
    }
    auto incident = api.respond.edit(*id, *by, edit);
    if (!incident) return problem(incident.error());
    return now_is(api, *id);
  });

  router.add("POST", "/v1/incidents/{id}/state", kAnalyst | kManager, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    auto step = step_of(*body);
    if (!step) return problem(step.error());
    if (step->to == IncidentState::kClosed && !request.who.has(kManager)) {
      Result<void> refused = managers_only("close an incident");
      return problem(refused.error());
    }
    if (step->to == IncidentState::kConfirmed && !request.who.has(kManager)) {
      auto incident = api.database().read([&](Reader& reader) { return IncidentStore::incident(reader, *id); });
      if (!incident) return problem(incident.error());
      if (*incident && (*incident)->state == IncidentState::kClosed) {
        Result<void> refused = managers_only("reopen a closed incident");
        return problem(refused.error());
      }
    }
    auto incident = api.respond.step(*id, *by, *step);
    if (!incident) return problem(incident.error());
    return now_is(api, *id);
  });

  router.add("POST", "/v1/incidents/{id}/duties/{duty}", kManager, [api](const Request& request) {
    auto id = incident_param(request, api.database());
    if (!id) return problem(id.error());
    auto duty = id_param(request, "duty", "duty");
    if (!duty) return problem(duty.error());
    auto body = request.json();
    if (!body) return problem(body.error());
    auto by = by_of(request, *body);
    if (!by) return problem(by.error());
    Respond::DutyDecision decision;
    auto text = text_of(*body, "state");
    if (!text) return problem(text.error());
    const auto state = storage::duty_state_from(*text);
    if (!state || *state == storage::DutyState::kUnknown) {
      Error error;
      error.code = Errc::kInvalid;
      error.message = "'state' must be done, not_applicable or running";
      return problem(error);
    }
    decision.to = *state;
    auto reference = maybe_text_of(*body, "reference");
    if (!reference) return problem(reference.error());
    decision.reference = reference->value_or("");
    auto done_at = maybe_time_of(*body, "done_at");
    if (!done_at) return problem(done_at.error());
    decision.done_at = *done_at;
    auto decided = api.respond.decide(*id, *duty, *by, decision);
    if (!decided) return problem(decided.error());
    return now_is(api, *id);
  });
}

}  // namespace

Result<json::object> incident_detail_json(const WorkflowApi& api, Reader& reader, std::int64_t id) {
  const Time now = api.now();
  auto incident = IncidentStore::incident(reader, id);
  if (!incident) return pass(std::move(incident));
  if (!*incident) return fail(Errc::kNotFound, "there is no such incident");
  auto out = row(reader, **incident, now);
  if (!out) return out;

  auto alerts = AlertStore::of_incident(reader, id);
  if (!alerts) return pass(std::move(alerts));
  json::array alert_list;
  for (const auto& alert : *alerts) alert_list.emplace_back(alert_json(alert));
  (*out)["alerts"] = std::move(alert_list);

  auto people = api.respond.people(reader, *alerts);
  if (!people) return pass(std::move(people));
  (*out)["people"] = people_json(*people);

  auto frozen = FrozenPeople(api.respond).state(reader, id);
  if (!frozen) return pass(std::move(frozen));
  (*out)["frozen"] = frozen_json(*frozen);

  auto facts = IncidentStore::facts(reader, id);
  if (!facts) return pass(std::move(facts));
  json::object known = facts_object(*facts);
  // Each question the law asks, with its answer so far.
  json::array questions;
  for (const Question& question : api.respond.deps().counsel.questions()) {
    const json::value* given = known.if_contains(question.fact);
    questions.emplace_back(json::object{{"fact", question.fact},
                                        {"ask", question.ask},
                                        {"help", text_or_null(question.help)},
                                        {"answer", given != nullptr ? *given : json::value("unknown")}});
  }
  json::array sources;
  for (const auto& fact : *facts) {
    const std::string_view shown = fact.name.starts_with("facts.") ? std::string_view(fact.name).substr(6) : fact.name;
    sources.emplace_back(json::object{{"fact", shown}, {"by", fact.by}, {"at", format_rfc3339(fact.at)}});
  }
  (*out)["facts"] = std::move(known);
  (*out)["fact_sources"] = std::move(sources);
  (*out)["questions"] = std::move(questions);

  auto duties = IncidentStore::duties(reader, id);
  if (!duties) return pass(std::move(duties));
  json::array duty_list;
  for (const auto& duty : *duties) duty_list.emplace_back(duty_json(duty, now));
  (*out)["duties"] = std::move(duty_list);

  storage::TaskQuery query;
  query.incident = id;
  query.limit = storage::TaskStore::kMaxPage;
  auto tasks = storage::TaskStore::list(reader, query, now);
  if (!tasks) return pass(std::move(tasks));
  json::array task_list;
  for (const auto& task : *tasks) task_list.emplace_back(task_json(task, (*incident)->number, now));
  (*out)["tasks"] = std::move(task_list);

  (*out)["notices"] = api.around.notices ? api.around.notices(reader, id) : json::array();
  if (api.around.notice_counts) (*out)["notice_counts"] = notice_counts_json(api.around.notice_counts(reader, id));

  auto history = timeline_json(reader, id);
  if (!history) return pass(std::move(history));
  (*out)["history"] = std::move(*history);
  return out;
}

void add_incident_routes(Router& router, const WorkflowApi& api) {
  add_reading(router, api);
  add_deciding(router, api);
  add_incident_people_routes(router, api);
}

}  // namespace tocsin::engine
