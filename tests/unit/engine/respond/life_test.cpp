// From triage to a closed incident, on a clock that is moved by hand.
#include <algorithm>
#include <latch>
#include <thread>

#include "tests/unit/engine/respond/desk.hpp"

namespace tocsin::engine {
namespace {

using storage::AlertState;
using storage::DutyState;
using storage::IncidentState;
using storage::TaskState;
using testing_desk::at;
using testing_desk::Desk;

class Triage : public Desk {};

TEST_F(Triage, WritesFromToByWhyAndWhenAndALedgerEntryThatCommitsToIt) {
  const auto id = apply({secret_finding()}).opened.at(0);
  clock_.advance(std::chrono::minutes(5));
  const auto decided = respond_->triage(id, by("anna", "a test account of ours"), AlertState::kFalsePositive);
  ASSERT_TRUE(decided) << decided.error().text();
  EXPECT_EQ(decided->state, AlertState::kFalsePositive);
  EXPECT_EQ(decided->reason, "a test account of ours");

  const auto rows = history("alert", id);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].field, "state");
  EXPECT_EQ(rows[0].from, "new");
  EXPECT_EQ(rows[0].to, "false_positive");
  EXPECT_EQ(rows[0].by, "anna");
  EXPECT_EQ(rows[0].reason, "a test account of ours");
  EXPECT_EQ(rows[0].time, clock_.now());

  ASSERT_EQ(entries_.size(), 1U);
  EXPECT_EQ(entries_[0].kind, "alert-triaged");
  EXPECT_EQ(entries_[0].by, "anna");
  const auto& committed = entries_[0].fields.back();
  EXPECT_EQ(committed.first, "history:" + std::to_string(rows[0].id));
  EXPECT_EQ(committed.second, to_hex(storage::HistoryStore::commitment(rows[0])));
  for (const auto& [name, value] : entries_[0].fields) {
    EXPECT_EQ(value.find("test account"), std::string::npos) << "a person's words in the ledger: " << name;
  }
}

TEST_F(Triage, AsksForReasonsWhereSomethingIsSetAside) {
  const auto id = apply({secret_finding()}).opened.at(0);
  EXPECT_EQ(respond_->triage(id, by("anna", ""), AlertState::kFalsePositive).error().code, Errc::kInvalid);
  EXPECT_EQ(respond_->triage(id, by("anna", " \n"), AlertState::kClosed).error().code, Errc::kInvalid);
  EXPECT_TRUE(respond_->triage(id, by("anna", ""), AlertState::kAcknowledged));
  EXPECT_EQ(respond_->triage(id, by("anna", ""), AlertState::kAcknowledged).error().code, Errc::kConflict);
  EXPECT_TRUE(respond_->triage(id, by("anna", "rotated"), AlertState::kClosed));
  EXPECT_EQ(respond_->triage(id, by("anna", ""), AlertState::kNew).error().code, Errc::kInvalid);
  EXPECT_TRUE(respond_->triage(id, by("anna", "it is back"), AlertState::kNew));
  EXPECT_EQ(respond_->triage(id, by("anna", std::string(Respond::kMaxReason + 1, 'x')), AlertState::kClosed).error().code,
            Errc::kTooLarge);
  EXPECT_EQ(respond_->triage(id + 1, by("anna", "x"), AlertState::kClosed).error().code, Errc::kNotFound);
}

TEST_F(Triage, InBulkIsAllOrNothing) {
  std::vector<storage::Finding> findings;
  for (int i = 0; i < 5; ++i) {
    auto f = export_finding(i);
    f.group = "g" + std::to_string(i);
    findings.push_back(f);
  }
  auto ids = apply(findings).opened;
  ASSERT_EQ(ids.size(), 5U);
  ASSERT_TRUE(respond_->triage(ids[3], by("ben", "mine"), AlertState::kClosed));
  const auto refused = respond_->triage(ids, by("anna", "all harmless"), AlertState::kClosed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_EQ(alert(ids[0]).state, AlertState::kNew);
  ids.erase(ids.begin() + 3);
  const auto done = respond_->triage(ids, by("anna", "all harmless"), AlertState::kClosed);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->size(), 4U);
}

