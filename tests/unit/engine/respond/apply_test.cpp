// Findings become alerts: one for hundreds of events, none for what is silenced, a new one for what goes on after
// the old was closed.
#include "tests/unit/engine/respond/desk.hpp"

namespace tocsin::engine {
namespace {

using storage::AlertState;
using storage::Finding;
using testing_desk::at;
using testing_desk::Desk;

class Apply : public Desk {};

TEST_F(Apply, TenThousandFindingsOfOneGroupMakeOneAlert) {
  constexpr int kFindings = 10'000;
  constexpr int kBatch = 1000;
  std::set<std::int64_t> alerts;
  for (int begin = 0; begin < kFindings; begin += kBatch) {
    std::vector<Finding> batch;
    for (int n = begin; n < begin + kBatch; ++n) batch.push_back(export_finding(n));
    for (const auto id : apply(std::move(batch)).changed) alerts.insert(id);
  }
  ASSERT_EQ(alerts.size(), 1U);
  const auto one = alert(*alerts.begin());
  EXPECT_EQ(one.findings, static_cast<std::uint64_t>(kFindings));
  EXPECT_EQ(one.evidence_count, static_cast<std::uint64_t>(kFindings));
  EXPECT_EQ(one.title, "Bulk export of patient by mallory");
  EXPECT_EQ(one.first, export_finding(0).time);
  EXPECT_EQ(one.last, export_finding(kFindings - 1).time);
  EXPECT_EQ(one.exposure->at_most, 2000U);
  // One word per batch, not one per finding.
  EXPECT_EQ(std::count(told_.begin(), told_.end(), "alert " + std::to_string(one.id)), kFindings / kBatch);
}

TEST_F(Apply, TheSameFindingsAgainChangeNothing) {
  const auto first = apply({export_finding(1), export_finding(2), secret_finding()});
  EXPECT_EQ(first.opened.size(), 2U);
  const auto before = alert(first.opened[0]);
  const auto again = apply({export_finding(1), export_finding(2), secret_finding()});
  EXPECT_EQ(again.opened.size(), 0U);
  EXPECT_EQ(again.changed.size(), 0U);
  EXPECT_EQ(again.repeated, 3U);
  EXPECT_EQ(alert(first.opened[0]).evidence_count, before.evidence_count);
}

TEST_F(Apply, AFindingGrowsInItsAlert) {
  Finding f = export_finding();
  f.exposure = storage::ExposureSummary{storage::Grade::kExact, 100, 100};
  const auto id = apply({f}).opened.at(0);
  for (int fetch = 2; fetch <= 52; ++fetch) {
    auto more = f.evidence.front();
    more.line += static_cast<std::uint64_t>(fetch);
    f.evidence.push_back(more);
    f.evidence_count = f.evidence.size();
    f.last = f.time + std::chrono::seconds(fetch);
    f.exposure->at_least = f.exposure->at_most = static_cast<std::uint64_t>(fetch) * 100;
    if (fetch == 40) f.level = storage::Level::kCritical;
    apply({f});
  }
  const auto grown = alert(id);
  EXPECT_EQ(grown.findings, 1U);
  EXPECT_EQ(grown.evidence_count, 52U);
  EXPECT_EQ(grown.level, storage::Level::kCritical);
  EXPECT_EQ(grown.last, f.last);
  EXPECT_EQ(grown.exposure->at_most, 5200U);
  auto findings = db_->read([&](storage::Reader& r) { return storage::AlertStore::findings_of(r, id, 0, 10, 1000); }).value();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].finding.evidence.size(), 52U);
  EXPECT_EQ(findings[0].finding.evidence.back().line, f.evidence.back().line);
}

TEST_F(Apply, GrowingTwiceInOneBatchCountsOnce) {
  Finding a = export_finding();
  Finding b = a;
  auto more = a.evidence.front();
  more.line = 99;
  b.evidence.push_back(more);
  b.evidence_count = 2;
  const auto id = apply({a, b, b}).opened.at(0);
  EXPECT_EQ(alert(id).evidence_count, 2U);
  EXPECT_EQ(alert(id).findings, 1U);
  EXPECT_EQ(alert(id).exposure->at_most, 2000U);
}

TEST_F(Apply, AFalsePositiveStaysQuietWhileItsFindingGrowsButANewFindingRings) {
  Finding f = export_finding(1);
  const auto id = apply({f}).opened.at(0);
  ASSERT_TRUE(respond_->triage(id, by("anna", "planned move to the new server"), AlertState::kFalsePositive));
  f.evidence_count = 5;
  const auto grown = apply({f});
  EXPECT_TRUE(grown.opened.empty());
  EXPECT_EQ(alert(id).evidence_count, 5U);
  EXPECT_EQ(alert(id).state, AlertState::kFalsePositive);

  const auto next = apply({export_finding(2)});
  ASSERT_EQ(next.opened.size(), 1U);
  EXPECT_EQ(alert(next.opened[0]).former, id);
  EXPECT_EQ(alert(next.opened[0]).findings, 1U);
}

TEST_F(Apply, WhatGoesOnAfterClosingRingsAgainAndNamesTheFormerAlert) {
  Finding f = export_finding(1);
  const auto id = apply({f}).opened.at(0);
  ASSERT_TRUE(respond_->triage(id, by("anna", "handled"), AlertState::kClosed));
  f.evidence_count = 9;
  const auto again = apply({f});
  ASSERT_EQ(again.opened.size(), 1U);
  const auto fresh = alert(again.opened[0]);
  EXPECT_EQ(fresh.former, id);
  EXPECT_EQ(fresh.state, AlertState::kNew);
  EXPECT_EQ(fresh.evidence_count, 9U);
  // The closed one is as it was closed.
  EXPECT_EQ(alert(id).evidence_count, 1U);
  EXPECT_EQ(alert(id).state, AlertState::kClosed);
  // And further growth stays with the new one.
  f.evidence_count = 10;
  EXPECT_TRUE(apply({f}).opened.empty());
  EXPECT_EQ(alert(fresh.id).evidence_count, 10U);
}

