// What the stores of the workflow promise by themselves: lists that page, evidence that is never doubled, exposures
// that hold the truth, numbers that count within a year, history that cannot be changed unseen.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "storage/alert_store.hpp"
#include "storage/history_store.hpp"
#include "storage/incident_store.hpp"
#include "storage/task_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

Time at(std::string_view text) { return parse_rfc3339(text).value(); }

class Stores : public testing::Test {
 protected:
  void SetUp() override {
    db_ = Database::open(dir_ / "a.db").value();
    ASSERT_TRUE(db_->migrate(HistoryStore::kFamily, HistoryStore::migrations()));
    ASSERT_TRUE(db_->migrate(AlertStore::kFamily, AlertStore::migrations()));
    ASSERT_TRUE(db_->migrate(IncidentStore::kFamily, IncidentStore::migrations()));
    ASSERT_TRUE(db_->migrate(TaskStore::kFamily, TaskStore::migrations()));
  }
  void TearDown() override {
    db_.reset();
  }

  template <class Body>
  void write(Body body) {
    auto done = db_->write([&](Transaction& tx) -> Result<void> { return body(tx); });
    ASSERT_TRUE(done) << done.error().text();
  }

  std::int64_t add_alert(const std::string& title, Level level, Time last, AlertState state = AlertState::kNew) {
    Alert alert;
    alert.group = title;
    alert.title = title;
    alert.rule = "r";
    alert.level = level;
    alert.state = state;
    alert.last = last;
    std::int64_t id = 0;
    write([&](Transaction& tx) -> Result<void> {
      auto made = AlertStore::insert(tx, alert);
      if (!made) return pass(std::move(made));
      id = *made;
      return {};
    });
    return id;
  }

  TemporaryDirectory dir_;
  std::unique_ptr<Database> db_;
};

const Time kNoon = at("2026-11-23T12:00:00Z");

TEST_F(Stores, TheQueueShowsTheMostSevereFirstAndPagesWithoutLossOrRepetition) {
  std::set<std::int64_t> all;
  for (int i = 0; i < 23; ++i) {
    all.insert(add_alert("alert " + std::to_string(i), static_cast<Level>(i % 5), kNoon + std::chrono::seconds(i % 4)));
  }
  AlertQuery query;
  query.limit = 5;
  std::set<std::int64_t> seen;
  std::optional<Alert> before;
  int pages = 0;
  do {
    auto page = db_->read([&](Reader& r) { return AlertStore::list(r, query); });
    ASSERT_TRUE(page) << page.error().text();
    for (const Alert& alert : page->items) {
      EXPECT_TRUE(seen.insert(alert.id).second) << "shown twice: " << alert.id;
      if (before) {
        EXPECT_GE(std::tuple(before->level, before->last, before->id), std::tuple(alert.level, alert.last, alert.id));
      }
      before = alert;
    }
    query.after = page->next;
    ++pages;
  } while (!query.after.empty());
  EXPECT_EQ(seen, all);
  EXPECT_EQ(pages, 5);
}

TEST_F(Stores, ACursorOfSomebodyElseIsRefused) {
  for (const char* cursor : {"x", "1.2", "1.2.3.4", "1.2.", "'; DROP TABLE alert;--", "9999999999999999999999.1.1"}) {
    AlertQuery query;
    query.after = cursor;
    auto page = db_->read([&](Reader& r) { return AlertStore::list(r, query); });
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().code, Errc::kInvalid) << cursor;
  }
}

TEST_F(Stores, SearchTakesWildcardsAsLetters) {
  const auto percent = add_alert("100% of Patients", Level::kHigh, kNoon);
  add_alert("one patient", Level::kHigh, kNoon);
  const auto found = [&](const std::string& text) {
    AlertQuery query;
    query.text = text;
    std::vector<std::int64_t> ids;
    const auto page = db_->read([&](Reader& r) { return AlertStore::list(r, query); }).value();
    for (const Alert& alert : page.items) ids.push_back(alert.id);
    return ids;
  };
  EXPECT_EQ(found("PATIENT").size(), 2U);
  EXPECT_EQ(found("%"), std::vector{percent});
  EXPECT_EQ(found("_").size(), 0U);
  EXPECT_EQ(found("!").size(), 0U);
  EXPECT_EQ(found("' OR 1=1 --").size(), 0U);
}

