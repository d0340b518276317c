// What correlations say about streams: one story for each point where engines differ, and for each promise made.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/rules/sigma/correlation_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

using std::chrono::seconds;

std::string rules(std::string_view names) {
  std::string out;
  for (const char name : names) out += (out.empty() ? "" : "---\n") + plain_rule(std::string(1, name));
  return out;
}

TEST(Correlator, CountsEventsOfAGroupInASlidingWindow) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 3}"));
  story.at(0, R"({"e":"a","u":"x"})").at(5, R"({"e":"a","u":"y"})").at(9, R"({"e":"a","u":"x"})");
  EXPECT_EQ(story.raised(), "");
  story.at(10, R"({"e":"a","u":"x"})");
  EXPECT_EQ(story.raised(), "c u=x 3 [1,3,4]") << "exactly the timespan apart is together";
}

TEST(Correlator, ABurstAcrossABucketBorderIsSeenAndOneJustTooSlowIsNot) {
  const std::string text = rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 4}");
  Story burst(text);
  burst.at(58, R"({"e":"a"})").at(59, R"({"e":"a"})").at(61, R"({"e":"a"})").at(62, R"({"e":"a"})");
  EXPECT_EQ(burst.raised(), "c 4 [1,2,3,4]");
  Story slow(text);
  slow.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})").at(2, R"({"e":"a"})").at(60.000001, R"({"e":"a"})");
  EXPECT_EQ(slow.raised(), "");
}

// --- the points where engines differ ---

TEST(Correlator, TemporalWithoutAConditionMeansAllRules) {
  Story story(rules("abd") + plain_correlation("c", "type: temporal, rules: [a, b, d], group-by: [u], timespan: 1m"));
  story.at(0, R"({"e":"d","u":1})").at(1, R"({"e":"d","u":1})").at(2, R"({"e":"a","u":1})");
  EXPECT_EQ(story.raised(), "");
  story.at(3, R"({"e":"b","u":1})");
  EXPECT_EQ(story.raised(), "c u=1 3 [1,2,3,4]");
}

TEST(Correlator, ThePercentileIsHeldAgainstTheThreshold) {
  Story story(rules("a") + plain_correlation("c", "type: value_percentile, rules: [a], timespan: 1h, condition: {field: n, percentile: 90, gt: 100}"));
  for (int i = 0; i < 11; ++i) story.at(i, R"({"e":"a","n":)" + std::to_string(i * 10) + "}");
  EXPECT_EQ(story.raised(), "") << "90 is not above 100";
  story.at(20, R"({"e":"a","n":1000})");
  EXPECT_EQ(story.raised(), "") << "rank 0.9 * 11 = 9.9 lies between 90 and 100";
  story.at(21, R"({"e":"a","n":1000})");
  EXPECT_EQ(story.raised().substr(0, 5), "c 820") << "rank 0.9 * 12 = 10.8 lies between 100 and 1000";
}

TEST(Correlator, TwoOperatorsMakeARange) {
  const std::string text = rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 2, lt: 4}");
  Story within(text);
  within.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})").at(2, R"({"e":"a"})").finish();
  EXPECT_EQ(within.raised(), "c 3 [1,2,3]");
  Story above(text);
  for (int i = 0; i < 5; ++i) above.at(i, R"({"e":"a"})");
  above.finish();
  EXPECT_EQ(above.raised(), "") << "five on their way there were two and three, and that is nothing";
}

TEST(Correlator, ThresholdsNeedNotBeWholeNumbers) {
  Story story(rules("a") + plain_correlation("c", "type: value_avg, rules: [a], timespan: 1m, condition: {field: n, gte: 2.5}"));
  story.at(0, R"({"e":"a","n":2})").at(1, R"({"e":"a","n":"2.5"})");
  EXPECT_EQ(story.raised(), "");
  story.at(2, R"({"e":"a","n":3})");
  EXPECT_EQ(story.raised(), "c 2.5 [1,2,3]");
}

TEST(Correlator, WithoutGroupByThereIsOneGroup) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}"));
  story.at(0, R"({"e":"a","u":1})").at(1, R"({"e":"a","u":2})");
  EXPECT_EQ(story.raised(), "c 2 [1,2]");
}

