// Who may use the control socket: the account that runs the engine, and root. Both could read the data and the keys
// anyway. The kernel says who is at the other end; there is no password, cookie or token.
//
// The operator at the machine looks people up and administers users. What decides (notices, incidents, duties) needs a
// login of one's own: the role of manager or approver is not given here.
#pragma once

#include <cstdint>
#include <string>

#include "engine/api/service.hpp"

namespace tocsin::engine {

// Of the data directory; the folder has mode 0700, the socket 0600.
inline constexpr const char* kControlFolder = "control";
inline constexpr const char* kControlSocket = "tocsin.sock";

// How the ledger names the operator at the machine: "local:1000", or "local:1000/anna" if the account has a name. No
// login of Tocsin's own can look like that.
[[nodiscard]] Principal local_operator(std::uint32_t uid);

// Thread-safe if the router's handlers are.
class LocalGuard final : public Service {
 public:
  // `router` MUST outlive it. `owner`: who runs the engine.
  LocalGuard(const Router& router, std::uint32_t owner) : router_(router), owner_(owner) {}
  [[nodiscard]] Admission admit(Request& request) override;
  [[nodiscard]] Response handle(Request& request) override;

 private:
  const Router& router_;
  std::uint32_t owner_;
};

}  // namespace tocsin::engine
