// Order matters: the route first (its roles say who may), then the credentials, then CSRF; the body is not read before.
#include "engine/api/guard.hpp"

#include <chrono>

#include <sodium.h>

#include "engine/api/url.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

static_assert(kAnalyst == storage::role::kAnalyst && kApprover == storage::role::kApprover &&
              kManager == storage::role::kManager && kAdmin == storage::role::kAdmin &&
              kShipper == storage::role::kShipper);

namespace {

bool changes_something(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Routes are a fixed set, methods are not.
std::string method_label(const std::string& method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    if (method == known) return method;
  }
  return "other";
}

}  // namespace

std::string csrf_of(std::string_view session_token) {
  std::string text = "tocsin csrf";
  text += '\0';
  text += session_token;
  return to_hex(sha256(text)).substr(0, 43);
}

std::string session_token_of(const Request& request) { return cookie(request.header("cookie"), kSessionCookie); }

Guard::Guard(const Router& router, storage::UserStore& users, const Clock& clock, Metrics* metrics)
    : router_(router), users_(users), clock_(clock), metrics_(metrics) {}

Result<void> Guard::identify(Request& request) const {
  const Time now = clock_.now();
  const std::string authorization = request.header("authorization");
  if (!authorization.empty()) {
    const std::size_t blank = authorization.find(' ');
    const std::string_view scheme = std::string_view(authorization).substr(0, blank);
    if (!iequals(scheme, "bearer") || blank == std::string::npos) {
      return fail(Errc::kUnauthorised, "only 'Authorization: Bearer TOKEN' is understood");
    }
    const std::string_view secret = trim(std::string_view(authorization).substr(blank + 1));
    auto token = users_.token(secret, now);
    if (!token) return pass(std::move(token));
    if (!*token) {
      return fail(Errc::kUnauthorised, "this API token is not known", "", "make a new one, in the console or with "
                  "'tocsin token add'");
    }
    request.who.login = "token:" + (*token)->name;
    request.who.name = (*token)->name;
    request.who.roles = (*token)->roles;
    return {};
  }
  const std::string session = session_token_of(request);
  if (session.empty()) return {};
  auto user = users_.session(session, now);
  if (!user) return pass(std::move(user));
  if (!*user) return {};
  if (changes_something(request) && !same(request.header("x-csrf-token"), csrf_of(session))) {
    return fail(Errc::kForbidden, "the header X-CSRF-Token is missing or wrong", "", "load the page again");
  }
  request.who.login = (*user)->login;
  request.who.name = (*user)->name;
  request.who.roles = (*user)->roles & kAnyUser;
  return {};
}

Service::Admission Guard::admit(Request& request) {
  Admission admission;
  const auto no = [&](Response response) {
    count(request, response.status, 0);
    admission.refusal = std::move(response);
    return admission;
  };
  Router::Found found = router_.find(request);
  if (found.refusal) return no(std::move(*found.refusal));

  // A page of another site may not make a browser act here, logged in or not.
  const std::string site = request.header("sec-fetch-site");
  if (changes_something(request) && !site.empty() && site != "same-origin" && site != "none") {
    Error error;
    error.code = Errc::kForbidden;
    error.message = "this was sent by a page of another site";
    return no(problem(error));
  }
  const bool is_public = (found.roles & kPublic) != 0;
  // Browsers name the site only over TLS and to this machine. Elsewhere the type does it: a foreign page cannot send
  // JSON without asking first, and nobody answers that question. (With a login the CSRF token does it.)
  if (is_public && changes_something(request)) {
    const std::string type = request.header("content-type");
    if (!iequals(trim(std::string_view(type).substr(0, type.find(';'))), "application/json")) {
      Error error;
      error.code = Errc::kInvalid;
      error.message = "the body must be JSON";
      error.remedy = "send Content-Type: application/json";
      return no(problem(415, error));
    }
  }
  auto known = identify(request);
  if (!known && !is_public) return no(problem(known.error()));
  if (!known) request.who = Principal();
  if (auto refusal = Router::refuse(request.who, found.roles)) return no(std::move(*refusal));
  admission.body_limit = found.body_limit;
  return admission;
}

Response Guard::handle(Request& request) {
  const auto began = std::chrono::steady_clock::now();
  const Router::Found found = router_.find(request);
  Response response;
  if (found.refusal) response = *found.refusal;
  else if (auto refusal = Router::refuse(request.who, found.roles)) response = std::move(*refusal);
  else response = Router::run(*found.handler, request);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
  count(request, response.status, spent.count());
  return response;
}

void Guard::count(const Request& request, int status, double seconds) const {
  if (metrics_ == nullptr) return;
  const std::string route = request.route.empty() ? "none" : request.route;
  metrics_->add("tocsin_http_requests_total", "Requests answered, by route.",
                {{"route", route}, {"method", method_label(request.method)}, {"status", std::to_string(status)}});
  if (seconds > 0) {
    metrics_->observe("tocsin_http_request_seconds", "Time in the handler, by route.", {{"route", route}}, seconds);
  }
}

void Guard::refused(std::string_view reason) {
  if (metrics_ == nullptr) return;
  metrics_->add("tocsin_http_refused_total", "Requests and connections refused before any handler, by reason.",
                {{"reason", std::string(reason)}});
}

void Guard::connections(int change) {
  connections_ += change;
  if (metrics_ != nullptr) metrics_->set("tocsin_http_connections", "Open connections.", {}, connections_);
}

}  // namespace tocsin::engine
