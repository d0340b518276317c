// The server over real sockets: smuggling, slowness, sizes, streams, stopping.
#include "engine/net/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "tests/unit/engine/net/gzip.hpp"
#include "tests/unit/engine/net/raw_client.hpp"
#include "tests/unit/engine/net/smuggling.hpp"

namespace tocsin::engine {
namespace {
using namespace std::chrono_literals;
using test::RawClient;

// Says what it got; "/slow" waits, "/refused" is refused before the body.
class EchoService final : public Service {
 public:
  Admission admit(Request& request) override {
    Admission admission;
    admission.body_limit = body_limit;
    if (request.path == "/refused") {
      Error error;
      error.code = Errc::kUnauthorised;
      error.message = "no";
      admission.refusal = problem(error);
    }
    return admission;
  }
  Response handle(Request& request) override {
    ++handled;
    Response response;
    if (request.path == "/stream") {
      response.event_stream = true;
      return response;
    }
    if (request.path == "/slow") std::this_thread::sleep_for(300ms);
    if (request.path == "/large") response.body = std::string(20UL << 20, 'x');
    else if (request.path == "/body") response.body = request.body;
    else response.body = request.method + " " + request.path + " " + std::to_string(request.body.size());
    response.content_type = "text/plain";
    response.headers.emplace_back("X-Client", request.client_ip);
    response.headers.emplace_back("X-Split", "a\r\nInjected: yes");
    return response;
  }
  void refused(std::string_view reason) override {
    const std::lock_guard lock(mutex);
    reasons.emplace_back(reason);
  }
  std::vector<std::string> refusals() {
    const std::lock_guard lock(mutex);
    return reasons;
  }
  std::size_t body_limit = 1 << 20;
  std::atomic<int> handled = 0;

