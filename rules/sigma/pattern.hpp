// Sigma's strings: escapes and wildcards, as tokens and as something that matches text in linear space without a
// regular expression. "*" is any run (line breaks too), "?" one code point, "\" escapes only "*", "?" and "\".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::sigma {

struct Token {
  enum class Kind : std::uint8_t { kText, kOne, kMany };
  Kind kind = Kind::kText;
  std::string text;  // kText
};
using Tokens = std::vector<Token>;

// Reads a value as the YAML scalar delivers it. Adjacent text is one token; adjacent kMany are one.
[[nodiscard]] Tokens parse_tokens(std::string_view value);

[[nodiscard]] bool has_wildcard(const Tokens& tokens) noexcept;
// The text of tokens without wildcards.
[[nodiscard]] std::string plain_text(const Tokens& tokens);
// The value that parses into these tokens.
[[nodiscard]] std::string unparse(const Tokens& tokens);

// Adds kMany before and/or after, unless it is there already.
void open_ends(Tokens& tokens, bool before, bool after);

// Whether `text[at]` is a dash or slash that `windash` varies: at the start of a word, and not after one.
// `length` is set to the length of the character.
[[nodiscard]] bool varied_dash(std::string_view text, std::size_t at, std::size_t& length) noexcept;
// The length of the dash variant at the front of `text`: "-", "/", en dash, em dash, horizontal bar; 0 if none.
[[nodiscard]] std::size_t dash_length(std::string_view text) noexcept;

// A compiled value. Without `cased` the pattern is folded, and what it is matched against must be folded too.
class Pattern {
 public:
  Pattern() = default;
  Pattern(const Tokens& tokens, bool cased, bool windash);

  [[nodiscard]] bool matches(std::string_view text) const noexcept;

  // A literal that every match contains, as far as it goes. Folded unless cased; a view into the pattern.
  struct Piece {
    std::string_view text;
    bool first = false;  // every match begins with it
    bool last = false;   // every match ends with it
  };
  [[nodiscard]] std::vector<Piece> pieces() const;
  // The literal, if to begin with it, or to end with it, is all that a match must; else nothing.
  [[nodiscard]] Piece only() const noexcept;

 private:
  enum : char { kByte = 0, kAnyOne = 1, kDash = 2 };
  struct Segment {
    std::string bytes;
    std::string kinds;        // empty = all bytes literal; else one kind per byte of `bytes`
    std::size_t shortest = 0; // bytes that a match has at least
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  // Where a match of the segment at `at` ends, or kNone.
  [[nodiscard]] static std::size_t match_at(const Segment& segment, std::string_view text, std::size_t at) noexcept;
  // The end of the first match at or after `at`, or kNone.
  [[nodiscard]] static std::size_t find(const Segment& segment, std::string_view text, std::size_t at) noexcept;
  [[nodiscard]] static bool match_end(const Segment& segment, std::string_view text, std::size_t from) noexcept;

  std::vector<Segment> segments_;
  bool open_start_ = false;
  bool open_end_ = false;
};

}  // namespace tocsin::rules::sigma
