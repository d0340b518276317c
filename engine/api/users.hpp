// Users and API tokens; for administrators.
#pragma once

#include "engine/api/router.hpp"
#include "rules/base/time.hpp"
#include "storage/user_store.hpp"

namespace tocsin::engine {

// GET/POST /v1/users, PATCH /v1/users/{login}, POST /v1/users/{login}/reset, GET/POST /v1/tokens,
// DELETE /v1/tokens/{name}. `base_url()` is put before claim links ("http://127.0.0.1:8700").
void add_user_routes(Router& router, storage::UserStore& users, const Clock& clock,
                     std::function<std::string()> base_url);

}  // namespace tocsin::engine
