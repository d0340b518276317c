// Correlations and secrets as the pipeline tells them: who, whose data, how sure, and what survives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "engine/detect/pipeline.hpp"
#include "rules/base/text.hpp"
#include "storage/register_store.hpp"

namespace tocsin::engine {
namespace {

namespace sigma = rules::sigma;
using ::testing::HasSubstr;

constexpr std::string_view kMany = R"(title: Read of a patient's record
id: 00000000-0000-4000-8000-000000000001
name: patient_read
logsource: {category: data_access}
detection:
  read: {action: read, dataset: patient, outcome: success}
  condition: read
---
title: Many records read by one account
id: 00000000-0000-4000-8000-000000000002
description: Somebody goes through the patients.
level: high
correlation:
  type: value_count
  rules: [patient_read]
  group-by: [account]
  timespan: 1h
  condition: {gte: 5, field: subjects}
)";

constexpr std::string_view kOften = R"(title: Read of a patient's record
id: 00000000-0000-4000-8000-000000000006
name: any_read
logsource: {category: data_access}
detection:
  read: {action: read, dataset: patient}
  condition: read
---
title: Many reads by one account
id: 00000000-0000-4000-8000-000000000007
correlation:
  type: event_count
  rules: [any_read]
  group-by: [account]
  timespan: 1h
  condition: {gte: 6}
)";

constexpr std::string_view kAbsent = R"(title: Backup began
id: 00000000-0000-4000-8000-000000000003
name: began
logsource: {category: data_access}
detection:
  read: {action: read, dataset: patient, account: backup}
  condition: read
---
title: Backup was verified
id: 00000000-0000-4000-8000-000000000004
name: verified
logsource: {category: data_access}
detection:
  read: {action: read, dataset: patient, account: verifier}
  condition: read
---
title: Backup without verification
id: 00000000-0000-4000-8000-000000000005
correlation:
  type: temporal
  rules: [began, verified]
  timespan: 30m
  condition: began and not verified
)";

std::shared_ptr<const sigma::Engine> engine_of(std::initializer_list<std::string_view> texts) {
  std::vector<sigma::RuleSource> sources;
  for (const std::string_view text : texts) sources.push_back({"rules.yml", std::string(text)});
  const sigma::Loaded loaded = sigma::load(sources);
  EXPECT_EQ(loaded.count(sigma::Status::kRejected), 0U);
  for (const sigma::Report& report : loaded.reports) {
    if (report.status == sigma::Status::kRejected) ADD_FAILURE() << report.text();
  }
  return loaded.engine;
}

// A clinic with a register of a hundred patients and one PostgreSQL log.
struct Clinic {
  storage::Registers registers{storage::process_hash()};
  std::unique_ptr<Pipeline> pipeline;
  Effects effects;
  std::uint64_t line = 0;

  explicit Clinic(std::shared_ptr<const sigma::Engine> rules, bool secrets = false) {
    std::ostringstream csv;
    csv << "id,name\n";
    for (int i = 1; i <= 100; ++i) csv << i << ",Person " << i << "\n";
    std::istringstream in(csv.str());
    storage::ImportOptions options;
    options.dataset = "patient";
    options.as_of = *parse_rfc3339("2026-11-23T00:00:00Z");
    EXPECT_TRUE(storage::import_register(in, options, registers));
    PipelineSetup setup;
    setup.rules = std::move(rules);
    DatasetSpec spec;
    spec.name = "patient";
    spec.key = "id";
    spec.tables["patient"] = "id";
    setup.datasets.add(std::move(spec));
    setup.sources["db"].format = "pgaudit-json";
    setup.sources["db"].description = "the database's log";
    for (const char* place : {"ops.db_log", "s3://logs/db/"}) setup.sources["db"].read_at.push_back(LogPlace::parse(place).value());
    if (secrets) {
      auto scanner = rules::secrets::Scanner::load({}, {.fingerprint = [](std::string_view secret) { return std::to_string(std::hash<std::string_view>()(secret)); }});
      EXPECT_TRUE(scanner);
      setup.scanner = std::move(scanner->scanner);
    }
    pipeline = std::make_unique<Pipeline>(std::move(setup), registers);
  }

