#include "engine/intake/csv.hpp"

#include <gtest/gtest.h>

namespace tocsin::engine {
namespace {

std::string joined(std::string_view record) {
  std::vector<CsvField> fields;
  if (!split_csv(record, fields)) return "malformed";
  std::string out, scratch;
  for (const CsvField& field : fields) {
    out += '[';
    out += field.value(scratch);
    out += ']';
  }
  return out;
}

TEST(Csv, SplitsAsPostgresWrites) {
  struct Row { const char* name; const char* in; const char* out; };
  for (const Row& row : {
           Row{"plain", "a,b,c", "[a][b][c]"},
           Row{"one", "a", "[a]"},
           Row{"nothing", "", "[]"},
           Row{"empty fields", ",,", "[][][]"},
           Row{"quoted", R"("a,b",c)", "[a,b][c]"},
           Row{"empty quotes", R"("","")", "[][]"},
           Row{"doubled", R"("say ""hi""",x)", "[say \"hi\"][x]"},
           Row{"only quotes", R"("""")", "[\"]"},
           Row{"line break", "\"a\nb\",c", "[a\nb][c]"},
           Row{"quote not first", R"(a"b,c)", "[a\"b][c]"},
           Row{"not closed", R"("abc)", "malformed"},
           Row{"text after quotes", R"("a"b,c)", "malformed"},
           Row{"parameters", R"(9,"x,""y")", "[9][x,\"y]"},
       }) {
    EXPECT_EQ(joined(row.in), row.out) << row.name;
  }
}

TEST(Csv, SeesWhereACsvlogRecordBegins) {
  EXPECT_TRUE(begins_csvlog("2026-11-23 14:55:50.158 UTC,\"u\""));
  EXPECT_TRUE(begins_csvlog("2026-11-23 14:55:50 CET,"));
  EXPECT_FALSE(begins_csvlog("2026-11-23T14:55:50.158 UTC"));
  EXPECT_FALSE(begins_csvlog("2026-11-23 14:55"));
  EXPECT_FALSE(begins_csvlog(""));
}

}  // namespace
}  // namespace tocsin::engine
