// The reader on statements as pgaudit logs them, written by hand: sessions, cursors, copies, views, transactions.
#include "engine/exposure/reader.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/engine/exposure/reader_fixture.hpp"

namespace tocsin::engine {
namespace {

using storage::Grade;

TEST_F(Exposure, NamesIdsExactly) {
  EXPECT_EQ(select("SELECT * FROM patient WHERE id = 3", 1), "exact 3 1..1 select");
  EXPECT_EQ(last_.subjects, std::vector<std::string>{"3"});
  EXPECT_EQ(select("SELECT * FROM patient WHERE id IN (1, 2)", 1), "exact 1,2 1..1 select");
  EXPECT_EQ(select("SELECT * FROM visit v WHERE v.patient_id = '0002'::int", 7, "visit"), "exact 2 1..1 select");
  Access bound = line("SELECT", "SELECT * FROM patient WHERE id = $1", 1, "patient");
  bound.statement.parameters = {"4"};
  EXPECT_EQ(show(read(bound)), "exact 4 1..1 select");
}

TEST_F(Exposure, NobodyIsReachedByNothing) {
  EXPECT_EQ(select("SELECT * FROM patient WHERE id = 99", 0), "");
  EXPECT_EQ(select("SELECT count(*) FROM patient", 1), "");
  EXPECT_EQ(select("SELECT 1 FROM ONLY \"public\".\"patient\" x WHERE \"id\" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x", 1), "");
  EXPECT_EQ(select("EXPLAIN ANALYZE SELECT * FROM patient", 5), "");
  EXPECT_EQ(select("SELECT relname FROM pg_catalog.pg_class", 50, ""), "");
  EXPECT_EQ(registers_.find("patient")->size(), 5U);
}

TEST_F(Exposure, ANumberAboutOnePersonIsAboutThatPerson) {
  EXPECT_EQ(select("SELECT count(*) FROM visit WHERE patient_id = 3", 1, "visit"), "exact 3 0..1 select");
}

TEST_F(Exposure, EvaluatesRangesAndRegisteredAttributes) {
  EXPECT_EQ(select("SELECT * FROM patient WHERE id <= 2", 2), "derived 1,2 2..2 select");
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'DE'", 3), "derived 1,3,5 3..3 select");
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'DE' AND id > 2", 2), "derived 3,5 2..2 select");
  EXPECT_EQ(select("SELECT * FROM patient WHERE email = 'b@example.org' OR id = 4", 2), "derived 2,4 2..2 select");
}

TEST_F(Exposure, FallsBackWhereTheRegisterCannotBeRight) {
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'DE'", 4), "bound all 5 4..4 select");
  EXPECT_EQ(select("SELECT * FROM patient WHERE email = 'late@example.org'", 1), "bound all 5 1..1 select");
  // Not counted: attributes alone exclude nobody.
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'DE'", kUncounted), "bound all 5 0..5 select");
}

TEST_F(Exposure, OtherConditionsAreBoundByRows) {
  EXPECT_EQ(select("SELECT * FROM visit WHERE ward = 'x'", 2, "visit"), "bound all 5 1..2 select");
  EXPECT_EQ(select("SELECT * FROM patient ORDER BY id LIMIT 2 OFFSET 2", 2), "bound all 5 2..2 select");
  EXPECT_EQ(select("SELECT json_agg(p) FROM patient p", 1), "bound all 5 0..5 select");
  EXPECT_EQ(select("SELECT DISTINCT country FROM patient", 3), "bound all 5 1..5 select");
}

TEST_F(Exposure, CopyIsOneReachWhateverItsLines) {
  EXPECT_EQ(show(read(line("COPY", "COPY patient TO STDOUT"))), "bound all 5 0..5 copy");
  Access first = line("SELECT", "COPY (SELECT * FROM patient WHERE id < 3) TO STDOUT", 2, "patient");
  Access second = line("COPY", "COPY (SELECT * FROM patient WHERE id < 3) TO STDOUT");
  second.statement.number = first.statement.number;
  --number_;
  const auto a = read(first), b = read(second);
  EXPECT_EQ(show(a), "derived 1,2 2..2 copy");
  EXPECT_EQ(show(b), show(a));
  EXPECT_EQ(a.front().key, b.front().key);
}

TEST_F(Exposure, CursorsAddUpInOneReach) {
  read(line("BEGIN", "BEGIN"));
  EXPECT_EQ(show(read(line("DECLARE CURSOR", "DECLARE c CURSOR FOR SELECT * FROM patient"))), "");
  const auto first = read(line("FETCH", "FETCH 2 FROM c"));
  const auto second = read(line("FETCH", "FETCH 2 FROM c"));
  EXPECT_EQ(show(first), "bound all 5 0..2 cursor");
  EXPECT_EQ(show(second), "bound all 5 0..4 cursor");
  EXPECT_EQ(first.front().key, second.front().key);
  EXPECT_EQ(show(read(line("FETCH", "FETCH ALL FROM c"))), "bound all 5 0..5 cursor");
  read(line("COMMIT", "COMMIT"));
  EXPECT_EQ(show(read(line("FETCH", "FETCH 2 FROM c"))), "unknown  0..2 cursor");
}

TEST_F(Exposure, CursorsOverIdsAreExact) {
  read(line("DECLARE CURSOR", "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM patient WHERE id IN (2, 3)"));
  EXPECT_EQ(show(read(line("FETCH", "FETCH ALL FROM c"))), "exact 2,3 0..2 cursor");
  session_ = "s2";  // cursors belong to their session
  EXPECT_EQ(show(read(line("FETCH", "FETCH ALL FROM c"))), "unknown  0..? cursor");
}

TEST_F(Exposure, PreparedStatementsByEitherLine) {
  read(line("PREPARE", "PREPARE q(int) AS SELECT * FROM patient WHERE id = $1"));
  Access select_line = line("SELECT", "PREPARE q(int) AS SELECT * FROM patient WHERE id = $1", 1, "patient");
  select_line.statement.parameters = {"3"};
  Access execute_line = line("EXECUTE", "EXECUTE q(3)");
  execute_line.statement.number = select_line.statement.number;
  EXPECT_EQ(show(read(select_line)), "exact 3 1..1 prepared");
  EXPECT_EQ(show(read(execute_line)), "exact 3 1..1 prepared");
  // Where the log has the EXECUTE alone, its arguments say it.
  EXPECT_EQ(show(read(line("EXECUTE", "EXECUTE q(4)"))), "exact 4 0..1 prepared");
  EXPECT_EQ(show(read(line("EXECUTE", "EXECUTE other(4)"))), "unknown  0..? prepared");
}

TEST_F(Exposure, ParametersThatTheLogDoesNotShowExcludeNobody) {
  Access a = line("SELECT", "SELECT * FROM patient WHERE id = $1", 1, "patient");
  a.statement.parameters_known = false;
  EXPECT_EQ(show(read(a)), "bound all 5 1..1 select");
}

TEST_F(Exposure, ViewsAreWhatTheyStandFor) {
  read(line("CREATE VIEW", "CREATE VIEW german(number, called) AS SELECT id, name FROM patient WHERE country = 'DE'"));
  EXPECT_EQ(select("SELECT * FROM german", 3), "derived 1,3,5 3..3 view");
  EXPECT_EQ(select("SELECT called FROM german WHERE number = 3", 1), "exact 3 1..1 view");
  EXPECT_EQ(select("SELECT called FROM german WHERE number::text < '2'", 1), "derived 1,3,5 1..1 view") << "as texts '10' < '2'";
  read(line("CREATE VIEW", "CREATE VIEW lists AS SELECT country, json_agg(p) FROM patient p GROUP BY country"));
  EXPECT_EQ(select("SELECT * FROM lists", 1), "bound all 5 0..5 view");
}

TEST_F(Exposure, AViewThatNobodyDefinedIsBoundByItsTables) {
  Access view = line("SELECT", "SELECT * FROM secret_view", 2, "secret_view");
  view.statement.relation_type = "VIEW";
  Access table = line("SELECT", "SELECT * FROM secret_view", 2, "patient");
  table.statement.number = view.statement.number;
  EXPECT_EQ(show(read(view)), "");
  EXPECT_EQ(show(read(table)), "bound all 5 0..5 select");
  EXPECT_EQ(show(read(line("COPY", "COPY (SELECT * FROM secret_view) TO STDOUT"))), "bound all 5 0..5 copy");
}

TEST_F(Exposure, CopiesOfPeopleAreFollowed) {
  read(line("SELECT", "CREATE TABLE cp AS SELECT id AS number, name FROM patient WHERE id < 3", 2, "patient"));
  EXPECT_EQ(select("SELECT * FROM cp", 2, "cp"), "derived 1,2 0..2 select");
  EXPECT_EQ(select("SELECT * FROM cp WHERE number = 2", 1, "cp"), "exact 2 0..1 select");
  read(line("SELECT", "INSERT INTO cp SELECT id, name FROM patient WHERE id = 5", 1, "patient"));
  EXPECT_EQ(select("SELECT name FROM cp", 3, "cp"), "derived 1,2,5 0..3 select");
}

TEST_F(Exposure, ReturningDiscloses) {
  EXPECT_EQ(show(read(line("UPDATE", "UPDATE patient SET name = name WHERE id = 2 RETURNING *", 1, "patient"))), "exact 2 1..1 returning");
  EXPECT_EQ(show(read(line("UPDATE", "UPDATE patient SET name = name WHERE id = 2", 1, "patient"))), "");
}

TEST_F(Exposure, WritesKeepTheRegisterTrue) {
  read(line("INSERT", "INSERT INTO patient(id, name, email, country) VALUES (6, 'Finn', 'f@example.org', 'DE')", 1, "patient"));
  read(line("UPDATE", "UPDATE patient SET email = 'new@example.org' WHERE id = 1", 1, "patient"));
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'DE'", 4), "derived 1,3,5,6 4..4 select");
  EXPECT_EQ(select("SELECT * FROM patient WHERE email = 'new@example.org'", 1), "derived 1 1..1 select");
  now_ += std::chrono::minutes(5);
  read(line("DELETE", "DELETE FROM patient WHERE id = 2", 1, "patient"));
  now_ += std::chrono::minutes(5);
  select("SELECT 1", 1, "");
  EXPECT_EQ(select("SELECT * FROM patient", 5), "bound all 5 5..5 select");
  // Columns that change for people who cannot be told apart no longer tell people apart.
  read(line("UPDATE", "UPDATE patient SET country = 'XX' WHERE name = 'Cara'", 1, "patient"));
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'DE'", 3), "bound all 5 3..3 select");
  // People whom nobody named leave no upper bound.
  read(line("INSERT", "INSERT INTO patient SELECT * FROM incoming", 7, "patient"));
  EXPECT_EQ(show(read(line("COPY", "COPY patient TO STDOUT"))), "bound all 5 0..? copy");
}

TEST_F(Exposure, WritesThroughAViewAreNotFollowed) {
  read(line("CREATE VIEW", "CREATE VIEW german(number, land) AS SELECT id, country FROM patient WHERE country = 'DE'"));
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'FR'", 1), "derived 2 1..1 select");
  read(line("UPDATE", "UPDATE german SET land = 'FR' WHERE number = 1", 1, "patient"));
  EXPECT_EQ(select("SELECT * FROM patient WHERE country = 'FR'", 1), "bound all 5 1..1 select") << "Anna is French now, and the register does not know it";
}

TEST_F(Exposure, WhatIsRolledBackWasNeverThere) {
  read(line("BEGIN", "BEGIN"));
  read(line("INSERT", "INSERT INTO patient(id, name, email, country) VALUES (7, 'Gast', 'g@example.org', 'DE')", 1, "patient"));
  read(line("ROLLBACK", "ROLLBACK"));
  select("SELECT 1", 1, "");
  EXPECT_EQ(select("SELECT * FROM patient", 5), "bound all 5 5..5 select");
}

TEST_F(Exposure, FailedReadsMayHaveDelivered) {
  Access a = line("SELECT", "SELECT * FROM patient");
  a.outcome = Outcome::kFailure;
  a.error = "canceling statement due to user request";
  EXPECT_EQ(show(read(a)), "bound all 5 0..5 failed");
  a.error = "permission denied for table patient";
  EXPECT_EQ(show(read(a)), "");
}

TEST_F(Exposure, WhatCannotBeReadIsBoundByTheRelation) {
  EXPECT_EQ(select("SELECT this is not SQL", 3), "bound all 5 0..5 select");
  EXPECT_EQ(select("", 3), "bound all 5 0..5 select");
  EXPECT_EQ(select("SELECT this is not SQL", 3, ""), "unknown  0..? select");
}

TEST_F(Exposure, EventsThatNameThePeople) {
  Access a;
  a.time = now_;
  a.origin = {"web", "access.log", 1, 0};
  a.actor.account = "bot";
  a.action = Action::kRead;
  a.outcome = Outcome::kSuccess;
  a.resource.dataset = "patient";
  a.subjects = {"3", "77"};
  EXPECT_EQ(show(read(a)), "exact 3,77 2..2 event");
  EXPECT_FALSE(registers_.find("patient")->at(5).listed);
}

TEST_F(Exposure, RolesAreRemembered) {
  read(line("SET", "SET ROLE boss"));
  EXPECT_EQ(read(line("SELECT", "SELECT * FROM patient WHERE id = 1", 1, "patient")).front().role, "boss");
  read(line("RESET", "RESET ROLE"));
  EXPECT_EQ(read(line("SELECT", "SELECT * FROM patient WHERE id = 1", 1, "patient")).front().role, "");
}

TEST_F(Exposure, WarmingLearnsWithoutReporting) {
  Access declare = line("DECLARE CURSOR", "DECLARE c CURSOR FOR SELECT * FROM patient WHERE id = 3");
  reader_->warm(declare);
  EXPECT_EQ(show(read(line("FETCH", "FETCH ALL FROM c"))), "exact 3 0..1 cursor");
}

TEST(DatasetMap, FindsTablesAndKinds) {
  DatasetMap map;
  map.add({"patient", "id", {{"crm.patient", "id"}, {"visit", "patient_id"}}, {{"email", "contact"}, {"visit.reason", "health"}}});
  EXPECT_EQ(map.persons_of("patient").size(), 1U);        // unqualified: the one in crm may be meant
  EXPECT_EQ(map.persons_of("crm.patient").size(), 1U);
  EXPECT_EQ(map.persons_of("other.patient").size(), 0U);
  EXPECT_TRUE(map.persons_of("crm.patient").front().main);
  EXPECT_FALSE(map.persons_of("public.visit").front().main);
  EXPECT_EQ(map.kind_of("patient", "visit.reason"), "health");
  EXPECT_EQ(map.kind_of("patient", "other"), "");
  EXPECT_EQ(map.kind_of("patient", "EMail"), "contact");
}

// What was read, by the catalogue's kinds of data.
struct KindsCase {
  const char* name;
  const char* statement;
  const char* kinds;
};

TEST(Kinds, OfWhatAStatementReads) {
  DatasetMap map;
  map.add({"patient", "id", {{"patient", "id"}, {"visit", "patient_id"}, {"login", "patient_id"}},
           {{"name", "identity"}, {"email", "contact"}, {"patient.iban", "financial"}, {"visit.reason", "health"}, {"login.password", "credentials"}}});
  storage::Registers registers(storage::process_hash());
  std::istringstream csv("id,name\n1,Anna\n2,Bela\n");
  storage::ImportOptions options;
  options.dataset = "patient";
  ASSERT_TRUE(storage::import_register(csv, options, registers));
  ExposureReader reader(map, registers, {});
  std::uint64_t number = 0;
  const auto run = [&](const char* text, const char* command) {
    Access a;
    a.time = *parse_rfc3339("2026-11-23T12:00:00Z") + std::chrono::seconds(++number);
    a.origin = {"db", "log", number, 0};
    a.actor.session = "s";
    a.outcome = Outcome::kSuccess;
    a.statement.command = command;
    a.statement.audit_class = "READ";
    a.statement.text = text;
    a.statement.parameters_known = true;
    a.statement.number = number;
    std::vector<Reach> out;
    reader.read(a, out);
    std::set<std::string> kinds;
    for (const Reach& r : out) {
      for (const std::string& field : r.fields) kinds.merge(map.kinds_of(r.dataset, field));
    }
    std::string shown;
    for (const std::string& kind : kinds) shown += (shown.empty() ? "" : " ") + kind;
    return shown;
  };
  EXPECT_EQ(run("SELECT * FROM login", "SELECT"), "contact credentials identity") << "a table that nobody described may hold every unnamed column";
  run("CREATE TABLE visit (id int, patient_id int, ward text, reason text)", "CREATE TABLE");
  run("CREATE VIEW card AS SELECT id, name AS who, email FROM patient", "CREATE VIEW");
  run("CREATE VIEW label AS SELECT id, name || email AS both_of FROM patient", "CREATE VIEW");
  const KindsCase rows[] = {
      {"columns", "SELECT name, email FROM patient WHERE id = 1", "contact identity"},
      {"a key alone", "SELECT id FROM patient WHERE id = 1", ""},
      {"a table of its own", "SELECT iban FROM patient WHERE id = 1", "financial"},
      {"another case", "SELECT \"Email\" FROM patient WHERE id = 1", "contact"},
      {"everything", "SELECT * FROM patient WHERE id = 1", "contact financial identity"},
      {"everything of a described table", "SELECT * FROM visit WHERE patient_id = 1", "health"},
      {"everything of one side", "SELECT v.*, p.name FROM patient p JOIN visit v ON v.patient_id = p.id WHERE p.id = 1", "health identity"},
      {"an alias of a column", "SELECT email AS x FROM patient WHERE id = 1", "contact"},
      {"an alias of a table", "SELECT v.reason FROM visit AS v WHERE v.patient_id = 1", "health"},
      {"an expression", "SELECT upper(name) || ' <' || email || '>' FROM patient WHERE id = 1", "contact identity"},
      {"a case", "SELECT CASE WHEN true THEN iban ELSE 'x' END FROM patient WHERE id = 1", "financial"},
      {"a cast", "SELECT email::varchar(5) FROM patient WHERE id = 1", "contact"},
      {"many in one row", "SELECT string_agg(email, ',') FROM patient", "contact"},
      {"rows as JSON", "SELECT row_to_json(p) FROM patient p WHERE id = 1", "contact financial identity"},
      {"a sub-select", "SELECT s.a FROM (SELECT id, email AS a, name AS b FROM patient) s WHERE s.id = 1", "contact"},
      {"a sub-select as a column", "SELECT (SELECT email FROM patient WHERE id = 1)", "contact"},
      {"a CTE", "WITH w AS (SELECT * FROM patient WHERE id = 1) SELECT iban FROM w", "financial"},
      {"a union", "SELECT name FROM patient WHERE id = 1 UNION SELECT reason FROM visit WHERE patient_id = 1", "health identity"},
      {"a condition only", "SELECT name FROM patient WHERE id = 1 AND email = 'a@example.org'", "identity"},
      {"a column of a view", "SELECT who FROM card WHERE id = 1", "identity"},
      {"a computed column of a view", "SELECT both_of FROM label WHERE id = 1", "contact identity"},
      {"everything of a view", "SELECT * FROM card WHERE id = 1", "contact identity"},
      {"RETURNING", "DELETE FROM patient WHERE id = 2 RETURNING email", "contact"},
      {"a count", "SELECT count(email) FROM patient", ""},
  };
  for (const KindsCase& row : rows) EXPECT_EQ(run(row.statement, row.statement[0] == 'D' ? "DELETE" : "SELECT"), row.kinds) << row.name;
  EXPECT_EQ(run("COPY patient (id, iban) TO STDOUT", "COPY"), "financial");
}

TEST_F(Exposure, ADeleteThatIsRolledBackTakesNobodyAway) {
  std::vector<Reach> out;
  const auto run = [&](Access a) { out = read(std::move(a)); };
  run(line("BEGIN", "begin"));
  run(line("DELETE", "delete from patient where id = 2", 1, "patient"));
  run(line("ROLLBACK", "rollback"));
  now_ += std::chrono::minutes(5);
  const auto& people = *registers_.find("patient");
  EXPECT_EQ(people.count({now_, now_}), 5U);
  run(line("BEGIN", "begin"));
  run(line("DELETE", "delete from patient where id = 2", 1, "patient"));
  run(line("COMMIT", "commit"));
  now_ += std::chrono::minutes(5);
  EXPECT_EQ(people.count({now_, now_}), 4U);
}

TEST_F(Exposure, EveryStatementOfAMessageCounts) {
  const std::string both = "select name from patient where id = 1; select email from patient where id = 3";
  EXPECT_EQ(show(read(line("SELECT", both, 1, "patient"))), "exact 1 0..1 select; exact 3 0..1 select");
}

TEST_F(Exposure, RowsOfAnotherServerAreUnknown) {
  EXPECT_EQ(select("select * from dblink('host=far', 'select id from patient') as t(id int)", 2, ""), "unknown  0..? select");
  Access far = line("SELECT", "select name from far_away", 2);
  far.statement.relation = "public.far_away";
  far.statement.relation_type = "FOREIGN TABLE";
  far.resource.dataset = "far_away";
  EXPECT_EQ(show(read(far)), "unknown  0..? select");
  read(line("CREATE FOREIGN TABLE", "create foreign table far_patient(id int, name text) server s options (table_name 'patient')"));
  EXPECT_EQ(select("select name from far_patient where id = 3", 1, ""), "exact 3 1..1 select");
}

TEST_F(Exposure, ConditionsOnAttributesKnowThreeTruths) {
  EXPECT_EQ(select("select name from patient where country <> 'DE'", 2), "derived 2,4 2..2 select");
  EXPECT_EQ(select("select name from patient where not (country = 'DE' or country = 'FR')", 1), "derived 4 1..1 select");
  EXPECT_EQ(select("select name from patient where email like 'a@%'", 1), "derived 1 1..1 select");
  EXPECT_EQ(select("select name from patient where id <> 2 and country is not null", 4), "derived 1,3,4,5 4..4 select");
  EXPECT_EQ(select("select name from patient where id::text < '5'", 3), "bound all 5 3..3 select") << "texts have another order than numbers";
  EXPECT_EQ(select("select name from patient where country not in ('DE', null)", kUncounted), "bound all 5 0..5 select") << "not counted, and not kept";
}

TEST_F(Exposure, AKeptRegisterNarrowsWithoutCountsUntilACountContradictsIt) {
  DatasetMap kept;
  DatasetSpec spec{"patient", "id", {{"patient", "id"}}, {}};
  spec.kept = true;
  kept.add(std::move(spec));
  reader_ = std::make_unique<ExposureReader>(std::move(kept), registers_, ExposureReader::Options{});
  EXPECT_EQ(select("select name from patient where country = 'DE'", kUncounted), "derived 1,3,5 0..3 select");
  EXPECT_EQ(select("select name from patient where id in (3, 77)", kUncounted), "derived 3 0..1 select") << "77 is nobody";
  EXPECT_EQ(select("select name from patient where country = 'IT'", 2), "bound all 5 2..2 select") << "the register knows one only";
  EXPECT_EQ(select("select name from patient where country = 'DE'", kUncounted), "bound all 5 0..5 select");
}

TEST_F(Exposure, WhatCannotBeReadIsSaid) {
  EXPECT_EQ(select("select name from patient where name = 'J\xEF\xBF\xBDrg'", 1), "bound all 5 0..5 select");
  EXPECT_EQ(select("select name frm patient whre", 1), "bound all 5 0..5 select");
  Access write = line("UPDATE", "update patient set country = 'F\xEF\xBF\xBD' where id = 1", 1, "patient");
  read(write);
  EXPECT_EQ(select("select name from patient where country = 'DE'", 2), "bound all 5 2..2 select") << "nobody knows what the change was";
  const auto wrote = [&](const char* command, const char* text) {
    Access access = line(command, text, 1, "patient");
    access.statement.audit_class = "WRITE";
    return show(read(access));
  };
  EXPECT_EQ(wrote("UPDATE", "update patient set name = 'J\xEF\xBF\xBDrg' where id = 1"), "") << "it gives nothing back";
  EXPECT_EQ(wrote("UPDATE", "update patient set name = 'J\xEF\xBF\xBDrg' where id = 1 Returning *"), "bound all 5 0..? select");
  EXPECT_EQ(wrote("DELETE", "with d as (delete from patient r\xEF\xBF\xBDturnin\xEF\xBF\xBD *) select * from d"), "bound all 5 0..? select");
  EXPECT_EQ(wrote("DELETE", "delete from patient whre id"), "bound all 5 0..? select") << "its end may be missing";
  EXPECT_EQ(wrote("DELETE", ""), "bound all 5 0..? select") << "nobody sees what it did";
  const std::vector<Reach> made = read(line("CREATE TABLE AS", "create table copy as execut\xEF\xBF\xBD c", {}, "copy"));
  ASSERT_EQ(made.size(), 1U) << "later readers of the copy may reach anybody";
  EXPECT_EQ(made[0].grade, Grade::kUnknown);
}

TEST_F(Exposure, RecordsThatAreMissingAreSaid) {
  read(line("DECLARE CURSOR", "declare c cursor for select * from patient"));
  Access gap = line("", "");
  gap.statement = {};
  gap.operation = "records missing";
  gap.error = "3";
  const std::vector<Reach> said = read(gap);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].grade, Grade::kUnknown);
  EXPECT_NE(said[0].reason.find("3 records of this session are missing"), std::string::npos);
  EXPECT_EQ(show(read(line("FETCH", "fetch 2 from c"))), "unknown  0..2 cursor") << "the cursor may be another by now";
  EXPECT_EQ(select("select name from patient where id < 3", 2), "bound all 5 2..2 select") << "people may have been added";
}

}  // namespace
}  // namespace tocsin::engine
