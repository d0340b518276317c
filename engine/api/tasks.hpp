// Tasks over HTTP: lists over all incidents, adding and changing them.
#pragma once

#include "engine/api/workflow.hpp"

namespace tocsin::engine {

// GET /v1/tasks (?mine=true, ?late=true, ?open=true, ?incident=), POST /v1/incidents/{id}/tasks, PATCH
// /v1/tasks/{id}. Reading: every user. Adding and any change: managers. Whoever owns a task may move it on and
// give its proof; while nobody owns it, whoever has the role that the playbook names may take it.
void add_task_routes(Router& router, const WorkflowApi& api);

}  // namespace tocsin::engine
