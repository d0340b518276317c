// From request to response, without sockets: what a handler sees, what it answers, and who may call it.
// engine/net turns bytes into Requests and Responses into bytes; everything here is plain blocking code
// that runs on a pool of workers, so handlers must be safe to call from several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "rules/base/result.hpp"

namespace tocsin::engine {

// Roles are bits: a user may have several. An admin manages users and settings, and may not by that alone
// approve a notice.
enum Role : unsigned {
  kNobody = 0, kAnalyst = 1, kApprover = 2, kManager = 4, kAdmin = 8,
  kAnyUser = kAnalyst | kApprover | kManager | kAdmin,
  kShipper = 16,  // an API token that may only send events
  kPublic = 1U << 31  // no login at all: health, login, portal
};

// Who asks. `login` is empty for public calls; for a token it is "token:NAME".
struct Principal {
  std::string login;
  std::string name;
  unsigned roles = kNobody;
  [[nodiscard]] bool has(unsigned any_of) const noexcept { return (roles & any_of) != 0; }
};

struct Request {
  std::string method;   // upper case
  std::string path;     // percent-decoded, without the query
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::map<std::string, std::string> params;   // from the route: {id}
  std::string body;     // decoded from its Content-Encoding
  std::string client_ip;
  std::optional<std::uint32_t> peer_uid;       // of a local socket: who is at its other end, as the kernel says
  Principal who;
  std::string route;       // the template that matched ("/v1/alerts/{id}"); empty until then
  bool encrypted = false;  // came over TLS: cookies get `Secure`
  // The body as a JSON object; an Error (kInvalid) that says what is wrong with it otherwise. At most
  // kMaxJson bytes, kMaxJsonDepth deep, no member twice, valid UTF-8 (reliability.md section 8.3).
  [[nodiscard]] Result<boost::json::object> json() const;
  [[nodiscard]] std::string param(const std::string& name) const;   // empty if the route has no such part
  [[nodiscard]] std::string query_or(const std::string& name, std::string fallback) const;
  [[nodiscard]] std::string header(const std::string& lower_case_name) const;  // empty if absent
};

inline constexpr std::size_t kMaxJson = 256 * 1024;
inline constexpr std::size_t kMaxJsonDepth = 64;

// Members of a JSON body, with errors fit for the caller: "'login' must be a text".
[[nodiscard]] Result<std::string> text_of(const boost::json::object& object, std::string_view key);  // required
[[nodiscard]] Result<std::optional<std::string>> maybe_text_of(const boost::json::object& object, std::string_view key);
[[nodiscard]] Result<std::optional<bool>> maybe_bool_of(const boost::json::object& object, std::string_view key);
// A list of texts, required, at most `limit` of them.
[[nodiscard]] Result<std::vector<std::string>> texts_of(const boost::json::object& object, std::string_view key,
                                                        std::size_t limit);
// A whole number of the query between 0 and `most`; `fallback` if it is absent.
[[nodiscard]] Result<std::uint64_t> number_of(const Request& request, const std::string& name,
                                              std::uint64_t fallback, std::uint64_t most);

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool event_stream = false;  // answer with server-sent events from the Feed instead of `body`
};

[[nodiscard]] Response ok(const boost::json::value& body, int status = 200);
// {"items": […], "next": null | "cursor"}: the shape of every list.
[[nodiscard]] Response ok_list(boost::json::array items, std::optional<std::string> next = std::nullopt);
// RFC 9457 problem details: {"type", "title", "status", "detail", "remedy"}; the status follows the code.
// kBusy answers 429 and kUnavailable 503, both with Retry-After. An internal fault tells no detail.
[[nodiscard]] Response problem(const Error& error);
// The same with a status that the code does not say (408, 415, 507 …).
[[nodiscard]] Response problem(int status, const Error& error);
// The HTTP status that problem() would use.
[[nodiscard]] int status_of(Errc code) noexcept;

using Handler = std::function<Response(const Request&)>;

inline constexpr std::size_t kDefaultBodyLimit = 1024 * 1024;

// Routes by method and path template ("/v1/alerts/{id}/triage"; "{rest...}" as the last part takes all that
// follows). A fixed part wins over a named one. Build once at start, then read only: then any thread may call.
class Router {
 public:
  // `roles`: any of them opens the route; with kPublic nobody needs to log in. `body_limit` is in bytes after
  // decoding; a larger body is refused before it is stored anywhere.
  void add(std::string method, std::string path, unsigned roles, Handler handler,
           std::size_t body_limit = kDefaultBodyLimit);
  // What can be said of a request before its body is read: sets request.route and request.params.
  struct Found {
    const Handler* handler = nullptr;
    unsigned roles = kNobody;
    std::size_t body_limit = 0;
    std::optional<Response> refusal;  // 404, or 405 with Allow
  };
  [[nodiscard]] Found find(Request& request) const;
  // 401 or 403 if `who` may not use a route of these roles.
  [[nodiscard]] static std::optional<Response> refuse(const Principal& who, unsigned roles);
  // Runs a handler; its exceptions become 500 without detail.
  [[nodiscard]] static Response run(const Handler& handler, const Request& request);
  // The answer to a request whose principal is already set. 404, 405 (with Allow), 401 or 403 where no
  // handler may run; exceptions of a handler become 500 without detail.
  [[nodiscard]] Response handle(Request& request) const;

  struct Listed {
    std::string method, path;
    unsigned roles;
  };
  [[nodiscard]] std::vector<Listed> list() const;  // in the order of add()

 private:
  struct Route {
    std::string method;
    std::string path;
    std::vector<std::string> parts;
    unsigned roles;
    std::size_t body_limit;
    Handler handler;
  };
  std::vector<Route> routes_;
};

// Live updates: who changes something says so here, and every open console hears it (server-sent events).
// Thread-safe; never blocks the teller. A message names what changed, never its content.
class Feed {
 public:
  Feed();
  ~Feed();
  // kind: "alert", "incident", "notice", "task", "source", "overview"; id as in the API.
  void tell(std::string_view kind, std::string_view id);
  // Calls `listener` for each message from now on, from the teller's thread; it must only post. The
  // returned handle ends the subscription when it is destroyed.
  [[nodiscard]] std::shared_ptr<void> listen(std::function<void(std::string event, std::string data)> listener);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
