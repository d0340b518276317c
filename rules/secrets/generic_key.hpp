// gitleaks' generic-api-key by hand. Its regex matches on most lines of logs that are dense with key names, and RE2
// needs microseconds for each; this needs the places of its naming words, which the literal matcher has anyway, and
// gives exactly the matches of RE2 (compared in tests/oracle and by fuzzing).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tocsin::rules::secrets {

// The one pattern that is done by hand, letter by letter.
[[nodiscard]] bool is_generic_key_pattern(std::string_view pattern) noexcept;

struct Word {
  std::size_t start;  // of a naming word of the pattern, in the text
  std::size_t end;
};

struct GenericKeyMatch {
  std::size_t start = 0;  // of the whole match
  std::size_t end = 0;
  std::size_t secret_start = 0;  // group 1
  std::size_t secret_end = 0;
};

// The leftmost match in text[from, end) that begins at `from` or later; what lies outside of that range does not
// count. `words`: all places of naming words in the text, by start; those that no assignment follows may be missing.
// The text holds no character that folds to ASCII from beyond it (has_folding_beyond_ascii).
[[nodiscard]] bool next_generic_key(std::string_view text, std::span<const Word> words, std::size_t from, GenericKeyMatch& out) noexcept;

// The rest of a match behind its operator at `op`; sets all but `start`.
[[nodiscard]] bool generic_key_value(std::string_view text, std::size_t op, GenericKeyMatch& out) noexcept;

}  // namespace tocsin::rules::secrets
