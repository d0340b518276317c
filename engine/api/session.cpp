// Sessions over HTTP. What is uniform here must stay uniform: the text, the status and (by the store) the time.
#include "engine/api/session.hpp"

#include "engine/api/guard.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

constexpr double kBurst = 10;
constexpr Duration kRefill = std::chrono::seconds{30};

// An IPv6 site has 2^64 addresses to try from: it counts as one.
std::string address_key(const std::string& ip) {
  if (ip.find(':') == std::string::npos) return "ip:" + ip;
  std::size_t colons = 0, end = 0;
  for (; end < ip.size() && colons < 4; ++end) colons += ip[end] == ':' ? 1U : 0U;
  return "ip:" + ip.substr(0, end);
}

struct Limits {
  RateLimiter by_account{kBurst, kRefill};
  RateLimiter by_address{kBurst, kRefill};
};

Response slow_down(Duration wait) {
  Error error;
  error.code = Errc::kBusy;
  error.message = "too many attempts to log in";
  error.remedy = "wait a little, then try again";
  Response response = problem(error);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  for (auto& [name, value] : response.headers) {
    if (name == "Retry-After") value = std::to_string(std::max<std::int64_t>(seconds, 1));
  }
  return response;
}

json::array role_list(unsigned roles) {
  json::array out;
  for (const std::string& name : storage::role_names(roles)) out.emplace_back(name);
  return out;
}

json::object body_of(const Principal& who, const std::string& session) {
  json::object body;
  body["user"] = json::object{{"login", who.login}, {"name", who.name}, {"roles", role_list(who.roles)}};
  body["csrf"] = session.empty() ? json::value(nullptr) : json::value(csrf_of(session));
  return body;
}

std::string set_cookie(const std::string& value, bool encrypted, Duration life) {
  std::string out(kSessionCookie);
  out += "=" + value + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=";
  out += std::to_string(std::chrono::duration_cast<std::chrono::seconds>(life).count());
  if (encrypted) out += "; Secure";
  return out;
}

Response logged_in(storage::UserStore& users, const Request& request, const storage::User& user, Time now) {
  auto session = users.begin_session(user.login, session_token_of(request), now);
  if (!session) return problem(session.error());
  Principal who;
  who.login = user.login;
  who.name = user.name;
  who.roles = user.roles;
  Response response = ok(body_of(who, *session));
  response.headers.emplace_back("Set-Cookie",
                                set_cookie(*session, request.encrypted, storage::UserStore::kSessionLife));
  return response;
}

}  // namespace

std::string claim_path(const std::string& token) { return "/#/claim/" + token; }

Result<std::optional<std::string>> first_claim_path(storage::UserStore& users, Time now) {
  auto any = users.any();
  if (!any) return pass(std::move(any));
  if (*any) return std::nullopt;
  auto token = users.first_claim(now);
  if (!token) return pass(std::move(token));
  return claim_path(*token);
}

void add_session_routes(Router& router, storage::UserStore& users, const Clock& clock) {
  auto limits = std::make_shared<Limits>();

  router.add("POST", "/v1/session", kPublic, [&users, &clock, limits](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto login = text_of(*body, "login");
    if (!login) return problem(login.error());
    auto password = text_of(*body, "password");
    if (!password) return problem(password.error());
    const Time now = clock.now();
    const std::string address = address_key(request.client_ip);
    const std::string account = to_lower(login->substr(0, 64));
    // The address first: an attacker who is stopped there does not use up the account's tries.
    if (!limits->by_address.take(address, now)) return slow_down(limits->by_address.wait(address, now));
    if (!limits->by_account.take(account, now)) return slow_down(limits->by_account.wait(account, now));
    auto user = users.check_password(*login, *password, now);
    if (!user) return problem(user.error());
    limits->by_address.give_back(address);
    limits->by_account.give_back(account);
    return logged_in(users, request, *user, now);
  });

  router.add("POST", "/v1/session/claim", kPublic, [&users, &clock, limits](const Request& request) {
    auto body = request.json();
    if (!body) return problem(body.error());
    auto token = text_of(*body, "token");
    if (!token) return problem(token.error());
    auto password = text_of(*body, "password");
    if (!password) return problem(password.error());
    auto login = maybe_text_of(*body, "login");
    if (!login) return problem(login.error());
    auto name = maybe_text_of(*body, "name");
    if (!name) return problem(name.error());
    const Time now = clock.now();
    const std::string address = address_key(request.client_ip);
    if (!limits->by_address.take(address, now)) return slow_down(limits->by_address.wait(address, now));
    auto user = users.claim(*token, login->value_or(""), name->value_or(""), *password, now);
    if (!user) return problem(user.error());
    limits->by_address.give_back(address);
    return logged_in(users, request, *user, now);
  });

  router.add("GET", "/v1/session", kAnyUser | kShipper, [](const Request& request) {
    const bool by_cookie = !request.who.login.starts_with("token:");
    return ok(body_of(request.who, by_cookie ? session_token_of(request) : std::string()));
  });

  router.add("DELETE", "/v1/session", kAnyUser, [&users, &clock](const Request& request) {
    auto ended = users.end_session(session_token_of(request), clock.now());
    if (!ended) return problem(ended.error());
    Response response;
    response.status = 204;
    response.headers.emplace_back("Set-Cookie", set_cookie("", request.encrypted, Duration{0}));
    response.headers.emplace_back("Clear-Site-Data", "\"cookies\", \"storage\"");
    return response;
  });
}

}  // namespace tocsin::engine
