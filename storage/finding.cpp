// Names and ids of findings.
#include "storage/finding.hpp"

#include "rules/base/bytes.hpp"

namespace tocsin::storage {

std::string_view name(Grade grade) noexcept {
  switch (grade) {
    case Grade::kExact: return "exact";
    case Grade::kDerived: return "derived";
    case Grade::kBound: return "bound";
    case Grade::kUnknown: return "unknown";
  }
  return "unknown";
}

std::optional<Grade> grade_from(std::string_view text) noexcept {
  for (const Grade g : {Grade::kExact, Grade::kDerived, Grade::kBound, Grade::kUnknown}) {
    if (name(g) == text) return g;
  }
  return std::nullopt;
}

std::string_view name(Level level) noexcept {
  switch (level) {
    case Level::kInformational: return "informational";
    case Level::kLow: return "low";
    case Level::kMedium: return "medium";
    case Level::kHigh: return "high";
    case Level::kCritical: return "critical";
  }
  return "medium";
}

std::optional<Level> level_from(std::string_view text) noexcept {
  for (const Level l : {Level::kInformational, Level::kLow, Level::kMedium, Level::kHigh, Level::kCritical}) {
    if (name(l) == text) return l;
  }
  return std::nullopt;
}

std::string finding_id(std::string_view rule, std::string_view evidence_key) {
  std::string input = std::to_string(rule.size()) + ':';
  input += rule;
  input += std::to_string(evidence_key.size()) + ':';
  input += evidence_key;
  return to_hex(sha256(input)).substr(0, 32);
}

}  // namespace tocsin::storage
