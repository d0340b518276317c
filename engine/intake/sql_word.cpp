// Skips what may stand before the first word, then takes letters.
#include "engine/intake/sql_word.hpp"

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

// Past the line; past everything if it is the last.
void skip_line(std::string_view& sql) {
  const std::size_t end = sql.find('\n');
  sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
}

// Past the comment that `sql` begins with; past everything if it is not closed.
void skip_comment(std::string_view& sql, bool nests) {
  std::size_t depth = 1, at = 2;
  for (; at + 1 < sql.size() && depth > 0; ++at) {
    if (sql[at] == '*' && sql[at + 1] == '/') {
      --depth;
      ++at;
    } else if (nests && sql[at] == '/' && sql[at + 1] == '*') {
      ++depth;
      ++at;
    }
  }
  sql.remove_prefix(depth == 0 ? at : sql.size());
}

}  // namespace

std::string first_word(std::string_view sql, SqlComments comments) {
  const bool mysql = comments == SqlComments::kMysql;
  for (;;) {
    sql = trim(sql);
    if (mysql ? sql.starts_with("-- ") || sql.starts_with("#") : sql.starts_with("--")) {
      skip_line(sql);
    } else if (mysql && (sql.starts_with("/*!") || sql.starts_with("/*M!"))) {
      sql.remove_prefix(sql.find('!') + 1);
      while (!sql.empty() && sql[0] >= '0' && sql[0] <= '9') sql.remove_prefix(1);
    } else if (sql.starts_with("/*")) {
      skip_comment(sql, !mysql);
    } else if (sql.starts_with("(")) {
      sql.remove_prefix(1);
    } else {
      break;
    }
  }
  std::string word;
  for (const char c : sql) {
    if (c >= 'a' && c <= 'z') word += static_cast<char>(c - 'a' + 'A');
    else if ((c >= 'A' && c <= 'Z') || c == '_') word += c;
    else break;
  }
  return word;
}

}  // namespace tocsin::engine
