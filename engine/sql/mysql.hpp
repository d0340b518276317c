// MySQL's and MariaDB's SQL, read with PostgreSQL's parser: the text is cut into MySQL's tokens, and where both
// languages mean the same thing it is written anew as PostgreSQL would have it. What has no counterpart is left
// for the parser to refuse: a refused statement is graded by the tables that the log names, never guessed.
//
//   auto reading = sql::read_mysql("SELECT `name` FROM patient WHERE id = 5 LIMIT 2,1");
//
// Names are folded to lower case and databases are left away: what could be meant counts as meant.
// Assumed: sql_mode without ANSI_QUOTES, NO_BACKSLASH_ESCAPES and PIPES_AS_CONCAT (SET sql_mode is told: `modes`).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/reading.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine::sql {

// What a statement is for the log's reader.
enum class MysqlKind : std::uint8_t {
  kQuery,     // `reading` says what it reads and writes
  kNothing,   // gives no rows about people: SHOW, EXPLAIN, GRANT, PREPARE (its execution is logged by itself), …
  kOpaque,    // reads or writes in ways that only the tables in the log tell: SET @a = (…), DO, CALL, LOAD DATA, HANDLER
  kRefused,   // not to be read: it has no counterpart, is not complete, or depends on the server's version
  kLock,      // LOCK TABLES: until `unlock`, statements leave no table lines
  kUnlock,
};

struct MysqlReading {
  MysqlKind kind = MysqlKind::kNothing;
  std::shared_ptr<const Reading> reading;  // of kQuery; nullptr otherwise
  std::vector<std::string> relations;      // kLock: the names it locks
  std::string target;        // kRefused: the table that CREATE TABLE or INSERT fills
  std::string reason;        // kRefused: a sentence for a person
  bool dump = false;         // as mysqldump writes its SELECT
  bool outfile = false;      // INTO OUTFILE, INTO DUMPFILE: the rows become a file on the server
  bool for_update = false;   // SELECT … FOR UPDATE: the log names its tables as written
  bool one_row = false;      // HANDLER … READ without LIMIT
  std::string modes;         // SET sql_mode = …: the value as written
};

// Reads `text`; never fails: see kRefused. Thread-safe, with a cache per thread by the shape of the text.
[[nodiscard]] std::shared_ptr<const MysqlReading> read_mysql(std::string_view text);

// The same without cache.
[[nodiscard]] std::shared_ptr<const MysqlReading> read_mysql_afresh(std::string_view text);

// The PostgreSQL text that stands for `text`, for tests; empty if there is none.
[[nodiscard]] std::string from_mysql(std::string_view text);

}  // namespace tocsin::engine::sql
