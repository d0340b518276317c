// How the sources are doing, and which rules are loaded.
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
  std::string kind;            // "sigma", "export", "secret"
  std::string pack;            // the pack's folder name; empty for what is built in
  std::uint64_t matches = 0;   // since start
};
// GET /v1/rules. `rules` is called from several threads.
void add_rule_routes(Router& router, std::function<std::vector<RuleInfo>()> rules);

}  // namespace tocsin::engine
