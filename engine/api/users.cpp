// Administration of people and of programs' tokens.
#include "engine/api/users.hpp"

#include "engine/api/session.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

json::array names_of(unsigned roles) {
  json::array out;
  for (const std::string& name : storage::role_names(roles)) out.emplace_back(name);
  return out;
}

json::value time_or_null(const std::optional<Time>& time) {
  return time ? json::value(format_rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const storage::User& user) {
  json::object out;
  out["login"] = user.login;
  out["name"] = user.name;
  out["roles"] = names_of(user.roles);
  out["disabled"] = user.disabled;
  out["claimed"] = user.has_password;
  out["created"] = format_rfc3339(user.created);
  out["last_login"] = time_or_null(user.last_login);
  return out;
}

json::object to_json(const storage::ApiToken& token) {
  json::object out;
  out["name"] = token.name;
  out["roles"] = names_of(token.roles);
  out["created_by"] = token.created_by;
  out["created"] = format_rfc3339(token.created);
  out["last_used"] = time_or_null(token.last_used);
  return out;
}

constexpr std::size_t kMaxRoles = 8;

Result<unsigned> roles_of(const json::object& body, unsigned allowed) {
  auto names = texts_of(body, "roles", kMaxRoles);
  if (!names) return pass(std::move(names));
  unsigned roles = 0;
  for (const std::string& name : *names) {
    const unsigned role = storage::role_from(name) & allowed;
    if (role == 0) {
      return fail(Errc::kInvalid, "'roles' names a role that does not exist here", "",
                  (allowed & kShipper) != 0 ? "choose from shipper, analyst, approver, manager"
                                            : "choose from analyst, approver, manager, admin");
    }
    roles |= role;
  }
  return roles;
}

}  // namespace

void add_user_routes(Router& router, storage::UserStore& users, const Clock& clock,
                     std::function<std::string()> base_url) {
  const auto link = [base_url = std::move(base_url)](const std::string& token) {
    return (base_url ? base_url() : std::string()) + claim_path(token);
  };

  router.add("GET", "/v1/users", kAdmin | kManager, [&users](const Request&) {
    auto list = users.list();
    if (!list) return problem(list.error());
    json::array items;
    for (const auto& user : *list) items.emplace_back(to_json(user));
    return ok_list(std::move(items));
  });

  router.add("POST", "/v1/users", kAdmin, [&users, &clock, link](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto login = text_of(*body, "login");
    if (!login) return problem(login.error());
    auto name = text_of(*body, "name");
    if (!name) return problem(name.error());
    auto roles = roles_of(*body, kAnyUser);
    if (!roles) return problem(roles.error());
    storage::User user;
    user.login = std::move(*login);
    user.name = std::move(*name);
    user.roles = *roles;
    const Time now = clock.now();
    auto token = users.invite(user, request.who.login, now);
    if (!token) return problem(token.error());
    user.created = now;
    json::object out = to_json(user);
    out["claim_url"] = link(*token);
    return ok(out, 201);
  });

  router.add("PATCH", "/v1/users/{login}", kAdmin, [&users, &clock](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    storage::UserStore::Change change;
    auto name = maybe_text_of(*body, "name");
    if (!name) return problem(name.error());
    change.name = std::move(*name);
    auto disabled = maybe_bool_of(*body, "disabled");
    if (!disabled) return problem(disabled.error());
    change.disabled = *disabled;
    if (body->contains("roles")) {
      auto roles = roles_of(*body, kAnyUser);
      if (!roles) return problem(roles.error());
      change.roles = *roles;
    }
    auto user = users.change(request.param("login"), change, request.who.login, clock.now());
    if (!user) return problem(user.error());
    return ok(to_json(*user));
  });

  router.add("POST", "/v1/users/{login}/reset", kAdmin, [&users, &clock, link](const Request& request) {
    auto token = users.reset(request.param("login"), request.who.login, clock.now());
    if (!token) return problem(token.error());
    return ok(json::object{{"claim_url", link(*token)}});
  });

  router.add("GET", "/v1/tokens", kAdmin, [&users](const Request&) {
    auto list = users.tokens();
    if (!list) return problem(list.error());
    json::array items;
    for (const auto& token : *list) items.emplace_back(to_json(token));
    return ok_list(std::move(items));
  });

  // A token may do what a person may, but not administer: who takes one must not be able to make more.
  router.add("POST", "/v1/tokens", kAdmin, [&users, &clock](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto name = text_of(*body, "name");
    if (!name) return problem(name.error());
    auto roles = roles_of(*body, kShipper | kAnalyst | kManager);
    if (!roles) return problem(roles.error());
    auto secret = users.create_token(*name, *roles, request.who.login, clock.now());
    if (!secret) return problem(secret.error());
    return ok(json::object{{"name", *name}, {"roles", names_of(*roles)}, {"token", *secret}}, 201);
  });

  router.add("DELETE", "/v1/tokens/{name}", kAdmin, [&users, &clock](const Request& request) {
    auto gone = users.revoke_token(request.param("name"), request.who.login, clock.now());
    if (!gone) return problem(gone.error());
    Response response;
    response.status = 204;
    return response;
  });
}

}  // namespace tocsin::engine
