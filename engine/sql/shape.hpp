// A statement's shape: its text with every constant replaced by a mark of its kind, and comments by a blank. Statements
// of one shape have one parse tree but for the constants, so that one reading, with the constants put in, serves them all.
//
//   Shape shape;
//   shape_of("SELECT name FROM patient WHERE id = 42 /* trace */", shape)
//   shape.key       // "SELECT name FROM patient WHERE id = <integer>  "
//   shape.literals  // {kInteger, "42", at 37}
//
// A constant is only replaced if the parser's tree shows it as a constant at that place, and the compiler has not
// looked at its value (LIMIT 5, GROUP BY 1): the others are *pinned*, and belong to what is compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::engine::sql {

struct Literal {
  enum class Kind : std::uint8_t {
    kString,
    kInteger,  // fits an int: PostgreSQL keeps its value
    kDigits,   // longer: kept as text
    kDecimal,  // 1.5, 4e1, .5
  };
  Kind kind = Kind::kString;
  std::string text;    // decoded; integers without leading zeros
  std::size_t at = 0;  // where the parser finds it in its text …
  std::size_t minus_at = 0;  // … and the minus before it, if there is one
  bool seen = false;   // the parse tree has this constant there, and nothing else
  bool pinned = false; // its value made a difference
};

struct Shape {
  std::string key;
  std::vector<Literal> literals;
  void clear() {
    key.clear();
    literals.clear();
  }
};

// False if the text holds something whose tokens depend on more than this knows (a string continued on the next line,
// U&'…', N'…', bit strings, numbers run into names, control characters, bad UTF-8): then only the whole text can be compared.
[[nodiscard]] bool shape_of(std::string_view text, Shape& out);

// The shape of nothing but this text.
[[nodiscard]] Shape whole_text(std::string_view text);

// The kind of an unsigned number as PostgreSQL's lexer sees it, and its canonical text.
[[nodiscard]] Literal number_literal(std::string_view digits);

// The constant as the tree of a statement has it: the text with its sign.
[[nodiscard]] std::string with_sign(const Literal& literal, bool negative);

// The mark that stands for a constant in a key; never part of a statement's own text.
[[nodiscard]] std::string_view mark(Literal::Kind kind);

}  // namespace tocsin::engine::sql