TEST(Correlator, AnEventWithoutTheGroupFieldIsNotCountedAndThatIsSaid) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 2}"));
  story.at(0, R"({"e":"a"})").at(1, R"({"e":"a","u":null})").at(2, R"({"e":"a","u":[]})");
  EXPECT_EQ(story.raised(), "");
  EXPECT_EQ(story.correlator().statistics().without_group, 3U);
  story.at(3, R"({"e":"a","u":""})").at(4, R"({"e":"a","u":""})");
  EXPECT_EQ(story.raised(), "c u= 2 [4,5]") << "the empty text is a value";
}

TEST(Correlator, FewerThanIsJudgedWhenTheWindowCloses) {
  const std::string text = rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {lt: 3}");
  Story story(text);
  for (int i = 0; i < 10; ++i) story.at(i, R"({"e":"a","u":"many"})");
  story.at(10, R"({"e":"a","u":"few"})").at(11, R"({"e":"a","u":"few"})");
  EXPECT_EQ(story.raised(), "");
  story.until(10 + 60 + 300);
  EXPECT_EQ(story.raised(), "") << "an event at its very end could still come";
  story.until(10 + 60 + 300.000001);
  EXPECT_EQ(story.raised(), "c u=few 2 [11,12]");
  story.finish();
  EXPECT_EQ(story.raised(), "") << "ten are not fewer than three, in no part of them";
}

TEST(Correlator, EqualAndNotEqualAreJudgedWhenTheWindowCloses) {
  Story equal(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1m, condition: {eq: 2}"));
  equal.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})").at(2, R"({"e":"a"})").at(100, R"({"e":"a"})").at(101, R"({"e":"a"})").finish();
  EXPECT_EQ(equal.raised(), "c 2 [4,5]");
  Story other(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1m, condition: {neq: 2}"));
  other.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})").at(2, R"({"e":"a"})").at(100, R"({"e":"a"})").at(101, R"({"e":"a"})").finish();
  EXPECT_EQ(other.raised(), "c 3 [1,2,3]");
}

TEST(Correlator, AnUpperGroupFieldIsTakenFromTheLastContributingEvent) {
  Story story(rules("ab") + plain_correlation("low", "type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 2}") +
              plain_correlation("high", "type: temporal, rules: [low, b], group-by: [host], timespan: 10m"));
  story.at(0, R"({"e":"a","u":1,"host":"h1"})").at(1, R"({"e":"a","u":1,"host":"h2"})").at(2, R"({"e":"b","host":"h1"})");
  EXPECT_EQ(story.raised(), "");
  story.at(3, R"({"e":"b","host":"h2"})");
  EXPECT_EQ(story.raised(), "high host=h2 2 [1,2,4]") << "the evidence is the events, not the alert below";
}

TEST(Correlator, OneAlertIsRaisedThenUpdatedAndANewOneAfterItFell) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}"));
  story.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})").at(2, R"({"e":"a"})").at(3, R"({"e":"a"})").at(4, R"({"e":"a"})");
  ASSERT_EQ(story.alerts().size(), 3U);
  EXPECT_EQ(story.raised(), "c 3 [1,2,3]");
  EXPECT_EQ(story.alerts()[1].change, CorrelationAlert::Change::kUpdated);
  EXPECT_EQ(story.alerts()[2].id, story.alerts()[0].id);
  EXPECT_EQ(story.alerts()[2].event_count, 5U);
  EXPECT_EQ(story.alerts()[2].value, 5);
  EXPECT_EQ(Story::text(story.alerts()[2]), "c 5 [1,2,3,4,5]");
  story.at(13, R"({"e":"a"})").at(14.5, R"({"e":"a"})").at(15, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "c 3 [6,7,8]") << "at 14.5 the window held two";
  EXPECT_NE(story.alerts().back().id, story.alerts()[0].id);
}