TEST_F(Triage, TwoAtOnceEndWithOneDecisionAndOneConflict) {
  const auto id = apply({secret_finding()}).opened.at(0);
  constexpr int kThreads = 8;
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  std::vector<int> results(kThreads, -1);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      By who{"user" + std::to_string(t), "my view", 1};  // all saw version 1
      const auto done = respond_->triage(id, who, t % 2 == 0 ? AlertState::kFalsePositive : AlertState::kClosed);
      results[static_cast<std::size_t>(t)] = done ? 0 : done.error().code == Errc::kConflict ? 1 : 2;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::count(results.begin(), results.end(), 0), 1);
  EXPECT_EQ(std::count(results.begin(), results.end(), 1), kThreads - 1);
  const auto rows = history("alert", id);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(alert(id).version, 2);
  EXPECT_EQ(std::string(name(alert(id).state)), rows[0].to);
}

TEST_F(Triage, NothingIsDecidedWhileTheLedgerRefuses) {
  const auto id = apply({secret_finding()}).opened.at(0);
  told_.clear();
  ledger_works_ = false;
  const auto refused = respond_->triage(id, by("anna", "harmless"), AlertState::kFalsePositive);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_EQ(alert(id).state, AlertState::kNew);
  EXPECT_TRUE(history("alert", id).empty());
  EXPECT_TRUE(told_.empty());
}

TEST_F(Triage, AssigningAsksWhetherThePersonExists) {
  Respond::Deps deps = respond_->deps();
  deps.user_exists = [](std::string_view login) { return login == "ben"; };
  Respond strict(std::move(deps));
  const auto id = apply({secret_finding()}).opened.at(0);
  EXPECT_EQ(strict.assign(id, by("anna", ""), "nobody").error().code, Errc::kInvalid);
  ASSERT_TRUE(strict.assign(id, by("anna", ""), "ben"));
  EXPECT_EQ(alert(id).assignee, "ben");
  ASSERT_TRUE(strict.assign(id, by("anna", ""), ""));
  EXPECT_EQ(history("alert", id).size(), 2U);
}

class IncidentLife : public Desk {};

TEST_F(IncidentLife, ConfirmingStartsTheClocksAndLaysOutTheTasks) {
  const auto incident = confirmed();
  EXPECT_EQ(incident.number, "INC-2026-0001");
  EXPECT_EQ(incident.title, "Bulk export of patient by mallory");
  EXPECT_EQ(incident.state, IncidentState::kConfirmed);
  EXPECT_EQ(incident.aware_at, clock_.now());
  EXPECT_FALSE(incident.severity.empty());

  const auto authority = duty(incident.id, "eu.gdpr.33.1");
  EXPECT_EQ(authority.state, DutyState::kRunning);
  EXPECT_EQ(authority.due, clock_.now() + std::chrono::hours(72));
  EXPECT_GE(*authority.limit, *authority.due);
  EXPECT_FALSE(authority.citation.empty());
  // Whether the risk is high nobody has said yet: the duty stands as not yet clear, it is not dropped.
  const auto people = duty(incident.id, "eu.gdpr.34.1");
  EXPECT_EQ(people.state, DutyState::kUnknown);
  EXPECT_NE(people.unknown_facts.find("high_risk"), std::string::npos);
  // Every row of the pack is answered.
  EXPECT_EQ(duties(incident.id).size(), 4U);

  const auto list = tasks(incident.id);
  EXPECT_EQ(list.size(), counsel_->tasks().size());
  for (const auto& task : list) {
    EXPECT_FALSE(task.title.empty());
    EXPECT_EQ(task.incident, incident.id);
  }
  EXPECT_EQ(alert(1).state, AlertState::kIncident);
  EXPECT_EQ(entries_.back().kind, "incident-opened");
}

