// YAML text to rules, correlations and filters. Every document of the text gives one result: what it says, or the
// reason why it is refused. A document with a mistake does not take its neighbours with it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "rules/sigma/correlation.hpp"
#include "rules/sigma/filter.hpp"
#include "rules/sigma/report.hpp"
#include "rules/sigma/rule.hpp"
#include "rules/sigma/yaml.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kMaxRuleBytes = 1024 * 1024;  // of one document
inline constexpr int kMaxYamlDepth = 32;                   // of nested detections

// Exactly one of the three is set, and none if report.status is kRejected.
struct ParsedDocument {
  std::optional<Rule> rule;
  std::optional<Correlation> correlation;
  std::optional<Filter> filter;
  Report report;
};

// `file` names the text in reports. Thread-safe.
[[nodiscard]] std::vector<ParsedDocument> parse_rules(std::string_view text, std::string_view file);

}  // namespace tocsin::rules::sigma
