// One canonical text per statement: what is read, and with which conditions, is seen at a glance.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/functions.hpp"
#include "engine/sql/reading.hpp"

namespace tocsin::engine::sql {
namespace {

std::string read_text(const char* text) {
  auto reading = read_afresh(text);
  return reading ? describe(*reading) : "error: " + reading.error().message;
}

struct Case {
  const char* statement;
  const char* reading;
};

class Readings : public testing::TestWithParam<Case> {};

TEST_P(Readings, AreCanonical) { EXPECT_EQ(read_text(GetParam().statement), GetParam().reading) << GetParam().statement; }

INSTANTIATE_TEST_SUITE_P(
    Selects, Readings,
    testing::Values(
        Case{"SELECT name FROM patient WHERE id = $1", "select one-to-one\n  0 patient row name [0.id in ($1)]\n"},
        Case{"TABLE crm.patient", "select one-to-one\n  0 crm.patient row *\n"},
        Case{"SELECT p.name, v.ward FROM patient p JOIN visit v ON v.patient_id = p.id WHERE p.id = 5",
             "select\n  0 patient row name [1.patient_id = 0.id] [0.id in ('5')]\n"
             "  1 visit row ward [1.patient_id = 0.id] [0.id in ('5')]\n"},
        // ON of an outer join narrows its optional side only.
        Case{"SELECT p.name, v.ward FROM patient p LEFT JOIN visit v ON v.patient_id = p.id AND v.ward = 'x'",
             "select\n  0 patient row name\n"
             "  1 visit row nullable ward [(1.patient_id = 0.id and 1.ward in ('x'))]\n"},
        // Operators that are not understood narrow nothing; NOT is kept, for whoever can evaluate it.
        Case{"SELECT * FROM patient WHERE NOT id = 5 AND id % 2 = 0", "select one-to-one\n  0 patient row * [(not 0.id in ('5') and true)]\n"},
        Case{"SELECT * FROM patient WHERE id IN (1, 2) OR id BETWEEN 5 AND $1",
             "select one-to-one\n  0 patient row * [(0.id in ('1', '2') or '5' <= 0.id <= $1)]\n"},
        Case{"SELECT * FROM patient WHERE 10 > id AND id >= 3",
             "select one-to-one\n  0 patient row * [(0.id < '10' and '3' <= 0.id)]\n"},
        Case{"SELECT * FROM patient WHERE id = -5 OR id BETWEEN - 007 AND -0",
             "select one-to-one\n  0 patient row * [(0.id in ('-5') or '-7' <= 0.id <= '0')]\n"},
        Case{"SELECT * FROM patient WHERE id = -2147483648 AND id > - -5",
             "select one-to-one\n  0 patient row * [(0.id in ('-2147483648') and '5' < 0.id)]\n"},
        // The parser's text does not show these numbers.
        Case{"SELECT * FROM patient WHERE id = -(5) AND id = - - -5", "select one-to-one\n  0 patient row * [(true and true)]\n"},
        Case{"SELECT * FROM patient WHERE id = ANY($1)", "select one-to-one\n  0 patient row * [0.id in (any $1)]\n"},
        // 4e1 is 40 for PostgreSQL: not compared as text, and with a key not at all.
        Case{"SELECT * FROM patient WHERE id = 4e1", "select one-to-one\n  0 patient row * [0.id in (?)]\n"},
        // A cast that may cut the value says nothing about the key.
        Case{"SELECT * FROM patient WHERE id::varchar(1) = '4'", "select one-to-one\n  0 patient row *\n"},
        Case{"SELECT name FROM patient, visit WHERE patient_id = 5",
             "select\n  0 patient row name [0|1.patient_id? in ('5')]\n  1 visit row name [0|1.patient_id? in ('5')]\n"}));

INSTANTIATE_TEST_SUITE_P(
    Aggregates, Readings,
    testing::Values(
        Case{"SELECT count(*) FROM patient", "select aggregate\n  0 patient statistic merged\n"},
        Case{"SELECT json_agg(p) FROM patient p", "select aggregate\n  0 patient collected merged *\n"},
        Case{"SELECT string_agg(name, ',') FROM patient", "select aggregate\n  0 patient collected merged name\n"},
        Case{"SELECT my_function(name) FROM patient", "select aggregate\n  0 patient collected merged name\n"},
        Case{"SELECT id, my_function(name) FROM patient", "select\n  0 patient row id,name\n"},
        Case{"SELECT max(id) FROM visit", "select aggregate\n  0 visit value merged id\n"},
        Case{"SELECT country, count(*) FROM patient GROUP BY country", "select\n  0 patient row merged by 0.country country\n"},
        Case{"SELECT DISTINCT name FROM patient", "select\n  0 patient row merged by 0.name name\n"},
        Case{"SELECT EXISTS (SELECT 1 FROM patient WHERE id = 3)", "select\n  0 patient statistic nullable [0.id in ('3')]\n"},
        Case{"SELECT 1 FROM patient WHERE id = 3", "select one-to-one\n  0 patient existence [0.id in ('3')]\n"},
        Case{"SELECT * FROM (SELECT id, array_agg(name) OVER () FROM patient) s WHERE s.id = 3",
             "select\n  0 patient collected id,name\n"},
        Case{"SELECT 1 FROM ONLY \"public\".\"patient\" x WHERE \"id\" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x",
             "select one-to-one key-share\n  0 patient existence [0.id in ($1)]\n"}));

INSTANTIATE_TEST_SUITE_P(
    SubSelects, Readings,
    testing::Values(
        Case{"WITH w AS (SELECT * FROM patient WHERE id < 9) SELECT name FROM w WHERE id = 5",
             "select\n  0 patient row name [0.id < '9'] [0.id in ('5')]\n"},
        Case{"SELECT name FROM patient UNION SELECT name FROM patient WHERE id = 1",
             "select barrier\n  0 patient row merged by 0.name name\n  1 patient row merged by 1.name name [1.id in ('1')]\n"},
        Case{"SELECT (SELECT p.name FROM patient p WHERE p.id = v.patient_id) FROM visit v WHERE v.patient_id = 5",
             "select one-to-one\n  0 visit none [0.patient_id in ('5')]\n"
             "  1 patient row nullable name [1.id = 0.patient_id] [0.patient_id in ('5')]\n"},
        Case{"SELECT * FROM visit WHERE patient_id IN (SELECT id FROM patient WHERE country = 'DE')",
             "select one-to-one\n  0 visit row *\n  1 patient none [1.country? in ('DE')]\n"},
        Case{"SELECT a FROM (SELECT id AS a, name FROM patient) s WHERE a = 5",
             "select\n  0 patient row id [0.id in ('5')]\n"},
        Case{"SELECT b FROM (SELECT id, name FROM patient) s(a, b) WHERE a = 5",
             "select\n  0 patient row name [0.id in ('5')]\n"},
        Case{"SELECT j.* FROM (patient p JOIN visit v ON true) AS j", "select\n  0 patient row *\n  1 visit row *\n"},
        Case{"SELECT x FROM json_each((SELECT json_agg(p) FROM patient p)) x", "select\n  0 patient collected nullable merged *\n"}));

INSTANTIATE_TEST_SUITE_P(
    Ways, Readings,
    testing::Values(
        Case{"COPY patient (id, name) TO PROGRAM 'cat'", "copy-out program one-to-one\n  0 patient row id,name\n"},
        Case{"COPY (SELECT * FROM patient WHERE id <= 100) TO STDOUT",
             "copy-out select one-to-one\n  0 patient row * [0.id <= '100']\n"},
        Case{"COPY patient FROM STDIN", "copy-in ->patient\n  0 patient none written\n"},
        Case{"DECLARE c CURSOR FOR SELECT * FROM patient", "declare select c one-to-one\n  0 patient row *\n"},
        Case{"FETCH 500 FROM c", "fetch c 500\n"}, Case{"FETCH ALL FROM c", "fetch c all\n"},
        Case{"FETCH BACKWARD ALL FROM c", "fetch c all\n"}, Case{"FETCH FIRST FROM c", "fetch c 1\n"},
        Case{"MOVE 3 IN c", "move c 3\n"}, Case{"CLOSE ALL", "close\n"},
        Case{"PREPARE q(int) AS SELECT * FROM patient WHERE id = $1",
             "prepare select q one-to-one\n  0 patient row * [0.id in ($1)]\n"},
        Case{"EXECUTE q(5, 'x')", "execute q '5' 'x'\n"}, Case{"DEALLOCATE ALL", "deallocate\n"},
        Case{"CREATE TABLE cp AS SELECT id FROM patient", "create-as select ->cp one-to-one\n  0 patient row staged-row id\n"},
        Case{"SELECT id INTO cp FROM patient", "create-as select ->cp one-to-one\n  0 patient row staged-row id\n"},
        Case{"INSERT INTO cp SELECT * FROM patient", "insert ->cp\n  0 cp none written\n  1 patient none staged-row\n"},
        Case{"DELETE FROM patient WHERE id = 7 RETURNING name", "delete\n  0 patient row written name [0.id in ('7')]\n"},
        Case{"UPDATE patient SET email = 'x' WHERE id = 7", "update\n  0 patient none written [0.id in ('7')]\n"},
        Case{"EXPLAIN ANALYZE SELECT * FROM patient", "explain select analyze one-to-one\n  0 patient row *\n"},
        Case{"SET ROLE boss", "set role=boss\n"}, Case{"RESET ALL", "reset\n"},
        Case{"SET search_path = crm, public", "set search_path=crm,public\n"},
        Case{"CREATE VIEW v(a) AS SELECT id FROM patient", "create-view select ->v,a one-to-one\n  0 patient row id\n"},
        Case{"SELECT 1; TABLE patient", "select\nselect one-to-one\n  0 patient row *\n"}));

TEST(Reading, RefusesWhatTheParserRefusesWithoutQuotingIt) {
  const auto reading = read_afresh("SELECT * FORM patient WHERE name = 'Anna Berg'");
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, Errc::kInvalid);
  EXPECT_EQ(reading.error().message.find("Anna"), std::string::npos);
}

TEST(Reading, HasLimits) {
  EXPECT_EQ(read_afresh(std::string(kMaxStatementBytes + 1, ' ')).error().code, Errc::kTooLarge);
  EXPECT_FALSE(read_afresh(std::string_view("SELECT 1\0 FROM x", 16)));
  std::string deep = "SELECT * FROM patient WHERE id = 1";
  for (int i = 0; i < 400; ++i) deep += " OR (id = 1 AND (id = 2";
  for (int i = 0; i < 400; ++i) deep += "))";
  EXPECT_FALSE(read_afresh(deep));
  std::string wide = "WITH a AS (SELECT * FROM t, t x)";
  for (char c = 'b'; c < 'l'; ++c) wide += std::string(", ") + c + " AS (SELECT * FROM " + char(c - 1) + " p, " + char(c - 1) + " q)";
  EXPECT_FALSE(read_afresh(wide + " SELECT * FROM k"));
}

TEST(Reading, TheCacheGivesTheSame) {
  const char* text = "SELECT name FROM patient WHERE id = 77";
  const auto first = read(text), second = read(text);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->get(), second->get());
  EXPECT_FALSE(read("no sql"));
  EXPECT_FALSE(read("no sql"));
  for (std::size_t i = 0; i < kCachedReadings + 10; ++i) ASSERT_TRUE(read("SELECT " + std::to_string(i)));
  EXPECT_EQ(describe(**read(text)), describe(**first));
}

TEST(Functions, AreKnownOrUnknown) {
  EXPECT_EQ(function_kind("count"), FunctionKind::kStatistic);
  EXPECT_EQ(function_kind("max"), FunctionKind::kValue);
  EXPECT_EQ(function_kind("lower"), FunctionKind::kScalar);
  EXPECT_EQ(function_kind("json_agg"), FunctionKind::kUnknown);
}

}  // namespace
}  // namespace tocsin::engine::sql
