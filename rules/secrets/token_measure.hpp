// How well a text packs into the tokens of a byte-pair encoding: words pack well, random characters badly. betterleaks
// asks it of the generic key's findings (`failsTokenEfficiency`). Its tables are not ours: the user gives them, the
// vocabulary in tiktoken's text form (base64 of a token, a blank, its rank; one per line) and a list of words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "rules/base/result.hpp"

namespace tocsin::rules::secrets {

class TokenMeasure {
 public:
  static constexpr std::size_t kMaxFile = 16 << 20;   // bytes of either file
  static constexpr std::size_t kMaxToken = 1024;      // bytes of one token
  static constexpr std::size_t kMaxWord = 64;         // letters of a word; longer ones are passed over
  static constexpr std::size_t kMeasured = 64 << 10;  // bytes of a text that are looked at, of a longer one its beginning

  // `words`: one per line; lines with anything but ASCII letters are passed over; may be empty. kInvalid names the line
  // of the vocabulary that cannot be read, kTooLarge the file.
  [[nodiscard]] static Result<TokenMeasure> read(std::string_view vocabulary, std::string_view words);

  // The tokens of the text, as cl100k_base cuts and merges it. Bytes that are not UTF-8 count as U+FFFD.
  [[nodiscard]] std::size_t count(std::string_view text) const;
  // Does a word of at least `letters` letters stand in it, in any case, also inside other letters?
  [[nodiscard]] bool has_word(std::string_view text, std::size_t letters) const;
  // betterleaks' question: true = this reads like language, so it is hardly a secret.
  [[nodiscard]] bool fails_efficiency(std::string_view secret) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  TokenMeasure() = default;
  [[nodiscard]] std::size_t merged(std::string_view piece) const;
  [[nodiscard]] std::uint32_t rank(std::string_view token) const;

  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ranks_;
  std::unordered_set<std::string, Hash, std::equal_to<>> words_;
  std::size_t longest_token_ = 0, longest_word_ = 0;
};

}  // namespace tocsin::rules::secrets
