// PostgreSQL's lexer (scan.l of version 15) as far as it decides where constants and comments begin and end. Where it
// would need more than that, shape_of gives up: a wrong guess here could mix two statements up.
#include "engine/sql/shape.hpp"

#include <algorithm>
#include <array>

#include <simdjson.h>

namespace tocsin::engine::sql {
namespace {

enum class Class : std::uint8_t { kOther, kBlank, kLetter, kDigit, kQuote, kDouble, kDollar, kDot, kDash, kSlash, kControl };

constexpr std::array<Class, 256> kClasses = [] {
  std::array<Class, 256> out{};
  for (std::size_t c = 0; c < 256; ++c) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') out[c] = Class::kBlank;
    else if (c < ' ' || c == 0x7f) out[c] = Class::kControl;
    else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80) out[c] = Class::kLetter;
    else if (c >= '0' && c <= '9') out[c] = Class::kDigit;
  }
  out['\''] = Class::kQuote;
  out['"'] = Class::kDouble;
  out['$'] = Class::kDollar;
  out['.'] = Class::kDot;
  out['-'] = Class::kDash;
  out['/'] = Class::kSlash;
  return out;
}();

Class class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Cutter {
 public:
  Cutter(std::string_view text, Shape& out) : text_(text), out_(out) {}

  bool run() {
    while (at_ < text_.size()) {
      if (!one()) return false;
    }
    keep(at_);
    return true;
  }

 private:
  char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  bool one() {
    switch (class_of(text_[at_])) {
      case Class::kBlank:
      case Class::kOther: ++at_; return true;
      case Class::kLetter: return word();
      case Class::kDigit: return number();
      case Class::kDot:
        if (is_digit(peek(1))) return number();
        ++at_;
        return true;
      case Class::kQuote: return string(at_, false);
      case Class::kDouble: return quoted_name();
      case Class::kDollar: return dollar();
      case Class::kDash:
        if (peek(1) == '-') return line_comment();
        ++at_;
        return true;
      case Class::kSlash:
        if (peek(1) == '*') return comment();
        ++at_;
        return true;
      case Class::kControl: return false;
    }
    return false;
  }

  // Copies what stands before `to` and was not copied yet.
  void keep(std::size_t to) {
    out_.key.append(text_.substr(kept_, to - kept_));
    kept_ = to;
  }
  void replace(std::size_t from, std::string_view by) {
    keep(from);
    out_.key.append(by);
    kept_ = at_;
  }
  void literal(std::size_t from, Literal::Kind kind, std::string text) {
    out_.literals.push_back({kind, std::move(text), from, 0, false, false});
    replace(from, mark(kind));
  }

  bool word() {
    const char first = text_[at_], second = peek(1);
    if (second == '\'') {
      if (first == 'e' || first == 'E') {
        ++at_;
        return string(at_ - 1, true);
      }
      if (first == 'b' || first == 'B' || first == 'x' || first == 'X' || first == 'n' || first == 'N') return false;
    }
    if ((first == 'u' || first == 'U') && second == '&') return false;
    while (at_ < text_.size()) {
      const Class c = class_of(text_[at_]);
      if (c != Class::kLetter && c != Class::kDigit && c != Class::kDollar) break;
      ++at_;
    }
    return true;
  }

  bool number() {
    const std::size_t from = at_;
    while (is_digit(peek(0))) ++at_;
    if (peek(0) == '.') {
      if (peek(1) == '.') return false;
      ++at_;
      while (is_digit(peek(0))) ++at_;
    }
    if (peek(0) == 'e' || peek(0) == 'E') {
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (!is_digit(peek(1 + sign))) return false;
      at_ += 1 + sign;
      while (is_digit(peek(0))) ++at_;
    }
    if (at_ < text_.size()) {  // run into something
      const Class next = class_of(text_[at_]);
      if (next == Class::kLetter || next == Class::kDot || next == Class::kDollar) return false;
    }
    Literal found = number_literal(text_.substr(from, at_ - from));
    std::size_t before = from;
    while (before > 0 && class_of(text_[before - 1]) == Class::kBlank) --before;
    literal(from, found.kind, std::move(found.text));
    if (before > 0 && text_[before - 1] == '-') out_.literals.back().minus_at = before - 1;
    return true;
  }

  // A string that begins at `from` (its E) and whose quote is at at_.
  bool string(std::size_t from, bool escapes) {
    std::string value;
    for (++at_;; ++at_) {
      const std::size_t end = text_.find('\'', at_);
      if (end == std::string_view::npos) return false;
      value.append(text_.substr(at_, end - at_));
      at_ = end + 1;
      if (peek(0) != '\'') break;
      value += '\'';
    }
    if (escapes && value.find('\\') != std::string::npos) return false;
    literal(from, Literal::Kind::kString, std::move(value));
    return !continues();
  }

  // 'a' on one line and 'b' on the next are one string.
  bool continues() const {
    std::size_t at = at_;
    while (at < text_.size()) {
      if (class_of(text_[at]) == Class::kBlank) {
        ++at;
      } else if (text_[at] == '-' && at + 1 < text_.size() && text_[at + 1] == '-') {
        at = std::min(text_.find('\n', at), text_.size());
      } else {
        return text_[at] == '\'';
      }
    }
    return false;
  }

  bool quoted_name() {
    for (++at_;; ++at_) {
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos) return false;
      for (; at_ < end; ++at_) {
        if (class_of(text_[at_]) == Class::kControl) return false;  // it could look like a mark
      }
      at_ = end + 1;
      if (peek(0) != '"') return true;
    }
  }

  // $1, or $tag$ … $tag$.
  bool dollar() {
    if (is_digit(peek(1))) {
      ++at_;
      while (is_digit(peek(0))) ++at_;
      return at_ >= text_.size() || class_of(text_[at_]) != Class::kLetter;
    }
    std::size_t end = at_ + 1;
    while (end < text_.size() && (class_of(text_[end]) == Class::kLetter || is_digit(text_[end]))) ++end;
    if (end >= text_.size() || text_[end] != '$') return false;
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const std::size_t close = text_.find(tag, end + 1);
    if (close == std::string_view::npos) return false;
    const std::size_t from = at_;
    at_ = close + tag.size();
    literal(from, Literal::Kind::kString, std::string(text_.substr(end + 1, close - end - 1)));
    return true;
  }

  bool line_comment() {
    const std::size_t from = at_;
    at_ = std::min(text_.find_first_of("\n\r", at_), text_.size());
    replace(from, " ");
    return true;
  }

  bool comment() {
    const std::size_t from = at_;
    std::size_t depth = 1;
    at_ += 2;
    while (depth > 0) {
      if (at_ + 1 >= text_.size()) return false;
      if (text_[at_] == '*' && text_[at_ + 1] == '/') {
        --depth;
        at_ += 2;
      } else if (text_[at_] == '/' && text_[at_ + 1] == '*') {
        ++depth;
        at_ += 2;
      } else {
        ++at_;
      }
    }
    replace(from, " ");
    return true;
  }

  std::string_view text_;
  Shape& out_;
  std::size_t at_ = 0, kept_ = 0;
};

}  // namespace

