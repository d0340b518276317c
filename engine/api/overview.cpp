// Counts from the stores in one snapshot, and what stands beside the workflow.
#include "engine/api/overview.hpp"

namespace tocsin::engine {

namespace json = boost::json;
using storage::Reader;

namespace {

Result<json::object> overview(const WorkflowApi& api, Reader& reader) {
  const Time now = api.now();
  auto alerts = storage::AlertStore::counts(reader);
  if (!alerts) return pass(std::move(alerts));
  json::object by_level;
  for (std::size_t i = 0; i < std::size(alerts->by_level); ++i) {
    by_level[name(static_cast<storage::Level>(i))] = alerts->by_level[i];
  }
  auto incidents = storage::IncidentStore::count_open(reader);
  if (!incidents) return pass(std::move(incidents));
  auto duties = storage::IncidentStore::open_duties(reader, kMaxOverviewDuties);
  if (!duties) return pass(std::move(duties));
  json::array duty_list;
  for (const auto& duty : *duties) {
    auto incident = storage::IncidentStore::incident(reader, duty.incident);
    if (!incident) return pass(std::move(incident));
    if (!*incident) continue;
    duty_list.emplace_back(json::object{{"incident", std::to_string(duty.incident)},
                                        {"number", (*incident)->number},
                                        {"incident_title", text_or_null((*incident)->title)},
                                        {"duty", std::to_string(duty.id)},
                                        {"title", duty.title},
                                        {"law", duty.law},
                                        {"citation", duty.citation},
                                        {"due", time_json(duty.due)},
                                        {"limit", time_json(duty.limit)},
                                        {"aware_at", time_json((*incident)->aware_at)},
                                        {"state", duty.state_at(now)}});
  }
  auto tasks = storage::TaskStore::counts(reader, now);
  if (!tasks) return pass(std::move(tasks));
  const NoticeCounts notices =
      api.around.notice_counts ? api.around.notice_counts(reader, std::nullopt) : NoticeCounts();
  return json::object{{"alerts", json::object{{"open", alerts->open}, {"by_level", std::move(by_level)}}},
                      {"incidents", json::object{{"open", *incidents}}},
                      {"duties", std::move(duty_list)},
                      {"tasks", json::object{{"open", tasks->open}, {"late", tasks->late}}},
                      {"notices", notice_counts_json(notices)},
                      {"sources", api.around.sources ? api.around.sources() : json::array()},
                      {"organisation", api.around.organisation},
                      {"now", format_rfc3339(now)}};
}

}  // namespace

void add_overview_routes(Router& router, const WorkflowApi& api) {
  router.add("GET", "/v1/overview", kAnyUser, [api](const Request&) {
    auto out = api.database().read([&](Reader& reader) { return overview(api, reader); });
    if (!out) return problem(out.error());
    return ok(*out);
  });
}

}  // namespace tocsin::engine
