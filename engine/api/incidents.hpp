// Incidents over HTTP: their list, one with all that belongs to it, facts, states, duties, people.
#pragma once

#include "engine/api/workflow.hpp"

namespace tocsin::engine {

// GET /v1/incidents, /v1/incidents/{id}; PATCH /v1/incidents/{id}; POST …/state, …/duties/{duty}.
// Reading: every user. Facts and states: analysts and managers; closing, reopening what was closed, and duties:
// managers.
void add_incident_routes(Router& router, const WorkflowApi& api);

// GET /v1/incidents/{id}/people: now, frozen, or added since; POST …/frozen takes the added in, for managers. Part of
// add_incident_routes; by itself for the command line. Needs nothing of `api.around`.
void add_incident_people_routes(Router& router, const WorkflowApi& api);

// The whole of one incident, as GET /v1/incidents/{id} answers.
[[nodiscard]] Result<boost::json::object> incident_detail_json(const WorkflowApi& api, storage::Reader& reader,
                                                               std::int64_t incident);

}  // namespace tocsin::engine