TEST_F(Stores, EvidenceReportedAgainWholeIsNotDoubled) {
  KeptFinding kept;
  kept.finding.id = "f";
  const auto line = [](std::uint64_t n) {
    Evidence e;
    e.source = "pg";
    e.file = "a.csv";
    e.line = n;
    e.time = kNoon + std::chrono::seconds(n);
    e.preview = "FETCH 100";
    return e;
  };
  const auto add = [&](std::vector<Evidence> evidence) {
    write([&](Transaction& tx) -> Result<void> {
      auto have = AlertStore::add_evidence(tx, kept, evidence);
      if (!have) return pass(std::move(have));
      kept.evidence_kept = *have;
      return {};
    });
  };
  add({line(1), line(2)});
  add({line(1), line(2), line(3)});  // the whole, grown
  EXPECT_EQ(kept.evidence_kept, 3U);
  add({line(4)});                    // only what is new
  EXPECT_EQ(kept.evidence_kept, 4U);
  add({line(3), line(4), line(5)});  // a window of it
  EXPECT_EQ(kept.evidence_kept, 5U);
  std::vector<Evidence> many;
  for (std::uint64_t n = 1; n <= Finding::kMaxEvidence + 50; ++n) many.push_back(line(n));
  add(many);
  EXPECT_EQ(kept.evidence_kept, Finding::kMaxEvidence);
}

TEST_F(Stores, TheExposureOfAnAlertHoldsTheUnionOfItsFindings) {
  const auto alert = add_alert("a", Level::kHigh, kNoon);
  ExposureSummary last;
  const auto widen = [&](std::string_view dataset, const std::optional<ExposureSummary>& before, const ExposureSummary& after) {
    write([&](Transaction& tx) -> Result<void> {
      auto out = AlertStore::widen(tx, alert, dataset, before, after);
      if (!out) return pass(std::move(out));
      last = *out;
      return {};
    });
  };
  // Two small sets may be of different people.
  widen("patient", std::nullopt, {Grade::kExact, 10, 10});
  widen("patient", std::nullopt, {Grade::kExact, 12, 12});
  EXPECT_EQ(last.grade, Grade::kExact);
  EXPECT_EQ(last.at_least, 12U);
  EXPECT_EQ(last.at_most, 22U);
  // One grows from 12 to 15.
  widen("patient", ExposureSummary{Grade::kExact, 12, 12}, {Grade::kExact, 15, 15});
  EXPECT_EQ(last.at_most, 25U);
  // The whole dataset holds them all, however often it is read.
  widen("patient", std::nullopt, {Grade::kBound, 0, 2000});
  widen("patient", std::nullopt, {Grade::kBound, 0, 2000});
  EXPECT_EQ(last.grade, Grade::kBound);
  EXPECT_EQ(last.at_least, 15U);
  EXPECT_EQ(last.at_most, 2000U);
  // Another dataset has other people.
  widen("staff", std::nullopt, {Grade::kBound, 0, 50});
  EXPECT_EQ(last.at_most, 2050U);
  // Nobody knows how many: neither does the alert.
  widen("staff", std::nullopt, {Grade::kUnknown, std::nullopt, std::nullopt});
  EXPECT_EQ(last.grade, Grade::kUnknown);
  EXPECT_FALSE(last.at_most.has_value());
}

TEST_F(Stores, ScopesMergeWhatOverlapsAndNothingElse) {
  const auto alert = add_alert("a", Level::kHigh, kNoon);
  int n = 0;
  const auto add = [&](const std::string& actor, const std::string& dataset, int from, int to) {
    KeptFinding kept;
    kept.finding.id = std::to_string(++n);
    kept.finding.actor = actor;
    kept.finding.dataset = dataset;
    kept.finding.time = kNoon + std::chrono::seconds(from);
    kept.finding.last = kNoon + std::chrono::seconds(to);
    write([&](Transaction& tx) -> Result<void> {
      if (auto done = AlertStore::put_finding(tx, kept, kNoon); !done) return done;
      auto joined = AlertStore::join(tx, alert, kept.finding.id);
      if (!joined) return pass(std::move(joined));
      return {};
    });
  };
  add("mallory", "patient", 0, 10);
  add("mallory", "patient", 5, 20);
  add("mallory", "patient", 60, 70);
  add("eve", "patient", 0, 1);
  add("mallory", "", 0, 100);
  const std::int64_t ids[] = {alert};
  auto scopes = db_->read([&](Reader& r) { return AlertStore::scopes_of(r, ids); }).value();
  ASSERT_EQ(scopes.size(), 3U);
  EXPECT_EQ(scopes[0], (Scope{"eve", "patient", kNoon, kNoon + std::chrono::seconds(1)}));
  EXPECT_EQ(scopes[1], (Scope{"mallory", "patient", kNoon, kNoon + std::chrono::seconds(20)}));
  EXPECT_EQ(scopes[2], (Scope{"mallory", "patient", kNoon + std::chrono::seconds(60), kNoon + std::chrono::seconds(70)}));
}