 private:
  std::mutex mutex;
  std::vector<std::string> reasons;
};

struct Running {
  explicit Running(const std::function<void(ServerOptions&)>& change = {}) {
    ServerOptions options;
    options.port = 0;
    options.workers = 3;
    if (change) change(options);
    auto started = Server::start(options, service, feed);
    EXPECT_TRUE(started) << started.error().text();
    server = std::move(*started);
  }
  EchoService service;
  Feed feed;
  std::unique_ptr<Server> server;
  [[nodiscard]] RawClient client() const { return RawClient(server->port()); }
};

const std::string kGet = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields +
         "\r\n" + body;
}

TEST(Server, AnswersAndKeepsTheConnection) {
  Running running;
  RawClient client = running.client();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(kGet));
    const auto response = client.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "GET /hello 0");
    EXPECT_EQ(response.field("x-client"), "127.0.0.1");
    EXPECT_EQ(response.field("connection"), "keep-alive");
    EXPECT_EQ(response.field("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.field("referrer-policy"), "no-referrer");
    EXPECT_NE(response.field("content-security-policy").find("default-src 'none'"), std::string::npos);
    EXPECT_NE(response.field("content-security-policy").find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(response.field("injected"), "");
  }
  ASSERT_TRUE(client.send(kGet + kGet + post("/a%20b", "12345") + "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(client.response().body, "GET /hello 0");
  EXPECT_EQ(client.response().body, "GET /hello 0");
  EXPECT_EQ(client.response().body, "POST /a b 5");
  const auto head = client.response(5s, true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("content-length"), "13");
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(client.response().field("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(Server, RefusesEverySmuggledRequestAndWhatIsBehindIt) {
  Running running([](ServerOptions& options) { options.limits.head = 300ms; });
  const std::string second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const auto& request : test::smuggled_requests()) {
    for (const std::string& bytes : {request.bytes, request.bytes + second}) {
      RawClient client = running.client();
      ASSERT_TRUE(client.send(bytes));
      const auto response = client.response();
      EXPECT_EQ(response.status, 400) << request.name;
      EXPECT_EQ(response.field("connection"), "close") << request.name;
      client.finish_sending();
      EXPECT_EQ(client.rest(), "") << request.name;
    }
  }
  EXPECT_EQ(running.service.handled, 0);
}

TEST(Server, RefusesStrangeAddresses) {
  Running running;
  for (const char* target : {"/a/../b", "/a//b", "/%2e%2e/x", "/a%2fb", "/a%00b", "/a%zz", "/a?x=1&x=2", "/%c0%af"}) {
    RawClient client = running.client();
    ASSERT_TRUE(client.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(client.response().status, 400) << target;
  }
  EXPECT_EQ(running.service.handled, 0);
}

TEST(Server, CutsAHeaderThatIsSlowOrLarge) {
  Running running([](ServerOptions& options) {
    options.limits.head = 300ms;
    options.limits.idle = 600ms;
  });
  RawClient slow = running.client();
  const auto began = std::chrono::steady_clock::now();
  // One byte at a time does not win more time.
  for (int i = 0; i < 20 && std::chrono::steady_clock::now() - began < 280ms; ++i) {
    if (!slow.send(std::string_view("GET / HTTP/1.1\r\nHost: a\r\n").substr(static_cast<std::size_t>(i), 1))) break;
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(slow.response(2s).status, 408);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1500ms);

  RawClient large = running.client();
  large.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x'));
  EXPECT_EQ(large.response().status, 431);

  RawClient idle = running.client();
  EXPECT_TRUE(idle.closed(2s));
}

TEST(Server, HoldsTheBodysLimitsBeforeAndWhileItComes) {
  Running running([](ServerOptions& options) { options.limits.body_gap = 300ms; });
  running.service.body_limit = 1000;
  {
    RawClient client = running.client();  // announced: refused before a byte of it is sent
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
    EXPECT_EQ(client.response().status, 413);
  }
  {
    RawClient client = running.client();  // not announced
    std::string chunks = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 20; ++i) chunks += "64\r\n" + std::string(100, 'x') + "\r\n";
    client.send(chunks);
    EXPECT_EQ(client.response().status, 413);
  }
  {
    RawClient client = running.client();  // stops in the middle
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n12345");
    EXPECT_EQ(client.response(2s).status, 408);
  }
  {
    RawClient client = running.client();  // ends in the middle
    client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n12345");
    client.finish_sending();
    EXPECT_EQ(client.response().status, 400);
  }
  {
    RawClient client = running.client();  // exactly as large as allowed
    client.send(post("/x", std::string(1000, 'x')));
    EXPECT_EQ(client.response().body, "POST /x 1000");
  }
  EXPECT_EQ(running.service.handled, 1);
}

TEST(Server, ABodyThatDripsIsCut) {
  Running running([](ServerOptions& options) {
    options.limits.body_gap = 200ms;
    options.limits.body_bytes_per_second = 1000;
  });
  RawClient client = running.client();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  RawClient* peer = &client;
  for (int i = 0; i < 30; ++i) {
    if (!peer->send("x")) break;
    if (client.more(50ms)) break;
  }
  EXPECT_EQ(client.response(2s).status, 408);
}

TEST(Server, UnpacksGzipAndRefusesWhatIsCutOrABomb) {
  Running running;
  const std::string text = "{\"a\":1}\n{\"a\":2}\n";
  const std::string packed = test::gzip(text);
  {
    RawClient client = running.client();
    client.send(post("/body", packed, "Content-Encoding: gzip\r\n"));
    EXPECT_EQ(client.response().body, text);
    client.send(post("/body", text, "Content-Encoding: identity\r\n"));
    EXPECT_EQ(client.response().body, text);
  }
  {
    RawClient client = running.client();
    client.send(post("/body", packed.substr(0, packed.size() - 5), "Content-Encoding: gzip\r\n"));
    const auto response = client.response();
    EXPECT_EQ(response.status, 400);
    EXPECT_NE(response.body.find("cut off"), std::string::npos);
    EXPECT_NE(response.body.find("nothing of it was stored"), std::string::npos);
  }
  {
    RawClient client = running.client();
    client.send(post("/body", test::gzip(std::string(50UL << 20, '\0')), "Content-Encoding: gzip\r\n"));
    EXPECT_EQ(client.response().status, 413);
  }
  for (const char* coding : {"deflate", "br", "gzip, gzip", "zstd"}) {
    RawClient client = running.client();
    client.send(post("/body", packed, std::string("Content-Encoding: ") + coding + "\r\n"));
    EXPECT_EQ(client.response().status, 415) << coding;
  }
  EXPECT_EQ(running.service.handled, 2);
}

TEST(Server, SaysContinueOnlyToThoseItWillListenTo) {
  Running running;
  RawClient client = running.client();
  client.send("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.response().status, 100);
  client.send("hello");
  EXPECT_EQ(client.response().body, "hello");

  RawClient refused = running.client();
  refused.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.response().status, 401);
  EXPECT_TRUE(refused.closed());

  RawClient strange = running.client();
  strange.send("GET /body HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n");
  EXPECT_EQ(strange.response().status, 417);
}

TEST(Server, CapsConnectionsPerAddress) {
  Running running([](ServerOptions& options) { options.limits.connections_per_ip = 3; });
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(running.client());
    clients.back().send(kGet);
    EXPECT_EQ(clients.back().response().status, 200);
  }
  RawClient fourth = running.client();
  fourth.send(kGet);
  EXPECT_EQ(fourth.response().status, 0);
  clients.pop_back();
  for (int i = 0; i < 50; ++i) {
    RawClient again = running.client();
    again.send(kGet);
    if (again.response().status == 200) return;
    std::this_thread::sleep_for(20ms);
  }
  FAIL() << "a place that became free was not given away";
}

TEST(Server, AnswersWith503WhenTooMuchWaits) {
  Running running([](ServerOptions& options) {
    options.workers = 1;
    options.limits.waiting_jobs = 1;
  });
  std::vector<RawClient> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(running.client());
    clients.back().send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  int served = 0, refused = 0;
  for (auto& client : clients) {
    const auto response = client.response();
    if (response.status == 200) ++served;
    if (response.status == 503) {
      ++refused;
      EXPECT_NE(response.field("retry-after"), "");
    }
  }
  EXPECT_EQ(served, 2);
  EXPECT_EQ(refused, 4);
}

TEST(Server, ASlowReaderIsCutAndOthersAreNot) {
  Running running([](ServerOptions& options) { options.limits.write = 300ms; });
  RawClient lazy = running.client();
  lazy.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  RawClient other = running.client();
  other.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.response().body.size(), 20UL << 20);
  std::this_thread::sleep_for(600ms);
  const std::string got = lazy.rest(1s);
  EXPECT_LT(got.size(), 20UL << 20);
}

TEST(Server, StreamsWhatTheFeedTells) {
  Running running([](ServerOptions& options) { options.limits.heartbeat = 100ms; });
  RawClient client = running.client();
  client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(client.until(": welcome\n\n"));
  EXPECT_NE(to_lower(client.arrived()).find("content-type: text/event-stream"), std::string::npos);
  running.feed.tell("alert", "01J\"x");
  EXPECT_TRUE(client.until("event: alert\ndata: {\"id\":\"01J\\\"x\"}\n\n"));
  EXPECT_TRUE(client.until(": beat\n\n"));
  std::vector<std::thread> tellers;
  for (int t = 0; t < 4; ++t) {
    tellers.emplace_back([&running, t] {
      for (int i = 0; i < 50; ++i) running.feed.tell("task", std::to_string(t));
    });
  }
  for (auto& teller : tellers) teller.join();
  EXPECT_TRUE(client.until("data: {\"id\":\"3\"}"));
  const auto began = std::chrono::steady_clock::now();
  running.server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_TRUE(client.closed());
  running.feed.tell("alert", "nobody");  // the stream is gone; nothing may be told to it
}

TEST(Server, StopsGracefully) {
  Running running;
  RawClient idle = running.client();
  idle.send(kGet);
  EXPECT_EQ(idle.response().status, 200);
  RawClient busy = running.client();
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  const std::uint16_t port = running.server->port();
  auto stopped = std::async(std::launch::async, [&] { running.server->stop(); });
  const auto response = busy.response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("connection"), "close");
  EXPECT_TRUE(idle.closed());
  stopped.get();
  EXPECT_FALSE(RawClient(port).connected());
}

TEST(Server, ClosesWhatDoesNotEndInTime) {
  Running running([](ServerOptions& options) { options.limits.stop_grace = 200ms; });
  RawClient client = running.client();
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n12345");
  std::this_thread::sleep_for(50ms);
  const auto began = std::chrono::steady_clock::now();
  running.server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST(Server, BelievesOnlyTrustedProxies) {
  for (const bool trusted : {false, true}) {
    Running running([trusted](ServerOptions& options) {
      if (trusted) options.trusted_proxies = {"127.0.0.1"};
    });
    RawClient client = running.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n\r\n");
    EXPECT_EQ(client.response().field("x-client"), trusted ? "192.0.2.7" : "127.0.0.1");
  }
}

TEST(Server, SaysWhyItCannotStart) {
  Running running;
  EchoService service;
  Feed feed;
  ServerOptions options;
  options.port = running.server->port();
  auto taken = Server::start(options, service, feed);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::kIo);
  EXPECT_NE(taken.error().remedy, "");
  options.address = "localhost:80";
  EXPECT_EQ(Server::start(options, service, feed).error().code, Errc::kInvalid);
  options.address = "127.0.0.1";
  options.port = 0;
  options.tls_certificate = "/nowhere/cert.pem";
  options.tls_key = "/nowhere/key.pem";
  EXPECT_EQ(Server::start(options, service, feed).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace tocsin::engine