TEST(Correlator, OneRuleFeedsManyCorrelationsEachTime) {
  // velociraptor#4832: the second correlation over a rule was fed only once.
  Story story(rules("a") + plain_correlation("one", "type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 2}") +
              plain_correlation("two", "type: event_count, rules: [a], group-by: [h], timespan: 1m, condition: {gte: 3}") +
              plain_correlation("three", "type: value_count, rules: [a], timespan: 1m, condition: {field: u, gte: 3}"));
  story.at(0, R"({"e":"a","u":1,"h":1})").at(1, R"({"e":"a","u":2,"h":1})").at(2, R"({"e":"a","u":3,"h":1})").at(3, R"({"e":"a","u":3,"h":2})");
  EXPECT_EQ(story.raised(), "two h=1 3 [1,2,3]; three 3 [1,2,3]; one u=3 2 [3,4]");
}

// --- order ---

TEST(Correlator, OrderMattersWhereItIsAskedFor) {
  const std::string text = rules("abd") + plain_correlation("c", "type: temporal_ordered, rules: [a, b, d], timespan: 10s");
  Story right(text);
  right.at(0, R"({"e":"a"})").at(1, R"({"e":"b"})").at(2, R"({"e":"a"})").at(3, R"({"e":"d"})");
  EXPECT_EQ(right.raised(), "c 3 [1,2,3,4]");
  Story wrong(text);
  wrong.at(0, R"({"e":"b"})").at(1, R"({"e":"a"})").at(2, R"({"e":"d"})");
  EXPECT_EQ(wrong.raised(), "");
  Story wide(text);
  wide.at(0, R"({"e":"a"})").at(5, R"({"e":"b"})").at(10.5, R"({"e":"d"})");
  EXPECT_EQ(wide.raised(), "");
  Story restarted(text);
  restarted.at(0, R"({"e":"a"})").at(5, R"({"e":"a"})").at(6, R"({"e":"b"})").at(14, R"({"e":"d"})");
  EXPECT_EQ(restarted.raised(), "c 3 [2,3,4]") << "the chain that began latest counts";
}

TEST(Correlator, EventsOfOneTimeStandInAnyOrderButNoneFillsTwoPlaces) {
  Story equal(rules("ab") + plain_correlation("c", "type: temporal_ordered, rules: [a, b], timespan: 10s"));
  equal.at(1, R"({"e":"b"})").at(1, R"({"e":"a"})");
  EXPECT_EQ(equal.raised(), "c 2 [1,2]");
  const std::string twice = plain_rule("a") + "---\ntitle: b\nname: b\nlogsource: {category: test}\ndetection: {s: {e: a}, condition: s}\n" +
                            plain_correlation("c", "type: temporal_ordered, rules: [a, b], timespan: 10s");
  Story one(twice);
  one.at(1, R"({"e":"a"})");
  EXPECT_EQ(one.raised(), "");
  one.at(1, R"({"e":"a"})");
  EXPECT_EQ(one.raised(), "c 2 [1,2]");
  Story unordered(plain_rule("a") + "---\ntitle: b\nname: b\nlogsource: {category: test}\ndetection: {s: {e: a}, condition: s}\n" +
                  plain_correlation("c", "type: temporal, rules: [a, b], timespan: 10s"));
  unordered.at(1, R"({"e":"a"})");
  EXPECT_EQ(unordered.raised(), "c 2 [1]") << "where order is not asked for, one event may fill both";
}

TEST(Correlator, ALateEventCompletesAChain) {
  Story story(rules("abd") + plain_correlation("c", "type: temporal_ordered, rules: [a, b, d], timespan: 10s"));
  story.at(0, R"({"e":"a"})").at(5, R"({"e":"d"})").at(6, R"({"e":"x"})");
  EXPECT_EQ(story.raised(), "");
  story.at(3, R"({"e":"b"})");
  EXPECT_EQ(story.raised(), "c 3 [1,4,2]");
}

// --- absence ---

