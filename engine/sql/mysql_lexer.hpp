// MySQL's tokens: words and names folded, strings decoded, comments gone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::engine::sql::mysql {

inline constexpr std::size_t kMaxTokens = 100'000;

struct Token {
  enum class Kind : std::uint8_t { kWord, kName, kString, kNumber, kParameter, kVariable, kSign };
  Kind kind;
  std::string text;  // words and names folded; strings decoded; signs as they are
  int literal = 0;   // which of the text's strings and numbers it is, 1-based; 0 = none of them
};
using Tokens = std::vector<Token>;
using TokenKind = Token::Kind;

struct Lexed {
  Tokens tokens;
  bool complete = false;  // false: a string, name or comment does not end, or a comment's execution depends on the version
  bool dump = false;      // holds the comment that mysqldump writes
};

[[nodiscard]] Lexed lex(std::string_view text);

[[nodiscard]] bool is_letter(char c);  // of a name
[[nodiscard]] bool is_digit(char c);

}  // namespace tocsin::engine::sql::mysql
