// The peer's uid is looked at for each request, before its body is read.
#include "engine/api/local_guard.hpp"

#include <pwd.h>

#include <array>

namespace tocsin::engine {

Principal local_operator(std::uint32_t uid) {
  Principal out;
  out.login = "local:" + std::to_string(uid);
  out.roles = kAnalyst | kAdmin;
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    out.name = found->pw_name;
    out.login += "/" + out.name;
  }
  return out;
}

Service::Admission LocalGuard::admit(Request& request) {
  Admission admission;
  if (!request.peer_uid || (*request.peer_uid != owner_ && *request.peer_uid != 0)) {
    Error error;
    error.code = Errc::kForbidden;
    error.message = "the control socket is for the account that runs the engine";
    admission.refusal = problem(error);
    return admission;
  }
  Router::Found found = router_.find(request);
  if (found.refusal) {
    admission.refusal = std::move(*found.refusal);
    return admission;
  }
  request.who = local_operator(*request.peer_uid);
  if (auto refusal = Router::refuse(request.who, found.roles)) {
    admission.refusal = std::move(*refusal);
    return admission;
  }
  admission.body_limit = found.body_limit;
  return admission;
}

Response LocalGuard::handle(Request& request) { return router_.handle(request); }

}  // namespace tocsin::engine
