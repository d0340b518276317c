// Short ways to say "this rule matches that event" in tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"

namespace tocsin::rules::sigma {

// A whole rule around a detection section, whose lines are indented by two.
inline std::string rule_text(std::string_view detection, std::string_view logsource = "category: test") {
  return "title: Test rule\nid: 00000000-0000-4000-8000-000000000001\nlogsource:\n  " + std::string(logsource) +
         "\ndetection:\n" + std::string(detection);
}

inline Loaded load_text(std::string text, const LoadOptions& options = {}) {
  const RuleSource source{"rule.yml", std::move(text)};
  return load({&source, 1}, options);
}

// "" if the rule loaded without a remark, else the first remark's code.
inline std::string code_of(const Loaded& loaded) {
  for (const Report& report : loaded.reports) {
    if (!report.remarks.empty()) return report.remarks.front().code;
  }
  return "";
}

inline std::size_t matches(const Loaded& loaded, std::string_view json, LogSource source = {}, Routing routing = Routing::kByLogSource) {
  Arena arena;
  const auto root = parse_json(json, arena);
  if (!root) {
    ADD_FAILURE() << root.error().message << ": " << json;
    return 0;
  }
  Event event;
  event.source = source;
  event.root = *root;
  event.raw = json;
  std::vector<Match> found;
  loaded.engine->match(event, found, routing);
  return found.size();
}

// The detection of one selection with one item, for tables of values.
inline Loaded load_item(std::string_view item, const LoadOptions& options = {}) {
  return load_text(rule_text("  sel:\n    " + std::string(item) + "\n  condition: sel\n"), options);
}

inline std::string canonical(const Loaded& loaded) {
  if (loaded.engine->rules().empty()) return "rejected: " + code_of(loaded);
  return loaded.engine->program().canonical(loaded.engine->rules().front());
}

}  // namespace tocsin::rules::sigma
