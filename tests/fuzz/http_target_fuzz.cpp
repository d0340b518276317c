// Any bytes as a request target, a cookie header and a JSON body; what is read must be what is routed.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/api/router.hpp"
#include "engine/api/url.hpp"
#include "rules/base/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin;
  using namespace tocsin::engine;
  static const Router router = [] {
    Router made;
    const auto echo = [](const Request& request) {
      Response response;
      response.body = request.param("id") + request.param("path");
      return response;
    };
    made.add("GET", "/", kPublic, echo);
    made.add("GET", "/v1/alerts/{id}", kPublic, echo);
    made.add("GET", "/v1/alerts/{id}/people", kPublic, echo);
    made.add("GET", "/ledger/tile/{path...}", kPublic, echo);
    return made;
  }();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (auto decoded = percent_decode(bytes)) {
    if (percent_decode(percent_encode(*decoded)) != *decoded) std::abort();
  }
  static_cast<void>(cookie(bytes, "tocsin_session"));
  if (const auto target = parse_target(bytes)) {
    if (!is_utf8(target->path) || target->path[0] != '/') std::abort();
    for (const std::string_view part : split(std::string_view(target->path).substr(1), '/')) {
      if (part == "." || part == "..") std::abort();
    }
    Request request;
    request.method = "GET";
    request.path = target->path;
    request.query = target->query;
    const Response response = router.handle(request);
    if (response.status != 200 && response.status != 404) std::abort();
    static_cast<void>(number_of(request, "limit", 1, 100));
  }
  Request request;
  request.body = bytes;
  if (const auto body = request.json()) {
    static_cast<void>(text_of(*body, "login"));
    static_cast<void>(texts_of(*body, "roles", 8));
  }
  return 0;
}
