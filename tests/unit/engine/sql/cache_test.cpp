// The cache by shape must never be seen: whatever was read before, a text reads as if it were the first.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "engine/sql/mysql.hpp"
#include "engine/sql/reading.hpp"
#include "engine/sql/shape.hpp"
#include "tests/unit/engine/sql/statement_maker.hpp"

namespace tocsin::engine::sql {
namespace {

void expect_as_afresh(const std::string& text) {
  const auto cached = read(text);
  const auto fresh = read_afresh(text);
  ASSERT_EQ(cached.has_value(), fresh.has_value()) << text;
  if (fresh) ASSERT_TRUE(**cached == *fresh) << text << "\ncached:\n" << describe(**cached) << "fresh:\n" << describe(*fresh);
  else ASSERT_EQ(cached.error().message, fresh.error().message) << text;
}

std::size_t statements() { return std::getenv("TOCSIN_LONG") != nullptr ? 2'000'000 : 10'000; }

TEST(Cache, ReadsRandomStatementsAsIfTheyWereTheFirst) {
  StatementMaker maker(1);
  const CacheCounts before = cache_counts();
  for (std::size_t i = 0; i < statements(); ++i) {
    expect_as_afresh(maker.postgres());
    if (HasFatalFailure()) return;
  }
  const CacheCounts after = cache_counts();
  EXPECT_GT(after.hits - before.hits, statements() / 3) << "the forms repeat: most of them must have been found";
}

void expect_mysql_as_afresh(const std::string& text) {
  const auto cached = read_mysql(text), fresh = read_mysql_afresh(text);
  ASSERT_EQ(cached->kind, fresh->kind) << text;
  ASSERT_EQ(cached->reading != nullptr, fresh->reading != nullptr) << text;
  if (fresh->reading) {
    ASSERT_TRUE(*cached->reading == *fresh->reading) << text << "\ncached:\n" << describe(*cached->reading) << "fresh:\n" << describe(*fresh->reading);
  }
  const auto rest = [](const MysqlReading& r) {
    std::string out = r.target + "/" + r.reason + "/" + r.modes + "/" + std::to_string((r.dump ? 1 : 0) + (r.outfile ? 2 : 0) + (r.for_update ? 4 : 0) + (r.one_row ? 8 : 0));
    for (const std::string& relation : r.relations) out += "/" + relation;
    return out;
  };
  ASSERT_EQ(rest(*cached), rest(*fresh)) << text;
}

TEST(Cache, ReadsRandomMysqlStatementsAsIfTheyWereTheFirst) {
  StatementMaker maker(2);
  const CacheCounts before = cache_counts();
  for (std::size_t i = 0; i < statements(); ++i) {
    expect_mysql_as_afresh(maker.mysql());
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(cache_counts().hits - before.hits, statements() / 3);
}

// Each row after the first is read when the one before it has just been kept.
TEST(Cache, TellsConstantsApartThatMatter) {
  const std::vector<std::vector<std::string>> rows = {
      {"SELECT * FROM p LIMIT 5", "SELECT * FROM p LIMIT 6", "SELECT * FROM p LIMIT 5"},
      {"SELECT a, b FROM p GROUP BY 1", "SELECT a, b FROM p GROUP BY 2"},
      {"FETCH 5 FROM c", "FETCH 6 FROM c", "FETCH 2147483647 FROM c"},
      {"SET search_path = 'a'", "SET search_path = 'b'"},
      {"SELECT * FROM p WHERE id = 5", "SELECT * FROM p WHERE id = 6", "SELECT * FROM p WHERE id = '6'", "SELECT * FROM p WHERE id = 6.0",
       "SELECT * FROM p WHERE id = 6000000000", "SELECT * FROM p WHERE id = 006"},
      {"SELECT * FROM p WHERE id = -5", "SELECT * FROM p WHERE id = -0", "SELECT * FROM p WHERE id = - 00", "SELECT * FROM p WHERE id = -2147483648"},
      {"SELECT * FROM p WHERE id IN (1,2)", "SELECT * FROM p WHERE id IN (3,2,1)", "SELECT * FROM p WHERE id IN (3,'2')"},
      {"SELECT * FROM p WHERE n = 'a'", "SELECT * FROM p WHERE n = 'a''b'", "SELECT * FROM p WHERE n = $$a'b$$", "SELECT * FROM p WHERE n = E'a\\'b'",
       "SELECT * FROM p WHERE n = U&'\\0061'", "SELECT * FROM p WHERE n = 'a'\n'b'", "SELECT * FROM p WHERE n = 'a' -- x\n'b'"},
      {"COPY p TO 'a'", "COPY p TO 'b'"},
      {"EXECUTE q(1, 'a')", "EXECUTE q(2, 'b')", "EXECUTE q(-2, NULL)"},
      {"CREATE TABLE t (a float(3))", "CREATE TABLE t (a float(60))", "CREATE TABLE t (a float(30))"},
      {"SELECT * FROM p WHERE id = 1 -- 2", "SELECT * FROM p WHERE id = 1 -- 3", "SELECT * FROM p WHERE id = 1 /* /* 3 */ OR */"},
      {"SELECT 'x\x01y' FROM p WHERE id = 3", "SELECT \"x\x01y\" FROM p WHERE id = 3"},
      {"INSERT INTO p (id, n) VALUES (1, 'a')", "INSERT INTO p (id, n) VALUES (2, 'b')"},
      {"UPDATE p SET n = 'a' WHERE id = 1", "UPDATE p SET n = 'b' WHERE id = 2"},
  };
  for (const auto& row : rows) {
    for (const std::string& text : row) expect_as_afresh(text);
  }
}

TEST(Cache, FindsATextOfAKnownShape) {
  const auto hits = [](const char* text) {
    const CacheCounts before = cache_counts();
    (void)read(text);
    return cache_counts().hits - before.hits;
  };
  (void)read("SELECT shape FROM patient WHERE id = 1 AND name = 'a' /*traceparent='1'*/");
  EXPECT_EQ(hits("SELECT shape FROM patient WHERE id = 27 AND name = 'O''Brien' /*traceparent='2'*/"), 1U);
  EXPECT_EQ(hits("SELECT shape FROM patient WHERE id = 27.5 AND name = 'b' /**/"), 0U);
  (void)read("SELECT shape FROM patient LIMIT 10");
  EXPECT_EQ(hits("SELECT shape FROM patient LIMIT 20"), 0U);
  EXPECT_EQ(hits("SELECT shape FROM patient LIMIT 10"), 1U) << "both variants are kept";
  (void)read("SELECT shape FROM");
  EXPECT_EQ(hits("SELECT shape FROM"), 1U) << "that it cannot be read is kept too";
}

TEST(Cache, ForgetsWhatIsLongUnused) {
  const std::string first = "SELECT forgotten FROM patient";
  (void)read(first);
  for (std::size_t i = 0; i < kCachedReadings; ++i) (void)read("SELECT column_" + std::to_string(i) + " FROM patient");
  const CacheCounts before = cache_counts();
  (void)read(first);
  EXPECT_EQ(cache_counts().misses - before.misses, 1U);
}

struct Cut {
  const char* text;
  const char* key;  // with the marks as I, S, D (digits) and N (decimal); nullptr: not cut
};

TEST(Shape, ReplacesConstantsAndComments) {
  const Cut rows[] = {
      {"SELECT 1, 'a', 1.5, 99999999999", "SELECT I, S, N, D"},
      {"a1 = 'it''s' AND b$1$ = $1", "a1 = S AND b$1$ = $1"},
      {"x = $t$ ' $$ $t$ - .5", "x = S - N"},
      {"a/* 'x' /* 1 */ */b--1\n-1", "a b \n-I"},
      {"e'x' E'y' \"1 '\"", "S S \"1 '\""},
      {"1e5 1E-5 5. 007", "N N N I"},
      {"f(1,2)::int[3]", "f(I,I)::int[I]"},
      {"'a' ; 'b'", "S ; S"},
      {"E'\\n'", nullptr},
      {"U&'x'", nullptr},
      {"B'0'", nullptr},
      {"N'x'", nullptr},
      {"'a'\n'b'", nullptr},
      {"'a' --\n 'b'", nullptr},
      {"'a", nullptr},
      {"\"a", nullptr},
      {"/* a", nullptr},
      {"$t$ a", nullptr},
      {"1a", nullptr},
      {"1..2", nullptr},
      {"1.2.3", nullptr},
      {"1e", nullptr},
      {"a\x01", nullptr},
      {"\"a\x01\"", nullptr},
      {"'\xff'", nullptr},
  };
  for (const Cut& row : rows) {
    Shape shape;
    const bool cut = shape_of(row.text, shape);
    EXPECT_EQ(cut, row.key != nullptr) << row.text;
    if (!cut || row.key == nullptr) continue;
    std::string key;
    for (const char c : shape.key) key += c == '\x01' ? 'S' : c == '\x02' ? 'I' : c == '\x03' ? 'D' : c == '\x04' ? 'N' : c;
    EXPECT_EQ(key, row.key) << row.text;
  }
}

}  // namespace
}  // namespace tocsin::engine::sql