  static std::string record(std::uint64_t number, const std::string& time, const std::string& user, const std::string& sql) {
    return R"({"timestamp":"2026-11-23 )" + time + R"( UTC","user":")" + user + R"(","dbname":"clinic","pid":7,"remote_host":"127.0.0.1","session_id":")" + user +
           R"(.1","line_num":)" + std::to_string(number) + R"(,"ps":"SELECT","error_severity":"LOG","message":"AUDIT: SESSION,)" + std::to_string(number) +
           R"(,1,READ,SELECT,TABLE,public.patient,)" + sql + R"(,<none>,1","application_name":"clinic-web","backend_type":"client backend"})";
  }
  Incoming incoming(const std::string& payload, const std::string& arrived = "2026-11-23T12:00:00Z") {
    Incoming in;
    in.source = "db";
    in.file = "db.json";
    in.line = in.seq = ++line;
    in.arrived = *parse_rfc3339(arrived);
    in.payload = payload;
    return in;
  }
  void read(const std::string& time, const std::string& user, int patient) {
    const std::string payload = record(line + 1, time, user, "select * from patient where id=" + std::to_string(patient));
    pipeline->see(incoming(payload), effects);
  }
  // Findings of a rule, which only unit tests may count by looking.
  std::vector<storage::Finding> of(std::string_view rule) const {
    std::vector<storage::Finding> out;
    for (const storage::Finding& f : effects.findings) {
      if (f.rule.ends_with(rule)) out.push_back(f);
    }
    return out;
  }
};

TEST(PipelineCorrelation, NamesWhoDidItWhichRecordsShowItAndHowManyPeople) {
  Clinic clinic(engine_of({kMany}));
  for (int i = 1; i <= 4; ++i) clinic.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  EXPECT_TRUE(clinic.of("0002").empty());
  clinic.read("10:05:00.000", "doctor", 50);  // another account
  clinic.read("10:06:00.000", "nurse", 4);    // the same patient again is nobody new
  EXPECT_TRUE(clinic.of("0002").empty());
  clinic.read("10:07:00.000", "nurse", 5);
  const auto found = clinic.of("0002");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Many records read by one account: nurse");
  EXPECT_EQ(found[0].level, storage::Level::kHigh);
  EXPECT_EQ(found[0].actor, "nurse");
  EXPECT_EQ(found[0].dataset, "patient");
  EXPECT_EQ(found[0].evidence_count, 6U);
  std::set<std::uint64_t> lines;
  for (const storage::Evidence& e : found[0].evidence) {
    lines.insert(e.line);
    EXPECT_THAT(e.preview, HasSubstr("from patient where id="));
  }
  EXPECT_EQ(lines, (std::set<std::uint64_t>{1, 2, 3, 4, 6, 7}));
  ASSERT_TRUE(found[0].exposure);
  EXPECT_EQ(found[0].exposure->grade, storage::Grade::kExact);
  EXPECT_EQ(found[0].exposure->at_least, 5U);
  EXPECT_EQ(found[0].exposure->at_most, 5U);
  EXPECT_THAT(found[0].reason, HasSubstr("5 different values of subjects within 60 minutes for account nurse"));
  EXPECT_TRUE(clinic.of("0001").empty()) << "a rule that only feeds a correlation is silent";
}

TEST(PipelineCorrelation, AWideReadMakesTheNumberOfPeopleWiderNotSmaller) {
  Clinic clinic(engine_of({kOften}));
  for (int i = 1; i <= 4; ++i) clinic.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  clinic.pipeline->see(clinic.incoming(Clinic::record(90, "10:05:00.000", "nurse", "select * from patient where name like '%e%'")), clinic.effects);
  clinic.read("10:06:00.000", "nurse", 5);
  const auto found = clinic.of("0007");
  ASSERT_EQ(found.size(), 1U);
  ASSERT_TRUE(found[0].exposure);
  EXPECT_GE(found[0].exposure->grade, storage::Grade::kDerived);
  EXPECT_GE(found[0].exposure->at_most.value_or(100), 6U) << "five by name, and one row of whoever it was";
}

