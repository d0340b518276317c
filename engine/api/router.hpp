// From request to response, without sockets: what a handler sees, what it answers, and who may call it.
// engine/net turns bytes into Requests and Responses into bytes; everything here is plain blocking code
// that runs on a pool of workers, so handlers must be safe to call from several threads.
#pragma once

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
  Principal who;
  // The body as a JSON object; an Error (kInvalid) that says what is wrong with it otherwise.
  [[nodiscard]] Result<boost::json::object> json() const;
  [[nodiscard]] std::string param(const std::string& name) const;
  [[nodiscard]] std::string query_or(const std::string& name, std::string fallback) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool event_stream = false;  // answer with server-sent events from the Feed instead of `body`
};

[[nodiscard]] Response ok(const boost::json::value& body, int status = 200);
// RFC 9457 problem details: {"type", "title", "status", "detail", "remedy"}; the status follows the code.
[[nodiscard]] Response problem(const Error& error);

using Handler = std::function<Response(const Request&)>;

// Routes by method and path template ("/v1/alerts/{id}/triage"). Build once at start, then read only.
class Router {
 public:
  void add(std::string method, std::string path, unsigned roles, Handler handler);
  // The answer to a request whose principal is already set. 404, 405 (with Allow), 401 or 403 where no
  // handler may run; exceptions of a handler become 500 without detail.
  [[nodiscard]] Response handle(Request& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> parts;
    unsigned roles;
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
