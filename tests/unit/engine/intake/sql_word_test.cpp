#include "engine/intake/sql_word.hpp"

#include <gtest/gtest.h>

namespace tocsin::engine {
namespace {

struct Row {
  const char* name;
  const char* sql;
  const char* postgres;
  const char* mysql;
};

TEST(FirstWord, IsPastBlanksCommentsAndBrackets) {
  const Row rows[] = {
      {"plain", "select 1", "SELECT", "SELECT"},
      {"nothing", " \n", "", ""},
      {"brackets", "((select 1) union select 2)", "SELECT", "SELECT"},
      {"line comment", "-- who\n update t set a=1", "UPDATE", "UPDATE"},
      {"line comment to the end", "-- who", "", ""},
      {"two dashes alone are no comment in MySQL", "--who\nselect 1", "SELECT", ""},
      {"hash", "# who\nselect 1", "", "SELECT"},
      {"comment", "/* a */ /*b*/ delete from t", "DELETE", "DELETE"},
      {"comment that looks closed", "/*/ select */ copy t to stdout", "COPY", "COPY"},
      {"nested comment", "/* /* a */ select */ insert into t values (1)", "INSERT", "SELECT"},
      {"comment without end", "/* select", "", ""},
      {"what MySQL executes", "/*!50001 select */ 1", "", "SELECT"},
      {"what MariaDB executes", "/*M!100100 update t */", "", "UPDATE"},
      {"underscore", "xa_start 1", "XA_START", "XA_START"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(first_word(row.sql, SqlComments::kPostgres), row.postgres) << row.name;
    EXPECT_EQ(first_word(row.sql, SqlComments::kMysql), row.mysql) << row.name;
  }
}

}  // namespace
}  // namespace tocsin::engine
