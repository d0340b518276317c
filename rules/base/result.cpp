// Names and text of errors.
#include "rules/base/result.hpp"

namespace tocsin {

std::string_view name(Errc code) noexcept {
  switch (code) {
    case Errc::kInvalid: return "invalid";
    case Errc::kNotFound: return "not_found";
    case Errc::kConflict: return "conflict";
    case Errc::kForbidden: return "forbidden";
    case Errc::kUnauthorised: return "unauthorised";
    case Errc::kTooLarge: return "too_large";
    case Errc::kBusy: return "busy";
    case Errc::kIo: return "io";
    case Errc::kCorrupt: return "corrupt";
    case Errc::kUnavailable: return "unavailable";
    case Errc::kUnsupported: return "unsupported";
    case Errc::kInternal: return "internal";
  }
  return "internal";
}

std::string Error::text() const {
  std::string out;
  if (!where.empty()) out += where + ": ";
  out += message;
  if (!remedy.empty()) out += " (" + remedy + ")";
  return out;
}

}  // namespace tocsin