TEST(Correlator, AbsenceIsDecidedWhenTheWindowIsOver) {
  const std::string text = rules("ab") + plain_correlation("c", "type: temporal, rules: [a, b], group-by: [u], timespan: 10s, condition: a and not b");
  Story alone(text);
  alone.at(0, R"({"e":"a","u":1})");
  EXPECT_EQ(alone.raised(), "") << "b may still come";
  alone.until(400);
  EXPECT_EQ(alone.raised(), "c u=1 1 [1]");
  Story followed(text);
  followed.at(0, R"({"e":"a","u":1})").at(10, R"({"e":"b","u":1})").finish();
  EXPECT_EQ(followed.raised(), "");
  Story preceded(text);
  preceded.at(0, R"({"e":"b","u":1})").at(9, R"({"e":"a","u":1})").finish();
  EXPECT_EQ(preceded.raised(), "");
  Story too_far(text);
  too_far.at(0, R"({"e":"a","u":1})").at(10.5, R"({"e":"b","u":1})").finish();
  EXPECT_EQ(too_far.raised(), "c u=1 1 [1]");
  Story late(text);
  late.at(0, R"({"e":"a","u":1})").at(200, R"({"e":"a","u":2})").at(4, R"({"e":"b","u":1})").finish();
  EXPECT_EQ(late.raised(), "c u=2 1 [2]") << "the late b came before the window closed";
}

TEST(Correlator, AnAbsenceBelowFeedsTheCorrelationAboveAtTheTimeOfItsEvent) {
  Story story(rules("abd") + plain_correlation("unapproved", "type: temporal, rules: [a, b], group-by: [u], timespan: 10m, condition: a and not b") +
              plain_correlation("chain", "type: temporal_ordered, rules: [unapproved, d], group-by: [u], timespan: 5m"));
  story.at(0, R"({"e":"a","u":1})").at(60, R"({"e":"d","u":1})").at(61, R"({"e":"d","u":2})");
  EXPECT_EQ(story.raised(), "");
  story.finish();
  EXPECT_EQ(story.raised(), "chain u=1 2 [1,2]");
}

// --- values ---

TEST(Correlator, DistinctValuesAreCountedAsTextAndMembersOneByOne) {
  Story story(rules("a") + plain_correlation("c", "type: value_count, rules: [a], timespan: 10s, condition: {field: s, gte: 4}"));
  story.at(0, R"({"e":"a","s":1})").at(1, R"({"e":"a","s":"1"})").at(2, R"({"e":"a","s":["1","2",3]})").at(3, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "");
  EXPECT_EQ(story.correlator().statistics().without_value, 1U);
  story.at(4, R"({"e":"a","s":{"k":1}})");
  EXPECT_EQ(story.raised(), "c 4 [1,2,3,5]");
}

TEST(Correlator, SeveralFieldsMakeATuple) {
  Story story(rules("a") + plain_correlation("c", "type: value_count, rules: [a], timespan: 10s, condition: {field: [x, y], gte: 3}"));
  story.at(0, R"({"e":"a","x":1,"y":1})").at(1, R"({"e":"a","x":1,"y":2})").at(2, R"({"e":"a","x":1,"y":1})").at(3, R"({"e":"a","x":2})");
  EXPECT_EQ(story.raised(), "");
  story.at(4, R"({"e":"a","x":2,"y":1})");
  EXPECT_EQ(story.raised(), "c 3 [1,2,3,5]");
}

TEST(Correlator, SumsAreExactForIntegersAndSkipWhatIsNoNumber) {
  Story story(rules("a") + plain_correlation("c", "type: value_sum, rules: [a], timespan: 10s, condition: {field: n, gte: 9007199254740994}"));
  story.at(0, R"({"e":"a","n":9007199254740992})").at(1, R"({"e":"a","n":1})").at(2, R"({"e":"a","n":"many"})");
  EXPECT_EQ(story.raised(), "") << "adding doubles would have lost the 1 and then not noticed";
  story.at(3, R"({"e":"a","n":"1"})");
  EXPECT_EQ(story.raised(), "c 9007199254740994 [1,2,4]");
  EXPECT_EQ(story.correlator().statistics().without_value, 1U);
}

TEST(Correlator, FractionsDoNotDrift) {
  Story story(rules("a") + plain_correlation("c", "type: value_sum, rules: [a], timespan: 5s, condition: {field: n, gte: 0.65}"));
  story.at(0, R"({"e":"a","n":1e15})");
  for (int i = 1; i < 2000; ++i) story.at(i * 6 % 7 + i * 6, R"({"e":"a","n":0.1})");
  EXPECT_EQ(story.raised().substr(0, 9), "c 1e+15 [");
  for (int i = 0; i < 6; ++i) story.at(20000 + i * 0.5, R"({"e":"a","n":0.1})");
  EXPECT_EQ(story.raised(), "");
  story.at(20003, R"({"e":"a","n":0.1})");
  EXPECT_NEAR(story.alerts().back().value, 0.7, 1e-12);
}

