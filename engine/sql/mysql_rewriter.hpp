// MySQL's tokens as PostgreSQL's text: where both languages mean the same thing it is written anew, where MySQL only
// hints it is left away, and what has no counterpart stays for the parser to refuse. Every rewriting must keep the rows
// that reach the client or let more through (ops/docs/exposure.md), and must not look at the value of a constant.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/sql/mysql_lexer.hpp"

namespace tocsin::engine::sql::mysql {

// Where a constant of MySQL's text stands in PostgreSQL's.
struct Place {
  int literal;
  std::size_t at;
  std::size_t minus_at;  // of the minus just before it; 0 if there is none
};

struct Rewritten {
  std::string text;
  std::vector<Place> places;  // in the order of `text`
  bool outfile = false;
  bool for_update = false;
  bool loose = false;  // a condition holds for more rows than MySQL's, or groups its words otherwise
};

[[nodiscard]] Rewritten rewrite(Tokens tokens);

}  // namespace tocsin::engine::sql::mysql
