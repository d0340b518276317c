// What only the operator at the machine may ask: is an engine there, setting a password, the first user's link.
#pragma once

#include "engine/api/router.hpp"
#include "rules/base/time.hpp"
#include "storage/user_store.hpp"

namespace tocsin::engine {

// GET /v1/local. All must outlive the router.
void add_local_routes(Router& router);
// PUT /v1/local/passwords/{login}, GET /v1/local/first-claim; beside add_user_routes.
void add_local_user_routes(Router& router, storage::UserStore& users, const Clock& clock);

}  // namespace tocsin::engine
