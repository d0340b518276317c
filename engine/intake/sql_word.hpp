// The word that a statement begins with, for logs that do not name the command and statements that no parser takes.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::engine {

enum class SqlComments {
  kPostgres,  // "--" to the end of the line; /* /* nested */ */
  kMysql,     // "-- " and "#"; what stands in /*! … */ is executed
};

// In capitals, past blanks, comments and opening brackets; empty if there is none.
[[nodiscard]] std::string first_word(std::string_view sql, SqlComments comments);

}  // namespace tocsin::engine
