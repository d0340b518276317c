// What must stand in a text for a rule's regex to match: a literal that a matcher of many literals can look for, and
// a cheap look at its surroundings. A needle may say yes where the regex then says no, never the other way round
// (checked against RE2 in tests/oracle/secrets_oracle_test.cpp).
//
// Case folding beyond ASCII (the Kelvin sign for k, the long s for s, the dotted I for i) is outside of what needles
// see: records that contain those are evaluated without them.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

struct Needle {
  static constexpr std::size_t kMaxLiteral = 16;  // bytes that the literal matcher looks for
  static constexpr std::size_t kMaxWindow = 48;   // bytes looked at around it

  using Class = std::bitset<256>;

  std::string literal;          // lower case
  std::size_t lead = 0;         // bytes that must stand before it
  std::size_t length = 0;       // bytes from its first on, itself included
  struct Look {
    int offset;                 // from the literal's first byte
    Class bytes;                // that may stand there
    bool operator==(const Look&) const = default;
  };
  std::vector<Look> around;     // all of these must hold
  bool edge_before = false;     // a word edge in front of the literal
  bool assigned = false;        // behind those bytes an assignment must follow: see assignment_follows()

  bool operator==(const Needle&) const = default;

  // The literal as it is written, if in one case only.
  [[nodiscard]] std::optional<std::string> exact() const;

  // Whether the bytes around fit, without asking for the assignment.
  [[nodiscard]] bool stands(std::string_view text, std::size_t end) const noexcept;

  // Whether the surroundings fit; the literal (in any case) ends just before `end`.
  [[nodiscard]] bool fits(std::string_view text, std::size_t end) const noexcept;
};

// The needles of which every text that `pattern` matches contains at least one; empty = none could be derived.
[[nodiscard]] std::vector<Needle> needles_of(std::string_view pattern);

// The middle of most of gitleaks' rules: `[ \t\w.-]{0,20}[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)`.
struct Assignment {
  std::size_t op = std::string_view::npos;  // the offset of its operator if it matches, else npos
  std::size_t same_until = 0;               // from any place behind `at` up to here it matches the same
};
[[nodiscard]] Assignment assignment_at(std::string_view text, std::size_t at) noexcept;
[[nodiscard]] inline bool assignment_follows(std::string_view text, std::size_t at) noexcept {
  return assignment_at(text, at).op != std::string_view::npos;
}

// Whether the text holds a character that Unicode folds or lower-cases to an ASCII letter.
[[nodiscard]] bool has_folding_beyond_ascii(std::string_view text) noexcept;
inline constexpr std::string_view kLongS = "\xc5\xbf", kKelvin = "\xe2\x84\xaa", kDottedI = "\xc4\xb0";

}  // namespace tocsin::rules::secrets