TEST(PipelineCorrelation, WindowsOutliveTheProcessAndFindTheSameAlert) {
  Clinic whole(engine_of({kMany}));
  for (int i = 1; i <= 5; ++i) whole.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  ASSERT_EQ(whole.of("0002").size(), 1U);

  Clinic before(engine_of({kMany}));
  for (int i = 1; i <= 3; ++i) before.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  const std::string kept = before.pipeline->save_windows();
  Clinic after(engine_of({kMany}));
  ASSERT_TRUE(after.pipeline->restore_windows(kept));
  after.line = 3;
  // One record was seen after the windows were kept: it is fed again, with what it had reached.
  ASSERT_EQ(before.effects.reaches.size(), 3U);
  before.effects.clear();
  before.read("10:04:00.000", "nurse", 4);
  const std::string payload = Clinic::record(4, "10:04:00.000", "nurse", "select * from patient where id=4");
  after.pipeline->warm(after.incoming(payload), before.effects.reaches, {.windows = true});
  EXPECT_TRUE(after.effects.findings.empty());
  after.read("10:05:00.000", "nurse", 5);
  const auto found = after.of("0002");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, whole.of("0002")[0].id);
  EXPECT_EQ(found[0].evidence.size(), 5U);
  EXPECT_THAT(found[0].evidence[0].preview, HasSubstr("id=1"));
  EXPECT_EQ(found[0].exposure->at_most, 5U);
}

TEST(PipelineCorrelation, DamagedWindowsAreRefusedAndNothingIsRemembered) {
  Clinic clinic(engine_of({kMany}));
  for (int i = 1; i <= 3; ++i) clinic.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  const std::string kept = clinic.pipeline->save_windows();
  for (std::size_t at = 0; at < kept.size(); at += 7) {
    std::string damaged = kept;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    const auto restored = clinic.pipeline->restore_windows(damaged);
    ASSERT_FALSE(restored) << "byte " << at;
    EXPECT_EQ(restored.error().code, Errc::kCorrupt);
  }
  for (std::size_t size = 0; size < kept.size(); size += 11) EXPECT_FALSE(clinic.pipeline->restore_windows(kept.substr(0, size)));
  for (int i = 4; i <= 5; ++i) clinic.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  EXPECT_TRUE(clinic.of("0002").empty());
}

TEST(PipelineCorrelation, OtherRulesDoNotTouchAWindowThatStaysTheSame) {
  Clinic clinic(engine_of({kMany}));
  for (int i = 1; i <= 3; ++i) clinic.read("10:0" + std::to_string(i) + ":00.000", "nurse", i);
  clinic.pipeline->adopt(engine_of({kAbsent, kMany}));
  clinic.read("10:04:00.000", "nurse", 4);
  clinic.read("10:05:00.000", "nurse", 5);
  ASSERT_EQ(clinic.of("0002").size(), 1U);
  EXPECT_EQ(clinic.of("0002")[0].evidence_count, 5U);
  // A changed threshold is another correlation: it begins anew.
  std::string stricter(kMany);
  stricter.replace(stricter.find("gte: 5"), 6, "gte: 6");
  clinic.pipeline->adopt(engine_of({stricter}));
  clinic.effects.clear();
  clinic.read("10:06:00.000", "nurse", 6);
  EXPECT_TRUE(clinic.of("0002").empty());
}

TEST(PipelineCorrelation, WhatDidNotHappenIsNoticedWhenTimeGoesOn) {
  Clinic clinic(engine_of({kAbsent}));
  clinic.read("10:00:00.000", "backup", 1);
  clinic.pipeline->advance(*parse_rfc3339("2026-11-23T10:20:00Z"), clinic.effects);
  EXPECT_TRUE(clinic.of("0005").empty());
  clinic.pipeline->advance(*parse_rfc3339("2026-11-23T11:00:00Z"), clinic.effects);
  EXPECT_EQ(clinic.of("0005").size(), 1U);
}