TEST_F(Apply, AnAlertInAnOpenIncidentTakesWhatFollows) {
  const auto incident = confirmed();
  people_.everyone.at_most = 3000;
  const auto more = apply({export_finding(2)});
  EXPECT_TRUE(more.opened.empty());
  ASSERT_EQ(more.changed.size(), 1U);
  EXPECT_EQ(alert(more.changed[0]).state, AlertState::kIncident);
  EXPECT_EQ(alert(more.changed[0]).incident, incident.id);
  ASSERT_TRUE(respond_->tick(clock_.now()));
  auto facts = db_->read([&](storage::Reader& r) { return storage::IncidentStore::facts(r, incident.id); }).value();
  EXPECT_EQ(boost::json::serialize(facts_object(facts).at("people")), R"({"at_least":1,"at_most":3000})");
}

TEST_F(Apply, AnAlertInAClosedIncidentDoesNotSwallowARecurrence) {
  const auto opened = apply({export_finding(1)}).opened;
  Respond::Promotion promotion;
  promotion.alerts = opened;
  const auto incident = respond_->promote(promotion, by("anna", "looks bad")).value();
  ASSERT_TRUE(respond_->step(incident.id, by("anna", "it was a drill"), {.to = storage::IncidentState::kDismissed}));
  const auto again = apply({export_finding(2)});
  ASSERT_EQ(again.opened.size(), 1U);
  EXPECT_EQ(alert(again.opened[0]).former, opened[0]);
}

TEST_F(Apply, SilencedFindingsAreKeptAndCountedAndMakeNoAlert) {
  storage::Silence wanted;
  wanted.actor = "mallory";
  wanted.until = clock_.now() + std::chrono::hours(1);
  const auto silence = respond_->silence(wanted, by("anna", "migration tonight")).value();
  Finding f = export_finding(1);
  const auto applied = apply({f, export_finding(2), secret_finding()});
  EXPECT_EQ(applied.silenced, 2U);
  EXPECT_EQ(applied.opened.size(), 1U);  // the secret
  f.evidence_count = 2;
  apply({f});  // growth is not another match
  auto kept = db_->read([&](storage::Reader& r) { return storage::AlertStore::silence(r, silence.id); }).value().value();
  EXPECT_EQ(kept.matched, 2U);
  auto finding = db_->read([&](storage::Reader& r) { return storage::AlertStore::finding(r, f.id); }).value().value();
  EXPECT_EQ(finding.silence, silence.id);
  EXPECT_FALSE(finding.alert.has_value());
  EXPECT_EQ(finding.finding.evidence_count, 2U);

  clock_.advance(std::chrono::hours(2));  // the silence is over: what still grows rings
  f.evidence_count = 3;
  EXPECT_EQ(apply({f}).opened.size(), 1U);
}

TEST_F(Apply, ASilenceNeedsAReasonAnEndAndAPart) {
  storage::Silence silence;
  silence.until = clock_.now() + std::chrono::hours(1);
  EXPECT_EQ(respond_->silence(silence, by("anna", "quiet please")).error().code, Errc::kInvalid);
  silence.rule = "tocsin.export.copy";
  EXPECT_EQ(respond_->silence(silence, by("anna", "  ")).error().code, Errc::kInvalid);
  silence.until = clock_.now();
  EXPECT_EQ(respond_->silence(silence, by("anna", "why not")).error().code, Errc::kInvalid);
  silence.until = clock_.now() + std::chrono::hours(24 * 400);
  EXPECT_EQ(respond_->silence(silence, by("anna", "why not")).error().code, Errc::kInvalid);
  silence.until = clock_.now() + std::chrono::hours(1);
  const auto made = respond_->silence(silence, by("anna", "why not")).value();
  ASSERT_TRUE(respond_->end_silence(made.id, by("anna", "")));
  EXPECT_EQ(respond_->end_silence(made.id, by("anna", "")).error().code, Errc::kConflict);
  EXPECT_EQ(apply({export_finding()}).opened.size(), 1U);
}

TEST_F(Apply, DetectionGoesOnWhileTheLedgerDoesNot) {
  ledger_works_ = false;
  EXPECT_EQ(apply({export_finding(1)}).opened.size(), 1U);
  const auto incident_free = respond_->triage(1, by("anna", "x"), AlertState::kClosed);
  ASSERT_FALSE(incident_free);
  EXPECT_EQ(incident_free.error().code, Errc::kUnavailable);
}

TEST_F(Apply, ABatchThatRollsBackLeavesAndTellsNothing) {
  auto out = db_->write([&](storage::Transaction& tx) -> Result<void> {
    std::vector<Finding> findings{export_finding()};
    auto applied = respond_->apply(tx, findings, clock_.now());
    EXPECT_TRUE(applied);
    return fail(Errc::kIo, "the journal position could not be written");
  });
  ASSERT_FALSE(out);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(apply({export_finding()}).opened.size(), 1U);
}

TEST_F(Apply, FindingsWithoutAGroupStandAlone) {
  Finding a = export_finding(1), b = export_finding(2);
  a.group.clear();
  b.group.clear();
  EXPECT_EQ(apply({a, b}).opened.size(), 2U);
}

}  // namespace
}  // namespace tocsin::engine