TEST_F(IncidentLife, FactsComeFromTheAlertsAndTheirPeople) {
  const auto incident = confirmed();
  const auto facts = db_->read([&](storage::Reader& r) { return storage::IncidentStore::facts(r, incident.id); }).value();
  const auto known = facts_object(facts);
  EXPECT_EQ(known.at("personal_data"), "yes");
  EXPECT_EQ(known.at("controller"), "yes");
  EXPECT_EQ(boost::json::serialize(known.at("people")), R"({"at_least":1,"at_most":2000})");
  EXPECT_EQ(boost::json::serialize(known.at("data")), R"(["birth_date","health","name"])");
  EXPECT_EQ(boost::json::serialize(known.at("countries")), R"({"DE":{"at_least":0,"at_most":1990}})");
  EXPECT_EQ(known.at("countries_complete"), false);
  EXPECT_EQ(boost::json::serialize(known.at("scope")), R"({"actors":["mallory"],"datasets":["patient"]})");
  EXPECT_EQ(known.at("times").as_object().at("occurred"), "2026-11-23T16:00:01Z");
  EXPECT_EQ(known.at("times").as_object().at("aware"), "2026-11-23T16:40:00Z");
}

TEST_F(IncidentLife, AwarenessMayLieBackButNotAhead) {
  const auto opened = apply({export_finding()}).opened;
  Respond::Promotion promotion;
  promotion.alerts = opened;
  promotion.confirm = true;
  promotion.aware_at = clock_.now() + std::chrono::seconds(1);
  EXPECT_EQ(respond_->promote(promotion, by("anna", "sure")).error().code, Errc::kInvalid);
  EXPECT_EQ(alert(opened[0]).state, AlertState::kNew);
  promotion.aware_at = at("2026-11-22T09:00:00Z");
  const auto incident = respond_->promote(promotion, by("anna", "sure")).value();
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").due, at("2026-11-25T09:00:00Z"));
}

TEST_F(IncidentLife, AnAnswerTurnsADutyAndEveryTurnIsInTheHistory) {
  const auto incident = confirmed();
  Respond::Edit edit;
  edit.facts = {{"high_risk", "yes"}};
  EXPECT_EQ(respond_->edit(incident.id, by("mia", ""), edit).error().code, Errc::kInvalid);  // no reason
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "health data, unknown recipient"), edit));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.34.1").state, DutyState::kRunning);

  edit.facts = {{"risk_unlikely", "yes"}, {"high_risk", "no"}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "the file never left the machine, see disk image"), edit));
  const auto authority = duty(incident.id, "eu.gdpr.33.1");
  EXPECT_EQ(authority.state, DutyState::kNotApplicable);
  EXPECT_FALSE(authority.why.empty());
  const auto rows = history("duty", authority.id);
  const auto dropped = std::find_if(rows.begin(), rows.end(), [](const auto& row) { return row.to == "not_applicable"; });
  ASSERT_NE(dropped, rows.end());
  EXPECT_EQ(dropped->field, "state");
  EXPECT_EQ(dropped->from, "running");
  EXPECT_FALSE(dropped->reason.empty());

  edit.facts = {{"risk_unlikely", "unknown"}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "a second copy was found"), edit));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").state, DutyState::kRunning);
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").due, incident.aware_at.value() + std::chrono::hours(72));
}

TEST_F(IncidentLife, FactsNobodyKnowsAreRefusedWithAGuess) {
  const auto incident = confirmed();
  Respond::Edit edit;
  edit.facts = {{"high_rsk", "yes"}};
  auto refused = respond_->edit(incident.id, by("mia", "typo"), edit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalid);
  EXPECT_NE(refused.error().remedy.find("high_risk"), std::string::npos);
  edit.facts = {{"high_risk", "perhaps"}};
  EXPECT_EQ(respond_->edit(incident.id, by("mia", "hm"), edit).error().code, Errc::kInvalid);
  edit.facts = {{"people", {{"at_least", 9}, {"at_most", 3}}}};
  EXPECT_EQ(respond_->edit(incident.id, by("mia", "hm"), edit).error().code, Errc::kInvalid);
  edit.facts = {{"times", {{"noticed", "2099-01-01T00:00:00Z"}}}};
  EXPECT_EQ(respond_->edit(incident.id, by("mia", "hm"), edit).error().code, Errc::kInvalid);
  edit.facts = {{"times", {{"noticed", "yesterday"}}}};
  EXPECT_EQ(respond_->edit(incident.id, by("mia", "hm"), edit).error().code, Errc::kInvalid);
}

