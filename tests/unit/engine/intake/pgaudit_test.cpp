// pgaudit: csvlog and jsonlog must say the same; and what the log does not know must stay unknown.
#include "engine/intake/pgaudit.hpp"

#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

std::string csv_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

// One message in both forms.
struct Message {
  std::string message;
  std::string severity = "LOG";
  std::string state = "00000";
  std::string statement;
  std::string tag = "SELECT";
  std::string time = "2026-11-23 14:24:47.544 UTC";
  std::string line = "3";

  [[nodiscard]] std::string csv() const {
    return time + ",\"nurse\",\"clinic\",17695,\"127.0.0.1:58610\",6b044caf.451f," + line + ",\"" + tag +
           "\",2026-11-23 14:24:47 UTC,3/8,0," + severity + "," + state + "," + csv_text(message) + ",,,,,," +
           (statement.empty() ? "" : csv_text(statement)) + ",,,\"clinic-web\",\"client backend\",,0";
  }
  [[nodiscard]] std::string json() const {
    const auto text = [](const std::string& value) {
      std::string out;
      rules::write_json(rules::Value::of(std::string_view(value)), out);
      return out;
    };
    return "{\"timestamp\":" + text(time) + ",\"user\":\"nurse\",\"dbname\":\"clinic\",\"pid\":17695," +
           "\"remote_host\":\"127.0.0.1\",\"remote_port\":58610,\"session_id\":\"6b044caf.451f\",\"line_num\":" + line +
           ",\"ps\":" + text(tag) + ",\"session_start\":\"2026-11-23 14:24:47 UTC\",\"vxid\":\"3/8\",\"txid\":0," +
           "\"error_severity\":" + text(severity) + ",\"state_code\":" + text(state) + ",\"message\":" + text(message) +
           (statement.empty() ? "" : ",\"statement\":" + text(statement)) +
           ",\"application_name\":\"clinic-web\",\"backend_type\":\"client backend\",\"query_id\":0}";
  }
};

std::string without_format(const Access& a) {
  Access copy = a;
  copy.format.clear();
  std::string out;
  write_access(copy, out);
  out += copy.statement.command + "|" + copy.statement.audit_class + "|" + copy.statement.relation + "|" +
         copy.statement.relation_type + "|" + std::to_string(copy.statement.number) + "." +
         std::to_string(copy.statement.sub_number);
  return out;
}

// Both forms give the same access; that one is returned.
Access both(const Message& m) {
  Bench csv("pgaudit-csv"), json("pgaudit-json");
  const Access a = csv.one(m.csv()), b = json.one(m.json());
  EXPECT_EQ(without_format(a), without_format(b)) << m.message;
  EXPECT_EQ(a.format, "pgaudit-csv");
  EXPECT_EQ(b.format, "pgaudit-json");
  EXPECT_EQ(record_id("pgaudit-csv", m.csv(), nullptr), record_id("pgaudit-json", m.json(), nullptr));
  EXPECT_EQ(record_id("pgaudit-csv", m.csv(), nullptr), a.event_id);
  return a;
}

TEST(PgAudit, FillsEveryField) {
  const Access a = both({.message = "AUDIT: SESSION,4,2,READ,SELECT,TABLE,public.patient,select * from patient where id=42;,<none>,1"});
  EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T14:24:47.544Z");
  EXPECT_TRUE(a.time_known);
  EXPECT_EQ(a.origin.line, 7U);
  EXPECT_EQ(a.event_id, "6b044caf.451f/3");
  EXPECT_EQ(a.actor.account, "nurse");
  EXPECT_EQ(a.actor.session, "6b044caf.451f");
  EXPECT_EQ(a.via, "clinic-web");
  EXPECT_EQ(a.client.ip, "127.0.0.1");
  EXPECT_EQ(a.client.port, 58610);
  EXPECT_EQ(a.resource.system, "postgresql");
  EXPECT_EQ(a.resource.store, "clinic");
  EXPECT_EQ(a.resource.dataset, "patient");
  EXPECT_EQ(a.statement.relation, "public.patient");
  EXPECT_EQ(a.statement.relation_type, "TABLE");
  EXPECT_EQ(a.statement.text, "select * from patient where id=42;");
  EXPECT_EQ(a.statement.number, 4U);
  EXPECT_EQ(a.statement.sub_number, 2U);
  EXPECT_EQ(a.statement.audit_class, "READ");
  EXPECT_TRUE(a.statement.parameters_known);
  EXPECT_TRUE(a.statement.parameters.empty());
  EXPECT_EQ(a.rows.value, 1U);
  EXPECT_EQ(a.rows.certainty, Certainty::kExact);
  EXPECT_EQ(a.bytes.certainty, Certainty::kUnknown);
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
}