TEST(Correlator, TheMedianIsTheMiddleOrBetweenTheTwo) {
  Story story(rules("a") + plain_correlation("c", "type: value_median, rules: [a], timespan: 1m, condition: {field: n, gte: 15}"));
  story.at(0, R"({"e":"a","n":10})").at(1, R"({"e":"a","n":1})");
  EXPECT_EQ(story.raised(), "");
  story.at(2, R"({"e":"a","n":20})").at(3, R"({"e":"a","n":30})");
  EXPECT_EQ(story.raised(), "c 15 [1,2,3,4]");
}

TEST(Correlator, AnArrayInGroupByPutsTheEventIntoEachGroup) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [s], timespan: 1m, condition: {gte: 2}"));
  story.at(0, R"({"e":"a","s":["x","y","x"]})").at(1, R"({"e":"a","s":["z","y"]})");
  EXPECT_EQ(story.raised(), "c s=y 2 [1,2]") << "x twice in one event is one event";
}

TEST(Correlator, AliasesNameTheFieldOfEachRule) {
  Story story(rules("ab") + plain_correlation("c", "type: temporal, rules: [a, b], group-by: [ip], timespan: 1m, aliases: {ip: {a: source.ip, b: dest}}"));
  story.at(0, R"({"e":"a","source":{"ip":"10.0.0.1"},"dest":"10.0.0.2"})").at(1, R"({"e":"b","source":{"ip":"10.0.0.2"},"dest":"10.0.0.3"})");
  EXPECT_EQ(story.raised(), "");
  story.at(2, R"({"e":"b","dest":"10.0.0.1"})");
  EXPECT_EQ(story.raised(), "c ip=10.0.0.1 2 [1,3]");
}

TEST(Correlator, FieldsAreFoundWhereTheLogSourceKeepsThem) {
  Story story("title: a\nname: a\nlogsource: {product: gcp, service: gcp.audit}\ndetection: {s: {gcp.audit.method_name: m}, condition: s}\n" +
              plain_correlation("low", "type: event_count, rules: [a], group-by: [gcp.audit.method_name], timespan: 1m, condition: {gte: 2}") +
              plain_correlation("high", "type: event_count, rules: [low], group-by: [gcp.audit.service_name], timespan: 1m, condition: {gte: 1}"));
  story.at(0, R"({"protoPayload":{"methodName":"m","serviceName":"storage"}})").at(1, R"({"protoPayload":{"methodName":"m","serviceName":"sql"}})");
  EXPECT_EQ(story.raised(), "high gcp.audit.service_name=sql 1 [1,2]");
}

TEST(Correlator, AnEventCountsOnceWhicheverRulesItMatchesAndHoweverOftenItIsSeenInARow) {
  Story story(plain_rule("a") + "---\ntitle: b\nname: b\nlogsource: {category: test}\ndetection: {s: {e: a}, condition: s}\n" +
              plain_correlation("c", "type: event_count, rules: [a, b], timespan: 1m, condition: {gte: 2}"));
  story.at(0, R"({"e":"a"})", {}, 7).at(0, R"({"e":"a"})", {}, 7);
  EXPECT_EQ(story.raised(), "");
  story.at(0, R"({"e":"a"})", {}, 8);
  EXPECT_EQ(story.raised(), "c 2 [7,8]");
}

// --- evidence ---

