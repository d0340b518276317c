// The server with its guard over loopback: small GETs with a session, and events as a shipper sends them. The load
// generator runs on the same cores.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "engine/api/events.hpp"
#include "engine/api/guard.hpp"
#include "engine/api/session.hpp"
#include "engine/api/users.hpp"
#include "engine/net/server.hpp"
#include "tests/unit/engine/net/raw_client.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::engine {
namespace {

class CountingSink final : public EventSink {
 public:
  Result<EventReceipt> accept(std::string_view, std::string_view, std::span<const EventLine> lines) override {
    EventReceipt receipt;
    receipt.accepted = lines.size();
    return receipt;
  }
};

struct House {
  TemporaryDirectory dir;
  SystemClock clock;
  std::unique_ptr<storage::Database> database = storage::Database::open(dir / "tocsin.db").value();
  storage::PasswordHasher hasher{storage::PasswordHasher::Cost{1, 8192}};
  storage::UserStore users{*database, hasher, {}};
  Metrics metrics;
  Router router;
  Guard guard{router, users, clock, &metrics};
  CountingSink sink;
  Feed feed;
  std::unique_ptr<Server> server;
  std::string session, token;
  House() {
    static_cast<void>(database->migrate(storage::UserStore::kFamily, storage::UserStore::migrations()));
    add_session_routes(router, users, clock);
    add_event_routes(router, sink);
    router.add("GET", "/healthz", kPublic, [](const Request&) { return ok(boost::json::object{{"status", "ok"}}); });
    storage::User ada;
    ada.login = ada.name = "ada";
    ada.roles = kAdmin;
    static_cast<void>(users.set_password(ada, "correct horse battery", "bench", clock.now()));
    session = users.begin_session("ada", "", clock.now()).value();
    token = users.create_token("ship", kShipper, "bench", clock.now()).value();
    ServerOptions options;
    options.port = 0;
    options.limits.requests_per_connection = 1UL << 40;
    server = Server::start(options, guard, feed).value();
  }
};

House& house() {
  static House made;
  return made;
}

// `clients` connections, each sending its next request when the answer to the last has come.
void requests(benchmark::State& state, const std::string& request, std::size_t work_items) {
  constexpr int kClients = 16;
  constexpr int kPerRound = 100;
  std::vector<test::RawClient> clients;
  for (int i = 0; i < kClients; ++i) clients.emplace_back(house().server->port());
  std::int64_t done = 0;
  for (auto _ : state) {
    for (int i = 0; i < kPerRound; ++i) {
      for (auto& client : clients) client.send(request);
      for (auto& client : clients) {
        if (client.response().status != 200) state.SkipWithError("not 200");
      }
    }
    done += kPerRound * kClients;
  }
  state.SetItemsProcessed(done * static_cast<std::int64_t>(work_items));
}

void HttpPublicGet(benchmark::State& state) { requests(state, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 1); }
BENCHMARK(HttpPublicGet)->Unit(benchmark::kMillisecond)->UseRealTime();

void HttpGetWithSession(benchmark::State& state) {
  requests(state, "GET /v1/session HTTP/1.1\r\nHost: a\r\nCookie: tocsin_session=" + house().session + "\r\n\r\n", 1);
}
BENCHMARK(HttpGetWithSession)->Unit(benchmark::kMillisecond)->UseRealTime();

void HttpEvents(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += R"({"eventID":")" + std::to_string(i) + R"(","eventName":"GetObject"})" "\n";
  requests(state, "POST /v1/events?source=bench HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + house().token +
                  "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, 1000);
}
BENCHMARK(HttpEvents)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace tocsin::engine