TEST_F(IncidentLife, WhatAPersonSaidStandsAgainstWhatIsComputed) {
  const auto incident = confirmed();
  Respond::Edit edit;
  edit.facts = {{"people", {{"at_least", 812}, {"at_most", 812}}}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "counted in the file itself"), edit));
  people_.everyone.at_most = 5000;
  apply({export_finding(2)});
  ASSERT_TRUE(respond_->tick(clock_.now()));
  auto facts = db_->read([&](storage::Reader& r) { return storage::IncidentStore::facts(r, incident.id); }).value();
  EXPECT_EQ(boost::json::serialize(facts_object(facts).at("people")), R"({"at_least":812,"at_most":812})");
  edit.facts = {{"people", nullptr}};  // taken back: the computed one returns
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "there is a second file"), edit));
  facts = db_->read([&](storage::Reader& r) { return storage::IncidentStore::facts(r, incident.id); }).value();
  EXPECT_EQ(boost::json::serialize(facts_object(facts).at("people")), R"({"at_least":1,"at_most":5000})");
}

TEST_F(IncidentLife, CorrectingTheTimeOfAwarenessMovesTheClockAndSaysSo) {
  const auto incident = confirmed();
  Respond::Edit edit;
  edit.facts = {{"times", {{"aware", "2026-11-23T09:00:00+01:00"}}}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "the help desk knew in the morning"), edit));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").due, at("2026-11-26T08:00:00Z"));
  const auto rows = history("duty", duty(incident.id, "eu.gdpr.33.1").id);
  EXPECT_EQ(rows.back().field, "due");
  EXPECT_EQ(rows.back().from, "2026-11-26T16:40:00Z");
  EXPECT_EQ(rows.back().to, "2026-11-26T08:00:00Z");
}

TEST_F(IncidentLife, ADutyBecomesLateByTimeAndTheHistoryNotesItOnce) {
  const auto incident = confirmed();
  const auto next = respond_->tick(clock_.now()).value();
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, *duty(incident.id, "eu.gdpr.33.1").due);
  clock_.set(*next + std::chrono::seconds(1));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").state_at(clock_.now()), "late");
  told_.clear();
  ASSERT_TRUE(respond_->tick(clock_.now()));
  ASSERT_TRUE(respond_->tick(clock_.now() + std::chrono::hours(1)));
  const auto rows = history("duty", duty(incident.id, "eu.gdpr.33.1").id);
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.to == "late"; }), 1);
  EXPECT_EQ(std::count(told_.begin(), told_.end(), "incident " + std::to_string(incident.id)), 1);
}

TEST_F(IncidentLife, DutiesAreSettledWithAProofOrAReasonAndCanBeTakenBack) {
  const auto incident = confirmed();
  const auto id = duty(incident.id, "eu.gdpr.33.1").id;
  EXPECT_EQ(respond_->decide(incident.id, id, by("mia", ""), {}).error().code, Errc::kInvalid);
  EXPECT_EQ(respond_->decide(incident.id, id, by("mia", ""), {.to = DutyState::kNotApplicable, .reference = "x"}).error().code,
            Errc::kInvalid);
  EXPECT_EQ(respond_->decide(incident.id, 999, by("mia", "x"), {}).error().code, Errc::kNotFound);
  clock_.advance(std::chrono::hours(20));
  Respond::DutyDecision filed;
  filed.reference = "LfD 2026-4711";
  filed.done_at = clock_.now() - std::chrono::hours(1);
  const auto done = respond_->decide(incident.id, id, by("mia", "filed on the authority's portal"), filed);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->done_at, filed.done_at);
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").state, DutyState::kDone);
  EXPECT_EQ(respond_->decide(incident.id, id, by("mia", "again"), filed).error().code, Errc::kConflict);
  // A change of facts does not undo what was done.
  Respond::Edit edit;
  edit.facts = {{"risk_unlikely", "yes"}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "new insight"), edit));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").state, DutyState::kDone);
  edit.facts = {{"risk_unlikely", "no"}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "no, it was wrong"), edit));
  ASSERT_TRUE(respond_->decide(incident.id, id, by("mia", "that was another case"), {.to = DutyState::kRunning}));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").state, DutyState::kRunning);
}