TEST(PipelineCorrelation, ARecordFromTheFutureDoesNotMakeTheOthersLate) {
  Clinic clinic(engine_of({kMany}));
  for (int i = 1; i <= 4; ++i) clinic.read("11:5" + std::to_string(i) + ":00.000", "nurse", i);
  std::string future = Clinic::record(5, "11:55:00.000", "intruder", "select * from patient where id=9");
  future.replace(future.find("2026-11-23"), 10, "2036-11-23");
  clinic.pipeline->see(clinic.incoming(future), clinic.effects);
  clinic.read("11:59:00.000", "nurse", 5);
  EXPECT_EQ(clinic.of("0002").size(), 1U);
}

TEST(PipelineSecrets, APersonalNumberNamesWhoseItIsWhereTheRecordTells) {
  Clinic clinic(engine_of({kMany}), true);
  clinic.pipeline->see(clinic.incoming(Clinic::record(1, "10:00:00.000", "nurse", "select * from patient where id=7 and iban='DE89370400440532013000'")), clinic.effects);
  const auto found = [&] {
    std::vector<storage::Finding> out;
    for (const auto& f : clinic.effects.findings) {
      if (f.kind == "secret") out.push_back(f);
    }
    return out;
  }();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].reason,
            "An IBAN stands readable in the database's log (DE…00). Whoever can read that log learns it. It is not kept here: only this preview and a fingerprint.");
  EXPECT_EQ(found[0].dataset, "patient");
  ASSERT_TRUE(found[0].exposure);
  EXPECT_EQ(found[0].exposure->at_most, 1U);
  EXPECT_FALSE(found[0].secret.empty());
  EXPECT_EQ(found[0].evidence[0].preview.find("DE89370400440532013000"), std::string::npos);
}

// Secrets and people's numbers stand in the database's log, which is kept in the table ops.db_log and in a bucket.
struct LeakyLog : Clinic {
  LeakyLog() : Clinic(engine_of({kMany}), true) {}
  bool again = false;                // records come a second time, after a restart
  std::vector<Reach> reached;        // by the newest record, as it was stored

  void take(const std::string& payload) {
    if (again) return pipeline->warm(incoming(payload), reached, {.readers = true});
    const std::size_t first = effects.reaches.size();
    pipeline->see(incoming(payload), effects);
    reached.assign(effects.reaches.begin() + static_cast<std::ptrdiff_t>(first), effects.reaches.end());
    std::erase_if(reached, [](const Reach& reach) { return reach.way == "log"; });
  }
  void iban(const std::string& time, int patient) {
    take(record(line + 1, time, "nurse", "select * from patient where id=" + std::to_string(patient) + " and iban='DE89370400440532013000'"));
  }
  void password(const std::string& time, const std::string& password) { take(record(line + 1, time, "admin", "alter role app password '" + password + "'")); }
  void reads_log(const std::string& time, const std::string& user) {
    std::string payload = record(line + 1, time, user, "select * from ops.db_log");
    const std::string_view table = "public.patient";
    payload.replace(payload.find(table), table.size(), "ops.db_log");
    take(payload);
  }
  std::vector<Reach> by_log() const {
    std::vector<Reach> out;
    for (const Reach& r : effects.reaches) {
      if (r.way == "log") out.push_back(r);
    }
    return out;
  }
};

