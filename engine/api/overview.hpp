// GET /v1/overview: what a person needs to see first, in one answer.
#pragma once

#include "engine/api/workflow.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxOverviewDuties = 50;  // next due first

// Every user may read it.
void add_overview_routes(Router& router, const WorkflowApi& api);

}  // namespace tocsin::engine
