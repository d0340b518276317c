// The API without sockets: a data directory, a few users, the guard and the routes. Every JSON answer that goes
// through call() is held to engine/api/openapi.yaml.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/api/guard.hpp"
#include "engine/api/session.hpp"
#include "engine/api/system.hpp"
#include "engine/api/url.hpp"
#include "engine/api/users.hpp"
#include "tests/unit/engine/api/json_schema.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine::test {

inline const OpenApi& open_api() {
  static const OpenApi document(std::string(TOCSIN_SOURCE_DIR) + "/engine/api/openapi.yaml");
  return document;
}

constexpr const char* kPassword = "correct horse battery";

struct Api {
  TemporaryDirectory dir;
  FixedClock clock{*parse_rfc3339("2026-11-23T10:00:00Z")};
  std::unique_ptr<storage::Database> database = storage::Database::open(dir / "tocsin.db").value();
  // A cheap hash: its cost is tested with the store.
  storage::PasswordHasher hasher{storage::PasswordHasher::Cost{1, 8192}};
  std::vector<std::string> recorded;
  storage::UserStore users{*database, hasher,
                           [this](storage::Transaction&, std::string_view kind, Time, std::string_view by,
                                  const storage::UserStore::Fields&) -> Result<void> {
                             recorded.push_back(std::string(kind) + " by " + std::string(by));
                             return {};
                           }};
  Metrics metrics;
  Router router;
  Guard guard{router, users, clock, &metrics};
  std::vector<Health> health;

  Api() {
    EXPECT_TRUE(database->migrate(storage::UserStore::kFamily, storage::UserStore::migrations()));
    add_session_routes(router, users, clock);
    add_user_routes(router, users, clock, [] { return std::string("http://127.0.0.1:8700"); });
    add_system_routes(router, metrics, [this] { return health; });
    add_page_routes(router);
  }

  using Headers = std::map<std::string, std::string>;
  Response call(const std::string& method, const std::string& target, const std::string& body = "",
                const Headers& headers = {}, const std::string& ip = "192.0.2.1") {
    Request request;
    request.method = method;
    auto parsed = parse_target(target);
    EXPECT_TRUE(parsed) << target;
    request.path = parsed->path;
    request.query = parsed->query;
    request.headers = headers;
    if (!body.empty() && !headers.contains("content-type")) request.headers["content-type"] = "application/json";
    request.client_ip = ip;
    request.body = body;
    auto admission = guard.admit(request);
    Response response = admission.refusal ? *admission.refusal : guard.handle(request);
    if (!request.route.empty() && response.status != 405 && response.status != 304 && !response.event_stream) {
      std::string path = request.route;
      for (std::size_t dots; (dots = path.find("...")) != std::string::npos;) path.erase(dots, 3);
      EXPECT_EQ(open_api().check_answer(path, method == "HEAD" ? "get" : method, response.status, response.body), "");
    }
    return response;
  }

  // A user who can log in.
  void user(const std::string& login, unsigned roles) {
    storage::User made;
    made.login = login;
    made.name = login;
    made.roles = roles;
    ASSERT_TRUE(users.set_password(made, kPassword, "test", clock.now()));
  }
  struct Login {
    std::string cookie, csrf;
    [[nodiscard]] Headers headers() const { return {{"cookie", cookie}, {"x-csrf-token", csrf}}; }
  };
  Login log_in(const std::string& login) {
    const Response response = call("POST", "/v1/session",
                                   boost::json::serialize(boost::json::object{{"login", login}, {"password", kPassword}}));
    EXPECT_EQ(response.status, 200) << response.body;
    return login_of(response);
  }
  static Login login_of(const Response& response) {
    Login out;
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") out.cookie = value.substr(0, value.find(';'));
    }
    if (response.status == 200) out.csrf = boost::json::parse(response.body).at("csrf").as_string();
    return out;
  }
  static std::string header(const Response& response, const std::string& wanted) {
    for (const auto& [name, value] : response.headers) {
      if (name == wanted) return value;
    }
    return {};
  }
};

}  // namespace tocsin::engine::test
