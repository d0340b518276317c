// Alerts over HTTP: the queue, one alert with its evidence and people, triage, promotion; and silences.
#pragma once

#include "engine/api/workflow.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxFindingsShown = 200;   // of one alert, per page (?findings_offset=)
inline constexpr std::size_t kMaxEvidenceShown = 200;   // of one finding, oldest first

// GET /v1/alerts, /v1/alerts/{id}, /v1/alerts/{id}/people; POST /v1/alerts/triage (several at once),
// /v1/alerts/{id}/triage, …/assign, …/incident; GET and POST /v1/silences, DELETE /v1/silences/{id}.
// Reading: every user. Deciding: analysts; silences and assigning: managers, too.
void add_alert_routes(Router& router, const WorkflowApi& api);

}  // namespace tocsin::engine
