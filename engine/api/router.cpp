// Routes, JSON bodies and problem details.
#include "engine/api/router.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <typeinfo>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

// Boost.JSON keeps the last of two members of the same name. Two readers of one document must not be able to
// see different values, so the colons outside of texts are counted against the members that were kept.
std::size_t count_colons(std::string_view text) noexcept {
  std::size_t count = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ':' && !quoted) {
      ++count;
    }
  }
  return count;
}

std::size_t count_members(const json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    count += object->size();
    for (const auto& member : *object) count += count_members(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) count += count_members(element);
  }
  return count;
}

std::string_view title_of(int status) noexcept {
  switch (status) {
    case 400: return "The request is not valid";
    case 401: return "Log in first";
    case 403: return "Not allowed";
    case 404: return "Not found";
    case 405: return "Not possible here";
    case 408: return "The request took too long";
    case 409: return "Not possible in this state";
    case 413: return "Too large";
    case 414: return "The address is too long";
    case 415: return "Not a format that is understood";
    case 417: return "Expectation not met";
    case 422: return "Not supported";
    case 429: return "Too many requests";
    case 431: return "The header is too large";
    case 501: return "Not supported";
    case 503: return "Not available now";
    case 507: return "No space left";
    default: return status >= 500 ? "Something failed inside Tocsin" : "The request failed";
  }
}

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out;
  for (const std::string_view part : split(path.substr(path.empty() ? 0 : 1), '/')) out.emplace_back(part);
  return out;
}

bool is_named(std::string_view part) noexcept { return part.size() > 2 && part.front() == '{' && part.back() == '}'; }
bool is_rest(std::string_view part) noexcept { return part.size() > 5 && part.ends_with("...}"); }

// How well a template fits: nullopt = not at all; more fixed parts = better.
std::optional<std::size_t> fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  const bool rest = is_rest(pattern.back());
  if (rest ? path.size() < pattern.size() : path.size() != pattern.size()) return std::nullopt;
  std::size_t score = rest ? 0 : 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_named(pattern[i])) {
      if (path[i].empty()) return std::nullopt;
    } else if (pattern[i] == path[i]) {
      score += 2;
    } else {
      return std::nullopt;
    }
  }
  return score;
}

tl::unexpected<Error> wrong(std::string_view key, std::string_view what) {
  return fail(Errc::kInvalid, "'" + std::string(key) + "' " + std::string(what));
}

}  // namespace

Result<json::object> Request::json() const {
  if (body.size() > kMaxJson) return fail(Errc::kTooLarge, "the JSON body is larger than 256 KiB");
  // A form that another site's page sends carries another type; a JSON body has to say so.
  if (const auto type = headers.find("content-type"); type != headers.end()) {
    const std::string_view media = trim(std::string_view(type->second).substr(0, type->second.find(';')));
    if (!iequals(media, "application/json")) {
      return fail(Errc::kInvalid, "the body must be JSON", "Content-Type", "send Content-Type: application/json");
    }
  }
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::system::error_code ec;
  json::value value = json::parse(body, ec, {}, options);
  if (ec) return fail(Errc::kInvalid, "the body is not valid JSON: " + ec.message());
  if (!value.is_object()) return fail(Errc::kInvalid, "the body must be a JSON object");
  if (count_members(value) != count_colons(body)) {
    return fail(Errc::kInvalid, "the JSON body names a member twice");
  }
  return std::move(value.get_object());
}

std::string Request::param(const std::string& name) const {
  const auto it = params.find(name);
  return it == params.end() ? std::string() : it->second;
}

std::string Request::query_or(const std::string& name, std::string fallback) const {
  const auto it = query.find(name);
  return it == query.end() ? std::move(fallback) : it->second;
}

std::string Request::header(const std::string& lower_case_name) const {
  const auto it = headers.find(lower_case_name);
  return it == headers.end() ? std::string() : it->second;
}

Result<std::string> text_of(const json::object& object, std::string_view key) {
  auto text = maybe_text_of(object, key);
  if (!text) return pass(std::move(text));
  if (!*text) return wrong(key, "is missing");
  return std::move(**text);
}

Result<std::optional<std::string>> maybe_text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  const json::string* text = value->if_string();
  if (text == nullptr) return wrong(key, "must be a text");
  return std::string(text->data(), text->size());
}

Result<std::optional<bool>> maybe_bool_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  const bool* flag = value->if_bool();
  if (flag == nullptr) return wrong(key, "must be true or false");
  return *flag;
}

Result<std::vector<std::string>> texts_of(const json::object& object, std::string_view key, std::size_t limit) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return wrong(key, "is missing");
  const json::array* array = value->if_array();
  if (array == nullptr) return wrong(key, "must be a list of texts");
  if (array->size() > limit) return wrong(key, "may hold at most " + std::to_string(limit) + " entries");
  std::vector<std::string> out;
  out.reserve(array->size());
  for (const json::value& element : *array) {
    const json::string* text = element.if_string();
    if (text == nullptr) return wrong(key, "must be a list of texts");
    out.emplace_back(text->data(), text->size());
  }
  return out;
}

