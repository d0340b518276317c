// How the sources are doing, which rules are loaded, and loading them again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/api/router.hpp"
#include "engine/intake/source_status.hpp"

namespace tocsin::engine {

// A source as the API shows it (also in GET /v1/overview).
[[nodiscard]] boost::json::object to_json(const SourceStatus& status);

// GET /v1/sources and /v1/sources/{name}/rejects. `board` must outlive the router.
void add_source_routes(Router& router, const SourceBoard& board);

// One rule as GET /v1/rules shows it.
struct RuleInfo {
  std::string id;
  std::string title;
  std::string level;           // of storage::Level
  std::string kind;            // "sigma", "correlation", "export", "secret"
  std::string pack;            // the pack's folder name, or the file; empty for what is no data
  std::uint64_t matches = 0;   // since start
};
// What is in force after rules were loaded again.
struct RulesLoaded {
  std::size_t rules = 0;
  std::size_t correlations = 0;
  std::size_t refused = 0;
  std::string sha256;
};
// GET /v1/rules, POST /v1/rules/reload. Both functions are called from several threads; `reload` is told who asked.
void add_rule_routes(Router& router, std::function<std::vector<RuleInfo>()> rules,
                     std::function<Result<RulesLoaded>(const std::string& by)> reload);

}  // namespace tocsin::engine
