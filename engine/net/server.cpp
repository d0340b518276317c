// Four coroutines: listen (on an address or a unix socket), session, answer by stream, and a job on the pool. All state here belongs to the one
// network thread; what crosses to other threads is the job (its session waits) and the feed's messages (posted).
#include "engine/net/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <spdlog/spdlog.h>

#include "engine/api/url.hpp"
#include "engine/net/gate.hpp"
#include "engine/net/inflate.hpp"
#include "engine/net/local_socket.hpp"
#include "engine/net/wire.hpp"
#include "rules/base/text.hpp"

// g++ 12 takes the frame of a coroutine, which asio allocates and frees by functions of its own, for a mismatch of new and
// delete as soon as one of the two is inlined.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace tocsin::engine {
namespace http = boost::beast::http;
using net::asio::awaitable;
using net::Deadline;
using net::error_code;
using net::kAwait;
using net::Wire;
namespace asio = net::asio;
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kBodyReadSize = 64 * 1024;
constexpr std::size_t kMaxReserve = 4 * 1024 * 1024;  // for a body that is only announced
constexpr std::size_t kMaxStreamBacklog = 256;  // messages; a console that is slower starts anew
constexpr int kBacklog = 1024;
constexpr int kLocalBacklog = 16;

// For every answer that does not bring its own: nothing may be loaded, framed, sniffed or leaked from it.
constexpr std::pair<std::string_view, std::string_view> kSecurityHeaders[] = {
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

Deadline soon(std::chrono::milliseconds wait) { return std::chrono::steady_clock::now() + wait; }

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  // A line break in a value would begin a new field.
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  out += "\r\n";
}

std::string head_of(const Response& response, bool keep_alive, bool encrypted) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out += http::obsolete_reason(static_cast<http::status>(response.status));
  out += "\r\n";
  if (response.event_stream) {
    add_field(out, "Content-Type", "text/event-stream");
    add_field(out, "X-Accel-Buffering", "no");
  } else {
    if (has_body(response.status)) {
      if (!response.body.empty()) add_field(out, "Content-Type", response.content_type);
      add_field(out, "Content-Length", std::to_string(response.body.size()));
    }
  }
  add_field(out, "Connection", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) add_field(out, name, value);
  for (const auto& standard : kSecurityHeaders) {
    const bool own = std::any_of(response.headers.begin(), response.headers.end(),
                                 [&](const auto& header) { return iequals(header.first, standard.first); });
    if (!own) add_field(out, standard.first, standard.second);
  }
  if (encrypted) add_field(out, "Strict-Transport-Security", "max-age=31536000");
  out += "\r\n";
  return out;
}

Response refusal(int status, std::string message, std::string remedy = {}) {
  Error error;
  error.code = status == 408 || status == 503 ? Errc::kBusy : status == 413 ? Errc::kTooLarge : Errc::kInvalid;
  error.message = std::move(message);
  error.remedy = std::move(remedy);
  return problem(status, error);
}