TEST_F(IncidentLife, WhatAPersonSetAsideComesBackWhenTheLawTurns) {
  const auto incident = confirmed();
  const auto id = duty(incident.id, "eu.gdpr.34.1").id;  // not yet clear
  ASSERT_TRUE(respond_->decide(incident.id, id, by("mia", "we think there is no high risk"),
                               {.to = DutyState::kNotApplicable}));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.34.1").state, DutyState::kNotApplicable);
  Respond::Edit edit;
  edit.facts = {{"malicious", "yes"}};  // changes nothing for this duty
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "police report"), edit));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.34.1").state, DutyState::kNotApplicable);
  edit.facts = {{"high_risk", "yes"}};
  ASSERT_TRUE(respond_->edit(incident.id, by("mia", "the file is on a forum"), edit));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.34.1").state, DutyState::kRunning);
}

TEST_F(IncidentLife, StepsFollowTheTableAndRefusalsNameTheNextOne) {
  const auto incident = confirmed();
  const auto jump = respond_->step(incident.id, by("mia", "done"), {.to = IncidentState::kClosed});
  ASSERT_FALSE(jump);
  EXPECT_EQ(jump.error().code, Errc::kConflict);
  EXPECT_NE(jump.error().remedy.find("contained"), std::string::npos);
  EXPECT_EQ(respond_->step(incident.id, by("mia", "x"), {.to = IncidentState::kConfirmed}).error().code, Errc::kConflict);
  EXPECT_EQ(respond_->step(incident.id, by("mia", "x"), {.to = IncidentState::kDismissed}).error().code, Errc::kConflict);
  ASSERT_TRUE(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kContained}));
  EXPECT_EQ(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kConfirmed}).error().code, Errc::kInvalid);
  ASSERT_TRUE(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kRecovered}));
}

TEST_F(IncidentLife, ContainingStartsTheTasksThatCountFromThere) {
  const auto incident = confirmed();
  const auto find = [&](std::string_view key) {
    for (const auto& task : tasks(incident.id)) {
      if (task.key == key) return task;
    }
    return storage::Task();
  };
  EXPECT_FALSE(find("learn").due.has_value());
  clock_.advance(std::chrono::hours(3));
  ASSERT_TRUE(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kContained}));
  EXPECT_EQ(find("learn").due, clock_.now() + std::chrono::hours(24 * 30));
  EXPECT_FALSE(find("reach-the-unreached").due.has_value());
  const Time told = clock_.now() + std::chrono::hours(1);
  for (int i = 0; i < 2; ++i) {  // the second time says nothing new
    ASSERT_TRUE(db_->write([&](storage::Transaction& tx) {
      return respond_->people_told(tx, incident.id, told + std::chrono::hours(i));
    }));
  }
  EXPECT_EQ(find("reach-the-unreached").due, told + std::chrono::hours(24 * 7));
}

