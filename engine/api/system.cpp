// What runs around the API proper.
#include "engine/api/system.hpp"

#include "engine/api/url.hpp"
#include "ops/lib/embed/assets.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

constexpr std::string_view kNotBuilt =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tocsin</title><h1>This page is not built in</h1>"
    "<p>This tocsin was compiled before its pages were built. Run <code>ops/setup</code> (or <code>npm ci &amp;&amp; "
    "npm run build</code> in <code>ops/console</code> and in <code>notifier/portal/web</code>), then build again. "
    "The API at <code>/v1/openapi.yaml</code> works without them.";

Response file(const Request& request, const std::string& path) {
  Response response;
  const Asset* asset = find_asset(path);
  if (asset == nullptr) {
    Error error;
    error.code = Errc::kNotFound;
    error.message = "there is no such file";
    return problem(error);
  }
  response.content_type = asset->content_type;
  response.headers.emplace_back("ETag", asset->etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("Content-Security-Policy", kPagePolicy);
  if (request.header("if-none-match") == asset->etag) response.status = 304;
  else response.body = asset->bytes;
  return response;
}

Response page(const Request& request, const std::string& path) {
  if (find_asset(path) != nullptr) return file(request, path);
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = kNotBuilt;
  return response;
}

bool is_loopback(const std::string& ip) { return ip == "::1" || ip.starts_with("127."); }

}  // namespace

void add_system_routes(Router& router, Metrics& metrics, std::function<std::vector<Health>()> health) {
  router.add("GET", "/healthz", kPublic, [health = std::move(health)](const Request&) {
    json::object parts;
    bool well = true;
    if (health) {
      for (const Health& part : health()) {
        well = well && part.error.empty();
        parts[part.part] = part.error.empty() ? json::value("ok") : json::value(to_utf8(part.error));
      }
    }
    return ok(json::object{{"status", well ? "ok" : "failing"}, {"parts", std::move(parts)}}, well ? 200 : 503);
  });

  router.add("GET", "/metrics", kPublic, [&metrics](const Request& request) {
    if (!is_loopback(request.client_ip) && request.who.roles == kNobody) {
      Error error;
      error.code = Errc::kUnauthorised;
      error.message = "metrics are shown to this machine and to API tokens";
      return problem(error);
    }
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics.text();
    return response;
  });

  router.add("GET", "/v1/stream", kAnyUser, [](const Request&) {
    Response response;
    response.event_stream = true;
    return response;
  });

  router.add("GET", "/v1/openapi.yaml", kPublic, [](const Request& request) {
    return file(request, "api/openapi.yaml");
  });
}

void add_page_routes(Router& router) {
  router.add("GET", "/", kPublic, [](const Request& request) { return page(request, "console/index.html"); });
  router.add("GET", "/n", kPublic, [](const Request& request) { return page(request, "portal/index.html"); });
  router.add("GET", "/assets/{file...}", kPublic, [](const Request& request) {
    // The portal's page may name its files relative to /n, which is here.
    const std::string name = "assets/" + request.param("file");
    return file(request, find_asset("console/" + name) != nullptr ? "console/" + name : "portal/" + name);
  });
  router.add("GET", "/portal/assets/{file...}", kPublic, [](const Request& request) {
    return file(request, "portal/assets/" + request.param("file"));
  });
  router.add("GET", "/favicon.ico", kPublic, [](const Request& request) {
    return file(request, "console/favicon.ico");
  });
}

}  // namespace tocsin::engine