TEST(Correlator, TheAlertNamesEventsRulesAndSubjects) {
  Story story(rules("ab") + plain_correlation("c", "type: temporal, rules: [a, b], timespan: 1m"));
  story.at(0, R"({"e":"a"})", {"bob", "eve"}).at(1, R"({"e":"b"})", {"amy", "bob"});
  ASSERT_EQ(story.raised(), "c 2 [1,2]");
  const CorrelationAlert& alert = story.alerts()[0];
  EXPECT_EQ(alert.subjects, (std::vector<std::string>{"amy", "bob", "eve"}));
  EXPECT_EQ(alert.subject_count, 3U);
  EXPECT_EQ(alert.events[0].rule->name, "a");
  EXPECT_EQ(alert.events[1].rule->name, "b");
  EXPECT_EQ(alert.events[1].source, "s");
  EXPECT_EQ(alert.first, Story::time(0));
  EXPECT_EQ(alert.last, Story::time(1));
  EXPECT_EQ(alert.id.size(), 32U);
}

TEST(Correlator, EvidenceIsListedUpToALimitAndCountedBeyond) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1h, condition: {gte: 2}"));
  for (int i = 0; i < 1500; ++i) story.at(i, R"({"e":"a"})");
  story.finish();
  const CorrelationAlert& last = story.alerts().back();
  EXPECT_EQ(last.event_count, 1500U);
  EXPECT_EQ(last.events.size(), CorrelationAlert::kMaxEvents);
  EXPECT_LT(story.alerts().size(), 45U) << "updates come with growth, not with each event";
}

TEST(Correlator, SubjectsBeyondTheListAreEstimated) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 1h, condition: {gte: 2}"));
  std::vector<std::string> names(30000);
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = "subject-" + std::to_string(i);
  for (std::size_t i = 0; i < names.size(); i += 5000) {
    std::vector<std::string_view> some(names.begin() + static_cast<std::ptrdiff_t>(i), names.begin() + static_cast<std::ptrdiff_t>(i + 5000));
    story.at(static_cast<double>(i) / 1000, R"({"e":"a"})", some);
  }
  story.finish();
  EXPECT_EQ(story.alerts().back().subjects.size(), CorrelationAlert::kMaxSubjects);
  EXPECT_NEAR(static_cast<double>(story.alerts().back().subject_count), 30000, 3000);
}

TEST(Correlator, AnAlertThatSleepsUnderACorrelationIsSilentUnlessGenerateSaysOtherwise) {
  for (const bool generate : {false, true}) {
    Story story(rules("a") + plain_correlation("low", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}") +
                plain_correlation("high", std::string("type: event_count, rules: [low], timespan: 1h, condition: {gte: 1}") + (generate ? ", generate: true" : "")));
    story.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})");
    EXPECT_EQ(story.raised(), generate ? "low 2 [1,2]; high 1 [1,2]" : "high 1 [1,2]");
  }
}

// --- lateness ---

TEST(Correlator, ALateEventReopensTheWindowsItFallsInto) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}"));
  story.at(0, R"({"e":"a"})").at(8, R"({"e":"a"})").at(100, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "");
  story.at(5, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "c 3 [1,4,2]") << "listed by time";
}

TEST(Correlator, AnEarlierEdgeFoundLateIsTheSameAlert) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}"));
  story.at(10, R"({"e":"a"})").at(11, R"({"e":"a"})").at(12, R"({"e":"a"})").at(9, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "c 3 [1,2,3]");
  ASSERT_EQ(story.alerts().size(), 2U);
  EXPECT_EQ(story.alerts()[1].id, story.alerts()[0].id);
  EXPECT_EQ(Story::text(story.alerts()[1]), "c 4 [4,1,2,3]");
}

TEST(Correlator, WhatComesTooLateIsCountedAndMarksItsGroup) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 10m, condition: {gte: 2}"));
  story.at(0, R"({"e":"x"})").at(400, R"({"e":"a","u":1})").at(99, R"({"e":"a","u":1})").at(98, R"({"e":"a","u":2})");
  EXPECT_EQ(story.correlator().statistics().too_late, 2U);
  story.at(500, R"({"e":"a","u":1})").at(501, R"({"e":"a","u":2})").at(502, R"({"e":"a","u":2})").at(503, R"({"e":"a","u":3})").at(504, R"({"e":"a","u":3})");
  EXPECT_EQ(story.raised(), "c u=1 2 [2,5] under-counted; c u=2 2 [6,7] under-counted; c u=3 2 [8,9]");
  story.at(1000, R"({"e":"a","u":1})").at(1001, R"({"e":"a","u":1})");
  EXPECT_EQ(story.correlator().statistics().too_late, 2U);
}