TEST_F(IncidentLife, ClosingIsRefusedWhileAnythingIsOpenUnlessAPersonSaysWhy) {
  const auto incident = confirmed();
  ASSERT_TRUE(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kContained}));
  ASSERT_TRUE(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kRecovered}));
  const auto refused = respond_->step(incident.id, by("mia", "all done"), {.to = IncidentState::kClosed});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("tasks are open"), std::string::npos);
  EXPECT_NE(refused.error().message.find("duties are not settled"), std::string::npos);
  EXPECT_EQ(respond_->step(incident.id, by("mia", ""), {.to = IncidentState::kClosed, .override_open = true}).error().code,
            Errc::kInvalid);
  const auto closed = respond_->step(incident.id, by("mia", "taken over by the group's own office"),
                                     {.to = IncidentState::kClosed, .override_open = true});
  ASSERT_TRUE(closed) << closed.error().text();
  EXPECT_EQ(closed->closed, clock_.now());
  const auto rows = timeline(incident.id);
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.field == "closed_despite"; }));
  // Closed is closed.
  EXPECT_EQ(respond_->edit(incident.id, by("mia", "x"), {.title = "y"}).error().code, Errc::kConflict);
  EXPECT_EQ(respond_->add_task({.incident = incident.id, .title = "x"}, by("mia", "")).error().code, Errc::kConflict);
  EXPECT_EQ(respond_->decide(incident.id, duty(incident.id, "eu.gdpr.33.1").id, by("mia", "x"), {}).error().code,
            Errc::kConflict);
  // And can be reopened, with a reason; the clock is still the old one.
  ASSERT_TRUE(respond_->step(incident.id, by("mia", "it happened again"), {.to = IncidentState::kConfirmed}));
  EXPECT_EQ(duty(incident.id, "eu.gdpr.33.1").due, incident.aware_at.value() + std::chrono::hours(72));
}

TEST_F(IncidentLife, ANewStartCatchesUpWithWhatWasFoundBefore) {
  const auto incident = confirmed();
  people_.everyone.at_most = 2500;
  apply({export_finding(2)});
  Respond after_restart(respond_->deps());  // knows nothing of the news
  ASSERT_TRUE(after_restart.tick(clock_.now()));
  const auto facts = db_->read([&](storage::Reader& r) { return storage::IncidentStore::facts(r, incident.id); }).value();
  EXPECT_EQ(boost::json::serialize(facts_object(facts).at("people")), R"({"at_least":1,"at_most":2500})");
  // Nothing new: nothing is written.
  const auto rows = timeline(incident.id).size();
  ASSERT_TRUE(after_restart.tick(clock_.now()));
  EXPECT_EQ(timeline(incident.id).size(), rows);
}

TEST_F(IncidentLife, TheFirstNoticeThatLeftIsNoticed) {
  std::optional<Time> left;
  Respond::Deps deps = respond_->deps();
  deps.first_told = [&](storage::Reader&, std::int64_t) { return left; };
  Respond watching(std::move(deps));
  const auto incident = confirmed();
  const auto told = [&] {
    const auto facts = db_->read([&](storage::Reader& r) { return storage::IncidentStore::facts(r, incident.id); }).value();
    return fact_time(facts, "times.individuals_notified");
  };
  ASSERT_TRUE(watching.tick(clock_.now()));
  EXPECT_FALSE(told().has_value());
  left = clock_.now() + std::chrono::hours(5);
  clock_.advance(std::chrono::hours(6));
  ASSERT_TRUE(watching.tick(clock_.now()));
  EXPECT_EQ(told(), left);
  const auto rows = timeline(incident.id).size();
  ASSERT_TRUE(watching.tick(clock_.now()));
  EXPECT_EQ(timeline(incident.id).size(), rows);
}

TEST_F(IncidentLife, OtherObstaclesAreNamedToo) {
  Respond::Deps deps = respond_->deps();
  deps.obstacles = [](storage::Reader&, std::int64_t) { return std::vector<std::string>{"a notice is being sent"}; };
  Respond strict(std::move(deps));
  const auto incident = confirmed();
  ASSERT_TRUE(strict.step(incident.id, by("anna", ""), {.to = IncidentState::kContained}));
  ASSERT_TRUE(strict.step(incident.id, by("anna", ""), {.to = IncidentState::kRecovered}));
  const auto refused = strict.step(incident.id, by("mia", "x"), {.to = IncidentState::kClosed});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("a notice is being sent"), std::string::npos);
}

