// server_audit, as a file and by way of syslog: what each line becomes, and what its escapes and commas hide.
#include "tests/unit/engine/intake/intake_test.hpp"

#include "engine/intake/file_reader.hpp"
#include "engine/intake/mariadb.hpp"
#include "engine/intake/recognise.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {
namespace {

TEST(MariaDb, StatementLine) {
  Bench decode("mariadb-audit");
  const Access a = decode.one("20261123 14:25:38,vm,nurse,10.1.2.3,3,4,QUERY,clinic,'select * from patient where name=\\'it\\'\\'s, ok\\'\\nand 1',0");
  EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T14:25:38Z");
  EXPECT_EQ(a.actor.account, "nurse");
  EXPECT_EQ(a.client.ip, "10.1.2.3");
  EXPECT_EQ(a.resource.system, "mariadb");
  EXPECT_EQ(a.resource.store, "clinic");
  EXPECT_EQ(a.statement.text, "select * from patient where name='it''s, ok'\nand 1");
  EXPECT_EQ(a.statement.command, "SELECT");
  EXPECT_EQ(a.statement.number, 4U);
  EXPECT_FALSE(a.statement.cut);
  EXPECT_FALSE(a.statement.parameters_known);
  EXPECT_EQ(a.rows.certainty, Certainty::kUnknown);
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
}

TEST(MariaDb, TableLine) {
  Bench decode("mariadb-audit");
  const Access a = decode.one("20261123 14:25:38,vm,root,localhost,3,4,READ,clinic,patient,");
  EXPECT_EQ(a.statement.audit_class, "TABLE");
  EXPECT_EQ(a.statement.relation, "clinic.patient");
  EXPECT_EQ(a.resource.dataset, "patient");
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.client.ip, "");
}

TEST(MariaDb, ConnectionsOfOneNumberAreDifferentSessions) {
  Bench decode("mariadb-audit");
  const std::string first = decode.one("20261123 14:25:38,vm,a,localhost,3,0,CONNECT,clinic,,0").actor.session;
  EXPECT_EQ(decode.one("20261123 14:26:00,vm,a,localhost,3,9,QUERY,clinic,'select 1',0").actor.session, first);
  EXPECT_EQ(decode.one("20261123 14:27:00,vm,a,localhost,3,0,DISCONNECT,clinic,,0").actor.session, first);
  EXPECT_NE(decode.one("20261123 15:25:38,vm,a,localhost,3,0,CONNECT,clinic,,0").actor.session, first);
}

TEST(MariaDb, RefusedConnectionAndStatement) {
  Bench decode("mariadb-audit");
  const Access login = decode.one("20261123 14:25:38,vm,root,10.0.0.9,7,0,FAILED_CONNECT,,,1045");
  EXPECT_EQ(login.action, Action::kAuthenticate);
  EXPECT_EQ(login.outcome, Outcome::kFailure);
  const Access read = decode.one("20261123 14:25:38,vm,eve,10.0.0.9,8,5,QUERY,clinic,'select * from patient',1142");
  EXPECT_EQ(read.error, "permission denied (error 1142)");
}

TEST(MariaDb, TextAsLongAsTheLimitIsCut) {
  const auto line = [](std::size_t length) {
    return "20261123 14:25:38,vm,a,localhost,3,9,QUERY,clinic,'" + std::string(length, 'x') + "',0";
  };
  Bench decode("mariadb-audit");
  EXPECT_FALSE(decode.one(line(1000)).statement.cut);
  EXPECT_TRUE(decode.one(line(1022)).statement.cut);
  EXPECT_TRUE(decode.one(line(1024)).statement.cut);
  DecoderOptions longer;
  longer.statement_limit = 65536;
  Bench decode_longer("mariadb-audit", longer);
  EXPECT_FALSE(decode_longer.one(line(1024)).statement.cut);
}

TEST(MariaDb, Syslog) {
  Bench decode("mariadb-audit");
  for (const char* head : {"<14>2026-11-23T14:25:38+00:00 vm mysql-server_auditing: ", "2026-11-23T14:25:38.000Z vm mysql-server_auditing[91]:  "}) {
    const Access a = decode.one(std::string(head) + "db1,nurse,10.1.2.3,3,4,QUERY,clinic,'select 1',0");
    EXPECT_EQ(a.actor.account, "nurse") << head;
    EXPECT_EQ(a.statement.text, "select 1");
    EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T14:25:38Z");
  }
  // The old header has no year: the time of arrival stands in.
  const Access old = decode.one("Nov 23 14:25:38 vm mysql-server_auditing:  db1,nurse,10.1.2.3,3,4,READ,clinic,patient,");
  EXPECT_FALSE(old.time_known);
  EXPECT_EQ(old.resource.dataset, "patient");
}

TEST(MariaDb, CommasInNames) {
  const auto line = parse_server_audit("20261123 14:25:38,vm,a,b,localhost,3,4,QUERY,clinic,'select 1,2,READ,x',0");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->user, "a,b");
  EXPECT_EQ(line->client, "localhost");
  EXPECT_EQ(line->object, "select 1,2,READ,x");
}

TEST(MariaDb, RefusesOtherLines) {
  Bench decode("mariadb-audit");
  for (const char* line : {"", ",", "20261123 14:25:38", "20261123 14:25:38,vm,a,localhost,3,4,QUERY,clinic,'select 1",
                           "20261123 14:25:38,vm,a,localhost,3,4,QUERY,clinic,'select 1'", "20261123 14:25:38,vm,a,localhost,x,4,QUERY,clinic,'select 1',0",
                           "20269923 14:25:38,vm,a,localhost,3,4,QUERY,clinic,'select 1',0", "mysql-server_auditing:", "20261123 14:25:38,vm,a,localhost,3,4,READ,clinic"}) {
    EXPECT_NE(decode(line).error, "") << line;
  }
}

TEST(MariaDb, SharedLog) {
  const auto data = shared_data();
  if (data.empty()) GTEST_SKIP() << "no shared data on this machine";
  auto reader = FileReader::open((data / "mariadb/server_audit.log").string(), {});
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->format(), "mariadb-audit");
  Bench decode("mariadb-audit");
  std::size_t statements = 0, tables = 0, all = 0;
  for (;;) {
    auto frame = (*reader)->next();
    ASSERT_TRUE(frame);
    if (!*frame) break;
    ++all;
    const Access a = decode.one((*frame)->bytes);
    statements += a.statement.audit_class == "QUERY" ? 1U : 0U;
    tables += a.statement.audit_class == "TABLE" ? 1U : 0U;
  }
  EXPECT_EQ(all, 16U);
  EXPECT_EQ(statements, 6U);
  EXPECT_EQ(tables, 8U);
}

}  // namespace
}  // namespace tocsin::engine