Result<std::uint64_t> number_of(const Request& request, const std::string& name, std::uint64_t fallback,
                                std::uint64_t most) {
  const auto it = request.query.find(name);
  if (it == request.query.end()) return fallback;
  std::uint64_t number = 0;
  const char* end = it->second.data() + it->second.size();
  const auto [stop, ec] = std::from_chars(it->second.data(), end, number);
  if (ec != std::errc() || stop != end || number > most) {
    return wrong(name, "must be a whole number between 0 and " + std::to_string(most));
  }
  return number;
}

Response ok(const json::value& body, int status) {
  Response response;
  response.status = status;
  response.body = json::serialize(body);
  return response;
}

Response ok_list(json::array items, std::optional<std::string> next) {
  json::object body;
  body["items"] = std::move(items);
  body["next"] = next ? json::value(*next) : json::value(nullptr);
  return ok(body);
}

int status_of(Errc code) noexcept {
  switch (code) {
    case Errc::kInvalid: return 400;
    case Errc::kNotFound: return 404;
    case Errc::kConflict: return 409;
    case Errc::kForbidden: return 403;
    case Errc::kUnauthorised: return 401;
    case Errc::kTooLarge: return 413;
    case Errc::kBusy: return 429;
    case Errc::kUnavailable: return 503;
    case Errc::kUnsupported: return 422;
    case Errc::kIo:
    case Errc::kCorrupt:
    case Errc::kInternal: return 500;
  }
  return 500;
}

Response problem(const Error& error) { return problem(status_of(error.code), error); }

Response problem(int status, const Error& error) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  json::object body;
  body["type"] = "urn:tocsin:problem:" + std::string(name(error.code));
  body["title"] = title_of(status);
  body["status"] = status;
  // What went wrong inside is for the log; a stranger learns that it did.
  const bool inside = error.code == Errc::kInternal;
  std::string detail = inside ? std::string("The request could not be completed.") : error.message;
  if (!inside && status < 500 && !error.where.empty()) detail = error.where + ": " + detail;
  body["detail"] = to_utf8(detail);
  body["remedy"] = error.remedy.empty() ? json::value(nullptr) : json::value(to_utf8(error.remedy));
  response.body = json::serialize(body);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "2");
  return response;
}

void Router::add(std::string method, std::string path, unsigned roles, Handler handler, std::size_t body_limit) {
  auto parts = parts_of(path);
  routes_.push_back({std::move(method), std::move(path), std::move(parts), roles, body_limit, std::move(handler)});
}

Router::Found Router::find(Request& request) const {
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  const std::vector<std::string> path = parts_of(request.path);
  const Route* best = nullptr;
  std::size_t best_score = 0;
  bool best_method = false;
  std::string allowed;
  for (const Route& route : routes_) {
    const auto score = fits(route.parts, path);
    if (!score) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method;
    const bool same_method = route.method == method;
    if (best == nullptr || same_method > best_method || (same_method == best_method && *score > best_score)) {
      best = &route;
      best_score = *score;
      best_method = same_method;
    }
  }
  Found found;
  if (best == nullptr) {
    Error error;
    error.code = Errc::kNotFound;
    error.message = "there is nothing at this address";
    found.refusal = problem(error);
    return found;
  }
  request.route = best->path;
  if (!best_method) {
    Error error;
    error.code = Errc::kInvalid;
    error.message = "this address does not take " + printable(request.method, 32);
    found.refusal = problem(405, error);
    found.refusal->headers.emplace_back("Allow", std::move(allowed));
    return found;
  }
  request.params.clear();
  for (std::size_t i = 0; i < best->parts.size(); ++i) {
    const std::string& part = best->parts[i];
    if (!is_named(part)) continue;
    if (is_rest(part)) {
      std::string rest = path[i];
      for (std::size_t k = i + 1; k < path.size(); ++k) rest += "/" + path[k];
      request.params[part.substr(1, part.size() - 5)] = std::move(rest);
    } else {
      request.params[part.substr(1, part.size() - 2)] = path[i];
    }
  }
  found.handler = &best->handler;
  found.roles = best->roles;
  found.body_limit = best->body_limit;
  return found;
}

std::optional<Response> Router::refuse(const Principal& who, unsigned roles) {
  if ((roles & kPublic) != 0 || who.has(roles)) return std::nullopt;
  Error error;
  if (who.login.empty()) {
    error.code = Errc::kUnauthorised;
    error.message = "nobody is logged in";
    error.remedy = "log in, or send an API token as 'Authorization: Bearer …'";
  } else {
    error.code = Errc::kForbidden;
    error.message = "your roles do not allow this";
    error.remedy = "ask an administrator of Tocsin for the role that this needs";
  }
  return problem(error);
}

Response Router::run(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& thrown) {
    // Only the type: the text of an exception may hold what it was reading.
    spdlog::error("{} {} failed: {}", request.method, request.route, typeid(thrown).name());
  } catch (...) {
    spdlog::error("{} {} failed", request.method, request.route);
  }
  return problem(Error());
}

Response Router::handle(Request& request) const {
  Found found = find(request);
  if (found.refusal) return std::move(*found.refusal);
  if (auto refusal = refuse(request.who, found.roles)) return std::move(*refusal);
  return run(*found.handler, request);
}

std::vector<Router::Listed> Router::list() const {
  std::vector<Listed> out;
  out.reserve(routes_.size());
  for (const Route& route : routes_) out.push_back({route.method, route.path, route.roles});
  return out;
}

}  // namespace tocsin::engine
