// MySQL's SQL as PostgreSQL would have it: what is written anew, what is refused, what needs no reading at all.
#include <gtest/gtest.h>

#include "engine/sql/mysql.hpp"

namespace tocsin::engine::sql {
namespace {

struct Case {
  const char* mysql;
  const char* described;  // describe() of the reading
};

class Mysql : public testing::TestWithParam<Case> {};

TEST_P(Mysql, IsReadLikeItsCounterpart) {
  const auto read = read_mysql(GetParam().mysql);
  ASSERT_EQ(read->kind, MysqlKind::kQuery) << from_mysql(GetParam().mysql) << "\n" << read->reason;
  ASSERT_TRUE(read->reading);
  EXPECT_EQ(describe(*read->reading), GetParam().described) << from_mysql(GetParam().mysql);
}

INSTANTIATE_TEST_SUITE_P(
    Queries, Mysql,
    testing::Values(
        Case{"SELECT `name` FROM `patient` WHERE `id` = 5", "select one-to-one\n  0 patient row name [0.id in ('5')]\n"},
        Case{"select Name from clinic.Patient where clinic.Patient.ID=5", "select one-to-one\n  0 patient row name [0.id in ('5')]\n"},
        Case{"select * from patient where id = \"5\" # who\n", "select one-to-one\n  0 patient row * [0.id in ('5')]\n"},
        Case{"select * from patient -- all\nwhere name = 'O\\'Brien\\n'", "select one-to-one\n  0 patient row * [0.name in ('O'Brien\n')]\n"},
        Case{"select * from patient limit 10, 5", "select limit 5 one-to-one\n  0 patient row *\n"},
        Case{"SELECT /*!40001 SQL_NO_CACHE */ `id`, `name` FROM `patient`", "select one-to-one\n  0 patient row id,name\n"},
        Case{"select sql_calc_found_rows * from patient force index (primary) where id in (1,'2')",
             "select one-to-one\n  0 patient row * [0.id in ('1', '2')]\n"},
        Case{"select * from patient where id = 1 || id = 2", "select one-to-one\n  0 patient row * [(0.id in ('1') or 0.id in ('2'))]\n"},
        Case{"select * from patient where id = 1 xor id = 2", "select one-to-one\n  0 patient row * [(0.id in ('1') or 0.id in ('2'))]\n"},
        Case{"select * from patient where id <=> 7 && 1", "select one-to-one\n  0 patient row * [((0.id in ('7') and not 0.id is null) and true)]\n"},
        Case{"select * from patient where id = true", "select one-to-one\n  0 patient row * [0.id in ('1')]\n"},
        Case{"select * from patient where id = @x", "select one-to-one\n  0 patient row *\n"},
        Case{"select * from patient where id = 0x2A", "select one-to-one\n  0 patient row *\n"},
        Case{"select * from patient where seen < now() - interval 7 day", "select one-to-one\n  0 patient row *\n"},
        Case{"select name from patient where id = NAME_CONST('i',42)", "select one-to-one\n  0 patient row name [0.id in ('42')]\n"},
        Case{"select name from patient where id = ?", "select one-to-one\n  0 patient row name [0.id in ($1)]\n"},
        // A plain column needs no GROUP BY here, so what stands beside it may be an aggregate.
        Case{"select id, group_concat(name separator ';') from patient", "select aggregate\n  0 patient collected merged id,name\n"},
        Case{"insert into visit set patient_id = 4, ward = 'x' returning *", "insert ->visit,patient_id,ward\n  0 visit row written * [0.patient_id in ('4')] [0.ward in ('x')]\n"},
        Case{"create table copy select id from patient", "create-as select ->copy one-to-one\n  0 patient row staged-row id\n"},
        Case{"create table p (id int(11) unsigned not null auto_increment, `full name` varchar(20) default 'a,b', primary key (id)) engine=innodb",
             "create-table ->p,id,full name\n"},
        Case{"create algorithm=undefined definer=`a`@`b` sql security definer view v as select id from patient", "create-view select ->v one-to-one\n  0 patient row id\n"},
        Case{"rename table a to b, clinic.c to clinic.d", "rename ->a\nrename ->c\n"},
        Case{"delete from patient where id = 3 order by id limit 1 returning name", "delete\n  0 patient row written name [0.id in ('3')]\n"}));

TEST(Mysql, TellsDumpsAndFilesFromOrdinaryQueries) {
  EXPECT_TRUE(read_mysql("SELECT /*!40001 SQL_NO_CACHE */ * FROM `patient`")->dump);
  EXPECT_FALSE(read_mysql("SELECT * FROM patient")->dump);
  const auto file = read_mysql("select * from patient into outfile '/tmp/a' fields terminated by ',' optionally enclosed by '\"' lines terminated by '\\n'");
  ASSERT_TRUE(file->reading);
  EXPECT_TRUE(file->outfile);
  EXPECT_TRUE(file->reading->statements[0].to_file);
  EXPECT_TRUE(read_mysql("select * into outfile '/tmp/a' character set utf8 from patient")->outfile);
}

TEST(Mysql, TellsWhereAConditionHoldsMoreOftenThanItSays) {
  for (const char* text : {"select * from patient where active xor id = 5", "select * from patient where !id = 5", "select * from patient partition (p0) where id = 5"}) {
    EXPECT_TRUE(read_mysql(text)->reading->statements[0].query.loose) << text;
  }
  EXPECT_FALSE(read_mysql("select * from patient where not (id = 5 && name <> 'a') || active")->reading->statements[0].query.loose);
}

TEST(Mysql, TellsWhereAFunctionIsCalled) {
  for (const char* text : {"select name_of(1), name from patient", "select name from patient where id = f()", "select * from patient p join visit v on f(p.id)"}) {
    EXPECT_TRUE(read_mysql(text)->reading->statements[0].query.calls) << text;
  }
  EXPECT_FALSE(read_mysql("select name, id + 1 from patient where id in (1, 2)")->reading->statements[0].query.calls);
}

TEST(Mysql, RefusesWhatItCannotKnow) {
  for (const char* text : {"select * from patient where id = 'a", "select * from patient /*!80000 where id = 5 */", "select `a from t",
                           "select * from patient where name like 'a' escape", "update a join b on a.x = b.x set a.y = 1", "/* never closed",
                           "select * from 1st", "delete a from a join b"}) {
    const auto read = read_mysql(text);
    EXPECT_EQ(read->kind, MysqlKind::kRefused) << text;
    EXPECT_FALSE(read->reason.empty()) << text;
  }
  EXPECT_EQ(read_mysql("create temporary table t select a from b where c = 'x")->target, "t");
}

TEST(Mysql, KnowsStatementsThatGiveNoRowsOrCannotBeRead) {
  for (const char* text : {"show tables", "explain select * from patient", "grant all on *.* to x", "prepare q from 'select 1'", "",
                           "create function f(i int) returns int return (select max(id) from patient)", "analyze select * from patient"}) {
    EXPECT_EQ(read_mysql(text)->kind, MysqlKind::kNothing) << text;
  }
  for (const char* text : {"set @a = (select name from patient)", "do f(1)", "call p()", "load data infile 'x' into table patient", "handler p read first"}) {
    EXPECT_EQ(read_mysql(text)->kind, MysqlKind::kOpaque) << text;
  }
  EXPECT_EQ(read_mysql("lock tables a read")->kind, MysqlKind::kLock);
  EXPECT_NE(read_mysql("SET SESSION sql_mode = 'ANSI_QUOTES'")->modes.find("ANSI_QUOTES"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::engine::sql