TEST(PgAudit, ZeroRowsAreOnlyBelievedWhereTheyAreCounted) {
  struct Row { const char* name; const char* audit; Action action; const char* rows; };
  for (const Row& row : {
           Row{"select", "READ,SELECT,TABLE,public.t,select 1,<none>,5", Action::kRead, "5 exact"},
           Row{"select of nothing", "READ,SELECT,TABLE,public.t,select 1,<none>,0", Action::kRead, "0 exact"},
           Row{"copy to", "READ,COPY,,,copy t to stdout,<none>,0", Action::kExport, "0 unknown"},
           Row{"copy to, counted by a newer pgaudit", "READ,COPY,,,copy t to stdout,<none>,9", Action::kExport, "9 exact"},
           Row{"copy from", "WRITE,COPY,,,copy t from stdin,<none>,0", Action::kWrite, "0 unknown"},
           Row{"declare", "READ,DECLARE CURSOR,,,declare c cursor for select 1,<none>,0", Action::kQuery, "0 unknown"},
           Row{"fetch", "MISC,FETCH,,,fetch 100 c,<none>,0", Action::kRead, "0 unknown"},
           Row{"prepare", "READ,PREPARE,,,prepare q as select 1,<none>,0", Action::kQuery, "0 unknown"},
           Row{"execute", "MISC,EXECUTE,,,execute q,<none>,0", Action::kQuery, "0 unknown"},
           Row{"view's second line", "MISC,???,VIEW,public.v,select 1,<none>,3", Action::kUnknown, "3 exact"},
           Row{"insert", "WRITE,INSERT,TABLE,public.t,insert,<none>,2", Action::kWrite, "2 exact"},
           Row{"delete", "WRITE,DELETE,TABLE,public.t,delete,<none>,2", Action::kDelete, "2 exact"},
           Row{"truncate", "WRITE,TRUNCATE TABLE,TABLE,public.t,truncate t,<none>,0", Action::kDelete, "0 unknown"},
           Row{"function", "FUNCTION,EXECUTE,FUNCTION,public.f,select f(7),<none>,0", Action::kQuery, "0 unknown"},
           Row{"ddl", "DDL,CREATE TABLE,TABLE,public.t,create,<none>,0", Action::kConfigure, "0 unknown"},
           Row{"role", "ROLE,GRANT,TABLE,,grant,<none>,0", Action::kConfigure, "0 unknown"},
           Row{"set", "MISC,SET,,,set role x,<none>,0", Action::kConfigure, "0 unknown"},
           Row{"begin", "MISC,BEGIN,,,begin,<none>,0", Action::kUnknown, "0 unknown"},
           Row{"log_rows off", "READ,SELECT,TABLE,public.t,select 1,<none>", Action::kRead, "0 unknown"},
       }) {
    const Access a = both({.message = std::string("AUDIT: SESSION,1,1,") + row.audit});
    EXPECT_EQ(a.action, row.action) << row.name;
    EXPECT_EQ(std::to_string(a.rows.value) + " " + std::string(name(a.rows.certainty)), row.rows) << row.name;
  }
}

TEST(PgAudit, ParametersAreCsvWithinCsv) {
  using Texts = std::vector<std::string>;
  struct Row { const char* name; const char* field; bool known; Texts want; };
  for (const Row& row : {
           Row{"none", "<none>", true, {}},
           Row{"one", "99", true, {"99"}},
           Row{"quotes", R"("9,""x,""""y""")", true, {"9", "x,\"y"}},
           Row{"empty ones", R"("a,,b")", true, {"a", "", "b"}},
           Row{"not logged", "<not logged>", false, {}},
           Row{"one suppressed", R"("7,<long param suppressed>")", false, {"7", "<long param suppressed>"}},
       }) {
    const Access a = both({.message = std::string("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,select $1,") + row.field + ",1"});
    EXPECT_EQ(a.statement.parameters, row.want) << row.name;
    EXPECT_EQ(a.statement.parameters_known, row.known) << row.name;
  }
}