TEST(Correlator, ASlowSourceHoldsTheWatermarkBackUnlessItIsIdle) {
  const std::string text = rules("a") + plain_correlation("c", "type: event_count, rules: [a], timespan: 20m, condition: {gte: 2}");
  Story slow(text);
  slow.at(0, R"({"e":"x"})", {}, 0, "fast").at(0, R"({"e":"x"})", {}, 0, "slow").at(1200, R"({"e":"a"})", {}, 0, "fast").at(300, R"({"e":"a"})", {}, 0, "slow");
  EXPECT_EQ(slow.raised(), "c 2 [4,3]") << "fifteen minutes behind the other, but not behind itself";
  Story idle(text);
  idle.at(0, R"({"e":"x"})", {}, 0, "fast").at(0, R"({"e":"x"})", {}, 0, "slow").at(4000, R"({"e":"a"})", {}, 0, "fast").at(3600, R"({"e":"a"})", {}, 0, "slow");
  EXPECT_EQ(idle.raised(), "");
  EXPECT_EQ(idle.correlator().statistics().too_late, 1U);
}

// --- limits ---

TEST(Correlator, AGroupThatIsTooLargeForgetsItsOldestAndSaysSo) {
  Correlator::Options options;
  options.limits.entries_per_group = 5;
  Story story(rules("a") + plain_correlation("c", "type: value_sum, rules: [a], timespan: 1h, condition: {field: n, gte: 10}"), options);
  for (int i = 0; i < 8; ++i) story.at(i, R"({"e":"a","n":1})");
  EXPECT_EQ(story.raised(), "") << "it holds five";
  story.at(9, R"({"e":"a","n":6})");
  EXPECT_EQ(story.raised(), "c 10 [5,6,7,8,9] under-counted");
  EXPECT_EQ(story.correlator().statistics().forgotten, 4U);
}

TEST(Correlator, TheStalestGroupIsForgottenAndThoseAfterItSaySo) {
  Correlator::Options options;
  options.limits.groups = 2;
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 2}"), options);
  story.at(0, R"({"e":"a","u":1})").at(1, R"({"e":"a","u":2})").at(2, R"({"e":"a","u":3})");
  EXPECT_EQ(story.correlator().statistics().groups, 2U);
  story.at(3, R"({"e":"a","u":2})").at(4, R"({"e":"a","u":1})").at(5, R"({"e":"a","u":1})");
  EXPECT_EQ(story.raised(), "c u=2 2 [2,4]; c u=1 2 [5,6] under-counted");
}

TEST(Correlator, TheTotalOfEntriesIsBounded) {
  Correlator::Options options;
  options.limits.entries = 100;
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 20}"), options);
  for (int i = 0; i < 1000; ++i) story.at(i, R"({"e":"a","u":)" + std::to_string(i / 10) + "}");
  EXPECT_LE(story.correlator().statistics().entries, 100U);
  EXPECT_GE(story.correlator().statistics().forgotten, 900U);
}

TEST(Correlator, GroupsThatAreOverGiveTheirMemoryBack) {
  Story story(rules("a") + plain_correlation("c", "type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 20}") +
              plain_correlation("d", "type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {lt: 1}"));
  for (int i = 0; i < 5000; ++i) story.at(i, R"({"e":"a","u":)" + std::to_string(i) + "}");
  EXPECT_LE(story.correlator().statistics().groups, 2U * 330U);
  EXPECT_LE(story.correlator().statistics().entries, 2U * 330U);
}

TEST(Correlator, ManyDistinctValuesAreEstimatedAndSaidToBe) {
  Correlator::Options options;
  options.limits.exact_values_per_group = 1000;
  Story story(rules("a") + plain_correlation("c", "type: value_count, rules: [a], timespan: 1h, condition: {field: n, gte: 8000}"), options);
  for (int i = 0; i < 12000 && story.alerts().empty(); ++i) story.at(i * 0.01, R"({"e":"a","n":)" + std::to_string(i) + "}");
  ASSERT_EQ(story.alerts().size(), 1U);
  EXPECT_TRUE(story.alerts()[0].estimated);
  EXPECT_FALSE(story.alerts()[0].under_counted);
  EXPECT_NEAR(static_cast<double>(story.alerts()[0].event_count), 8000, 800);
}

