// Addresses, bodies, problems, routes, the feed.
#include "engine/api/router.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "engine/api/rate.hpp"
#include "engine/api/url.hpp"

namespace tocsin::engine {
namespace {
namespace json = boost::json;

TEST(Url, DecodesOnceAndRefusesWhatCouldBeReadTwice) {
  const auto target = parse_target("/v1/alerts/a%20b?q=%C3%A9+x&state=new&empty=&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/v1/alerts/a b");
  EXPECT_EQ(target->query.at("q"), "\xc3\xa9 x");
  EXPECT_EQ(target->query.at("empty"), "");
  EXPECT_EQ(target->query.at("flag"), "");
  EXPECT_EQ(parse_target("/")->path, "/");
  EXPECT_EQ(parse_target("/a%2520b")->path, "/a%20b");
  for (const char* bad : {"", "a", "//", "/a/", "/a/../b", "/./a", "/%2e%2e/a", "/a%2Fb", "/a%5cb", "/a%00", "/a%0a", "/%",
                          "/%1", "/%zz", "/\xc3\xa9", "/%c0%ae", "/%ed%a0%80", "/a b", "/a#b", "/?a=1&a=2", "/?a=%", "/?a=%00"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
  EXPECT_FALSE(parse_target("/" + std::string(kMaxTarget, 'a')));
  std::string many = "/?";
  for (std::size_t i = 0; i <= kMaxQueryParts; ++i) many += "k" + std::to_string(i) + "=1&";
  EXPECT_EQ(parse_target(many).error().code, Errc::kTooLarge);
  EXPECT_EQ(percent_decode(percent_encode("a b/\xc3\xa9%")).value(), "a b/\xc3\xa9%");
}

TEST(Url, ReadsACookieOnlyIfItIsThereOnce) {
  EXPECT_EQ(cookie("a=1; tocsin_session=x; b=2", "tocsin_session"), "x");
  EXPECT_EQ(cookie("xtocsin_session=x", "tocsin_session"), "");
  EXPECT_EQ(cookie("tocsin_session=x; tocsin_session=y", "tocsin_session"), "");
  EXPECT_EQ(cookie("", "tocsin_session"), "");
}

Result<json::object> body_of(const std::string& text, const std::string& type = "") {
  Request request;
  request.body = text;
  if (!type.empty()) request.headers["content-type"] = type;
  return request.json();
}

TEST(Json, ReadsAnObjectAndSaysWhatIsWrongWithAnythingElse) {
  EXPECT_TRUE(body_of(R"({"a":{"b":[1,{"c":"x:y\":"}]},"d":":"})"));
  EXPECT_TRUE(body_of("{}", "application/json; charset=utf-8"));
  for (const char* bad : {"", "[]", "1", "{", R"({"a":1)", R"({"a":1}x)", "{\"a\":\"\xff\"}", R"({"a":1,"a":2})",
                          R"({"a":{"b":1,"b":2}})", R"({"a":1,"\u0061":2})", R"({'a':1})", R"({"a":NaN})"}) {
    EXPECT_FALSE(body_of(bad)) << bad;
  }
  EXPECT_FALSE(body_of("{}", "text/plain"));
  std::string deep = "{\"a\":";
  for (std::size_t i = 0; i < kMaxJsonDepth + 1; ++i) deep += "[";
  EXPECT_FALSE(body_of(deep));
  EXPECT_FALSE(body_of(std::string(1'000, '[')));
  EXPECT_EQ(body_of("{\"a\":\"" + std::string(kMaxJson, 'x') + "\"}").error().code, Errc::kTooLarge);
}

TEST(Problem, FollowsTheCodeAndTellsNothingFromInside) {
  Error busy;
  busy.code = Errc::kBusy;
  busy.message = "the queue is full";
  busy.where = "journal";
  busy.remedy = "wait";
  const Response response = problem(busy);
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto body = json::parse(response.body);
  EXPECT_EQ(body.at("detail").as_string(), "journal: the queue is full");
  EXPECT_EQ(body.at("remedy").as_string(), "wait");
  bool retry = false;
  for (const auto& [name, value] : response.headers) retry = retry || name == "Retry-After";
  EXPECT_TRUE(retry);
  Error inside;
  inside.message = "secret of the house";
  EXPECT_EQ(problem(inside).body.find("secret"), std::string::npos);
  Error broken;
  broken.code = Errc::kIo;
  broken.message = "disk\xff";
  broken.where = "/var/lib/tocsin";
  EXPECT_EQ(problem(broken).body.find("/var/lib"), std::string::npos);
}

Response text(std::string what) {
  Response response;
  response.body = std::move(what);
  return response;
}

TEST(Router, FindsTheBestRouteAndSaysWhyNot) {
  Router router;
  router.add("GET", "/v1/alerts/{id}", kAnyUser, [](const Request& r) { return text("one " + r.param("id")); });
  router.add("POST", "/v1/alerts/{id}/triage", kAnalyst, [](const Request& r) { return text("triage " + r.param("id")); });
  router.add("POST", "/v1/alerts/bulk/triage", kAnalyst, [](const Request&) { return text("bulk"); });
  router.add("GET", "/ledger/tile/{path...}", kPublic, [](const Request& r) { return text(r.param("path")); });
  router.add("GET", "/ledger/tile/fixed", kPublic, [](const Request&) { return text("fixed"); });
  router.add("GET", "/boom", kPublic, [](const Request&) -> Response { throw std::runtime_error("secret"); });
  const auto call = [&](const std::string& method, const std::string& path, unsigned roles) {
    Request request;
    request.method = method;
    request.path = path;
    request.who.roles = roles;
    if (roles != 0) request.who.login = "x";
    return router.handle(request);
  };
  EXPECT_EQ(call("GET", "/v1/alerts/7", kManager).body, "one 7");
  EXPECT_EQ(call("HEAD", "/v1/alerts/7", kManager).status, 200);
  EXPECT_EQ(call("POST", "/v1/alerts/7/triage", kAnalyst).body, "triage 7");
  EXPECT_EQ(call("POST", "/v1/alerts/bulk/triage", kAnalyst).body, "bulk");
  EXPECT_EQ(call("GET", "/ledger/tile/0/x001/067.p/8", kNobody).body, "0/x001/067.p/8");
  EXPECT_EQ(call("GET", "/ledger/tile/fixed", kNobody).body, "fixed");
  EXPECT_EQ(call("GET", "/v1/alerts/7", kNobody).status, 401);
  EXPECT_EQ(call("GET", "/v1/alerts/7", kShipper).status, 403);
  EXPECT_EQ(call("POST", "/v1/alerts/7/triage", kAdmin).status, 403);
  EXPECT_EQ(call("GET", "/v1/nothing", kAdmin).status, 404);
  const Response wrong = call("DELETE", "/v1/alerts/7", kAdmin);
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.front().second, "GET");
  const Response boom = call("GET", "/boom", kNobody);
  EXPECT_EQ(boom.status, 500);
  EXPECT_EQ(boom.body.find("secret"), std::string::npos);
}

TEST(Feed, TellsEveryListenerUntilItsHandleIsGone) {
  Feed feed;
  std::vector<std::string> heard;
  auto one = feed.listen([&](const std::string& event, const std::string& data) { heard.push_back(event + data); });
  feed.tell("alert", "7");
  one.reset();
  feed.tell("alert", "8");
  EXPECT_EQ(heard, std::vector<std::string>{"alert{\"id\":\"7\"}"});
}

TEST(Feed, ListenersComeAndGoWhileOthersTell) {
  Feed feed;
  std::atomic<bool> stop = false;
  std::vector<std::thread> tellers;
  for (int t = 0; t < 2; ++t) {
    tellers.emplace_back([&] {
      while (!stop) feed.tell("task", "1");
    });
  }
  for (int i = 0; i < 300; ++i) {
    auto count = std::make_unique<std::atomic<int>>(0);
    auto handle = feed.listen([&counter = *count](const std::string&, const std::string&) { ++counter; });
    std::this_thread::yield();
    handle.reset();
    count.reset();  // must not be touched any more
  }
  stop = true;
  for (auto& teller : tellers) teller.join();
}

TEST(RateLimiter, RefillsOverTimeAndForgetsWhatIsFull) {
  RateLimiter limiter(2, std::chrono::seconds{10});
  Time now = *parse_rfc3339("2026-01-01T00:00:00Z");
  EXPECT_TRUE(limiter.take("a", now));
  EXPECT_TRUE(limiter.take("a", now));
  EXPECT_FALSE(limiter.take("a", now));
  EXPECT_TRUE(limiter.take("b", now));
  EXPECT_EQ(limiter.wait("a", now), Duration(std::chrono::seconds{10}));
  now += std::chrono::seconds{10};
  EXPECT_TRUE(limiter.take("a", now));
  EXPECT_FALSE(limiter.take("a", now));
  EXPECT_FALSE(limiter.take("a", now - std::chrono::hours{1}));  // a clock that goes back gives nothing
  for (std::size_t i = 0; i < RateLimiter::kMaxNames + 10; ++i) static_cast<void>(limiter.take(std::to_string(i), now));
  EXPECT_FALSE(limiter.take("one more", now));
  EXPECT_TRUE(limiter.take("one more", now + std::chrono::minutes{1}));
}

}  // namespace
}  // namespace tocsin::engine