TEST(PipelineSecrets, WhoReadsTheLogIsToldInItsAlertAndReachedThePeople) {
  LeakyLog clinic;
  clinic.reads_log("09:00:00.000", "early");
  clinic.iban("09:14:00.000", 7);
  clinic.iban("09:15:00.000", 9);
  clinic.password("09:16:00.000", "hunter2secret");
  EXPECT_TRUE(clinic.of("secret.read").empty()) << "what was read before anything stood there is nothing";
  clinic.reads_log("10:00:00.000", "mallory");
  clinic.reads_log("10:05:00.000", "mallory");
  const auto read = clinic.of("secret.read");
  ASSERT_EQ(read.size(), 2U) << "one for the numbers, one for the password";
  std::set<std::string> leaks;
  for (const auto& f : clinic.effects.findings) {
    if (f.rule != "tocsin.secret.read" && f.kind == "secret") leaks.insert(f.group);
  }
  for (const auto& f : read) {
    EXPECT_EQ(f.actor, "mallory");
    EXPECT_TRUE(leaks.contains(f.group)) << "it belongs to the alert of what stands there: " << f.group;
    EXPECT_EQ(f.evidence_count, 2U);
    ASSERT_TRUE(f.exposure);
    EXPECT_EQ(f.exposure->grade, storage::Grade::kBound);
    EXPECT_EQ(f.exposure->at_most, 2U);
    EXPECT_NE(f.reason.find("mallory read the database's log 2 times"), std::string::npos) << f.reason;
  }
  const auto reaches = clinic.by_log();
  ASSERT_EQ(reaches.size(), 1U);
  EXPECT_EQ(reaches[0].actor, "mallory");
  EXPECT_EQ(reaches[0].people.size(), 2U);
  EXPECT_EQ(reaches[0].grade, storage::Grade::kBound);
  // What is written from now on names those who read so far.
  clinic.password("10:10:00.000", "another7secret");
  const auto& last = clinic.effects.findings.back();
  EXPECT_NE(last.reason.find("Read since by: mallory (2 times)"), std::string::npos) << last.reason;
}

TEST(PipelineSecrets, AReadThatIsKnownBeforeTheSecretCountsByItsTime) {
  LeakyLog clinic;
  clinic.reads_log("10:00:00.000", "mallory");
  clinic.iban("09:14:00.000", 7);  // comes late, stood there earlier
  ASSERT_EQ(clinic.of("secret.read").size(), 1U);
  clinic.iban("09:20:00.000", 9);
  ASSERT_EQ(clinic.by_log().size(), 1U);
  EXPECT_EQ(clinic.by_log()[0].people.size(), 2U) << "the reach grows with the people";
  clinic.iban("11:00:00.000", 11);
  EXPECT_EQ(clinic.by_log()[0].people.size(), 2U) << "written after it was read";
}

// Eight steps, in which what stands in the log and who reads it come in either order.
void leak_step(LeakyLog& clinic, int step) {
  switch (step) {
    case 0: return clinic.reads_log("08:00:00.000", "early");
    case 1: return clinic.iban("09:14:00.000", 7);
    case 2: return clinic.reads_log("10:00:00.000", "mallory");
    case 3: return clinic.password("10:01:00.000", "hunter2secret");
    case 4: return clinic.iban("09:20:00.000", 9);  // late: read already
    case 5: return clinic.reads_log("10:05:00.000", "mallory");
    case 6: return clinic.reads_log("10:06:00.000", "etl");
    default: return clinic.password("10:10:00.000", "another7secret");
  }
}
// What was told of readers, without the ids and counts of episodes, which begin anew.
std::vector<std::string> told_of_readers(const Effects& effects) {
  std::vector<std::string> out;
  for (const auto& f : effects.findings) {
    if (f.kind == "secret") out.push_back(f.rule + " " + f.group + " " + f.reason + (f.exposure && f.exposure->at_most ? " " + std::to_string(*f.exposure->at_most) : ""));
  }
  for (const Reach& r : effects.reaches) {
    if (r.way == "log") out.push_back(r.actor + " " + format_rfc3339(r.first) + " " + std::to_string(r.people.size()));
  }
  return out;
}

TEST(PipelineSecrets, WhoReadTheLogOutlastsARestartAtAnyStep) {
  constexpr int kSteps = 8;
  for (const int cut : {2, 3, 5, 6}) {
    for (const bool seen_since : {false, true}) {  // the process died one record after it had kept its memory
      SCOPED_TRACE(std::to_string(cut) + (seen_since ? ", killed" : ", stopped"));
      LeakyLog whole, before, after;
      std::string kept;
      for (int step = 0; step < cut; ++step) {
        if (seen_since && step == cut - 1) kept = before.pipeline->save_log_readers();
        leak_step(whole, step);
        leak_step(before, step);
      }
      if (!seen_since) kept = before.pipeline->save_log_readers();
      ASSERT_TRUE(after.pipeline->restore_log_readers(kept));
      after.line = before.line;
      if (seen_since) {
        --after.line;
        after.again = true;
        after.reached = before.reached;
        leak_step(after, cut - 1);
        after.again = false;
      }
      EXPECT_EQ(after.pipeline->save_log_readers(), before.pipeline->save_log_readers());
      whole.effects.clear();
      after.effects.clear();
      for (int step = cut; step < kSteps; ++step) {
        leak_step(whole, step);
        leak_step(after, step);
      }
      EXPECT_EQ(told_of_readers(after.effects), told_of_readers(whole.effects));
    }
  }
}

