// Says of most texts at once that a regex does not match them: a small automaton, one look at a table per byte. What it
// lets through RE2 decides. It allows more than the regex (any case, word edges anywhere, characters beyond ASCII
// everywhere, long repeats without end), never less: compared with RE2 in tests/oracle/secrets_oracle_test.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

class RegexRefusal {
 public:
  static constexpr std::size_t kMaxNodes = 1500;   // of the regex, repeats written out
  static constexpr std::size_t kMaxStates = 1200;  // where there would be more, texts that get there are let through

  // nullopt: the pattern is not read, or too large.
  [[nodiscard]] static std::optional<RegexRefusal> compile(std::string_view pattern);

  // For certain: the regex matches no part of the text.
  [[nodiscard]] bool refuses(std::string_view text) const noexcept {
    std::uint32_t state = start_;
    if (state <= kDead || text.empty()) return state == kDead;
    for (const char c : text) {
      state = next_[state + class_[static_cast<unsigned char>(c)]];
      if (state <= kDead) return state == kDead;
    }
    return !at_end_[state / classes_];
  }

  [[nodiscard]] std::size_t states() const noexcept { return at_end_.size(); }

 private:
  class Builder;

  // States are offsets into next_: a state's number times the number of classes. The first two have no rows of their own
  // to speak of: nothing is asked any more.
  static constexpr std::uint32_t kPossible = 0;
  static constexpr std::uint32_t kDead = 1;

  std::array<std::uint8_t, 256> class_{};  // of each byte
  std::uint32_t classes_ = 1;
  std::uint32_t start_ = kPossible;
  std::vector<std::uint32_t> next_;
  std::vector<bool> at_end_;  // by number of the state: the regex may match where the text ends here
};

}  // namespace tocsin::rules::secrets