TEST_F(Stores, IncidentNumbersCountWithinTheYearInUtc) {
  std::vector<std::string> numbers;
  for (const char* opened : {"2026-12-31T23:59:59Z", "2026-12-31T23:59:59.9Z", "2027-01-01T00:30:00+01:00",
                             "2027-01-01T00:00:00Z"}) {
    write([&](Transaction& tx) -> Result<void> {
      Incident incident;
      incident.title = "x";
      incident.opened = at(opened);
      auto done = IncidentStore::insert(tx, incident);
      numbers.push_back(incident.number);
      return done;
    });
  }
  EXPECT_EQ(numbers, (std::vector<std::string>{"INC-2026-0001", "INC-2026-0002", "INC-2026-0003", "INC-2027-0001"}));
}

TEST_F(Stores, ADutyIsLateByTheClockAlone) {
  Duty duty;
  duty.state = DutyState::kRunning;
  duty.due = kNoon;
  EXPECT_EQ(duty.state_at(kNoon), "running");
  EXPECT_EQ(duty.state_at(kNoon + Duration(1)), "late");
  duty.state = DutyState::kUnknown;  // unknown never means no duty
  EXPECT_EQ(duty.state_at(kNoon + Duration(1)), "late");
  duty.state = DutyState::kDone;
  EXPECT_EQ(duty.state_at(kNoon + Duration(1)), "done");
}

TEST_F(Stores, TasksComeOpenFirstAndNextDueFirst) {
  const auto add = [&](const std::string& title, TaskState state, std::optional<Time> due) {
    write([&](Transaction& tx) -> Result<void> {
      Task task;
      task.incident = 1;
      task.title = title;
      task.state = state;
      task.due = due;
      return TaskStore::insert(tx, task);
    });
  };
  add("no date", TaskState::kOpen, std::nullopt);
  add("done", TaskState::kDone, kNoon - std::chrono::hours(9));
  add("tomorrow", TaskState::kDoing, kNoon + std::chrono::hours(24));
  add("late", TaskState::kOpen, kNoon - std::chrono::hours(1));
  auto tasks = db_->read([&](Reader& r) { return TaskStore::list(r, TaskQuery(), kNoon); }).value();
  std::vector<std::string> titles;
  for (const Task& task : tasks) titles.push_back(task.title);
  EXPECT_EQ(titles, (std::vector<std::string>{"late", "tomorrow", "no date", "done"}));
  auto counts = db_->read([&](Reader& r) { return TaskStore::counts(r, kNoon); }).value();
  EXPECT_EQ(counts.open, 3U);
  EXPECT_EQ(counts.late, 1U);
}

TEST_F(Stores, AHistoryRowIsHeldByItsCommitment) {
  Change change;
  change.subject = "alert";
  change.subject_id = 1;
  change.time = kNoon;
  change.by = "anna";
  change.field = "state";
  change.from = "new";
  change.to = "closed";
  change.reason = "tested by us";
  Change kept;
  write([&](Transaction& tx) -> Result<void> {
    auto added = HistoryStore::add(tx, change);
    if (!added) return pass(std::move(added));
    kept = *added;
    return {};
  });
  auto rows = db_->read([&](Reader& r) { return HistoryStore::of(r, "alert", 1); }).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(HistoryStore::commitment(rows[0]), HistoryStore::commitment(kept));
  EXPECT_EQ(rows[0].salt.size(), 32U);
  // Any change of the row shows, also one that moves a letter across a border.
  Change forged = rows[0];
  forged.reason = "tested by u";
  EXPECT_NE(HistoryStore::commitment(forged), HistoryStore::commitment(kept));
  forged = rows[0];
  forged.from = "newc";
  forged.to = "losed";
  EXPECT_NE(HistoryStore::commitment(forged), HistoryStore::commitment(kept));
}

}  // namespace
}  // namespace tocsin::storage
