// Ways by which people's data gets into other relations, or a session's settings change what a statement means. Each row
// is a story of lines; what the last one reached must hold the truth. Where nothing is followed, the row fails: it
// was written before the code that it tests.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/engine/exposure/reader_fixture.hpp"

namespace tocsin::engine {
namespace {

// A line of the log: the statement's number goes on, unless `same` says that it belongs to the statement before.
struct Line {
  const char* command;
  const char* text;
  std::uint64_t rows = kUncounted;
  const char* relation = "";
  const char* audit_class = "";  // "" = what goes with the command
  bool same = false;
};

struct Story {
  const char* name;
  std::vector<Line> lines;
  const char* reached;  // by the last line
};

class Copies : public Exposure {
 protected:
  std::string tell(const Story& story) {
    std::string shown;
    for (const Line& l : story.lines) {
      Access a = line(l.command, l.text, l.rows, l.relation);
      if (*l.audit_class != 0) a.statement.audit_class = l.audit_class;
      if (l.same) a.statement.number = --number_;
      shown = show(read(std::move(a)));
    }
    return shown;
  }
  // Each story has a database of its own.
  void tell_all(const std::vector<Story>& stories) {
    for (const Story& story : stories) {
      reader_ = std::make_unique<ExposureReader>(map(), registers_, ExposureReader::Options{});
      session_ += 'x';
      EXPECT_EQ(tell(story), story.reached) << story.name;
    }
  }
};

constexpr const char* kMade = "create table cp as select id as number, name from patient where id < 3";

TEST_F(Copies, AreFollowedWhateverHappensToThem) {
  tell_all({
      {"as made", {{"SELECT", kMade, 2, "patient"}, {"SELECT", "select * from cp where number = 2", 1, "cp"}}, "exact 2 0..1 select"},
      {"UPDATE of the key: it no longer tells whose the row was",
       {{"SELECT", kMade, 2, "patient"}, {"UPDATE", "update cp set number = 7 where number = 1", 1, "cp"}, {"SELECT", "select * from cp where number = 7", 1, "cp"}},
       "derived 1,2 0..1 select"},
      {"UPDATE of another column", {{"SELECT", kMade, 2, "patient"}, {"UPDATE", "update cp set name = 'x'", 2, "cp"}, {"SELECT", "select * from cp where number = 2", 1, "cp"}},
       "exact 2 0..1 select"},
      {"UPDATE … FROM brings others' values",
       {{"CREATE TABLE", "create table app(k int, v text)", kUncounted, "app"}, {"UPDATE", "update app set v = p.name from patient p where p.id = 4", 1, "app"},
        {"SELECT", "select v from app", 1, "app"}},
       "exact 4 0..1 select"},
      {"UPDATE with a sub-select",
       {{"UPDATE", "update app set v = (select name from patient where id = 5)", 1, "app"}, {"SELECT", "select v from app where k = 1", 1, "app"}}, "exact 5 0..1 select"},
      {"UPDATE … FROM of the same person's row is not a copy",
       {{"UPDATE", "update visit v set ward = p.country from patient p where p.id = v.patient_id", 3, "visit"}, {"SELECT", "select ward from visit where patient_id = 2", 1, "visit"}},
       "exact 2 1..1 select"},
      {"INSERT … VALUES with a sub-select", {{"INSERT", "insert into app(k, v) values (1, (select name from patient where id = 3))", 1, "app"}, {"SELECT", "select * from app", 1, "app"}},
       "exact 3 0..1 select"},
      {"INSERT … RETURNING what a sub-select brought", {{"INSERT", "insert into app(k, v) values (1, (select name from patient where id = 3)) returning v", 1, "app"}}, "exact 3 0..1 returning"},
      {"UPDATE … RETURNING what a sub-select brought", {{"UPDATE", "update app set v = (select name from patient where id = 3) returning v", 1, "app"}}, "exact 3 0..1 returning"},
      {"ON CONFLICT DO UPDATE",
       {{"INSERT", "insert into app(k, v) values (1, 'x') on conflict (k) do update set v = (select email from patient where id = 2)", 1, "app"}, {"SELECT", "select * from app", 1, "app"}},
       "exact 2 0..1 select"},
      {"MERGE",
       {{"MERGE", "merge into app a using (select * from patient where id = 1) p on a.k = p.id when matched then update set v = p.name when not matched then insert values (p.id, p.name)", 1, "app", "WRITE"},
        {"SELECT", "select * from app", 1, "app"}},
       "exact 1 0..1 select"},
      {"INSERT in a CTE", {{"SELECT", "with w as (insert into app select id, name from patient where id = 2 returning 1) select count(*) from w", 1, "patient"}, {"SELECT", "select * from app", 1, "app"}},
       "exact 2 0..1 select"},
      {"INSERT … SELECT into columns of other names: by position",
       {{"CREATE TABLE", "create table app(id text, name text)", kUncounted, "app"}, {"INSERT", "insert into app select name, id::text from patient where id < 3", 2, "app"},
        {"SELECT", "select * from app where id = '2'", 1, "app"}},
       "derived 1,2 0..1 select"},
      {"two in one function",
       {{"SELECT", "insert into a select * from patient where id = 1", 1, "patient"}, {"SELECT", "insert into b select * from patient where id = 2", 1, "patient", "", true},
        {"SELECT", "select * from b", 1, "b"}},
       "exact 2 0..1 select"},
      {"DELETE … RETURNING from a copy", {{"SELECT", kMade, 2, "patient"}, {"DELETE", "delete from cp returning *", 2, "cp"}}, "derived 1,2 0..2 returning"},
      {"TRUNCATE and filled again",
       {{"SELECT", kMade, 2, "patient"}, {"TRUNCATE TABLE", "truncate cp", kUncounted, "cp", "WRITE"}, {"SELECT", "insert into cp select id, name from patient where id = 5", 1, "patient"},
        {"SELECT", "select * from cp", 1, "cp"}},
       "derived 1,2,5 0..2 select"},
      {"REFRESH MATERIALIZED VIEW", {{"SELECT", "create materialized view mv as select * from patient where id = 3", 1, "patient"}, {"REFRESH MATERIALIZED VIEW", "refresh materialized view mv", kUncounted, "mv"},
                                     {"SELECT", "select * from mv", 1, "mv"}},
       "exact 3 0..1 select"},
  });
}

TEST_F(Copies, KeepTheirPeopleUnderOtherNames) {
  tell_all({
      {"RENAME", {{"SELECT", kMade, 2, "patient"}, {"ALTER TABLE", "alter table cp rename to old", kUncounted, "old"}, {"SELECT", "select * from old", 2, "old"}}, "derived 1,2 0..2 select"},
      {"SET SCHEMA", {{"SELECT", kMade, 2, "patient"}, {"ALTER TABLE", "alter table cp set schema archive"}, {"SELECT", "select * from archive.cp", 2, "archive.cp"}}, "derived 1,2 0..2 select"},
      {"ALTER SCHEMA … RENAME",
       {{"SELECT", "create table s.cp as select * from patient where id = 2", 1, "patient"}, {"ALTER SCHEMA", "alter schema s rename to t"}, {"SELECT", "select * from t.cp", 1, "t.cp"}}, "exact 2 0..1 select"},
      {"RENAME COLUMN: the condition is on another column than it was",
       {{"SELECT", kMade, 2, "patient"}, {"ALTER TABLE", "alter table cp rename column number to n"}, {"ALTER TABLE", "alter table cp rename column name to number"},
        {"SELECT", "select * from cp where number = '2'", 1, "cp"}},
       "derived 1,2 0..1 select"},
      {"ALTER COLUMN TYPE", {{"SELECT", kMade, 2, "patient"}, {"ALTER TABLE", "alter table cp alter column number type int using number + 1"}, {"SELECT", "select * from cp where number = 2", 1, "cp"}},
       "derived 1,2 0..1 select"},
      {"made under a search_path", {{"SET", "set search_path = crm"}, {"SELECT", kMade, 2, "patient"}, {"RESET", "reset search_path"}, {"SELECT", "select * from crm.cp", 2, "crm.cp"}}, "derived 1,2 0..2 select"},
      {"read under a search_path", {{"SELECT", "create table crm.cp as select * from patient where id = 2", 1, "patient"}, {"SET", "set search_path = crm"}, {"SELECT", "select * from cp", 1, "crm.cp"}},
       "exact 2 0..1 select"},
      {"read under a search_path, and the log does not name it", {{"SELECT", "create table crm.cp as select * from patient where id = 2", 1, "patient"}, {"SELECT", "select * from cp", 1}}, "exact 2 0..1 select"},
      {"made without rows, where the log does not name it",
       {{"CREATE TABLE", "create table cp(number int, name text)"}, {"SELECT", "insert into cp select id, name from patient where id = 2", 1, "patient"}, {"SELECT", "select * from crm.cp", 1, "crm.cp"}},
       "exact 2 0..1 select"},
      {"ATTACH PARTITION: the parent shows it",
       {{"CREATE TABLE", "create table app(number int, name text) partition by list (number)", kUncounted, "app"}, {"SELECT", kMade, 2, "patient"},
        {"ALTER TABLE", "alter table app attach partition cp for values in (1, 2)"}, {"SELECT", "select * from app", 2, "app"}},
       "exact 1,2 0..2 select"},
      {"INHERIT: the parent shows it",
       {{"CREATE TABLE", "create table app(number int, name text)", kUncounted, "app"}, {"SELECT", kMade, 2, "patient"}, {"ALTER TABLE", "alter table cp inherit app"}, {"SELECT", "select * from app", 2, "app"}},
       "derived 1,2 0..2 select"},
      {"DROP that is rolled back",
       {{"SELECT", kMade, 2, "patient"}, {"BEGIN", "begin"}, {"DROP TABLE", "drop table cp", kUncounted, "cp"}, {"ROLLBACK", "rollback"}, {"SELECT", "select * from cp", 2, "cp"}}, "derived 1,2 0..2 select"},
      {"DROP that is committed",
       {{"SELECT", kMade, 2, "patient"}, {"BEGIN", "begin"}, {"DROP TABLE", "drop table cp", kUncounted, "cp"}, {"COMMIT", "commit"}, {"SELECT", "select * from cp", 2, "cp"}}, ""},
      {"RENAME that is rolled back",
       {{"SELECT", kMade, 2, "patient"}, {"BEGIN", "begin"}, {"ALTER TABLE", "alter table cp rename to old"}, {"ROLLBACK", "rollback"}, {"SELECT", "select * from cp", 2, "cp"}}, "derived 1,2 0..2 select"},
      {"a view replaced, and rolled back",
       {{"CREATE VIEW", "create view v as select * from patient where id = 1"}, {"BEGIN", "begin"}, {"CREATE VIEW", "create or replace view v as select * from patient where id = 2"},
        {"ROLLBACK", "rollback"}, {"SELECT", "select * from v", 1, "v"}},
       "exact 1,2 1..2 view"},
      {"IF NOT EXISTS on a copy that is there",
       {{"SELECT", kMade, 2, "patient"}, {"CREATE TABLE", "create table if not exists cp(number int, name text)", kUncounted, "cp"}, {"SELECT", "select * from cp", 2, "cp"}}, "derived 1,2 0..2 select"},
      {"a temporary table of another session hides nothing here",
       {{"SELECT", kMade, 2, "patient"}, {"SELECT", "create temp table tt as select * from patient where id = 3", 1, "patient"}, {"SELECT", "select * from tt", 1, "pg_temp_3.tt"}}, "exact 3 0..1 select"},
  });
}

TEST_F(Copies, ThatNoStatementTellsCountAsEverybodyInWhatWasRead) {
  tell_all({
      {"a trigger that copies rows",
       {{"INSERT", "insert into patient(id, name, email, country) values (1, 'A', 'a@example.org', 'DE')", 1, "patient"}, {"INSERT", "insert into history values (new.id, new.name)", 1, "history", "", true},
        {"SELECT", "select * from history", 1, "history"}},
       "bound all 5 0..5 select"},
      {"a DO block, whose reading comes last",
       {{"DO", "do $$ … $$", kUncounted, "", "FUNCTION"}, {"INSERT", "insert into app values (p.id, p.name)", 1, "app", "", true}, {"SELECT", "select * from patient where id < 9", 5, "patient", "", true},
        {"SELECT", "select * from app", 5, "app"}},
       "bound all 5 0..5 select"},
      {"a rule: the same text, another table",
       {{"INSERT", "insert into patient(id, name, email, country) values (2, 'B', 'b@example.org', 'FR')", 1, "patient"},
        {"INSERT", "insert into patient(id, name, email, country) values (2, 'B', 'b@example.org', 'FR')", 1, "history", "", true}, {"SELECT", "select * from history", 1, "history"}},
       "bound all 5 0..5 select"},
      {"a text that cannot be read",
       {{"SELECT", "insert into app sel\xEF\xBF\xBD", 2, "patient"}, {"INSERT", "insert into app sel\xEF\xBF\xBD", 2, "app", "", true}, {"SELECT", "select * from app", 2, "app"}}, "bound all 5 0..5 select"},
      {"no text",
       {{"SELECT", "", 2, "patient"}, {"INSERT", "", 2, "app", "", true}, {"SELECT", "select * from app", 2, "app"}}, "bound all 5 0..5 select"},
      {"the check of a foreign key copies nothing",
       {{"INSERT", "insert into app values (1, 2)", 1, "app"}, {"SELECT", "SELECT 1 FROM ONLY \"public\".\"patient\" x WHERE \"id\" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x", 1, "patient", "", true},
        {"SELECT", "select * from app", 1, "app"}},
       ""},
      {"a visit is about whom it names",
       {{"SELECT", "select name from patient where id = 1", 1, "patient"}, {"INSERT", "insert into visit values (1, 2)", 1, "visit", "", true}, {"SELECT", "select * from visit where patient_id = 2", 1, "visit"}},
       "exact 2 1..1 select"},
      {"a rule ON SELECT", {{"CREATE RULE", "create rule \"_RETURN\" as on select to app do instead select * from patient"}, {"SELECT", "select * from app", 1, "app"}}, "unknown  0..? select"},
  });
  std::vector<Line> many;
  static const std::string kFill = "insert into app select name from patient where id = 1 and 1 = ";
  static std::vector<std::string> texts;
  for (int i = 0; i < 80; ++i) texts.push_back(kFill + std::to_string(i));
  for (const std::string& text : texts) many.push_back({"SELECT", text.c_str(), 1, "patient"});
  many.push_back({"SELECT", "insert into app select name from patient where id = 3", 1, "patient"});
  many.push_back({"SELECT", "select * from app", 1, "app"});
  tell_all({{"more copies than are kept one by one", many, "bound all 5 0..5 select"}});
}

TEST_F(Copies, OfWhichNothingIsKnownAreSaidToBeUnknown) {
  tell_all({
      {"CREATE TABLE AS that cannot be read", {{"CREATE TABLE AS", "create table cp as execut\xEF\xBF\xBD c", kUncounted, "cp"}, {"SELECT", "select * from cp", 2, "cp"}}, "unknown  0..? select"},
      {"the log does not name it: its text does", {{"CREATE TABLE AS", "create unlogged table if not exists \"cp\" as sel\xEF\xBF\xBD"}, {"SELECT", "select * from cp", 2, "cp"}}, "unknown  0..? select"},
      {"not even its name", {{"CREATE TABLE AS", "cr\xEF\xBF\xBD"}, {"SELECT", "select * from somewhere", 2, "somewhere"}}, "unknown  0..? select"},
      {"a view", {{"CREATE VIEW", "create view s.v as select from from", kUncounted, "s.v"}, {"SELECT", "select * from s.v", 2, "s.v"}}, "unknown  0..? select"},
      {"a view upon it", {{"CREATE TABLE AS", "create table cp as sel\xEF\xBF\xBD", kUncounted, "cp"}, {"CREATE VIEW", "create view v as select * from cp"}, {"SELECT", "select * from v", 2, "v"}}, "unknown  0..? select"},
      {"COPY of it", {{"CREATE TABLE AS", "create table cp as sel\xEF\xBF\xBD", kUncounted, "cp"}, {"COPY", "copy cp to stdout"}}, "unknown  0..? copy"},
      {"AS EXECUTE of what was prepared before the log", {{"CREATE TABLE AS", "create table cp as execute q", kUncounted, "cp"}, {"SELECT", "select * from cp", 2, "cp"}}, "unknown  0..? select"},
      {"dropped and made again", {{"CREATE TABLE AS", "create table cp as sel\xEF\xBF\xBD", kUncounted, "cp"}, {"DROP TABLE", "drop table cp", kUncounted, "cp"}, {"CREATE TABLE", "create table cp(a int)", kUncounted, "cp"},
                                  {"SELECT", "select * from cp", 2, "cp"}},
       ""},
      {"only counted", {{"CREATE TABLE AS", "create table cp as sel\xEF\xBF\xBD", kUncounted, "cp"}, {"SELECT", "select count(*) from cp", 1, "cp"}}, ""},
      {"files of the server", {{"SELECT", "select pg_read_file('base/1/16384')", 1}}, "unknown  0..? select"},
      {"large objects", {{"SELECT", "select lo_export(16400, '/tmp/x')", 1}}, "unknown  0..? select"},
      {"what a replication slot holds", {{"SELECT", "select data from pg_logical_slot_get_changes('s', null, null)", 7}}, "unknown  0..? select"},
  });
}

TEST_F(Copies, SettingsThatChangeWhatATextMeansAreNoticed) {
  // With standard_conforming_strings off, '\'' is one quote: the condition is on 'a'' or true --'.
  constexpr const char* kText = R"(select name from patient where email = 'b\' and id = 2 -- ' or true)";
  tell_all({
      {"as it seems", {{"SELECT", kText, 1, "patient"}}, "exact 2 1..1 select"},
      {"SET", {{"SET", "set standard_conforming_strings = off"}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"SET LOCAL", {{"BEGIN", "begin"}, {"SET", "set local standard_conforming_strings to 'off'"}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"set_config", {{"SELECT", "select set_config('standard_conforming_strings', 'off', false)", 1}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"set_config, of a name that the log does not show", {{"SELECT", "select set_config(lower('X'), 'off', false)", 1}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"ALTER ROLE", {{"ALTER ROLE", "alter role mallory set standard_conforming_strings = off"}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"ALTER DATABASE", {{"ALTER DATABASE", "alter database clinic set standard_conforming_strings = off"}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"ALTER SYSTEM", {{"ALTER SYSTEM", "alter system set standard_conforming_strings = off"}, {"SELECT", kText, 5, "patient"}}, "bound all 5 0..5 select"},
      {"put back", {{"SET", "set standard_conforming_strings = off"}, {"SET", "set standard_conforming_strings = on"}, {"SELECT", kText, 1, "patient"}}, "exact 2 1..1 select"},
      {"put back in a transaction: perhaps not", {{"SET", "set standard_conforming_strings = off"}, {"BEGIN", "begin"}, {"SET", "set standard_conforming_strings = on"}, {"ROLLBACK", "rollback"}, {"SELECT", kText, 5, "patient"}},
       "bound all 5 0..5 select"},
      {"a text without a backslash means the same", {{"SET", "set standard_conforming_strings = off"}, {"SELECT", "select name from patient where id = 2", 1, "patient"}}, "exact 2 1..1 select"},
      {"a copy made by such a text",
       {{"SET", "set standard_conforming_strings = off"}, {"CREATE TABLE AS", R"(create table cp as select * from patient where email = '\' or true --')", kUncounted, "cp"}, {"SELECT", "select * from cp", 5, "cp"}},
       "unknown  0..? select"},
      {"= NULL that means IS NULL", {{"SET", "set transform_null_equals = on"}, {"SELECT", "select name from patient where country = null", 2, "patient"}}, "bound all 5 0..5 select"},
      {"… and does not", {{"SELECT", "select name from patient where id = 1 or id = null", 1, "patient"}}, "exact 1 1..1 select"},
      {"operators of another schema", {{"SET", "set search_path = mine, pg_catalog"}, {"SELECT", "select name from patient where id = 2", 5, "patient"}}, "bound all 5 0..5 select"},
      {"a search_path by set_config", {{"SET", "set search_path = crm"}, {"SELECT", "create table public.letter as select * from patient where id = 2", 1, "patient"}, {"SELECT", "select set_config('search_path', 'public', false)", 1},
                                       {"SELECT", "select * from letter", 1}},
       "exact 2 0..1 select"},
      {"a role by set_config", {{"SELECT", "select set_config('role', 'boss', false)", 1}, {"SELECT", "select name from patient where id = 2", 1, "patient"}}, "exact 2 1..1 select"},
  });
}

TEST_F(Copies, ReplicationReadsEverything) {
  Access a = line("", "");
  a.statement = {};
  a.action = Action::kAuthenticate;
  a.operation = "replication connection authorized";
  a.via = "pg_basebackup";
  EXPECT_EQ(show(read(a)), "bound all 5 0..? replication");
}

TEST_F(Copies, ReadingsOutlastARestart) {
  reader_->forget_sessions();
  const Story made{"", {{"SELECT", kMade, 2, "patient"}, {"UPDATE", "update cp set number = 7", 2, "cp"}, {"SET", "set standard_conforming_strings = off"},
                        {"CREATE TABLE AS", "create table hidden as sel\xEF\xBF\xBD", kUncounted, "hidden"}},
                   ""};
  tell(made);
  const LearnedBytes learned = reader_->save();
  reader_ = std::make_unique<ExposureReader>(map(), registers_, ExposureReader::Options{});
  ASSERT_TRUE(reader_->restore(learned.bytes));
  EXPECT_EQ(select("select * from cp where number = 7", 1, "cp"), "derived 1,2 0..1 select");
  EXPECT_EQ(select("select * from hidden", 1, "hidden"), "unknown  0..? select");
  EXPECT_EQ(select(R"(select * from patient where email = '\' or id = 2 --')", 1), "bound all 5 0..5 select");
}

}  // namespace
}  // namespace tocsin::engine
