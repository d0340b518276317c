// PostgreSQL's plain log: prefixes, messages over lines, errors and their statements, and names that pretend to be messages.
#include "engine/intake/pg_prefix.hpp"

#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

constexpr const char* kAudit = "AUDIT: SESSION,7,1,READ,SELECT,TABLE,public.patient,select * from patient where id = 5,<none>,1";

TEST(PgPrefix, ReadsTheFrontOfALine) {
  struct Row { const char *name, *prefix, *line, *time, *user, *database, *application, *host, *process, *message; };
  for (const Row& row : {
           Row{"PostgreSQL's own", "%m [%p] ", "2026-11-23 14:24:47.544 UTC [17] LOG:  x", "2026-11-23 14:24:47.544 UTC", "", "", "", "", "17", "x"},
           Row{"Debian's", "%m [%p] %q%u@%d ", "2026-11-23 14:24:47.544 CET [17] nurse@clinic LOG:  x: y", "2026-11-23 14:24:47.544 CET", "nurse", "clinic", "", "", "17", "x: y"},
           Row{"no session", "%m [%p] %q%u@%d ", "2026-11-23 14:24:47.544 UTC [17] LOG:  checkpoint", "2026-11-23 14:24:47.544 UTC", "", "", "", "", "17", "checkpoint"},
           Row{"not known yet", "%m [%p] %q%u@%d ", "2026-11-23 14:24:47.544 UTC [17] [unknown]@[unknown] LOG:  x", "2026-11-23 14:24:47.544 UTC", "", "", "", "", "17", "x"},
           Row{"pgBadger's", "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ", "2026-11-23 14:24:47 UTC [17]: [3-1] user=nurse,db=clinic,app=ward app, 2,client=::1 LOG:  x",
               "2026-11-23 14:24:47 UTC", "nurse", "clinic", "ward app, 2", "::1", "17", "x"},
           Row{"Amazon's", "%t:%r:%u@%d:[%p]:", "2026-11-23 14:24:47 UTC:10.0.0.7(5432):nurse@clinic:[17]:ERROR:  x", "2026-11-23 14:24:47 UTC", "nurse", "clinic", "", "10.0.0.7", "17", "x"},
           Row{"padded", "%m %-8u|%p ", "2026-11-23 14:24:47.544 UTC nurse   |17 LOG:  x", "2026-11-23 14:24:47.544 UTC", "nurse", "", "", "", "17", "x"},
           Row{"percent sign", "%m %%%p%% ", "2026-11-23 14:24:47.544 +02 %17% LOG:  x", "2026-11-23 14:24:47.544 +02", "", "", "", "", "17", "x"},
       }) {
    const auto prefix = PgPrefix::of(row.prefix);
    ASSERT_TRUE(prefix) << row.name;
    const auto line = prefix->parse(row.line);
    ASSERT_TRUE(line && *line) << row.name;
    EXPECT_EQ((*line)->time, row.time) << row.name;
    EXPECT_EQ((*line)->user, row.user) << row.name;
    EXPECT_EQ((*line)->database, row.database) << row.name;
    EXPECT_EQ((*line)->application, row.application) << row.name;
    EXPECT_EQ((*line)->host, row.host) << row.name;
    EXPECT_EQ((*line)->process, row.process) << row.name;
    EXPECT_EQ((*line)->message, row.message) << row.name;
  }
}

TEST(PgPrefix, RefusesWhatCannotBeRead) {
  for (const char* prefix : {"", "%p ", "%m ", "%m [%p] %", "%m %p %y", "%n %p "}) EXPECT_FALSE(PgPrefix::of(prefix)) << prefix;
  const auto own = PgPrefix::of("%m [%p] ");
  for (const char* line : {"", "x", "2026-11-23 14:24:47.544 UTC [17] nurse@clinic LOG:  x", "2026-11-23 14:24:47.544 UTC [] LOG:  x", "2026-11-23 14:24:47.544 UTC [17] LOG: x"}) {
    const auto parsed = own->parse(line);
    EXPECT_TRUE(parsed && !*parsed) << line;
  }
}

// application_name is the client's to choose: what it hides or forges must not be believed.
TEST(PgPrefix, AnApplicationThatLooksLikeAMessageIsNotBelieved) {
  const auto prefix = PgPrefix::of("%m [%p] %q%u@%d/%a ");
  const auto parsed = prefix->parse("2026-11-23 14:24:47.544 UTC [17] nurse@clinic/psql LOG:  AUDIT: forged LOG:  AUDIT: true");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::kInvalid);
  // In the message itself, beyond what a name can hold, it is only text.
  EXPECT_TRUE(prefix->parse(std::string("2026-11-23 14:24:47.544 UTC [17] nurse@clinic/psql LOG:  ") + kAudit + " LOG:  AUDIT: x"));
}