Response refusal(Violation violation) {
  if (violation == Violation::kHeadTooLarge) return refusal(431, "the request's header is larger than 16 KiB");
  return refusal(400, "the request is not strict HTTP/1.1: " + std::string(name(violation)),
                 "send it with an ordinary HTTP library");
}

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& o, Service& s, Feed& f)
      : options(o), service(s), feed(f), pool(std::max(1U, o.workers)), acceptor(io), local(io), backoff(io) {}

  struct Connection {
    Connection(asio::ip::tcp::socket socket, asio::ssl::context* tls) : wire(std::move(socket), tls) {}
    explicit Connection(asio::local::stream_protocol::socket socket) : wire(std::move(socket)) {}
    Wire wire;
    bool idle = true;     // nothing is lost if it is closed now
    bool counted = false; // in per_ip
  };

  const ServerOptions options;
  Service& service;
  Feed& feed;

  // Of the network thread. They stand before `io`, whose end destroys coroutines that still count in them.
  std::unordered_map<std::string, std::size_t> per_ip;
  std::size_t jobs = 0;
  std::size_t streams = 0;
  std::size_t body_bytes = 0;
  bool stopping = false;

  asio::io_context io{1};
  asio::thread_pool pool;
  asio::ip::tcp::acceptor acceptor;
  asio::local::stream_protocol::acceptor local;
  asio::steady_timer backoff;
  std::optional<asio::ssl::context> tls;
  std::thread thread;
  std::uint16_t port = 0;

  std::set<Connection*> live;  // of the network thread

  std::mutex mutex;
  std::condition_variable gone;
  std::size_t open = 0;  // guarded by mutex: connections, for stop() to wait on
  bool stopped = false;  // guarded by mutex

  // Keeps a number right however its scope ends.
  class Counted {
   public:
    explicit Counted(std::size_t& number, std::size_t by = 0) : number_(number), by_(by) { number_ += by_; }
    ~Counted() { number_ -= by_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    void add(std::size_t by) {
      number_ += by;
      by_ += by;
    }

   private:
    std::size_t& number_;
    std::size_t by_;
  };

  bool trusted(const std::string& ip) const {
    return std::find(options.trusted_proxies.begin(), options.trusted_proxies.end(), ip) !=
           options.trusted_proxies.end();
  }

  // True if accepting failed; waits a little, so that connections that are there can end (out of descriptors, most likely).
  awaitable<bool> failed(error_code ec) {
    if (!ec) co_return false;
    if (ec != asio::error::connection_aborted) {
      spdlog::warn("accepting connections: {}", ec.message());
      service.refused("accept");
      backoff.expires_after(std::chrono::milliseconds(100));
      auto [waited] = co_await backoff.async_wait(kAwait);
      static_cast<void>(waited);
    }
    co_return true;
  }

  awaitable<void> listen() {
    while (!stopping) {
      auto [ec, socket] = co_await acceptor.async_accept(kAwait);
      if (stopping) break;
      const bool none = co_await failed(ec);
      if (!none) welcome(std::make_shared<Connection>(std::move(socket), tls ? &*tls : nullptr));
    }
  }

  awaitable<void> listen_local() {
    while (!stopping) {
      auto [ec, socket] = co_await local.async_accept(kAwait);
      if (stopping) break;
      const bool none = co_await failed(ec);
      if (!none) welcome(std::make_shared<Connection>(std::move(socket)));
    }
  }

  void welcome(const std::shared_ptr<Connection>& connection) {
    const std::string& ip = connection->wire.peer();
    const bool counted = !ip.empty() && !trusted(ip);
    if (live.size() >= options.limits.connections) {
      service.refused("connections");
      return;
    }
    if (counted && per_ip[ip] >= options.limits.connections_per_ip) {
      service.refused("connections_per_ip");
      return;
    }
    connection->counted = counted;
    if (counted) ++per_ip[ip];
    live.insert(connection.get());
    {
      const std::lock_guard lock(mutex);
      ++open;
    }
    service.connections(+1);
    asio::co_spawn(io, session(connection), [this, connection](std::exception_ptr thrown) {
      if (thrown) spdlog::error("a connection ended by an exception");
      ended(*connection);
    });
  }

  void ended(Connection& connection) {
    connection.wire.abort();
    live.erase(&connection);
    if (connection.counted) {
      const auto it = per_ip.find(connection.wire.peer());
      if (it != per_ip.end() && --it->second == 0) per_ip.erase(it);
    }
    service.connections(-1);
    const std::lock_guard lock(mutex);
    --open;
    gone.notify_all();
  }

  // Runs `job` on the pool; false if too many wait already.
  awaitable<bool> on_pool(const std::function<void()>& job) {
    if (jobs >= options.limits.waiting_jobs + options.workers) co_return false;
    const Counted waiting(jobs, 1);
    auto running = run(&job);
    co_await asio::co_spawn(pool.get_executor(), std::move(running), asio::use_awaitable);
    co_return true;
  }
  static awaitable<void> run(const std::function<void()>* job) {
    (*job)();
    co_return;
  }

  // The head as a Request. Beast reads it a second time: what it refuses is refused, too.
  static Result<Request> read_head(std::string_view head) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(kMaxHead + 1));
    parser.skip(true);
    error_code ec;
    parser.put(asio::const_buffer(head.data(), head.size()), ec);
    if (ec || !parser.is_header_done()) return fail(Errc::kInvalid, "the header cannot be read");
    const auto& message = parser.get();
    const auto text_of_view = [](const auto& view) { return std::string(view.data(), view.size()); };
    Request request;
    request.method = text_of_view(message.method_string());
    auto target = parse_target(std::string_view(message.target().data(), message.target().size()));
    if (!target) return pass(std::move(target));
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    for (const auto& field : message) {
      std::string& value = request.headers[to_lower(text_of_view(field.name_string()))];
      if (!value.empty()) value += ", ";
      value += text_of_view(field.value());
    }
    return request;
  }

  void identify(const Wire& wire, Request& request) const {
    request.client_ip = wire.peer();
    request.peer_uid = wire.peer_uid();
    request.encrypted = wire.encrypted();
    if (!trusted(wire.peer())) return;
    const std::string forwarded = request.header("x-forwarded-for");
    const std::size_t comma = forwarded.rfind(',');
    const std::string last(trim(comma == std::string::npos ? forwarded : forwarded.substr(comma + 1)));
    error_code ec;
    const auto address = asio::ip::make_address(last, ec);
    if (!ec) request.client_ip = address.to_string();
    if (iequals(request.header("x-forwarded-proto"), "https")) request.encrypted = true;
  }

  awaitable<void> refuse(Connection& connection, std::string_view reason, const Response& response) {
    service.refused(reason);
    const std::string bytes = head_of(response, false, connection.wire.encrypted()) + response.body;
    const error_code ec = co_await connection.wire.write(bytes, options.limits.write);
    if (!ec) co_await connection.wire.close(true);
  }

  // Reads a whole body into `request.body`; a Response if it has to be refused, in which case the connection is
  // not usable any more. `arrived` holds what came with the head, and afterwards what belongs to the next request.
  awaitable<std::optional<Response>> read_body(Connection& connection, const MessageFraming& head, std::size_t limit,
                                               std::string& arrived, Request& request, Counted& held) {
    const ServerLimits& limits = options.limits;
    std::optional<Inflater> inflater;
    const std::string coding = to_lower(trim(request.header("content-encoding")));
    if (coding == "gzip" || coding == "x-gzip") {
      inflater.emplace(limit);
    } else if (!coding.empty() && coding != "identity") {
      co_return refusal(415, "the body's encoding is not understood", "send it plain or with Content-Encoding: gzip");
    }
    const auto too_large = [limit] {
      return refusal(413, "the body is larger than " + std::to_string(limit) + " bytes; nothing of it was stored",
                     "send smaller batches");
    };
    if (head.length > limit) co_return too_large();
    if (head.expects_continue && arrived.empty()) {
      const error_code ec = co_await connection.wire.write("HTTP/1.1 100 Continue\r\n\r\n", limits.write);
      if (ec) co_return refusal(400, "the connection ended");
    }
    if (!inflater) request.body.reserve(std::min(static_cast<std::size_t>(head.length), kMaxReserve));

    BodyFraming framing(head);
    const Deadline began = std::chrono::steady_clock::now();
    std::size_t raw = 0, position = 0;
    while (!framing.done()) {
      if (position == arrived.size()) {
        arrived.clear();
        position = 0;
        const error_code ec = co_await connection.wire.read(arrived, kBodyReadSize, soon(limits.body_gap));
        if (ec == net::kTimedOut) {
          service.refused("body_timeout");
          co_return refusal(408, "the body did not arrive in time; nothing of it was stored", "send it again");
        }
        if (ec) {
          service.refused("body_cut");
          co_return refusal(400, "the body ended too early; nothing of it was stored", "send it again");
        }
        const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                                 began);
        if (spent > limits.body_gap) {
          const auto due = static_cast<std::size_t>((spent - limits.body_gap).count()) *
                           limits.body_bytes_per_second / 1000;
          if (raw + arrived.size() < due) {
            service.refused("body_too_slow");
            co_return refusal(408, "the body arrives too slowly; nothing of it was stored", "send it again");
          }
        }
      }
      const std::size_t before = request.body.size();
      auto step = framing.take(std::string_view(arrived).substr(position));
      if (!step) {
        service.refused(name(step.error()));
        co_return refusal(step.error());
      }
      position += step->used;
      raw += step->data.size();
      if (raw > limit) co_return too_large();
      if (inflater) {
        auto added = inflater->add(step->data, request.body);
        if (!added) co_return problem(added.error());
      } else {
        request.body.append(step->data);
      }
      held.add(request.body.size() - before);
      if (body_bytes > limits.body_bytes_in_memory) {
        service.refused("memory");
        co_return refusal(503, "too much is being received at the same time; nothing of this was stored",
                          "send it again in a few seconds");
      }
    }
    arrived.erase(0, position);
    if (inflater) {
      auto finished = inflater->finish();
      // Read to its end, so the connection stays usable; but refused it is.
      if (!finished) co_return problem(finished.error());
      request.headers.erase("content-encoding");
    }
    co_return std::nullopt;
  }

  awaitable<void> session(std::shared_ptr<Connection> connection) {
    Wire& wire = connection->wire;
    const ServerLimits& limits = options.limits;
    const error_code shaken = co_await wire.handshake(limits.tls_handshake);
    if (shaken) {
      service.refused("tls");
      co_return;
    }
    std::string arrived;
    for (std::size_t served = 1;; ++served) {
      // 1. The head, raw.
      std::size_t checked = 0, head_size = 0;
      connection->idle = arrived.empty();
      Deadline until = soon(arrived.empty() ? limits.idle : limits.head);
      while (head_size == 0) {
        auto found = find_head(arrived, checked);
        if (!found) {
          const Response no = refusal(found.error());
          co_await refuse(*connection, name(found.error()), no);
          co_return;
        }
        if (*found) {
          head_size = **found;
          break;
        }
        if (stopping && arrived.empty()) co_return;
        const bool first = arrived.empty();
        const error_code ec = co_await wire.read(arrived, kReadSize, until);
        if (ec) {
          if (ec == net::kTimedOut && !arrived.empty()) {
            const Response no = refusal(408, "the header did not arrive in time");
            co_await refuse(*connection, "head_timeout", no);
          } else {
            co_await wire.close(false);
          }
          co_return;
        }
        connection->idle = false;
        if (first) until = soon(limits.head);
      }
      // 2. The gate, then the parser.
      const std::string_view head = std::string_view(arrived).substr(0, head_size);
      const auto framing = gate(head);
      if (!framing) {
        const Response no = refusal(framing.error());
        co_await refuse(*connection, name(framing.error()), no);
        co_return;
      }
      auto read = read_head(head);
      if (!read) {
        const Response no = problem(read.error().code == Errc::kTooLarge ? 414 : 400, read.error());
        co_await refuse(*connection, "target", no);
        co_return;
      }
      Request request = std::move(*read);
      arrived.erase(0, head_size);
      identify(wire, request);

      // 3. Admission, body, answer.
      Response response;
      bool usable = true;  // the connection stands at the beginning of the next request
      Counted held(body_bytes);
      const std::string expectation = request.header("expect");
      if (!expectation.empty() && !framing->expects_continue) {
        response = refusal(417, "only 'Expect: 100-continue' is understood");
        usable = !framing->has_body();
      } else {
        Service::Admission admission;
        const bool body_follows = framing->has_body();
        const std::function<void()> begin = [&] {
          admission = service.admit(request);
          if (!admission.refusal && !body_follows) response = service.handle(request);
        };
        const bool admitted = co_await on_pool(begin);
        if (!admitted) {
          service.refused("workers");
          response = refusal(503, "too many requests wait already", "try again in a few seconds");
          usable = !body_follows;
        } else if (admission.refusal) {
          response = std::move(*admission.refusal);
          usable = !body_follows;
        } else if (body_follows) {
          auto refused = co_await read_body(*connection, *framing, admission.body_limit, arrived, request, held);
          if (refused) {
            response = std::move(*refused);
            usable = false;
          } else {
            const std::function<void()> work = [&] { response = service.handle(request); };
            const bool done = co_await on_pool(work);
            if (!done) {
              service.refused("workers");
              response = refusal(503, "too many requests wait already", "try again in a few seconds");
            }
          }
        }
      }
      const bool keep = usable && framing->keep_alive && !stopping && served < limits.requests_per_connection;
      if (response.event_stream && response.status == 200 && request.method == "GET") {
        if (streams < limits.streams) {
          co_await stream(*connection, response);
          co_return;
        }
        response = refusal(503, "too many consoles listen already", "close some of them");
      }
      const bool body_wanted = request.method != "HEAD" && has_body(response.status);
      std::string bytes = head_of(response, keep, request.encrypted);
      error_code ec;
      if (body_wanted && response.body.size() <= kReadSize) {
        bytes += response.body;
        ec = co_await wire.write(bytes, limits.write);
      } else {
        ec = co_await wire.write(bytes, limits.write);
        if (!ec && body_wanted) ec = co_await wire.write(response.body, limits.write);
      }
      if (ec) co_return;
      if (!keep) {
        co_await wire.close(!usable);
        co_return;
      }
    }
  }

  // What a listener of the feed leaves for its stream. Of the network thread, but for its making.
  struct Inbox {
    explicit Inbox(asio::io_context& context) : wake(context) {}
    asio::steady_timer wake;
    std::deque<std::string> messages;
    bool lost = false;
  };

  awaitable<void> stream(Connection& connection, const Response& response) {
    const Counted counted(streams, 1);
    auto inbox = std::make_shared<Inbox>(io);
    const std::weak_ptr<Inbox> weak = inbox;
    asio::io_context& context = io;
    auto listening = feed.listen([weak, &context](const std::string& event, const std::string& data) {
      std::string message = "event: " + event + "\ndata: " + data + "\n\n";
      asio::post(context, [weak, message = std::move(message)]() mutable {
        const auto box = weak.lock();
        if (!box) return;
        const auto& waiting = box->messages;
        if (std::find(waiting.begin(), waiting.end(), message) != waiting.end()) return;
        if (waiting.size() >= kMaxStreamBacklog) box->lost = true;
        else box->messages.push_back(std::move(message));
        box->wake.cancel();
      });
    });
    connection.idle = true;
    const Deadline end = soon(options.limits.stream_life);
    std::string bytes = head_of(response, false, connection.wire.encrypted()) + "retry: 2000\n: welcome\n\n";
    while (!stopping && !inbox->lost) {
      const error_code ec = co_await connection.wire.write(bytes, options.limits.write);
      if (ec || std::chrono::steady_clock::now() >= end) break;
      if (inbox->messages.empty()) {
        inbox->wake.expires_after(options.limits.heartbeat);
        auto [waited] = co_await inbox->wake.async_wait(kAwait);
        static_cast<void>(waited);
      }
      bytes.clear();
      for (const std::string& message : inbox->messages) bytes += message;
      inbox->messages.clear();
      if (bytes.empty()) bytes = ": beat\n\n";
    }
    co_await connection.wire.close(false);
  }

  Result<void> start() {
    if (!options.socket.empty()) {
      if (auto bound = bind_local(); !bound) return bound;
      run_loop();
      return {};
    }
    error_code ec;
    const auto address = asio::ip::make_address(options.address, ec);
    if (ec) {
      return fail(Errc::kInvalid, "'" + printable(options.address, 64) + "' is not an IP address", "listen",
                  "use 127.0.0.1 for this machine only, 0.0.0.0 or :: for all networks");
    }
    if (options.tls_certificate.empty() != options.tls_key.empty()) {
      return fail(Errc::kInvalid, "a certificate needs its key, and a key its certificate", "tls");
    }
    if (!options.tls_certificate.empty()) {
      tls.emplace(asio::ssl::context::tls_server);
      tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                       asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                       asio::ssl::context::single_dh_use);
      SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
      tls->use_certificate_chain_file(options.tls_certificate.string(), ec);
      if (ec) return fail(Errc::kInvalid, "cannot read the certificate: " + ec.message(), options.tls_certificate);
      tls->use_private_key_file(options.tls_key.string(), asio::ssl::context::pem, ec);
      if (ec) return fail(Errc::kInvalid, "the key does not fit: " + ec.message(), options.tls_key);
    }
    if (auto bound = bind(address); !bound) return bound;
    run_loop();
    return {};
  }

  Result<void> bind(const asio::ip::address& address) {
    error_code ec;
    const asio::ip::tcp::endpoint endpoint(address, options.port);
    const std::string where = options.address + ":" + std::to_string(options.port);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec && address.is_v6()) acceptor.set_option(asio::ip::v6_only(false), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(kBacklog, ec);
    if (ec) {
      return fail(Errc::kIo, "cannot listen: " + ec.message(), where,
                  ec == asio::error::address_in_use ? "another program uses this port: stop it, or choose another" : "");
    }
    port = acceptor.local_endpoint(ec).port();
    asio::co_spawn(io, listen(), said);
    return {};
  }

  // On a unix socket. Its directory keeps others out from the first moment on; the socket's own mode does besides.
  Result<void> bind_local() {
    const std::filesystem::path folder = options.socket.parent_path();
    auto ours = own_folder(folder);
    if (!ours) return pass(std::move(ours));
    const SocketPlace place(folder, options.socket.filename());
    if (place.error != 0) return fail(Errc::kIo, std::string("cannot open: ") + std::strerror(place.error), folder.string());
    if (place.path.size() >= kMaxSocketPath) return fail(Errc::kInvalid, "the name of the control socket is too long", options.socket.string());
    static_cast<void>(::unlink(place.path.c_str()));  // of a run that was killed
    error_code ec;
    local.open(asio::local::stream_protocol(), ec);
    if (!ec) local.bind(asio::local::stream_protocol::endpoint(place.path), ec);
    if (!ec && ::chmod(place.path.c_str(), S_IRUSR | S_IWUSR) != 0) ec = error_code(errno, boost::system::system_category());
    if (!ec) local.listen(kLocalBacklog, ec);
    if (ec) return fail(Errc::kIo, "cannot listen: " + ec.message(), options.socket.string());
    asio::co_spawn(io, listen_local(), said);
    return {};
  }

  static void said(std::exception_ptr thrown) {
    if (thrown) spdlog::error("listening ended by an exception");
  }

  void run_loop() {
    thread = std::thread([this] {
      for (;;) {
        try {
          io.run();
          return;
        } catch (...) {
          spdlog::error("an exception reached the network loop");
        }
      }
    });
  }

  void close_idle(bool all) {
    for (Connection* connection : live) {
      if (all || connection->idle) connection->wire.abort();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      if (stopped) return;
      stopped = true;
    }
    if (!thread.joinable()) return;
    asio::post(io, [this] {
      stopping = true;
      error_code ignored;
      acceptor.close(ignored);
      local.close(ignored);
      if (!options.socket.empty()) {
        std::error_code removed;
        std::filesystem::remove(options.socket, removed);
      }
      backoff.cancel();
      close_idle(false);
    });
    {
      std::unique_lock lock(mutex);
      const bool all_gone = gone.wait_for(lock, options.limits.stop_grace, [this] { return open == 0; });
      if (!all_gone) {
        lock.unlock();
        asio::post(io, [this] { close_idle(true); });
        lock.lock();
        gone.wait_for(lock, std::chrono::seconds(1), [this] { return open == 0; });
      }
    }
    // Jobs refer to their sessions: they end before the loop and its coroutines do.
    pool.join();
    io.stop();
    thread.join();
  }
};

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { stop(); }
void Server::stop() { impl_->stop(); }
std::uint16_t Server::port() const noexcept { return impl_->port; }

std::string Server::url() const {
  std::string host = impl_->options.address;
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (impl_->tls ? "https://" : "http://") + host + ":" + std::to_string(impl_->port);
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Service& service, Feed& feed) {
  auto impl = std::make_shared<Impl>(options, service, feed);
  if (auto started = impl->start(); !started) return pass(std::move(started));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace tocsin::engine
