// Not part of the API that is described by openapi.yaml: no login over the network reaches these.
#include "engine/app/local_routes.hpp"

#include "engine/api/session.hpp"

namespace tocsin::engine {

namespace json = boost::json;

void add_local_routes(Router& router) {
  router.add("GET", "/v1/local", kAnalyst | kAdmin, [](const Request& request) { return ok(json::object{{"operator", request.who.login}}); });
}

void add_local_user_routes(Router& router, storage::UserStore& users, const Clock& clock) {
  router.add("PUT", "/v1/local/passwords/{login}", kAdmin, [&users, &clock](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto password = text_of(*body, "password");
    if (!password) return problem(password.error());
    auto name = text_of(*body, "name");
    if (!name) return problem(name.error());
    auto roles = texts_of(*body, "roles", 8);
    if (!roles) return problem(roles.error());
    storage::User person;
    person.login = request.param("login");
    person.name = std::move(*name);
    for (const std::string& role : *roles) {
      const unsigned bit = storage::role_from(role) & storage::role::kPeople;
      if (bit == 0) {
        Error error;
        error.code = Errc::kInvalid;
        error.message = "there is no such role";
        error.remedy = "choose from analyst, approver, manager, admin";
        return problem(error);
      }
      person.roles |= bit;
    }
    auto done = users.set_password(person, *password, request.who.login, clock.now());
    if (!done) return problem(done.error());
    return ok(json::object{{"login", person.login}});
  });

  router.add("GET", "/v1/local/first-claim", kAdmin, [&users, &clock](const Request&) {
    auto path = first_claim_path(users, clock.now());
    if (!path) return problem(path.error());
    if (!*path) {
      Error error;
      error.code = Errc::kConflict;
      error.message = "somebody can already log in";
      error.remedy = "use 'tocsin user add' or 'reset'";
      return problem(error);
    }
    return ok(json::object{{"path", **path}});
  });
}

}  // namespace tocsin::engine
