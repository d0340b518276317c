// Texts that rules' regexes match, nearly match and must not match, from a seed: samples of a regex, put where logs
// put secrets, then damaged.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "rules/secrets/regex_tree.hpp"

namespace tocsin::rules::secrets {

// A text that the tree matches, with repeats near their least number.
[[nodiscard]] std::string sample_of(const RegexTree& tree, std::mt19937& random);

// The sample where a log would have it: bare, in JSON, logfmt, a query, SQL, a header, after a keyword.
[[nodiscard]] std::string in_a_line(const std::string& sample, const std::vector<std::string>& keywords, std::mt19937& random);

// A few bytes dropped, doubled, exchanged, or changed in case.
[[nodiscard]] std::string damaged(std::string text, std::mt19937& random);

// Names, separators, quotes and values in any order: where the hand-made matcher could go wrong.
[[nodiscard]] std::string assignment_soup(std::mt19937& random);

}  // namespace tocsin::rules::secrets
