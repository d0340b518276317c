// The files that the secret scanner is set up from, read in one way for `tocsin scan` and for the engine.
#pragma once

#include <memory>
#include <string>

#include "rules/base/result.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/secrets/token_measure.hpp"

namespace tocsin::engine {

// A rule file with what its [extend] names: a path counts from the working directory, as upstream has it; useDefault
// means `default_rules` (empty = not given, kInvalid then). kNotFound, kIo and kTooLarge name the file.
[[nodiscard]] Result<rules::secrets::RuleFile> read_secret_rules(const std::string& path, const std::string& default_rules);

// What betterleaks' failsTokenEfficiency asks: a vocabulary, and a list of words or "". Empty `tokens` = null.
[[nodiscard]] Result<std::shared_ptr<const rules::secrets::TokenMeasure>> read_token_measure(const std::string& tokens, const std::string& words);

}  // namespace tocsin::engine