TEST(PipelineSecrets, DamagedMemoryOfReadersIsRefusedAndForeignPeopleAreLeftAway) {
  LeakyLog before;
  for (int step = 0; step < 3; ++step) leak_step(before, step);
  const std::string kept = before.pipeline->save_log_readers();
  LeakyLog after;
  const std::string nothing = after.pipeline->save_log_readers();
  for (std::size_t cut = 0; cut < kept.size(); ++cut) {
    ASSERT_TRUE(after.pipeline->restore_log_readers(kept));
    ASSERT_FALSE(after.pipeline->restore_log_readers(std::string_view(kept).substr(0, cut))) << cut;
    ASSERT_EQ(after.pipeline->save_log_readers(), nothing);
  }
  std::string other = kept;
  const std::string numbers = "\"numbers\":[6]";
  ASSERT_NE(other.find(numbers), std::string::npos) << other;
  other.replace(other.find(numbers), numbers.size(), "\"numbers\":[6,100000,6]");
  ASSERT_TRUE(after.pipeline->restore_log_readers(other));
  EXPECT_EQ(after.pipeline->save_log_readers(), kept);
}

TEST(PipelineSecrets, ThousandsOfLinesAreOneFindingSinceTheFirst) {
  LeakyLog clinic;
  for (int i = 0; i < 1204; ++i) {
    clinic.password("09:" + std::to_string(14 + i / 60) + (i % 60 < 10 ? ":0" : ":") + std::to_string(i % 60) + ".000", "hunter2secret");
  }
  std::vector<storage::Finding> found;
  for (const auto& f : clinic.effects.findings) {
    if (f.kind == "secret") found.push_back(f);
  }
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Plaintext password in the database's log");
  EXPECT_EQ(found[0].evidence_count, 1204U);
  EXPECT_EQ(found[0].time, *parse_rfc3339("2026-11-23T09:14:00Z"));
}

TEST(LogPlace, HoldsWhatIsReadThere) {
  struct Case {
    const char* place;
    Resource resource;
    bool holds;
  };
  const Case cases[] = {
      {"s3://logs/app/", {.system = "aws.s3", .store = "logs", .object = "app/2026/x.gz"}, true},
      {"s3://logs/app/", {.system = "aws.s3", .store = "logs", .object = "web/x.gz"}, false},
      {"s3://logs/app/", {.system = "aws.s3", .store = "other", .object = "app/x.gz"}, false},
      {"s3://logs", {.system = "aws.s3", .store = "logs", .object = "any"}, true},
      {"/logs/app", {.system = "web", .store = "h", .dataset = "/logs/{}", .object = "/logs/app?lines=100"}, true},
      {"/logs/app", {.system = "web", .store = "h", .object = "/apps"}, false},
      {"app_log", {.system = "postgresql", .store = "ops", .dataset = "app_log"}, true},
      {"app_log", {.system = "postgresql", .store = "ops", .dataset = "public.app_log"}, true},
      {"ops.app_log", {.system = "postgresql", .store = "ops", .dataset = "app_log"}, false},
  };
  for (const auto& c : cases) EXPECT_EQ(LogPlace::parse(c.place)->holds(c.resource), c.holds) << c.place << " " << c.resource.object << c.resource.dataset;
  EXPECT_FALSE(LogPlace::parse(""));
  EXPECT_FALSE(LogPlace::parse("s3:///x"));
}

}  // namespace
}  // namespace tocsin::engine