TEST(PgAudit, StatementsOverLinesAndWithQuotes) {
  const Access a = both({.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.patient,\"select *\n from patient where name='a,\"\"b\"\"'\",<none>,0"});
  EXPECT_EQ(a.statement.text, "select *\n from patient where name='a,\"b\"'");
  EXPECT_EQ(both({.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,\"\"\"Odd\"\".\"\"T\"\"\",x,<none>,0"}).resource.dataset, "Odd.T");
  EXPECT_EQ(both({.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,crm.t,x,<none>,0"}).resource.dataset, "crm.t");
  EXPECT_EQ(both({.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,t,<not logged>,<not logged>,0"}).statement.text, "");
}

TEST(PgAudit, ErrorsWithAStatementAreFailedReads) {
  Access a = both({.message = "permission denied for table billing_account", .severity = "ERROR", .state = "42501",
                   .statement = "SELECT * FROM billing_account"});
  EXPECT_EQ(a.outcome, Outcome::kFailure);
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.statement.text, "SELECT * FROM billing_account");
  EXPECT_EQ(a.statement.command, "SELECT");
  EXPECT_EQ(a.error, "permission denied for table billing_account");
  EXPECT_EQ(a.rows.certainty, Certainty::kUnknown) << "rows may have been delivered before it failed";

  a = both({.message = "canceling statement due to user request", .severity = "ERROR", .state = "57014",
            .statement = "-- all of them\n /* x */ copy patient to stdout", .tag = "COPY"});
  EXPECT_EQ(a.action, Action::kExport);
  a = both({.message = "terminating connection due to administrator command", .severity = "FATAL", .state = "57P01",
            .statement = "with x as (select 1) select * from x", .tag = "BIND"});
  EXPECT_EQ(a.action, Action::kQuery);
  EXPECT_EQ(a.statement.command, "WITH");
}

TEST(PgAudit, Connections) {
  Access a = both({.message = "connection authorized: user=nurse database=clinic application_name=my app SSL enabled (protocol=TLSv1.3)"});
  EXPECT_EQ(a.action, Action::kAuthenticate);
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
  EXPECT_EQ(a.via, "my app");
  EXPECT_EQ(a.operation, "connection authorized");
  a = both({.message = "replication connection authorized: user=standby application_name=pg_basebackup"});
  EXPECT_EQ(a.operation, "replication connection authorized") << "it reads everything: exposure tells";
  a = both({.message = "password authentication failed for user \"nurse\"", .severity = "FATAL", .state = "28P01"});
  EXPECT_EQ(a.action, Action::kAuthenticate);
  EXPECT_EQ(a.outcome, Outcome::kFailure);
  a = both({.message = "no pg_hba.conf entry for host \"192.0.2.9\", user \"nurse\"", .severity = "FATAL", .state = "28000"});
  EXPECT_EQ(a.action, Action::kAuthenticate);
}

TEST(PgAudit, WhatSaysNothingAboutDataIsNoError) {
  for (const Message& m : {Message{.message = "checkpoint starting: time"}, Message{.message = "disconnection: session time: 0:00:00.044"},
                           Message{.message = "connection received: host=127.0.0.1 port=34094"},
                           Message{.message = "duration: 1.2 ms  statement: select 1"},
                           Message{.message = "could not serialize", .severity = "ERROR", .state = "40001"},
                           Message{.message = "x", .severity = "WARNING", .statement = "select 1"}}) {
    for (const auto& [format, record] : {std::pair{"pgaudit-csv", m.csv()}, std::pair{"pgaudit-json", m.json()}}) {
      Bench bench(format);
      const DecodedRecord out = bench(record);
      EXPECT_EQ(out.error, "") << m.message;
      EXPECT_TRUE(out.all.empty()) << m.message;
    }
  }
}

TEST(PgAudit, RemembersWhatLaterLinesReferTo) {
  Bench csv("pgaudit-csv");
  csv.one(Message{.message = "AUDIT: SESSION,8,1,READ,SELECT,VIEW,public.v,select * from v where id=$1,42,1"}.csv());
  const Access again = csv.one(Message{.message = "AUDIT: SESSION,8,1,READ,SELECT,TABLE,public.t,<previously logged>,<previously logged>,1"}.csv());
  EXPECT_EQ(again.statement.text, "select * from v where id=$1");
  EXPECT_EQ(again.statement.parameters, std::vector<std::string>{"42"});
  EXPECT_TRUE(again.statement.parameters_known);
  const Access other = csv.one(Message{.message = "AUDIT: SESSION,9,1,READ,SELECT,TABLE,public.t,<previously logged>,<previously logged>,1"}.csv());
  EXPECT_EQ(other.statement.text, "") << "another statement's text is not taken";
  EXPECT_FALSE(other.statement.parameters_known);

  EXPECT_TRUE(csv(Message{.message = "connection authenticated: identity=\"anna@example.org\" method=ldap (x:1)"}.csv()).all.empty());
  const Access person = csv.one(Message{.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,select 1,<none>,1"}.csv());
  EXPECT_EQ(person.actor.person, "anna@example.org");
  EXPECT_EQ(person.actor.account, "nurse");
}

TEST(PgAudit, TheEventHasJsonlogsNamesInBothForms) {
  const Message m{.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,select 1,<none>,1"};
  for (const auto& [format, record] : {std::pair{"pgaudit-csv", m.csv()}, std::pair{"pgaudit-json", m.json()}}) {
    Bench bench(format);
    const DecodedRecord out = bench(record);
    ASSERT_EQ(out.all.size(), 1U);
    const rules::Event& event = out.all[0].event;
    EXPECT_EQ(event.source.product, "postgresql");
    EXPECT_EQ(event.source.service, "pgaudit");
    EXPECT_EQ(event.raw, record);
    EXPECT_EQ(event.root.get("user").as_string(), "nurse");
    EXPECT_EQ(event.root.get("remote_host").as_string(), "127.0.0.1");
    EXPECT_EQ(event.root.get("remote_port").as_int(), 58610);
    EXPECT_EQ(event.root.get("line_num").as_int(), 3);
    EXPECT_EQ(event.root.get("message").as_string(), m.message);
    EXPECT_FALSE(event.root.get("detail").present());
  }
}

TEST(PgAudit, RefusesWhatIsMalformed) {
  struct Row { const char* name; const char* format; std::string record; const char* says; };
  for (const Row& row : {
           Row{"few columns", "pgaudit-csv", "2026-11-23 14:24:47.544 UTC,a,b", "columns"},
           Row{"open quotes", "pgaudit-csv", "2026-11-23 14:24:47.544 UTC,\"a", "quotes"},
           Row{"audit cut short", "pgaudit-csv", Message{.message = "AUDIT: SESSION,1,1,READ,SELECT"}.csv(), "nine or ten"},
           Row{"audit of no known type", "pgaudit-csv", Message{.message = "AUDIT: X,1,1,READ,SELECT,T,t,x,<none>,1"}.csv(), "SESSION"},
           Row{"rows are words", "pgaudit-csv", Message{.message = "AUDIT: SESSION,1,1,READ,SELECT,T,t,x,<none>,many"}.csv(), "row count"},
           Row{"unknown zone", "pgaudit-csv", Message{.message = "AUDIT: SESSION,1,1,READ,SELECT,T,t,x,<none>,1", .time = "2026-11-23 14:24:47.544 XYZT"}.csv(), "timezone"},
           Row{"not JSON", "pgaudit-json", "{\"timestamp\":", "JSON"},
           Row{"other JSON", "pgaudit-json", "{\"a\":1}", "jsonlog"},
           Row{"JSON, no object", "pgaudit-json", "[1]", "object"},
           Row{"deep JSON", "pgaudit-json", std::string(5000, '[') + std::string(5000, ']'), "nested deeper"},
       }) {
    Bench bench(row.format);
    const DecodedRecord out = bench(row.record);
    EXPECT_NE(out.error.find(row.says), std::string::npos) << row.name << ": " << out.error;
    EXPECT_TRUE(out.all.empty()) << row.name;
  }
}

TEST(PgAudit, OlderColumnsAndAddresses) {
  std::string record = Message{.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,select 1,<none>"}.csv();
  record.resize(record.size() - std::string_view(",,0").size());  // 24 columns: PostgreSQL 13
  Bench csv("pgaudit-csv");
  EXPECT_EQ(csv.one(record).actor.account, "nurse");
  record.replace(record.find("127.0.0.1:58610"), 15, "fe80::1:58610");
  EXPECT_EQ(csv.one(record).client.ip, "fe80::1");
  EXPECT_EQ(csv.one(record).client.port, 58610);
  record.replace(record.find("fe80::1:58610"), 13, "[local]");
  EXPECT_EQ(csv.one(record).client.ip, "");
}

TEST(PgAudit, BadUtf8IsRepairedAndTheRawKept) {
  const std::string record = Message{.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,select '\xff\xfe',<none>,1"}.csv();
  Bench csv("pgaudit-csv");
  const DecodedRecord out = csv(record);
  ASSERT_EQ(out.all.size(), 1U);
  EXPECT_EQ(out.all[0].access.statement.text, "select '\xEF\xBF\xBD\xEF\xBF\xBD'");
  EXPECT_EQ(out.all[0].raw, record);
  std::string json = Message{.message = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,select '#',<none>,1"}.json();
  json.replace(json.find('#'), 1, "\xff");
  Bench jsonlog("pgaudit-json");
  EXPECT_EQ(jsonlog.one(json).statement.text, "select '\xEF\xBF\xBD'");
}

}  // namespace
}  // namespace tocsin::engine
