#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

TEST(Combined, FillsEveryField) {
  Bench web("combined", {.store = "portal.example.org"});
  const DecodedRecord out = web(R"(192.0.2.7 - alice [23/Nov/2026:10:05:03 +0100] "GET /patients/42?full=1 HTTP/1.1" 200 5123 "https://x/" "curl/8.5.0")");
  ASSERT_EQ(out.all.size(), 1U) << out.error;
  const Access& a = out.all[0].access;
  EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T09:05:03Z");
  EXPECT_EQ(a.actor.account, "alice");
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.operation, "GET");
  EXPECT_EQ(a.resource.system, "web");
  EXPECT_EQ(a.resource.store, "portal.example.org");
  EXPECT_EQ(a.resource.dataset, "/patients/{id}");
  EXPECT_TRUE(a.subjects.empty()) << "without a configured route a number is not known to be a person";
  EXPECT_EQ(a.bytes.value, 5123U);
  EXPECT_EQ(a.bytes.certainty, Certainty::kExact);
  EXPECT_EQ(a.client.ip, "192.0.2.7");
  EXPECT_EQ(a.client.user_agent, "curl/8.5.0");
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
  const rules::Event& event = out.all[0].event;
  EXPECT_EQ(event.source.category, "webserver");
  EXPECT_EQ(event.root.get("cs-uri-stem").as_string(), "/patients/42");
  EXPECT_EQ(event.root.get("cs-uri-query").as_string(), "full=1");
  EXPECT_EQ(event.root.get("sc-status").as_int(), 200);
  EXPECT_EQ(event.root.get("cs-user-agent").as_string(), "curl/8.5.0");
}

TEST(Combined, RoutesNamePeople) {
  Bench web("combined", {.routes = {"/patients/{patient}", "/patients/{patient}/visits/{}"}});
  const auto get = [&](const std::string& path) {
    return web.one("192.0.2.7 - - [23/Nov/2026:10:05:03 +0000] \"GET " + path + " HTTP/1.1\" 200 1 \"-\" \"-\"");
  };
  EXPECT_EQ(get("/patients/42").subjects, std::vector<std::string>{"42"});
  EXPECT_EQ(get("/patients/a%20b?x").subjects, std::vector<std::string>{"a b"});
  EXPECT_EQ(get("/patients/42/visits/9").subjects, std::vector<std::string>{"42"});
  EXPECT_EQ(get("/patients/42/visits/9").resource.dataset, "/patients/{patient}/visits/{}");
  EXPECT_TRUE(get("/patients/").subjects.empty());
  EXPECT_EQ(get("/doctors/7/x").resource.dataset, "/doctors/{id}/x");
  EXPECT_EQ(get("/f/3fa85f64-5717-4562-b3fc-2c963f66afa6").resource.dataset, "/f/{id}");
}

TEST(Combined, Variants) {
  struct Row { const char* name; const char* line; const char* ip; const char* user; const char* operation; const char* dataset; };
  Bench web("combined");
  for (const Row& row : {
           Row{"common", R"(116.203.1.1 - - [05/Mar/2021:09:01:38 +0100] "GET /a.txt HTTP/1.0" 200 1513)", "116.203.1.1", "", "GET", "/a.txt"},
           Row{"no bytes", R"(180.76.5.152 - - [20/May/2015:12:05:25 +0000] "GET /robots.txt HTTP/1.1" 200 - "-" "x")", "180.76.5.152", "", "GET", "/robots.txt"},
           Row{"IPv6", R"(2001:db8::1 - - [20/May/2015:12:05:25 +0000] "HEAD / HTTP/1.1" 200 0 "-" "x")", "2001:db8::1", "", "HEAD", "/"},
           Row{"virtual host first", R"(www.example.org:443 1.2.3.4 - bob [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 500 803 "-" "x")", "1.2.3.4", "bob", "GET", "/s"},
           Row{"a host name for the address", R"(pc7.example.org - bob [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 500 803 "-" "x")", "pc7.example.org", "bob", "GET", "/s"},
           Row{"user with blanks", R"(1.2.3.4 - John Smith [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 200 1 "-" "x")", "1.2.3.4", "John Smith", "GET", "/s"},
           Row{"user with a bracket", R"(1.2.3.4 - a [x] [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 200 1 "-" "x")", "1.2.3.4", "a [x]", "GET", "/s"},
           Row{"fields of one's own", R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 200 1 "-" "x" "203.0.113.9" 0.004)", "1.2.3.4", "", "GET", "/s"},
           Row{"quotes in the agent, Apache", R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 200 1 "-" "say \"hi\" \\ ")", "1.2.3.4", "", "GET", "/s"},
           Row{"TLS to a plain port", R"(1.2.3.4 - - [17/Oct/2023:05:57:49 +1100] "\x16\x03\x01\x02" 400 226 "-" "-")", "1.2.3.4", "", "", ""},
           Row{"no request", R"(1.2.3.4 - - [17/Oct/2023:05:57:49 +1100] "-" 408 0 "-" "-")", "1.2.3.4", "", "", ""},
           Row{"blanks in the target", R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET /a b HTTP/1.1" 200 1 "-" "x")", "1.2.3.4", "", "GET", "/a b"},
           Row{"a proxy's target", R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET http://h.example/p?q HTTP/1.1" 200 1 "-" "x")", "1.2.3.4", "", "GET", "/p"},
       }) {
    const Access a = web.one(row.line);
    EXPECT_EQ(a.client.ip, row.ip) << row.name;
    EXPECT_EQ(a.actor.account, row.user) << row.name;
    EXPECT_EQ(a.operation, row.operation) << row.name;
    EXPECT_EQ(a.resource.dataset, row.dataset) << row.name;
  }
  EXPECT_EQ(web.one(R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET /s HTTP/1.1" 200 1 "-" "a\x22b\xC3\xA9\xFF")").client.user_agent,
            "a\"b\xC3\xA9\xEF\xBF\xBD");
  EXPECT_EQ(web.one(R"(www.example.org:443 1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "DELETE /s HTTP/1.1" 404 1)").resource.store, "www.example.org:443");
}

TEST(Combined, RefusesWhatIsMalformed) {
  Bench web("combined");
  for (const char* bad : {
           R"(46.118.127.106 - - [20/May/2015:12:05:17 +0000] "GET /x HTTP/1.1" 200 235 "-" "Mozilla/5.0 (bot.html)",
           R"(2021/12/01 13:53:33 [error] 31#31: *46 "x" is not found)", R"(1.2.3.4 - - "GET / HTTP/1.1" 200 1)",
           R"(1.2.3.4 - - [31/Feb/2020:08:04:43 +0000] "GET / HTTP/1.1" 200 1)",
           R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET / HTTP/1.1" abc 1)",
           R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET / HTTP/1.1" 200 many "-" "-")",
           R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET / HTTP/1.1" 200)",
           R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000] "GET / HTTP/1.1)", R"(1.2.3.4 - - [08/Jun/2020:08:04:43 +0000])",
           "", "-", " [08/Jun/2020:08:04:43 +0000] \"GET / HTTP/1.1\" 200 1"}) {
    EXPECT_NE(web(bad).error.find("not a combined log line"), std::string::npos) << bad;
  }
}

}  // namespace
}  // namespace tocsin::engine
