// The few words that logs about secrets are full of: "key", "token", "auth" … A matcher of thousands of literals takes
// some 15 ns for each of them that it reports, on some lines ten times; here they are found 16 to 64 bytes at a time, as
// the machine can, and the matcher is left with what is rare.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

// Of three or four letters each; no two begin with the same two. Literals that begin with one of them are looked for here.
inline constexpr std::array<std::string_view, 8> kHotWords = {"acce", "api", "auth", "cred", "key", "pass", "secr", "toke"};
inline constexpr std::size_t kNoHotWord = kHotWords.size();

// Which of them the text, in lower case, begins with; kNoHotWord = none.
[[nodiscard]] constexpr std::size_t hot_word_of(std::string_view lower) noexcept {
  for (std::size_t word = 0; word < kHotWords.size(); ++word) {
    if (lower.starts_with(kHotWords[word])) return word;
  }
  return kNoHotWord;
}

// Which of them begins at `at`, in any ASCII case.
[[nodiscard]] std::size_t hot_word_at(std::string_view text, std::size_t at) noexcept;

// Appends where one of them begins, in any ASCII case, in order. The text is shorter than 4 GiB.
void find_hot_words(std::string_view text, std::vector<std::uint32_t>& out);

// The ways to do that on this machine, plainest first; find_hot_words() takes the last.
using HotWordFinder = void (*)(std::string_view text, std::vector<std::uint32_t>& out);
[[nodiscard]] std::span<const HotWordFinder> hot_word_finders();

}  // namespace tocsin::rules::secrets
