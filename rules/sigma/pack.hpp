// Packs of rules with samples: beside each rule file NAME.yml stands NAME.samples.ndjson. A line of it is one event that
// a rule must or must not match, or one stream of events on which a correlation must or must not raise
// (ops/docs/formats/rule-packs.md). A rule or correlation without both kinds is not accepted.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/sigma/engine.hpp"

namespace tocsin::rules::sigma {

struct PackMistake {
  std::string file;
  int line = 0;
  std::string rule;     // id; empty if it is not known
  std::string message;  // one sentence
};

struct PackReport {
  std::size_t rules = 0;
  std::size_t samples = 0;
  std::vector<Report> refused;         // rules that did not load
  std::vector<PackMistake> mistakes;   // in order of file and line
  [[nodiscard]] bool good() const noexcept { return refused.empty() && mistakes.empty(); }
};

// Loads the rules under `folder` (or a single rule file) and runs their samples, each against the whole set and with
// the log source of its rule unless the sample names another. Fails only if files cannot be read.
[[nodiscard]] Result<PackReport> test_pack(const std::filesystem::path& folder, const LoadOptions& options = {});

}  // namespace tocsin::rules::sigma
