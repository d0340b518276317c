// What one detector reports about events (OCSF 2004 Detection Finding), and how sure it is of the people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/time.hpp"
#include "storage/exposure/grade.hpp"

namespace tocsin::storage {

[[nodiscard]] std::string_view name(Grade grade) noexcept;  // "exact", "derived", "bound", "unknown"
[[nodiscard]] std::optional<Grade> grade_from(std::string_view name) noexcept;

// Sigma's levels, which are also the severities of alerts.
enum class Level : std::uint8_t { kInformational, kLow, kMedium, kHigh, kCritical };
[[nodiscard]] std::string_view name(Level level) noexcept;
[[nodiscard]] std::optional<Level> level_from(std::string_view name) noexcept;

// How many people were reached, as an interval that holds the truth. nullopt = no number can be given.
struct ExposureSummary {
  Grade grade = Grade::kUnknown;
  std::optional<std::uint64_t> at_least;
  std::optional<std::uint64_t> at_most;
};

// One record that supports a finding. `preview` is safe to show: no secret, control characters escaped,
// at most kMaxPreview bytes.
struct Evidence {
  static constexpr std::size_t kMaxPreview = 400;
  std::string source;
  std::string file;
  std::uint64_t line = 0;
  std::uint64_t seq = 0;  // number in the journal; 0 offline
  Time time{};
  std::string preview;
};

// Its id is a hash of the rule and of the first evidence, so the same evidence never makes two. A finding
// may grow while its cause goes on (a cursor that is read in 52 fetches): the same id, more evidence.
struct Finding {
  static constexpr std::size_t kMaxEvidence = 1000;  // kept; evidence_count goes on counting
  std::string id;       // 32 hex digits
  std::string rule;     // id of the rule or detector: "tocsin.export.copy", a Sigma rule's UUID
  std::string title;    // "Bulk export of patient by mallory"
  Level level = Level::kMedium;
  Time time{};          // of the first evidence
  Time last{};          // of the newest
  std::string actor;    // empty = not known
  std::string dataset;  // empty = none
  std::string kind;     // "export", "rule", "secret"
  std::string group;    // findings with the same group belong to one alert
  std::string alert_title;  // title of that alert
  std::string secret;   // keyed fingerprint of the secret it is about; empty = none
  std::string reason;   // why it fired, one or two sentences for a person
  std::uint64_t evidence_count = 0;
  std::vector<Evidence> evidence;  // oldest first
  std::optional<ExposureSummary> exposure;  // nullopt: this finding is not about reaching people
};

// The id for a finding: hex of the first 16 bytes of SHA-256 over length-prefixed rule and evidence key.
[[nodiscard]] std::string finding_id(std::string_view rule, std::string_view evidence_key);

}  // namespace tocsin::storage
