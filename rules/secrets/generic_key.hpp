// gitleaks' generic-api-key by hand. Its regex matches on most lines of logs that are dense with key names, and RE2
// needs microseconds for each; this needs the places of its naming words, which the literal matcher has anyway, and
// gives exactly the matches of RE2 (compared in tests/oracle and by fuzzing).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

// The one pattern that is done by hand, letter by letter.
[[nodiscard]] bool is_generic_key_pattern(std::string_view pattern) noexcept;

struct GenericKeyMatch {
  std::size_t start = 0;  // of the whole match
  std::size_t end = 0;
  std::size_t secret_start = 0;  // group 1
  std::size_t secret_end = 0;
  bool random = false;  // as in NamedValue
};

// A naming word that leads to a value: to an operator, and behind it to what the pattern takes for a secret.
struct NamedValue {
  std::uint32_t word;  // where the naming word begins
  std::uint32_t secret_start;
  std::uint32_t secret_end;
  std::uint32_t end;   // of the match
  bool random;         // what the caller made of the secret
};

// Reads behind naming words. They come in order; what several of them lead to is read once.
class NamedValues {
 public:
  // Appends the word at [start, end) of `text` to `out` if it leads to a value: true. The text holds no character that
  // folds to ASCII from beyond it (has_folding_beyond_ascii), and ends where its record does. A value read anew is
  // `random` if `judge` says so of it.
  template <class Judge>
  bool add(std::string_view text, std::size_t start, std::size_t end, std::vector<NamedValue>& out, Judge&& judge) {
    return append(lead(text, end), text, start, out, judge);
  }

  // The same where it is known that the word leads to the operator at `op`.
  template <class Judge>
  bool add_at(std::string_view text, std::size_t start, std::size_t op, std::vector<NamedValue>& out, Judge&& judge) {
    return append(behind(text, op), text, start, out, judge);
  }

 private:
  enum class Step : std::uint8_t { kNone, kSame, kNew };

  template <class Judge>
  bool append(Step step, std::string_view text, std::size_t start, std::vector<NamedValue>& out, Judge&& judge) {
    if (step == Step::kNone) return false;
    if (step == Step::kNew) last_.random = judge(text.substr(last_.secret_start, last_.secret_end - last_.secret_start));
    // Field by field: what was just written in small pieces is slow to copy in large ones.
    NamedValue& value = out.emplace_back();
    value.word = static_cast<std::uint32_t>(start);
    value.secret_start = last_.secret_start;
    value.secret_end = last_.secret_end;
    value.end = last_.end;
    value.random = last_.random;
    return true;
  }

  Step lead(std::string_view text, std::size_t word_end) noexcept;
  Step behind(std::string_view text, std::size_t op) noexcept;

  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
  std::size_t same_from_ = kNowhere;   // words that end behind this and …
  std::size_t same_until_ = 0;         // … not behind this lead where the last one led
  std::size_t led_to_ = kNowhere;      // the operator to which the last word leads
  std::size_t op_ = kNowhere;          // the operator last looked behind
  bool value_ = false;                 // … and whether there was a value
  NamedValue last_{};
};

// The leftmost match in `text` that begins at `from` or later, if `values` are those of all its naming words; those that
// begin before are taken off them. Offsets in `values` count from `base` bytes before the text.
[[nodiscard]] bool next_generic_key(std::string_view text, std::size_t base, std::span<const NamedValue>& values, std::size_t from, GenericKeyMatch& out) noexcept;

}  // namespace tocsin::rules::secrets