TEST(Correlator, AnEstimateBecomesACountAgainWhenTheWindowHasEmptied) {
  Correlator::Options options;
  options.limits.exact_values_per_group = 1000;
  options.limits.entries_per_group = 1500;
  Story story(rules("a") + plain_correlation("c", "type: value_count, rules: [a], timespan: 100s, condition: {field: n, gte: 300}"), options);
  for (int i = 0; i < 3000; ++i) story.at(i * 0.01, R"({"e":"a","n":)" + std::to_string(i) + "}");
  EXPECT_EQ(story.raised().substr(0, 6), "c 300 ");
  EXPECT_TRUE(story.alerts().back().estimated);
  EXPECT_FALSE(story.alerts().back().under_counted) << "what the ring forgets the sketch remembers";
  EXPECT_NEAR(story.alerts().back().value, 3000, 600);
  for (int i = 0; i < 200; ++i) story.at(30 + i, R"({"e":"a","n":)" + std::to_string(i % 7) + "}");
  for (int i = 0; i < 400; ++i) story.at(230 + i * 0.01, R"({"e":"a","n":)" + std::to_string(i + 10) + "}");
  EXPECT_EQ(story.raised().substr(0, 7), "c 300 [");
  EXPECT_FALSE(story.alerts().back().estimated);
}

TEST(Correlator, WhatIsKeptForLateEventsAloneIsNoReasonToEstimate) {
  Correlator::Options options;
  options.limits.entries_per_group = 100;
  Story story(rules("a") + plain_correlation("c", "type: value_count, rules: [a], timespan: 5s, condition: {field: n, gte: 41}"), options);
  for (int i = 0; i < 1000; ++i) story.at(i * 0.1, R"({"e":"a","n":)" + std::to_string(i % 40) + "}");
  EXPECT_EQ(story.raised(), "") << "an estimate might have said more than forty";
  story.at(100, R"({"e":"a","n":40})");
  EXPECT_EQ(story.raised().substr(0, 5), "c 41 ");
  EXPECT_FALSE(story.alerts()[0].estimated || story.alerts()[0].under_counted);
}

TEST(Correlator, FarTimesDoNoHarm) {
  Story story(rules("ab") + plain_correlation("c", "type: event_count, rules: [a], timespan: 3650d, condition: {gte: 2}") +
              plain_correlation("d", "type: temporal, rules: [a, b], timespan: 3650d, condition: a and not b"));
  std::vector<CorrelationAlert> alerts;
  Arena arena;
  Event event;
  event.root = *parse_json(R"({"e":"a"})", arena);
  std::vector<Match> matches;
  story.loaded().engine->match(event, matches);
  for (const std::int64_t time : {INT64_MIN, INT64_MAX, std::int64_t{0}, INT64_MIN, INT64_MAX}) {
    story.correlator().see({event, from_micros(time), matches, EventPlace{"s", "f", 1, 1}, {}}, alerts);
  }
  story.correlator().finish(alerts);
  EXPECT_FALSE(alerts.empty());
}

// --- reloading ---

TEST(Correlator, AReloadKeepsTheWindowsOfWhatIsUnchanged) {
  const std::string kept = plain_correlation("kept", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}");
  const std::string before = plain_correlation("changed", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 4}");
  const std::string after = plain_correlation("changed", "type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}");
  Story story(rules("a") + kept + before);
  story.at(0, R"({"e":"a"})").at(1, R"({"e":"a"})");
  story.reload(rules("ba") + after + kept);
  story.at(2, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "kept 3 [1,2,3]") << "the changed one begins anew";
  EXPECT_EQ(story.alerts()[0].events[0].rule->name, "a") << "the rule has another number now";
  story.reload(rules("ba") + after + kept);
  story.at(3, R"({"e":"a"})");
  EXPECT_EQ(story.raised(), "changed 2 [3,4]");
  EXPECT_EQ(story.alerts().size(), 3U) << "kept goes on as the same alert";
}

}  // namespace
}  // namespace tocsin::rules::sigma