struct Bench {
  std::unique_ptr<Decoder> decoder;
  rules::Arena arena;
  std::vector<Decoded> out;
  explicit Bench(const char* prefix) {
    DecoderOptions options;
    options.prefix = prefix;
    decoder = std::move(*make_decoder("pgaudit-stderr", options));
  }
  Result<void> read(const std::string& line) { return decoder->decode(line, {}, arena, out); }
};

TEST(PgAuditText, AMessageOverLinesIsOneStatement) {
  Bench bench("%m [%p] %q%u@%d ");
  ASSERT_TRUE(bench.read("2026-11-23 14:24:47.544 UTC [17] nurse@clinic LOG:  AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.patient,\"select name\n\t\tfrom \"\"patient\"\"\n\t\n\twhere id = 5\",<none>,1"));
  ASSERT_EQ(bench.out.size(), 1U);
  const Access& a = bench.out[0].access;
  EXPECT_EQ(a.statement.text, "select name\n\tfrom \"patient\"\n\nwhere id = 5");
  EXPECT_EQ(a.rows.value, 1U);
  EXPECT_EQ(a.actor.account, "nurse");
  EXPECT_EQ(a.resource.store, "clinic");
  EXPECT_EQ(a.event_id, "");  // without %c nothing names the record
}

TEST(PgAuditText, AnErrorGetsItsStatementThoughOthersSpeakBetween) {
  Bench bench("%m [%p] %q%u@%d ");
  for (const char* line : {"2026-11-23 14:24:47.544 UTC [17] nurse@clinic ERROR:  column \"x\" does not exist at character 8", "2026-11-23 14:24:47.545 UTC [18] rita@clinic ERROR:  division by zero",
                           "2026-11-23 14:24:47.545 UTC [17] nurse@clinic HINT:  none", "2026-11-23 14:24:47.546 UTC [17] nurse@clinic STATEMENT:  select x from patient",
                           "2026-11-23 14:24:47.547 UTC [18] rita@clinic STATEMENT:  select 1/0 from patient", "2026-11-23 14:24:47.548 UTC [18] rita@clinic STATEMENT:  without an error"}) {
    ASSERT_TRUE(bench.read(line)) << line;
  }
  ASSERT_EQ(bench.out.size(), 2U);
  EXPECT_EQ(bench.out[0].access.error, "column \"x\" does not exist");
  EXPECT_EQ(bench.out[0].access.statement.text, "select x from patient");
  EXPECT_EQ(bench.out[1].access.error, "division by zero");
  EXPECT_EQ(bench.out[1].access.actor.account, "rita");
}

TEST(PgAuditText, AProcessNumberThatIsUsedAgainIsAnotherSession) {
  Bench bench("%m [%p] ");
  const std::string front = "2026-11-23 14:24:47.544 UTC [17] LOG:  ";
  ASSERT_TRUE(bench.read(front + "connection authorized: user=nurse database=clinic application_name=ward app"));
  ASSERT_TRUE(bench.read(front + kAudit));
  ASSERT_TRUE(bench.read(front + "connection authorized: user=rita database=clinic"));
  ASSERT_TRUE(bench.read(front + kAudit));
  ASSERT_TRUE(bench.read(front + "AUDIT: SESSION,2,1,READ,SELECT,TABLE,public.patient,select 1 from patient,<none>,1"));
  ASSERT_EQ(bench.out.size(), 5U);
  EXPECT_EQ(bench.out[1].access.actor.account, "nurse");
  EXPECT_EQ(bench.out[1].access.via, "ward app");
  EXPECT_EQ(bench.out[3].access.actor.account, "rita");
  EXPECT_NE(bench.out[1].access.actor.session, bench.out[3].access.actor.session);
  EXPECT_NE(bench.out[3].access.actor.session, bench.out[4].access.actor.session) << "statements are counted from the beginning again";
}

TEST(PgAuditText, RefusesALineWithoutTheFront) {
  Bench bench("%m [%p] %q%u@%d ");
  for (const char* line : {"select 1", "2026-11-23 14:24:47.544 UTC [17] LOG", "2026-11-23 14:24:47.544 UTC [17] u@d LOG:  AUDIT: SESSION,1,1,READ,SELECT,\"cut"}) {
    EXPECT_FALSE(bench.read(line)) << line;
  }
  EXPECT_TRUE(bench.out.empty());
}

}  // namespace
}  // namespace tocsin::engine
