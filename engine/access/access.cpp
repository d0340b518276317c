// The words for the enumerations of an access.
#include "engine/access/access.hpp"

namespace tocsin::engine {

std::string_view name(Action action) noexcept {
  switch (action) {
    case Action::kUnknown: return "unknown";
    case Action::kRead: return "read";
    case Action::kQuery: return "query";
    case Action::kList: return "list";
    case Action::kExport: return "export";
    case Action::kShare: return "share";
    case Action::kWrite: return "write";
    case Action::kDelete: return "delete";
    case Action::kAuthenticate: return "authenticate";
    case Action::kConfigure: return "configure";
  }
  return "unknown";
}

std::string_view name(Certainty certainty) noexcept {
  switch (certainty) {
    case Certainty::kUnknown: return "unknown";
    case Certainty::kAtLeast: return "at_least";
    case Certainty::kExact: return "exact";
  }
  return "unknown";
}

std::string_view name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kUnknown: return "unknown";
    case Outcome::kSuccess: return "success";
    case Outcome::kFailure: return "failure";
  }
  return "unknown";
}

}  // namespace tocsin::engine
