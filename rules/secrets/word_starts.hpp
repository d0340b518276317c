// Says of most texts at once that none of many words stands in them: by the first three bytes of the words and the three
// from the second one on, one bit for each three that occur. It says "possible" too often, never too rarely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

class WordStarts {
 public:
  // The words are in lower case. One that is shorter than three bytes makes everything possible.
  explicit WordStarts(const std::vector<std::string>& words) : first_(kThrees / 64), second_(kThrees / 64) {
    for (const auto& word : words) {
      everything_ = everything_ || word.size() < 3;
      if (everything_) return;
      set(first_, three(word, 0));
      const std::size_t next = three(word, 1);
      for (std::size_t any = 0; any < (word.size() > 3 ? 1U : 64U); ++any) set(second_, next | any);
    }
  }

  [[nodiscard]] bool possible(std::string_view lower) const {
    if (everything_) return true;
    const char* const bytes = lower.data();
    std::size_t at = 0;
    bool before = false;  // the three bytes that begin one earlier begin a word
    for (std::size_t i = 0; i < lower.size(); ++i) {
      at = (at << 6U | (static_cast<unsigned char>(bytes[i]) & 63U)) % kThrees;
      if (before && is_set(second_, at)) return true;
      before = i >= 2 && is_set(first_, at);
    }
    return before;
  }

 private:
  static constexpr std::size_t kThrees = 1U << 18U;
  using Bits = std::vector<std::uint64_t>;

  // Six bits of each byte from `at` on; zeros for what is not there.
  static std::size_t three(std::string_view word, std::size_t at) {
    const auto six = [&](std::size_t i) { return i < word.size() ? static_cast<std::size_t>(static_cast<unsigned char>(word[i]) & 63U) : 0; };
    return six(at) << 12U | six(at + 1) << 6U | six(at + 2);
  }
  static void set(Bits& bits, std::size_t at) { bits[at / 64] |= 1ULL << (at % 64); }
  static bool is_set(const Bits& bits, std::size_t at) { return (bits.data()[at / 64] >> (at % 64) & 1) != 0; }

  Bits first_, second_;
  bool everything_ = false;
};

}  // namespace tocsin::rules::secrets
