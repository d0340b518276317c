// The HTTP/1.1 server: one network thread that runs coroutines, and a small pool of workers that run the Service.
// It reads strictly (engine/net/gate.hpp), holds every limit below, and never waits for a handler.
//
//   Feed feed;
//   Guard guard(…);                      // a Service: login, roles, routes
//   ServerOptions options;
//   options.port = 0;                    // any free port
//   auto server = Server::start(options, guard, feed);
//   if (!server) …                       // kIo: the address is taken or not ours; kInvalid: the certificate
//   print((*server)->url());             // "http://127.0.0.1:41233"
//   …
//   (*server)->stop();                   // at most stop_grace
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/router.hpp"
#include "engine/api/service.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

// Limits (reliability.md section 8.3). What exceeds one is refused with its own status and counted.
struct ServerLimits {
  std::size_t connections = 1024;
  std::size_t connections_per_ip = 128;              // trusted proxies are not counted
  std::size_t streams = 256;                         // server-sent event streams
  std::size_t requests_per_connection = 10'000;
  std::size_t waiting_jobs = 256;                    // for a worker; more answer 503
  std::size_t body_bytes_in_memory = 256UL << 20;    // of all requests together; more answer 503
  std::chrono::milliseconds head{5'000};             // from a request's first byte to its empty line
  std::chrono::milliseconds idle{60'000};            // between requests of one connection
  std::chrono::milliseconds body_gap{10'000};        // between two reads of a body
  std::size_t body_bytes_per_second = 1024;          // averaged, after the first body_gap
  std::chrono::milliseconds write{20'000};           // for each piece of an answer that is written
  std::chrono::milliseconds tls_handshake{10'000};
  std::chrono::milliseconds heartbeat{15'000};       // of an event stream
  std::chrono::milliseconds stream_life{900'000};    // then the browser connects again, and is asked who it is
  std::chrono::milliseconds stop_grace{10'000};
};

struct ServerOptions {
  std::string address = "127.0.0.1";   // an IP address of this machine; "::" or "0.0.0.0" = all
  std::uint16_t port = 8080;           // 0 = any free port
  std::filesystem::path tls_certificate;  // PEM chain; with tls_key it makes the server speak TLS 1.2 and 1.3 only
  std::filesystem::path tls_key;
  // Addresses of proxies whose X-Forwarded-For (last entry) and X-Forwarded-Proto are believed.
  std::vector<std::string> trusted_proxies;
  // If given, the server listens on this unix socket instead of an address. Its directory is made (mode 0700) and MUST
  // be ours alone; what lies at the path from an earlier run is replaced, so a lock elsewhere MUST keep two from it.
  std::filesystem::path socket;
  unsigned workers = 6;
  ServerLimits limits;
};

class Server {
 public:
  // Binds, listens and starts the threads. `service` and `feed` must outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Service& service,
                                                             Feed& feed);
  ~Server();  // stops
  // Stops listening, lets running requests finish for at most stop_grace, then closes what is left. Idempotent;
  // not from a handler.
  void stop();
  [[nodiscard]] std::uint16_t port() const noexcept;  // 0 on a unix socket
  [[nodiscard]] std::string url() const;  // "http://127.0.0.1:8080", an address that a browser can open

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