TEST_F(IncidentLife, DismissalClosesItsAlertsAndReopeningBringsThemBack) {
  const auto opened = apply({export_finding()}).opened;
  Respond::Promotion promotion;
  promotion.alerts = opened;
  const auto incident = respond_->promote(promotion, by("anna", "let us look")).value();
  EXPECT_EQ(incident.state, IncidentState::kSuspected);
  EXPECT_TRUE(duties(incident.id).empty());  // no clock before it is confirmed
  EXPECT_EQ(respond_->step(incident.id, by("anna", ""), {.to = IncidentState::kDismissed}).error().code, Errc::kInvalid);
  ASSERT_TRUE(respond_->step(incident.id, by("anna", "a backup job"), {.to = IncidentState::kDismissed}));
  EXPECT_EQ(alert(opened[0]).state, AlertState::kClosed);
  ASSERT_TRUE(respond_->step(incident.id, by("anna", "no, it was not"), {.to = IncidentState::kSuspected}));
  EXPECT_EQ(alert(opened[0]).state, AlertState::kIncident);
  ASSERT_TRUE(respond_->step(incident.id, by("anna", "now sure"), {.to = IncidentState::kConfirmed}));
  EXPECT_EQ(duties(incident.id).size(), 4U);
}

TEST_F(IncidentLife, AnotherAlertJoins) {
  const auto incident = confirmed();
  const auto second = apply({secret_finding()}).opened.at(0);
  Respond::Promotion join;
  join.alerts = {second};
  join.incident = incident.id;
  EXPECT_EQ(respond_->promote(join, by("anna", "")).error().code, Errc::kInvalid);
  const auto joined = respond_->promote(join, by("anna", "the same actor's password"));
  ASSERT_TRUE(joined) << joined.error().text();
  EXPECT_EQ(joined->id, incident.id);
  EXPECT_EQ(alert(second).incident, incident.id);
  EXPECT_EQ(respond_->promote(join, by("anna", "again")).error().code, Errc::kConflict);
  EXPECT_EQ(respond_->triage(second, by("anna", "x"), AlertState::kClosed).error().code, Errc::kConflict);
  join.incident = 99;
  join.alerts = apply({[&] {
                  auto f = export_finding(3);
                  f.group = "other";
                  return f;
                }()}).opened;
  EXPECT_EQ(respond_->promote(join, by("anna", "x")).error().code, Errc::kNotFound);
}

TEST_F(IncidentLife, TasksCloseByProofOrReason) {
  const auto incident = confirmed();
  const auto task = tasks(incident.id).front();
  Respond::TaskChange change;
  change.state = TaskState::kDone;
  const auto refused = respond_->change_task(task.id, by("anna", ""), change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalid);
  EXPECT_NE(refused.error().remedy.find(task.asked_proof), std::string::npos);
  change.proof = "ticket 42, checksums attached";
  const auto done = respond_->change_task(task.id, by("anna", ""), change);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->done_by, "anna");
  EXPECT_EQ(done->done_at, clock_.now());
  EXPECT_FALSE(done->late(clock_.now() + std::chrono::hours(10'000)));
  Respond::TaskChange reopen;
  reopen.state = TaskState::kOpen;
  EXPECT_EQ(respond_->change_task(task.id, by("mia", ""), reopen).error().code, Errc::kInvalid);
  ASSERT_TRUE(respond_->change_task(task.id, by("mia", "the copies are damaged"), reopen));

  const auto other = tasks(incident.id).at(1);
  Respond::TaskChange drop;
  drop.state = TaskState::kDropped;
  EXPECT_EQ(respond_->change_task(other.id, by("mia", ""), drop).error().code, Errc::kInvalid);
  ASSERT_TRUE(respond_->change_task(other.id, by("mia", "no such account"), drop));

  By stale = by("mia", "");
  stale.version = 1;
  Respond::TaskChange due;
  due.due = std::optional<Time>(clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(respond_->change_task(other.id, stale, due).error().code, Errc::kConflict);
}

}  // namespace
}  // namespace tocsin::engine
