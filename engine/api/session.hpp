// Logging in, claiming a one-time link, logging out, and who is logged in.
//
// The first start: nobody can log in yet. `first_claim_path` makes the one-time link ("/#/claim/TOKEN") that
// `tocsin serve` prints; whoever opens it chooses login and password and gets the roles admin, analyst and
// manager. Not approver: a notice needs two people, so a second user has to be invited for that.
#pragma once

#include <memory>
#include <string>

#include "engine/api/rate.hpp"
#include "engine/api/router.hpp"
#include "rules/base/time.hpp"
#include "storage/user_store.hpp"

namespace tocsin::engine {

// POST/GET/DELETE /v1/session and POST /v1/session/claim. `users` and `clock` must outlive the router.
// Limits: 10 failed logins at once per account and per address, then one every 30 s; answers are the same for
// unknown, disabled and wrong.
void add_session_routes(Router& router, storage::UserStore& users, const Clock& clock);

// "/#/claim/TOKEN", to be put behind the server's URL; nullopt if somebody can log in already.
[[nodiscard]] Result<std::optional<std::string>> first_claim_path(storage::UserStore& users, Time now);
[[nodiscard]] std::string claim_path(const std::string& token);

}  // namespace tocsin::engine
