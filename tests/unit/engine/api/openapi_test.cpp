// The document and the server say the same: routes, roles, and who gets in.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "engine/api/events.hpp"
#include "rules/base/text.hpp"
#include "tests/unit/engine/api/fixture.hpp"

namespace tocsin::engine {
namespace {
using test::Api;
using test::open_api;

std::string without_dots(std::string path) {
  for (std::size_t dots; (dots = path.find("...")) != std::string::npos;) path.erase(dots, 3);
  return path;
}

std::set<std::string> documented() {
  std::set<std::string> out;
  for (const auto& path : open_api().document()["paths"]) {
    for (const auto& operation : path.second) {
      out.insert(operation.first.as<std::string>() + " " + path.first.as<std::string>());
    }
  }
  return out;
}

unsigned documented_roles(const std::string& path, const std::string& method) {
  unsigned roles = 0;
  for (const auto& role : open_api().document()["paths"][path][method]["x-roles"]) {
    const auto name = role.as<std::string>();
    roles |= name == "public" ? unsigned{kPublic} : storage::role_from(name);
  }
  return roles;
}

class NoSink final : public EventSink {
 public:
  Result<EventReceipt> accept(std::string_view, std::string_view, std::span<const EventLine>) override {
    return EventReceipt();
  }
};

// Read from the sources, so that it holds for every family of handlers, whoever writes it.
TEST(OpenApi, NamesEveryRouteOfTheSourcesAndNoOther) {
  std::set<std::string> routes;
  // An address may be split over two lines, a route is always added by literal method and path.
  const std::regex added(R"re(\badd\(\s*"([A-Z]+)",\s*"(/[^"]*)")re");
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TOCSIN_SOURCE_DIR) + "/engine/api")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string source = slurp(entry.path());
    for (std::sregex_iterator it(source.begin(), source.end(), added), end; it != end; ++it) {
      routes.insert(to_lower((*it)[1].str()) + " " + without_dots((*it)[2].str()));
    }
  }
  EXPECT_GT(routes.size(), 50U);
  const std::set<std::string> known = documented();
  for (const std::string& route : routes) EXPECT_TRUE(known.contains(route)) << route << " is not in openapi.yaml";
  for (const std::string& route : known) EXPECT_TRUE(routes.contains(route)) << route << " is in openapi.yaml only";
}

TEST(OpenApi, EveryReferenceLeadsSomewhere) {
  const std::string text = slurp(std::string(TOCSIN_SOURCE_DIR) + "/engine/api/openapi.yaml");
  const std::regex reference(R"re(#/components/(\w+)/(\w+))re");
  for (std::sregex_iterator it(text.begin(), text.end(), reference), end; it != end; ++it) {
    EXPECT_TRUE(open_api().document()["components"][(*it)[1].str()][(*it)[2].str()]) << it->str();
  }
  std::set<std::string> ids;
  for (const auto& path : open_api().document()["paths"]) {
    for (const auto& operation : path.second) {
      EXPECT_TRUE(ids.insert(operation.second["operationId"].as<std::string>()).second) << path.first;
      EXPECT_TRUE(operation.second["responses"]) << path.first;
      EXPECT_TRUE(operation.second["x-roles"].IsSequence()) << path.first;
    }
  }
}

// Nobody, each role alone, and a shipper's token, at each route: in, or 401, or 403.
TEST(Roles, OpenExactlyWhatTheDocumentSays) {
  Api api;
  NoSink sink;
  add_event_routes(api.router, sink);
  struct Caller {
    const char* name;
    unsigned roles;
    Api::Headers headers;
  };
  std::vector<Caller> callers = {{"nobody", kNobody, {}}};
  for (const unsigned role : {kAnalyst, kApprover, kManager, kAdmin}) {
    const std::string login = storage::role_names(role)[0];
    api.user(login, role);
    callers.push_back({"a person", role, api.log_in(login).headers()});
  }
  const auto token = api.users.create_token("ship", kShipper, "test", api.clock.now());
  callers.push_back({"a shipper", kShipper, {{"authorization", "Bearer " + *token}}});

  for (const auto& route : api.router.list()) {
    const std::string path = without_dots(route.path);
    EXPECT_EQ(route.roles, documented_roles(path, to_lower(route.method))) << route.method << " " << path;
    std::string target = path;
    for (std::size_t open; (open = target.find('{')) != std::string::npos;) {
      target.replace(open, target.find('}') - open + 1, "x");
    }
    for (const Caller& caller : callers) {
      Request request;
      request.method = route.method;
      request.path = target;
      request.headers = caller.headers;
      request.headers["content-type"] = "application/json";
      const auto admission = api.guard.admit(request);
      const bool open = (route.roles & kPublic) != 0 || (route.roles & caller.roles) != 0;
      const int status = admission.refusal ? admission.refusal->status : 0;
      EXPECT_EQ(status, open ? 0 : caller.roles == kNobody ? 401 : 403)
          << route.method << " " << path << " as " << caller.name << " " << caller.roles;
    }
  }
}

TEST(System, TellsHealthMetricsPagesAndItself) {
  Api api;
  EXPECT_EQ(api.call("GET", "/healthz").status, 200);
  api.health = {{"ledger", ""}, {"journal", "the disk is full"}};
  EXPECT_EQ(api.call("GET", "/healthz").status, 503);

  EXPECT_EQ(api.call("GET", "/metrics").status, 401);
  api.metrics.before_text([](Metrics& metrics) { metrics.set("tocsin_things", "Things.", {{"kind", "x"}}, 3); });
  const auto metrics = api.call("GET", "/metrics", "", {}, "127.0.0.1");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_NE(metrics.body.find("tocsin_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1"), std::string::npos);
  EXPECT_NE(metrics.body.find("tocsin_things{kind=\"x\"} 3"), std::string::npos);
  // What a stranger asks for is not a label.
  static_cast<void>(api.call("GET", "/no/such/secret-thing"));
  static_cast<void>(api.call("BREW", "/healthz"));
  const auto after = api.call("GET", "/metrics", "", {}, "127.0.0.1").body;
  EXPECT_EQ(after.find("secret-thing"), std::string::npos);
  EXPECT_EQ(after.find("BREW"), std::string::npos);

  const auto page = api.call("GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.content_type.starts_with("text/html"));
  EXPECT_EQ(api.call("GET", "/n").status, 200);
  EXPECT_EQ(api.call("GET", "/assets/nothing.js").status, 404);
  const auto document = api.call("GET", "/v1/openapi.yaml");
  EXPECT_EQ(document.status, 200);
  EXPECT_EQ(document.body, slurp(std::string(TOCSIN_SOURCE_DIR) + "/engine/api/openapi.yaml"));
  const std::string etag = Api::header(document, "ETag");
  EXPECT_EQ(api.call("GET", "/v1/openapi.yaml", "", {{"if-none-match", etag}}).status, 304);
  EXPECT_NE(Api::header(document, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::engine
