// The short zone names that logs print ("CET", "EST"): g++ 12's library has no time zones, so the tz database's
// files (TZif, RFC 8536) are read here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

// Reads local times of one source. A short name is ambiguous in the world but not within one zone, so it is
// looked up in the configured zone first; without one, in the tz file of that very name (CET, EST, MET …).
// Not thread-safe: zone files are read when first needed and kept.
class LocalTime {
 public:
  // `zone`: "" or "UTC", an offset ("+01:00"), or a tz database name. kInvalid for a name the machine does not know.
  [[nodiscard]] static Result<LocalTime> of(std::string_view zone);

  // "2026-11-23 14:55:50.158 CET": RFC 3339 first; a short name after it is resolved. A time without any zone is
  // read in the configured one. nullopt if it is no time or its zone is not known.
  [[nodiscard]] std::optional<Time> parse(std::string_view text);

  // What to tell a person when parse() fails for `text`.
  [[nodiscard]] static std::string complaint(std::string_view text);

  struct Zone {
    struct Kind {
      std::int32_t offset = 0;  // seconds east of UTC
      std::string name;
    };
    std::vector<Kind> kinds;
    std::vector<std::pair<std::int64_t, std::uint8_t>> changes;  // from that second on, that kind
  };

 private:
  LocalTime() = default;
  [[nodiscard]] const Zone* file(std::string_view name);

  std::string name_;
  std::optional<std::int32_t> fixed_;
  std::map<std::string, std::optional<Zone>, std::less<>> files_;
};

}  // namespace tocsin::engine
