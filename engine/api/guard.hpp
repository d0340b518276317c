// What stands in front of every handler: which route, who asks, may they, and the counting of it all.
//
// Two ways to say who one is: the cookie `tocsin_session` of a login (with it, everything but GET and HEAD also
// needs the header X-CSRF-Token), or `Authorization: Bearer TOKEN` of an API token. A public route asks nobody.
#pragma once

#include <string>
#include <string_view>

#include "engine/api/metrics.hpp"
#include "engine/api/service.hpp"
#include "rules/base/time.hpp"
#include "storage/user_store.hpp"

namespace tocsin::engine {

inline constexpr std::string_view kSessionCookie = "tocsin_session";

// The CSRF token that belongs to a session token: a hash of it, so nothing more has to be kept.
[[nodiscard]] std::string csrf_of(std::string_view session_token);
// The session token in a request's cookie; empty if there is none.
[[nodiscard]] std::string session_token_of(const Request& request);

class Guard final : public Service {
 public:
  // All must outlive the guard. `metrics` may be null.
  Guard(const Router& router, storage::UserStore& users, const Clock& clock, Metrics* metrics);

  [[nodiscard]] Admission admit(Request& request) override;
  [[nodiscard]] Response handle(Request& request) override;
  void refused(std::string_view reason) override;
  void connections(int change) override;

 private:
  [[nodiscard]] Result<void> identify(Request& request) const;
  void count(const Request& request, int status, double seconds) const;
  const Router& router_;
  storage::UserStore& users_;
  const Clock& clock_;
  Metrics* metrics_;
  double connections_ = 0;  // of the network thread
};

}  // namespace tocsin::engine
