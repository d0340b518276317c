// The model: the incident as the API has it, with evidence, measured times and the ledger's state.
#include "engine/api/report.hpp"

#include "engine/api/incidents.hpp"

namespace tocsin::engine {

namespace json = boost::json;
using storage::AlertStore;
using storage::IncidentStore;
using storage::Reader;

namespace {

json::value seconds_between(const std::optional<Time>& from, const std::optional<Time>& to) {
  if (!from || !to || *to < *from) return nullptr;
  return std::chrono::duration_cast<std::chrono::seconds>(*to - *from).count();
}

// When somebody was told, by the duties that are done.
std::optional<Time> told(std::span<const storage::Duty> duties, std::string_view towards) {
  std::optional<Time> first;
  for (const auto& duty : duties) {
    if (duty.towards != towards || duty.state != storage::DutyState::kDone || !duty.done_at) continue;
    if (!first || *duty.done_at < *first) first = duty.done_at;
  }
  return first;
}

Response page(std::string html) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = std::move(html);
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src " + report_style_hash() +
                                                               "; base-uri 'none'; form-action 'none'; "
                                                               "frame-ancestors 'none'");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

Result<json::object> report_json(const WorkflowApi& api, Reader& reader, std::int64_t id, std::string_view by) {
  auto out = incident_detail_json(api, reader, id);
  if (!out) return out;
  auto incident = IncidentStore::incident(reader, id);
  if (!incident) return pass(std::move(incident));
  if (!*incident) return fail(Errc::kNotFound, "there is no such incident");
  auto facts = IncidentStore::facts(reader, id);
  if (!facts) return pass(std::move(facts));
  auto duties = IncidentStore::duties(reader, id);
  if (!duties) return pass(std::move(duties));

  auto alerts = AlertStore::of_incident(reader, id);
  if (!alerts) return pass(std::move(alerts));
  json::array alert_list;
  std::optional<Time> occurred, noticed;
  for (const auto& alert : *alerts) {
    if (!occurred || alert.first < *occurred) occurred = alert.first;
    if (!noticed || alert.opened < *noticed) noticed = alert.opened;
    json::object item = alert_json(alert);
    auto findings = AlertStore::findings_of(reader, alert.id, 0, kMaxReportFindings, kMaxReportEvidence);
    if (!findings) return pass(std::move(findings));
    json::array list;
    for (const auto& finding : *findings) list.emplace_back(finding_json(finding));
    item["finding_count"] = alert.findings;
    item["findings"] = std::move(list);
    alert_list.emplace_back(std::move(item));
  }
  (*out)["alerts"] = std::move(alert_list);
  if (const auto given = fact_time(*facts, "times.occurred")) occurred = given;
  if (const auto given = fact_time(*facts, "times.noticed")) noticed = given;

  const storage::Incident& i = **incident;
  const auto people_told = fact_time(*facts, "times.individuals_notified");
  const auto authority_told = told(*duties, "supervisory authority");
  (*out)["times"] = json::object{{"occurred", time_json(occurred)},
                                 {"noticed", time_json(noticed)},
                                 {"opened", time_json(i.opened)},
                                 {"aware", time_json(i.aware_at)},
                                 {"authority_told", time_json(authority_told)},
                                 {"people_told", time_json(people_told ? people_told : told(*duties, "affected people"))},
                                 {"contained", time_json(i.contained_at)},
                                 {"recovered", time_json(i.recovered_at)},
                                 {"closed", time_json(i.closed)}};
  (*out)["seconds"] = json::object{{"to_notice", seconds_between(occurred, noticed)},
                                   {"to_decide", seconds_between(noticed, i.confirmed_at)},
                                   {"to_contain", seconds_between(noticed, i.contained_at)},
                                   {"to_tell_authority", seconds_between(i.aware_at, authority_told)},
                                   {"to_tell_people", seconds_between(i.aware_at, people_told)},
                                   {"to_close", seconds_between(i.opened, i.closed)}};
  (*out)["timeline"] = std::move((*out)["history"]);
  out->erase("history");
  (*out)["organisation"] = api.around.organisation;
  (*out)["ledger"] = api.around.ledger ? json::value(api.around.ledger()) : json::value(nullptr);
  (*out)["report"] =
      json::object{{"format", "tocsin-report/1"}, {"made", format_rfc3339(api.now())}, {"by", std::string(by)}};
  return out;
}

void add_report_routes(Router& router, const WorkflowApi& api) {
  const auto model = [api](const Request& request) -> Result<json::object> {
    auto id = incident_param(request, api.database());
    if (!id) return pass(std::move(id));
    return api.database().read([&](Reader& reader) { return report_json(api, reader, *id, request.who.login); });
  };
  router.add("GET", "/v1/incidents/{id}/report", kAnyUser, [model](const Request& request) {
    auto report = model(request);
    if (!report) return problem(report.error());
    return ok(*report);
  });
  router.add("GET", "/v1/incidents/{id}/report.html", kAnyUser, [model](const Request& request) {
    auto report = model(request);
    if (!report) return problem(report.error());
    return page(report_html(*report));
  });
}

}  // namespace tocsin::engine
