// The whole door, over sockets: who may not come in is told so before the body is read, events are unpacked and
// counted, and a console hears what happens.
#include <gtest/gtest.h>

#include "engine/api/events.hpp"
#include "engine/net/server.hpp"
#include "tests/unit/engine/api/fixture.hpp"
#include "tests/unit/engine/net/gzip.hpp"
#include "tests/unit/engine/net/raw_client.hpp"

namespace tocsin::engine {
namespace {
using test::Api;
using test::RawClient;

class CountingSink final : public EventSink {
 public:
  Result<EventReceipt> accept(std::string_view, std::string_view, std::span<const EventLine> lines) override {
    if (full) return fail(Errc::kBusy, "the journal's queue is full", "", "send it again in a few seconds");
    EventReceipt receipt;
    receipt.accepted = lines.size();
    return receipt;
  }
  std::atomic<bool> full = false;
};

struct Door : Api {
  CountingSink sink;
  Feed feed;
  std::unique_ptr<Server> server;
  std::string token;
  Door() {
    add_event_routes(router, sink);
    token = users.create_token("ship", kShipper, "test", clock.now()).value();
    ServerOptions options;
    options.port = 0;
    server = Server::start(options, guard, feed).value();
  }
  [[nodiscard]] std::string events(const std::string& body, const std::string& fields) const {
    return "POST /v1/events?source=a HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           fields + "\r\n" + body;
  }
  [[nodiscard]] std::string bearer() const { return "Authorization: Bearer " + token + "\r\n"; }
};

TEST(OverHttp, StrangersAreTurnedAwayBeforeTheirBody) {
  Door door;
  RawClient stranger(door.server->port());
  stranger.send("POST /v1/events?source=a HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\nExpect: 100-continue\r\n\r\n");
  const auto response = stranger.response();
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.field("www-authenticate"), "bearer");
  EXPECT_TRUE(stranger.closed());
  RawClient elsewhere(door.server->port());
  elsewhere.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
  EXPECT_EQ(elsewhere.response().status, 404);
  RawClient large(door.server->port());  // 1 MiB for everything but events
  large.send("POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n");
  EXPECT_EQ(large.response().status, 413);
}

TEST(OverHttp, EventsComePlainOrPackedAndAFullQueueSaysWhenToComeAgain) {
  Door door;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  RawClient client(door.server->port());
  client.send(door.events(text, door.bearer()));
  EXPECT_EQ(client.response().body, R"({"accepted":1000,"duplicates":0,"rejected":[],"rejected_total":0})");
  client.send(door.events(test::gzip(text), door.bearer() + "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.response().body, R"({"accepted":1000,"duplicates":0,"rejected":[],"rejected_total":0})");
  door.sink.full = true;
  client.send(door.events(text, door.bearer()));
  const auto full = client.response();
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(full.field("retry-after"), "2");
  EXPECT_NE(full.body.find("send it again"), std::string::npos);
}

TEST(OverHttp, AConsoleLogsInAndHears) {
  Door door;
  door.user("ada", kAnalyst);
  RawClient client(door.server->port());
  const std::string body = R"({"login":"ada","password":"correct horse battery"})";
  client.send("POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_TRUE(client.until("\"csrf\""));
  const std::string& head = client.arrived();
  const std::size_t at = head.find("Set-Cookie: ") + 12;
  const std::string cookie = head.substr(at, head.find(';', at) - at);

  RawClient nobody(door.server->port());
  nobody.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(nobody.response().status, 401);
  RawClient console(door.server->port());
  console.send("GET /v1/stream HTTP/1.1\r\nHost: a\r\nCookie: " + cookie + "\r\n\r\n");
  ASSERT_TRUE(console.until(": welcome"));
  door.feed.tell("incident", "12");
  EXPECT_TRUE(console.until("event: incident\ndata: {\"id\":\"12\"}\n\n"));

  RawClient pages(door.server->port());
  pages.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto page = pages.response();
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.field("content-security-policy").find("frame-ancestors 'none'"), std::string::npos);
  EXPECT_EQ(page.field("content-security-policy").find("unsafe"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::engine