bool shape_of(std::string_view text, Shape& out) {
  out.clear();
  return text.find('\0') == std::string_view::npos && simdjson::validate_utf8(text.data(), text.size()) && Cutter(text, out).run();
}

Shape whole_text(std::string_view text) {
  Shape out;
  out.key.reserve(text.size() + 1);
  out.key += '\x05';
  out.key += text;
  return out;
}

Literal number_literal(std::string_view digits) {
  Literal out;
  out.text = digits;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) {
    out.kind = Literal::Kind::kDecimal;
    return out;
  }
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  const std::string_view value = digits.substr(first);
  const std::string_view most = "2147483647";
  if (value.size() > most.size() || (value.size() == most.size() && value > most)) {
    out.kind = Literal::Kind::kDigits;
    return out;
  }
  out.kind = Literal::Kind::kInteger;
  out.text = value;
  return out;
}

std::string with_sign(const Literal& literal, bool negative) {
  if (!negative || (literal.kind == Literal::Kind::kInteger && literal.text == "0")) return literal.text;
  return "-" + literal.text;
}

std::string_view mark(Literal::Kind kind) {
  switch (kind) {
    case Literal::Kind::kString: return "\x01";
    case Literal::Kind::kInteger: return "\x02";
    case Literal::Kind::kDigits: return "\x03";
    case Literal::Kind::kDecimal: return "\x04";
  }
  return "";
}

}  // namespace tocsin::engine::sql
