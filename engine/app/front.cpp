// One question after the other; what comes back is read as the API's JSON, problems as errors.
#include "engine/app/front.hpp"

#include <unistd.h>

#include "engine/api/local_guard.hpp"
#include "engine/api/url.hpp"
#include "engine/net/local_client.hpp"

namespace tocsin::engine {

namespace json = boost::json;

namespace {

Errc code_of(int status) {
  switch (status) {
    case 400: case 405: case 415: return Errc::kInvalid;
    case 401: return Errc::kUnauthorised;
    case 403: return Errc::kForbidden;
    case 404: return Errc::kNotFound;
    case 409: return Errc::kConflict;
    case 413: return Errc::kTooLarge;
    case 422: return Errc::kUnsupported;
    case 429: return Errc::kBusy;
    case 503: return Errc::kUnavailable;
    default: return Errc::kInternal;
  }
}

Result<json::value> read_answer(int status, const std::string& body) {
  json::value value;
  if (!body.empty()) {
    boost::system::error_code ec;
    value = json::parse(body, ec);
    if (ec) return fail(Errc::kCorrupt, "the engine's answer is not JSON: " + ec.message());
  }
  if (status >= 200 && status < 300) return value;
  const auto text = [&](const char* key) {
    const json::object* object = value.if_object();
    const json::value* member = object == nullptr ? nullptr : object->if_contains(key);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
  };
  std::string message = text("detail");
  if (message.empty()) message = text("title");
  if (message.empty()) message = "the engine answered " + std::to_string(status);
  return fail(code_of(status), std::move(message), {}, text("remedy"));
}

}  // namespace

Front::Front(std::shared_ptr<void> stands_on, std::shared_ptr<const Router> router)
    : stands_on_(std::move(stands_on)), router_(std::move(router)) {}

Result<Front> Front::beside(const std::filesystem::path& data) {
  Front out;
  out.socket_ = data / kControlFolder / kControlSocket;
  auto there = ask_local(out.socket_, "GET", "/v1/local", "", kLocalConnect);
  if (!there) return pass(std::move(there));
  auto understood = read_answer(there->status, there->body);
  if (!understood) return pass(std::move(understood));
  return out;
}

Result<json::value> Front::call(const std::string& method, const std::string& target, const json::object* body) const {
  return send(method, target, body == nullptr ? std::string() : json::serialize(*body));
}

Result<json::value> Front::send(const std::string& method, const std::string& target, std::string body) const {
  if (router_ == nullptr) {
    auto answer = ask_local(socket_, method, target, body, kPatience);
    if (!answer) return pass(std::move(answer));
    return read_answer(answer->status, answer->body);
  }
  auto parsed = parse_target(target);
  if (!parsed) return pass(std::move(parsed));
  Request request;
  request.method = method;
  request.path = std::move(parsed->path);
  request.query = std::move(parsed->query);
  request.body = std::move(body);
  request.peer_uid = static_cast<std::uint32_t>(::getuid());
  request.who = local_operator(*request.peer_uid);
  const Response response = router_->handle(request);
  return read_answer(response.status, response.body);
}

std::string target_of(const std::string& path, std::initializer_list<std::pair<const char*, std::string>> query) {
  std::string out = path;
  char mark = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    out += mark + std::string(name) + "=" + percent_encode(value);
    mark = '&';
  }
  return out;
}

}  // namespace tocsin::engine
