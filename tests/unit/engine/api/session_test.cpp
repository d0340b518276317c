// Who may come in: the one-time link, passwords, cookies, CSRF, tokens, roles, and how often one may try.
#include <gtest/gtest.h>

#include "tests/unit/engine/api/fixture.hpp"

namespace tocsin::engine {
namespace {
namespace json = boost::json;
using test::Api;

std::string body(std::initializer_list<std::pair<const char*, const char*>> members) {
  json::object out;
  for (const auto& [name, value] : members) out[name] = value;
  return json::serialize(out);
}

TEST(Session, TheFirstUserComesInByAOneTimeLink) {
  Api api;
  auto path = first_claim_path(api.users, api.clock.now());
  ASSERT_TRUE(path && *path);
  ASSERT_TRUE((*path)->starts_with("/#/claim/"));
  const std::string token = (*path)->substr(9);

  EXPECT_EQ(api.call("POST", "/v1/session/claim", body({{"token", "wrong"}, {"login", "ada"}, {"name", "Ada"},
                                                        {"password", test::kPassword}})).status, 403);
  const auto weak = api.call("POST", "/v1/session/claim",
                             body({{"token", token.c_str()}, {"login", "ada"}, {"name", "Ada"}, {"password", "short"}}));
  EXPECT_EQ(weak.status, 400);
  const auto claimed = api.call("POST", "/v1/session/claim", body({{"token", token.c_str()}, {"login", "Ada"},
                                                                   {"name", "Ada L."}, {"password", test::kPassword}}));
  ASSERT_EQ(claimed.status, 200) << claimed.body;
  const auto user = json::parse(claimed.body).at("user");
  EXPECT_EQ(user.at("login").as_string(), "ada");
  EXPECT_EQ(json::serialize(user.at("roles")), R"(["analyst","manager","admin"])");
  const std::string cookie = Api::header(claimed, "Set-Cookie");
  EXPECT_NE(cookie.find("HttpOnly"), std::string::npos);
  EXPECT_NE(cookie.find("SameSite=Strict"), std::string::npos);

  // Once is once, and there is no second first user.
  EXPECT_EQ(api.call("POST", "/v1/session/claim", body({{"token", token.c_str()}, {"login", "eve"}, {"name", "Eve"},
                                                        {"password", test::kPassword}})).status, 403);
  EXPECT_FALSE(*first_claim_path(api.users, api.clock.now()));
  api.log_in("ada");
}

TEST(Session, AnInvitedUserClaimsAndAdministratorsMaySeeWho) {
  Api api;
  api.user("admin", kAdmin);
  const auto admin = api.log_in("admin");
  const auto invited = api.call("POST", "/v1/users", R"({"login":"bob","name":"Bob","roles":["approver","analyst"]})",
                                admin.headers());
  ASSERT_EQ(invited.status, 201) << invited.body;
  const std::string url(json::parse(invited.body).at("claim_url").as_string());
  ASSERT_TRUE(url.starts_with("http://127.0.0.1:8700/#/claim/"));
  const std::string token = url.substr(url.rfind('/') + 1);
  api.clock.advance(storage::UserStore::kClaimLife);
  EXPECT_EQ(api.call("POST", "/v1/session/claim", body({{"token", token.c_str()}, {"password", test::kPassword}})).status, 403);
  const auto late = api.log_in("admin");  // the old session has ended by now
  const auto again = api.call("POST", "/v1/users/bob/reset", "", late.headers());
  ASSERT_EQ(again.status, 200) << again.body;
  const std::string fresh_url(json::parse(again.body).at("claim_url").as_string());
  const std::string fresh = fresh_url.substr(fresh_url.rfind('/') + 1);
  const auto claimed = api.call("POST", "/v1/session/claim", body({{"token", fresh.c_str()}, {"login", "mallory"},
                                                                   {"password", test::kPassword}}));
  ASSERT_EQ(claimed.status, 200) << claimed.body;
  EXPECT_EQ(json::parse(claimed.body).at("user").at("login").as_string(), "bob");
  EXPECT_EQ(api.call("GET", "/v1/users", "", late.headers()).status, 200);
  EXPECT_EQ(api.call("POST", "/v1/users", R"({"login":"bob","name":"x","roles":[]})", late.headers()).status, 409);
  EXPECT_EQ(api.call("POST", "/v1/users", R"({"login":"no blank","name":"x","roles":[]})", late.headers()).status, 400);
  EXPECT_EQ(api.call("POST", "/v1/users", R"({"login":"x","name":"x","roles":["king"]})", late.headers()).status, 400);
  const std::vector<std::string> wanted = {"user-invited by admin", "user-reset by admin", "user-claimed by bob"};
  for (const auto& entry : wanted) {
    EXPECT_NE(std::find(api.recorded.begin(), api.recorded.end(), entry), api.recorded.end()) << entry;
  }
}

TEST(Session, UnknownDisabledAndWrongLookTheSame) {
  Api api;
  api.user("ada", kAdmin);
  api.user("off", kAnalyst);
  storage::UserStore::Change disable;
  disable.disabled = true;
  ASSERT_TRUE(api.users.change("off", disable, "test", api.clock.now()));
  ASSERT_TRUE(api.users.invite({"new", "New", kAnalyst, false, false, {}, {}}, "test", api.clock.now()));
  std::string first;
  const auto before = api.hasher.hashes();
  for (const char* login : {"ada", "off", "new", "nobody", "no blank", ""}) {
    const auto response = api.call("POST", "/v1/session", body({{"login", login}, {"password", "wrong password"}}));
    EXPECT_EQ(response.status, 401);
    if (first.empty()) first = response.body;
    EXPECT_EQ(response.body, first) << login;
  }
  EXPECT_EQ(api.hasher.hashes() - before, 6U);  // each costs one hash
}

TEST(Session, AThousandGuessesCostTenHashes) {
  Api api;
  api.user("ada", kAdmin);
  const auto before = api.hasher.hashes();
  int limited = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string password = "guess number " + std::to_string(i);
    const auto response = api.call("POST", "/v1/session", body({{"login", "ada"}, {"password", password.c_str()}}));
    if (response.status == 429) {
      ++limited;
      EXPECT_NE(Api::header(response, "Retry-After"), "");
    }
  }
  EXPECT_EQ(limited, 990);
  EXPECT_LE(api.hasher.hashes() - before, 10U);
  // From many addresses: the account's own bucket holds.
  for (int i = 0; i < 200; ++i) {
    const std::string ip = "198.51.100." + std::to_string(i);
    static_cast<void>(api.call("POST", "/v1/session", body({{"login", "ada"}, {"password", "guess guess"}}), {}, ip));
  }
  EXPECT_LE(api.hasher.hashes() - before, 20U);
  // One IPv6 site is one address.
  for (int i = 0; i < 50; ++i) {
    const std::string login = "user" + std::to_string(i);
    const std::string ip = "2001:db8:1:2::" + std::to_string(i);
    static_cast<void>(api.call("POST", "/v1/session", body({{"login", login.c_str()}, {"password", "guess guess"}}), {}, ip));
  }
  EXPECT_LE(api.hasher.hashes() - before, 30U);
  api.clock.advance(std::chrono::minutes{10});
  api.log_in("ada");
}

TEST(Session, ACookieNeedsTheCsrfTokenToChangeAnything) {
  Api api;
  api.user("ada", kAdmin);
  const auto login = api.log_in("ada");
  const std::string new_user = R"({"login":"x","name":"X","roles":[]})";
  EXPECT_EQ(api.call("GET", "/v1/users", "", {{"cookie", login.cookie}}).status, 200);
  EXPECT_EQ(api.call("POST", "/v1/users", new_user, {{"cookie", login.cookie}}).status, 403);
  EXPECT_EQ(api.call("POST", "/v1/users", new_user, {{"cookie", login.cookie}, {"x-csrf-token", "x"}}).status, 403);
  const auto other = api.log_in("ada");
  EXPECT_EQ(api.call("POST", "/v1/users", new_user, {{"cookie", login.cookie}, {"x-csrf-token", other.csrf}}).status, 403);
  auto cross = login.headers();
  cross["sec-fetch-site"] = "cross-site";
  EXPECT_EQ(api.call("POST", "/v1/users", new_user, cross).status, 403);
  // A form of another page can not log anybody in or out.
  EXPECT_EQ(api.call("POST", "/v1/session", "login=a&password=b",
                     {{"content-type", "application/x-www-form-urlencoded"}}).status, 415);
  EXPECT_EQ(api.call("POST", "/v1/session", R"({"login":"a","password":"b"})", {{"content-type", ""}}).status, 415);
  EXPECT_EQ(api.call("DELETE", "/v1/session", "", {{"cookie", login.cookie}}).status, 403);
  EXPECT_EQ(api.call("POST", "/v1/users", new_user, login.headers()).status, 201);
}

TEST(Session, EndsByLogoutIdlingAgeAndNewLogin) {
  Api api;
  api.user("ada", kAdmin);
  const auto alive = [&](const Api::Login& login) {
    return api.call("GET", "/v1/session", "", {{"cookie", login.cookie}}).status == 200;
  };
  auto login = api.log_in("ada");
  EXPECT_TRUE(alive(login));
  EXPECT_EQ(api.call("DELETE", "/v1/session", "", login.headers()).status, 204);
  EXPECT_FALSE(alive(login));

  login = api.log_in("ada");
  api.clock.advance(storage::UserStore::kSessionIdle);
  EXPECT_FALSE(alive(login));

  login = api.log_in("ada");
  for (int hour = 0; hour < 23; ++hour) {
    api.clock.advance(std::chrono::hours{1});
    EXPECT_TRUE(alive(login)) << hour;
  }
  api.clock.advance(std::chrono::hours{1});
  EXPECT_FALSE(alive(login));

  // Rotation: logging in with an old session's cookie ends that session.
  login = api.log_in("ada");
  const auto response = api.call("POST", "/v1/session", body({{"login", "ada"}, {"password", test::kPassword}}),
                                 {{"cookie", login.cookie}, {"content-type", "application/json"}});
  EXPECT_FALSE(alive(login));
  EXPECT_TRUE(alive(Api::login_of(response)));
  EXPECT_EQ(api.call("GET", "/v1/session", "", {{"cookie", "tocsin_session=forged"}}).status, 401);
  EXPECT_EQ(api.call("GET", "/v1/session").status, 401);
}

TEST(Session, NothingThatLetsSomebodyInIsStored) {
  Api api;
  api.user("ada", kAdmin);
  const auto login = api.log_in("ada");
  const auto token = api.users.create_token("ship", kShipper, "ada", api.clock.now());
  const auto claim = api.users.reset("ada", "test", api.clock.now());
  ASSERT_TRUE(token && claim && api.database->checkpoint());
  const std::string stored = slurp(api.dir / "tocsin.db");
  const std::string session = login.cookie.substr(login.cookie.find('=') + 1);
  for (const std::string& secret : {session, *token, *claim, login.csrf, std::string(test::kPassword)}) {
    EXPECT_GT(secret.size(), 10U);
    EXPECT_EQ(stored.find(secret), std::string::npos);
  }
}

TEST(Tokens, OpenWhatTheirRolesOpenAndNothingElse) {
  Api api;
  api.user("ada", kAdmin);
  const auto login = api.log_in("ada");
  const auto made = api.call("POST", "/v1/tokens", R"({"name":"web-1","roles":["shipper"]})", login.headers());
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string secret(json::parse(made.body).at("token").as_string());
  const Api::Headers bearer = {{"authorization", "Bearer " + secret}};
  EXPECT_EQ(api.call("GET", "/v1/session", "", bearer).status, 200);
  EXPECT_EQ(api.call("GET", "/v1/users", "", bearer).status, 403);
  EXPECT_EQ(api.call("GET", "/v1/stream", "", bearer).status, 403);
  for (const std::string& wrong : {std::string("Bearer x"), "Basic " + secret, secret, std::string("Bearer")}) {
    EXPECT_EQ(api.call("GET", "/v1/session", "", {{"authorization", wrong}}).status, 401) << wrong;
  }
  EXPECT_EQ(api.call("POST", "/v1/tokens", R"({"name":"web-1","roles":["shipper"]})", login.headers()).status, 409);
  EXPECT_EQ(api.call("POST", "/v1/tokens", R"({"name":"a","roles":["admin"]})", login.headers()).status, 400);
  EXPECT_EQ(api.call("POST", "/v1/tokens", R"({"name":"a b","roles":["shipper"]})", login.headers()).status, 400);
  EXPECT_EQ(api.call("GET", "/v1/tokens", "", login.headers()).body.find(secret), std::string::npos);
  EXPECT_EQ(api.call("DELETE", "/v1/tokens/web-1", "", login.headers()).status, 204);
  EXPECT_EQ(api.call("GET", "/v1/session", "", bearer).status, 401);
  EXPECT_EQ(api.call("DELETE", "/v1/tokens/web-1", "", login.headers()).status, 404);
}

TEST(Users, SomebodyMustBeLeftWhoAdministers) {
  Api api;
  api.user("ada", kAdmin | kAnalyst);
  const auto login = api.log_in("ada");
  EXPECT_EQ(api.call("PATCH", "/v1/users/ada", R"({"roles":["analyst"]})", login.headers()).status, 409);
  EXPECT_EQ(api.call("PATCH", "/v1/users/ada", R"({"disabled":true})", login.headers()).status, 409);
  api.user("bob", kAdmin);
  EXPECT_EQ(api.call("PATCH", "/v1/users/ada", R"({"roles":["analyst"]})", login.headers()).status, 200);
  // What was taken away is gone at once, in the running session, too.
  EXPECT_EQ(api.call("GET", "/v1/tokens", "", login.headers()).status, 403);
  EXPECT_EQ(api.call("PATCH", "/v1/users/nobody", "{}", api.log_in("bob").headers()).status, 404);
}

}  // namespace
}  // namespace tocsin::engine
