// One token at a time from the left, as MySQL's and MariaDB's lexers do without ANSI_QUOTES and NO_BACKSLASH_ESCAPES.
#include "engine/sql/mysql_lexer.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "rules/base/text.hpp"

namespace tocsin::engine::sql::mysql {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

namespace {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  bool dump = false;

  // False: a string, name or comment that does not end, a comment whose execution depends on the server's version.
  bool run(Tokens& out) {
    while (at_ < text_.size()) {
      if (out.size() > kMaxTokens) return false;
      if (!one(out)) return false;
    }
    return versioned_ == 0;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  bool one(Tokens& out) {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
      ++at_;
      return true;
    }
    if (c == '\0') return false;
    if (c == '#' || (c == '-' && peek(1) == '-' && (at_ + 2 >= text_.size() || static_cast<unsigned char>(peek(2)) <= ' '))) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    if (c == '/' && peek(1) == '*') return comment();
    if (c == '*' && peek(1) == '/' && versioned_ > 0) {
      --versioned_;
      at_ += 2;
      return true;
    }
    if (c == '`') return name(out);
    if (c == '\'' || c == '"') return string(out, c);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)) && !after_name(out))) return number(out);
    if (is_letter(c)) return word(out);
    if (c == '?') return put(out, TokenKind::kParameter, "?", 1);
    if (c == '@') return variable(out);
    for (const std::string_view sign : {"<=>", "->>", "<=", ">=", "<>", "!=", ":=", "||", "&&", "<<", ">>", "->"}) {
      if (text_.substr(at_).starts_with(sign)) return put(out, TokenKind::kSign, std::string(sign), sign.size());
    }
    return put(out, TokenKind::kSign, std::string(1, c), 1);
  }

  static bool after_name(const Tokens& out) {
    return !out.empty() && (out.back().kind == TokenKind::kName || out.back().kind == TokenKind::kWord);
  }

  bool put(Tokens& out, TokenKind kind, std::string text, std::size_t length) {
    out.push_back({kind, std::move(text), 0});
    at_ += length;
    return true;
  }

  // "/*!40001 SQL_NO_CACHE */" is executed by every server of that version; from 5.7 on MySQL and MariaDB part
  // company, so what such a comment does is not known. MariaDB's own "/*M!" counts as executed.
  bool comment() {
    std::string_view rest = text_.substr(at_ + 2);
    const bool executed = rest.starts_with("!"), own = rest.starts_with("M!");
    if (!executed && !own) {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return false;
      at_ = end + 2;
      return true;
    }
    rest.remove_prefix(executed ? 1 : 2);
    std::size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    constexpr int kParting = 50700, kOldestMariaDb = 100300;
    const int version = digits == 0 || digits > 6 ? 0 : std::stoi(std::string(rest.substr(0, digits)));
    if (digits > 6) return false;
    if (executed && version >= kParting) return false;
    if (own && version > kOldestMariaDb) return false;
    if (executed && version == 40001 && trim(rest.substr(digits)).starts_with("SQL_NO_CACHE")) dump = true;
    at_ += 2 + (executed ? 1U : 2U) + digits;
    ++versioned_;
    return true;
  }

  bool name(Tokens& out) {
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '`') {
        text += text_[at_];
      } else if (peek(1) == '`') {
        text += '`';
        ++at_;
      } else {
        ++at_;
        out.push_back({TokenKind::kName, to_lower(text), 0});
        return true;
      }
    }
    return false;
  }

  bool string(Tokens& out, char quote) {
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\') {
        if (++at_ >= text_.size()) return false;
        escape(text, text_[at_]);
      } else if (c != quote) {
        text += c;
      } else if (peek(1) == quote) {
        text += quote;
        ++at_;
      } else {
        ++at_;
        if (text.find('\0') != std::string::npos) return false;  // PostgreSQL's parser takes none
        const bool follows = !out.empty() && out.back().kind == TokenKind::kString;
        if (follows) out.back().text += text;  // 'a' 'b' is one string
        else out.push_back({TokenKind::kString, std::move(text), 0});
        return true;
      }
    }
    return false;
  }

  static void escape(std::string& text, char c) {
    switch (c) {
      case 'n': text += '\n'; return;
      case 't': text += '\t'; return;
      case 'r': text += '\r'; return;
      case 'b': text += '\b'; return;
      case '0': text += '\0'; return;
      case 'Z': text += '\x1a'; return;
      case '%':
      case '_': text += '\\'; break;  // kept for LIKE
      default: break;
    }
    text += c;
  }

  bool number(Tokens& out) {
    std::size_t end = at_;
    const auto digits = [&] {
      while (end < text_.size() && is_digit(text_[end])) ++end;
    };
    if (text_[at_] == '0' && (peek(1) == 'x' || peek(1) == 'b')) {
      end = at_ + 2;
      while (end < text_.size() && std::isxdigit(static_cast<unsigned char>(text_[end])) != 0) ++end;
      if (end >= text_.size() || !is_letter(text_[end])) {
        at_ = end;
        out.push_back({TokenKind::kVariable, "hex", 0});
        return true;
      }
    }
    end = at_;
    digits();
    if (end < text_.size() && text_[end] == '.') {
      ++end;
      digits();
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t after = end + 1;
      if (after < text_.size() && (text_[after] == '+' || text_[after] == '-')) ++after;
      if (after < text_.size() && is_digit(text_[after])) {
        end = after;
        digits();
      }
    }
    if (end < text_.size() && is_letter(text_[end])) return false;  // a name that begins with a digit
    out.push_back({TokenKind::kNumber, std::string(text_.substr(at_, end - at_)), 0});
    at_ = end;
    return true;
  }

  bool word(Tokens& out) {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view text = text_.substr(at_, end - at_);
    if (end < text_.size() && text_[end] == '\'') {
      // x'4D', b'01': bytes. _utf8'…', N'…': the string itself.
      if (iequals(text, "x") || iequals(text, "b")) {
        at_ = end;
        Tokens bytes;
        if (!string(bytes, '\'')) return false;
        out.push_back({TokenKind::kVariable, "hex", 0});
        return true;
      }
      if (text.starts_with('_') || iequals(text, "n")) {
        at_ = end;
        return true;
      }
    }
    out.push_back({TokenKind::kWord, to_lower(text), 0});
    at_ = end;
    return true;
  }

  // @a, @`a b`, @@session.sql_mode: values that the text does not show.
  bool variable(Tokens& out) {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] == '@') ++end;
    at_ = end;
    Tokens inner;
    if (peek() == '`') {
      if (!name(inner)) return false;
    } else if (peek() == '\'' || peek() == '"') {
      if (!string(inner, peek())) return false;
    } else {
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.')) ++end;
      inner.push_back({TokenKind::kName, to_lower(text_.substr(at_, end - at_)), 0});
      at_ = end;
    }
    out.push_back({TokenKind::kVariable, inner.empty() ? "" : inner.front().text, 0});
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int versioned_ = 0;
};

}  // namespace

Lexed lex(std::string_view text) {
  Lexed out;
  Lexer lexer(text);
  out.complete = lexer.run(out.tokens);
  out.dump = lexer.dump;
  int literal = 0;
  for (Token& token : out.tokens) {
    if (token.kind == TokenKind::kString || token.kind == TokenKind::kNumber) token.literal = ++literal;
  }
  return out;
}

}  // namespace tocsin::engine::sql::mysql
