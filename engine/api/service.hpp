// What the network side calls for each request. engine/net knows only this; engine/api/guard.hpp implements it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/api/router.hpp"

namespace tocsin::engine {

class Service {
 public:
  virtual ~Service() = default;

  // Decided from the head alone, before a byte of the body is read: a refusal, or how large the body may be
  // (after decoding). Sets request.who, route and params. Called in a worker thread.
  struct Admission {
    std::optional<Response> refusal;
    std::size_t body_limit = 0;
  };
  [[nodiscard]] virtual Admission admit(Request& request) = 0;
  // The answer to an admitted request whose body is complete. Called in a worker thread; MUST NOT throw.
  [[nodiscard]] virtual Response handle(Request& request) = 0;

  // A request or connection that never came as far as admit(), by reason ("chunk", "head_timeout"). Network thread.
  virtual void refused(std::string_view /*reason*/) {}
  // A connection came (+1) or went (-1). Network thread.
  virtual void connections(int /*change*/) {}
};

}  // namespace tocsin::engine
