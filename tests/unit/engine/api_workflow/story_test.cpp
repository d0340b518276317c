// The story of a theft, told through the API: an analyst finds it in the queue, confirms it, a manager sees it
// through, and the report is there. And what the API refuses on the way.
#include <boost/json.hpp>

#include "tests/unit/engine/api_workflow/front.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;
using testing_desk::Answer;
using testing_desk::at;
using testing_desk::Front;

class Story : public Front {};

TEST_F(Story, FromTheQueueToTheClosedIncident) {
  // 3. The queue shows the export and the password, each once, the worse one first.
  std::vector<storage::Finding> findings;
  for (int n = 1; n <= 300; ++n) findings.push_back(export_finding(n));
  findings.push_back(secret_finding());
  apply(findings);
  auto queue = analyst("GET", "/v1/alerts?state=open");
  ASSERT_EQ(queue.status, 200);
  ASSERT_EQ(queue.at("/items").as_array().size(), 2U);
  EXPECT_EQ(queue.text("/items/0/title"), "Bulk export of patient by mallory");
  EXPECT_EQ(queue.at("/items/0/findings").to_number<int>(), 300);
  EXPECT_EQ(queue.text("/items/0/level"), "high");
  EXPECT_EQ(queue.at("/items/0/exposure/at_most").to_number<int>(), 2000);
  EXPECT_EQ(queue.text("/items/1/title"), "Plaintext password in the application log");
  EXPECT_TRUE(queue.at("/next").is_null());
  const std::string theft = "/v1/alerts/" + queue.text("/items/0/id");
  const std::string secret = "/v1/alerts/" + queue.text("/items/1/id");

  // 4. The analyst opens the first: why it fired, with evidence, and which people.
  auto opened = analyst("GET", theft);
  ASSERT_EQ(opened.status, 200);
  EXPECT_EQ(opened.text("/findings/0/reason"), "The whole table left in one statement.");
  EXPECT_EQ(opened.text("/findings/0/evidence/0/text"), "COPY patient TO '/tmp/p.csv'");
  EXPECT_EQ(opened.at("/findings/0/evidence/0/line").to_number<int>(), 1);
  EXPECT_EQ(opened.at("/findings").as_array().size(), kMaxFindingsShown);
  EXPECT_EQ(opened.text("/findings_next"), std::to_string(kMaxFindingsShown));
  EXPECT_EQ(analyst("GET", theft + "?findings_offset=200").at("/findings").as_array().size(), 100U);
  auto people = analyst("GET", theft + "/people?offset=25&limit=10");
  ASSERT_EQ(people.status, 200);
  EXPECT_EQ(people.text("/grade"), "bound");
  EXPECT_EQ(people.text("/dataset"), "patient");
  EXPECT_EQ(people.at("/total").to_number<int>(), 30);
  EXPECT_EQ(people.at("/items").as_array().size(), 5U);
  EXPECT_TRUE(people.at("/next").is_null());

  // … takes it on, marks the other a false positive with a reason …
  EXPECT_EQ(analyst("POST", theft + "/triage", R"({"state":"acknowledged","reason":""})").status, 200);
  EXPECT_EQ(analyst("POST", theft + "/assign", R"({"assignee":"anna"})").text("/assignee"), "anna");
  EXPECT_EQ(analyst("POST", secret + "/triage", R"({"state":"false_positive"})").status, 400);
  auto harmless = analyst("POST", secret + "/triage", R"({"state":"false_positive","reason":"a test account"})");
  ASSERT_EQ(harmless.status, 200) << harmless.detail();
  EXPECT_EQ(harmless.text("/state"), "false_positive");
  auto history = analyst("GET", secret);
  EXPECT_EQ(history.text("/history/0/from"), "new");
  EXPECT_EQ(history.text("/history/0/to"), "false_positive");
  EXPECT_EQ(history.text("/history/0/by"), "anna");
  EXPECT_EQ(history.text("/history/0/reason"), "a test account");
  EXPECT_EQ(history.text("/history/0/time"), "2026-11-23T16:40:00Z");

  // … and confirms the first as a breach of personal data.
  clock_.advance(std::chrono::minutes(10));
  auto made = analyst("POST", theft + "/incident", R"({"reason":"the table went to a file","confirm":true})");
  ASSERT_EQ(made.status, 200) << made.detail();
  EXPECT_EQ(made.text("/number"), "INC-2026-0001");
  const std::string incident = "/v1/incidents/" + made.text("/incident");
  auto page = analyst("GET", "/v1/incidents/INC-2026-0001");
  ASSERT_EQ(page.status, 200);
  EXPECT_EQ(page.text("/state"), "confirmed");
  EXPECT_EQ(page.text("/aware_at"), "2026-11-23T16:50:00Z");
  EXPECT_EQ(page.text("/next_due"), "2026-11-26T16:50:00Z");
  EXPECT_EQ(page.text("/facts/personal_data"), "yes");
  EXPECT_EQ(page.at("/people/at_most").to_number<int>(), 2000);
  EXPECT_EQ(page.text("/alerts/0/state"), "incident");
  EXPECT_EQ(page.text("/notices/0/subject"), "Your data");
  EXPECT_GT(page.at("/history").as_array().size(), 10U);
  EXPECT_EQ(analyst("GET", theft).text("/incident_number"), "INC-2026-0001");
  EXPECT_EQ(analyst("GET", incident + "/people").at("/total").to_number<int>(), 30);
  std::map<std::string, std::string> duty_of, state_of;
  for (const auto& duty : page.at("/duties").as_array()) {
    const auto& object = duty.as_object();
    duty_of[std::string(object.at("key").as_string())] = std::string(object.at("id").as_string());
    state_of[std::string(object.at("key").as_string())] = std::string(object.at("state").as_string());
    EXPECT_FALSE(object.at("citation").as_string().empty());
  }
  EXPECT_EQ(state_of["eu.gdpr.33.1"], "running");
  EXPECT_EQ(state_of["eu.gdpr.34.1"], "unknown");

  // The open question is answered, flat as the console sends it: Article 34 runs.
  auto answered = analyst("PATCH", incident, R"({"facts":{"high_risk":"yes"},"reason":"health data"})");
  ASSERT_EQ(answered.status, 200) << answered.detail();
  EXPECT_EQ(answered.text("/facts/high_risk"), "yes");

  // 7. The manager sees what is next, what is late, and who has been told.
  counts_ = {1990, 1985, 312, 5};
  clock_.set(at("2026-11-24T18:00:00Z"));
  auto overview = manager("GET", "/v1/overview");
  ASSERT_EQ(overview.status, 200);
  EXPECT_EQ(overview.at("/alerts/open").to_number<int>(), 0);
  EXPECT_EQ(overview.at("/incidents/open").to_number<int>(), 1);
  EXPECT_EQ(overview.text("/duties/0/law"), "GDPR");
  EXPECT_EQ(overview.text("/duties/0/due"), "2026-11-26T16:50:00Z");
  EXPECT_EQ(overview.at("/notices/acknowledged").to_number<int>(), 312);
  EXPECT_GT(overview.at("/tasks/late").to_number<int>(), 0);
  EXPECT_EQ(overview.text("/organisation/name"), "Example Clinic");
  EXPECT_EQ(overview.text("/now"), "2026-11-24T18:00:00Z");

  // Closing now is refused, and says what is open.
  EXPECT_EQ(manager("POST", incident + "/state", R"({"state":"contained","reason":"account disabled"})").status, 200);
  EXPECT_EQ(manager("POST", incident + "/state", R"({"state":"recovered","reason":""})").status, 200);
  auto refused = manager("POST", incident + "/state", R"({"state":"closed","reason":"done"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.detail().find("tasks are open"), std::string::npos);

  // Tasks get owners and are done with proof; one is added and dropped.
  auto extra = manager("POST", incident + "/tasks",
                       R"({"title":"Call the data processor","owner":"ben","due":"2026-11-25T12:00:00Z"})");
  ASSERT_EQ(extra.status, 201) << extra.detail();
  EXPECT_EQ(extra.text("/number"), "INC-2026-0001");
  EXPECT_EQ(call(kAnalyst, "ben", "GET", "/v1/tasks?mine=true").at("/items").as_array().size(), 1U);
  EXPECT_FALSE(manager("GET", "/v1/tasks?late=true").at("/items").as_array().empty());
  auto open = manager("GET", "/v1/tasks?open=true");
  for (const auto& task : open.at("/items").as_array()) {
    const std::string path = "/v1/tasks/" + std::string(task.at("id").as_string());
    auto done = manager("PATCH", path, R"({"owner":"ben","state":"doing"})");
    ASSERT_EQ(done.status, 200) << done.detail();
    EXPECT_EQ(manager("PATCH", path, R"({"state":"done"})").status, 400);
    done = call(kAnalyst, "ben", "PATCH", path, R"({"state":"done","proof":"see ticket 42"})");
    ASSERT_EQ(done.status, 200) << done.detail();
    EXPECT_EQ(done.text("/done_by"), "ben");
  }
  // The duties are settled with a reference or a reason.
  auto filed = manager("POST", incident + "/duties/" + duty_of["eu.gdpr.33.1"],
                       R"({"state":"done","reason":"filed","reference":"LfD 4711","done_at":"2026-11-24T17:00:00Z"})");
  ASSERT_EQ(filed.status, 200) << filed.detail();
  EXPECT_EQ(filed.text("/duties/0/state"), "done");
  EXPECT_EQ(filed.at("/duties/0/done_late").as_bool(), false);
  page = manager("GET", incident);
  for (const auto& duty : page.at("/duties").as_array()) {
    const std::string state(duty.at("state").as_string());
    if (state == "done" || state == "not_applicable") continue;
    const bool applies = state == "running" || state == "late";
    auto settled = manager("POST", incident + "/duties/" + std::string(duty.at("id").as_string()),
                           applies ? R"({"state":"done","reason":"done by the notices"})"
                                   : R"({"state":"not_applicable","reason":"we are not a processor here"})");
    EXPECT_EQ(settled.status, 200) << settled.detail();
  }
  auto closed = manager("POST", incident + "/state", R"({"state":"closed","reason":"everybody told, hole closed"})");
  ASSERT_EQ(closed.status, 200) << closed.detail();
  EXPECT_EQ(closed.text("/state"), "closed");
  EXPECT_EQ(closed.text("/closed"), "2026-11-24T18:00:00Z");
  EXPECT_TRUE(closed.at("/next_due").is_null());

  // The report is there, as JSON and as a page.
  auto report = manager("GET", incident + "/report");
  ASSERT_EQ(report.status, 200);
  EXPECT_EQ(report.text("/report/format"), "tocsin-report/1");
  EXPECT_EQ(report.at("/seconds/to_tell_authority").to_number<int>(), 24 * 3600 + 10 * 60);
  EXPECT_GT(report.at("/ledger/size").to_number<int>(), 20);
  EXPECT_GT(report.at("/timeline").as_array().size(), 40U);
  EXPECT_EQ(report.text("/duties/0/reference"), "LfD 4711");
  auto printed = manager("GET", incident + "/report.html");
  EXPECT_EQ(printed.status, 200);
  EXPECT_EQ(printed.response.content_type, "text/html; charset=utf-8");

  // 8. The whole record verifies, and holds each decision.
  EXPECT_TRUE(ledger_->healthy());
  auto entries = db_->read([&](storage::Reader& r) { return storage::Ledger::entries(r, 0, 1000); }).value();
  std::map<std::string, int> kinds;
  for (const auto& stored : entries) ++kinds[stored.entry.kind];
  EXPECT_EQ(kinds["alert-triaged"], 2);
  EXPECT_EQ(kinds["incident-opened"], 1);
  EXPECT_EQ(kinds["incident-state"], 3);
  EXPECT_EQ(kinds["duty-decided"], 4);
  EXPECT_EQ(entries.size(), ledger_->head().size);
}

class Refusals : public Front {};

// Two findings of one alert tell of the same people: the list asks who they are, as long as that is cheap, and says of
// the rest that its number is a sum.
TEST_F(Story, TheQueueCountsPeopleOnceOrSaysThatItAddsUp) {
  people_.everyone.at_least = 100;
  people_.everyone.at_most = 120;
  std::vector<storage::Finding> findings;
  for (int actor = 0; actor < 27; ++actor) {
    for (int n = 0; n < 2; ++n) {
      storage::Finding f = export_finding(actor * 2 + n + 1);
      f.actor = "actor" + std::to_string(actor);
      f.group = "export/" + f.actor + "/patient";
      f.exposure = storage::ExposureSummary{storage::Grade::kDerived, 100, 110};
      findings.push_back(std::move(f));
    }
  }
  storage::Finding single = secret_finding();
  single.exposure = storage::ExposureSummary{storage::Grade::kDerived, 1, 500};
  findings.push_back(single);
  apply(findings);
  const auto queue = analyst("GET", "/v1/alerts?state=open&limit=200");
  const auto& items = queue.at("/items").as_array();
  ASSERT_EQ(items.size(), 28U);
  std::size_t counted = 0, summed = 0;
  for (const auto& item : items) {
    const auto& exposure = item.at("exposure").as_object();
    if (item.at("findings").to_number<int>() == 1) {
      EXPECT_EQ(exposure.at("at_most").to_number<int>(), 500);
      EXPECT_FALSE(exposure.contains("summed"));
    } else if (exposure.contains("summed")) {
      ++summed;
      EXPECT_EQ(exposure.at("at_most").to_number<int>(), 220);
    } else {
      ++counted;
      EXPECT_EQ(exposure.at("at_most").to_number<int>(), 120);
    }
  }
  EXPECT_EQ(counted, 25U);
  EXPECT_EQ(summed, 2U);
}

TEST_F(Refusals, RolesMayOnlyWhatTheyMay) {
  const auto alert_path = "/v1/alerts/" + std::to_string(apply({export_finding()}).opened.at(0));
  const std::string triage = R"({"state":"closed","reason":"x"})";
  EXPECT_EQ(call(kNobody, "", "GET", "/v1/alerts").status, 401);
  EXPECT_EQ(call(kShipper, "token:x", "GET", "/v1/alerts").status, 403);
  EXPECT_EQ(admin("GET", alert_path).status, 200);
  EXPECT_EQ(admin("GET", "/v1/overview").status, 200);
  EXPECT_EQ(admin("POST", alert_path + "/triage", triage).status, 403);
  EXPECT_EQ(manager("POST", alert_path + "/triage", triage).status, 403);
  EXPECT_EQ(call(kApprover, "paul", "POST", alert_path + "/incident", R"({"reason":"x","confirm":true})").status, 403);
  EXPECT_EQ(admin("POST", "/v1/silences", R"({"rule":"r","until":"2026-12-01T00:00:00Z","reason":"x"})").status, 403);

  const auto made = analyst("POST", alert_path + "/incident", R"({"reason":"x","confirm":true})");
  const std::string incident = "/v1/incidents/" + made.text("/incident");
  const auto duty_id = analyst("GET", incident).text("/duties/0/id");
  EXPECT_EQ(analyst("POST", incident + "/duties/" + duty_id, R"({"state":"done","reason":"x"})").status, 403);
  EXPECT_EQ(admin("PATCH", incident, R"({"title":"y"})").status, 403);
  EXPECT_EQ(analyst("POST", incident + "/tasks", R"({"title":"y"})").status, 403);
  EXPECT_EQ(analyst("POST", incident + "/state", R"({"state":"contained"})").status, 200);
  EXPECT_EQ(analyst("POST", incident + "/state", R"({"state":"recovered"})").status, 200);
  EXPECT_EQ(analyst("POST", incident + "/state", R"({"state":"closed","reason":"x","override":true})").status, 403);
  EXPECT_EQ(manager("POST", incident + "/state", R"({"state":"closed","reason":"drill","override":true})").status, 200);
  EXPECT_EQ(analyst("POST", incident + "/state", R"({"state":"confirmed","reason":"again"})").status, 403);
  EXPECT_EQ(manager("POST", incident + "/state", R"({"state":"confirmed","reason":"again"})").status, 200);
}

TEST_F(Refusals, ATaskBelongsToItsOwnerAndToManagers) {
  const auto id = apply({export_finding()}).opened.at(0);
  ASSERT_EQ(analyst("POST", "/v1/alerts/" + std::to_string(id) + "/incident", R"({"reason":"x","confirm":true})").status, 200);
  const auto all = manager("GET", "/v1/tasks");
  std::string free, for_admin;
  for (const auto& task : all.at("/items").as_array()) {
    const std::string path = "/v1/tasks/" + std::string(task.at("id").as_string());
    if (task.at("owner_role") == "analyst") free = path;
    if (task.at("owner_role") == "admin") for_admin = path;
  }
  EXPECT_EQ(analyst("PATCH", for_admin, R"({"state":"doing"})").status, 403);
  EXPECT_EQ(analyst("PATCH", free, R"({"owner":"ben"})").status, 403);
  EXPECT_EQ(analyst("PATCH", free, R"({"due":"2030-01-01T00:00:00Z"})").status, 403);
  EXPECT_EQ(analyst("PATCH", free, R"({"owner":"anna","state":"doing"})").status, 200);
  EXPECT_EQ(call(kAnalyst, "ben", "PATCH", free, R"({"state":"done","proof":"x"})").status, 403);
  EXPECT_EQ(analyst("PATCH", free, R"({"title":"easier"})").status, 403);
  EXPECT_EQ(analyst("PATCH", free, R"({"state":"done","proof":"the copies are in the safe"})").status, 200);
  EXPECT_EQ(manager("PATCH", free, R"({"due":null,"owner":null})").status, 200);
}

TEST_F(Refusals, WhatIsNotThereOrNotUnderstoodIsSaidPlainly) {
  const auto id = std::to_string(apply({export_finding()}).opened.at(0));
  EXPECT_EQ(analyst("GET", "/v1/alerts/99").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/alerts/0").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/alerts/-1").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/alerts/1e3").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/alerts/99999999999999999999").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/incidents/INC-1999-0001").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/incidents/1/report.html").status, 404);
  EXPECT_EQ(analyst("GET", "/v1/alerts?state=odd").status, 400);
  EXPECT_EQ(analyst("GET", "/v1/alerts?level=odd").status, 400);
  EXPECT_EQ(analyst("GET", "/v1/alerts?after=odd").status, 400);
  EXPECT_EQ(analyst("GET", "/v1/alerts?limit=100000").status, 400);
  EXPECT_EQ(analyst("POST", "/v1/alerts/" + id + "/triage", "{").status, 400);
  EXPECT_EQ(analyst("POST", "/v1/alerts/" + id + "/triage", R"({"state":7})").status, 400);
  EXPECT_EQ(analyst("POST", "/v1/alerts/" + id + "/triage", R"({"state":"gone","reason":"x"})").status, 400);
  auto promote = analyst("POST", "/v1/alerts/" + id + "/triage", R"({"state":"incident","reason":"x"})");
  EXPECT_EQ(promote.status, 409);
  EXPECT_FALSE(promote.text("/remedy").empty());
  EXPECT_EQ(analyst("POST", "/v1/alerts/" + id + "/incident", R"({"reason":"x","incident":"abc"})").status, 400);
  EXPECT_EQ(analyst("POST", "/v1/alerts/" + id + "/incident", R"({"reason":"x","incident":"77"})").status, 404);
  EXPECT_EQ(analyst("POST", "/v1/silences", R"({"rule":"r","reason":"x"})").status, 400);
  EXPECT_EQ(analyst("POST", "/v1/silences", R"({"rule":"r","reason":"x","until":"2026-12-01"})").status, 400);
  EXPECT_EQ(analyst("DELETE", "/v1/silences/5").status, 404);
}

TEST_F(Refusals, AStaleVersionIsAConflict) {
  const auto path = "/v1/alerts/" + std::to_string(apply({export_finding()}).opened.at(0));
  const auto seen = analyst("GET", path).at("/version").to_number<int>();
  ASSERT_EQ(analyst("POST", path + "/assign", R"({"assignee":"ben"})").status, 200);
  const auto late = analyst("POST", path + "/triage",
                            R"({"state":"closed","reason":"x","version":)" + std::to_string(seen) + "}");
  EXPECT_EQ(late.status, 409);
}

TEST_F(Refusals, NothingIsDecidedWithoutTheLedger) {
  const auto path = "/v1/alerts/" + std::to_string(apply({export_finding()}).opened.at(0));
  ledger_works_ = false;
  const auto refused = analyst("POST", path + "/incident", R"({"reason":"x","confirm":true})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.detail().find("ledger"), std::string::npos);
  EXPECT_TRUE(analyst("GET", "/v1/incidents").at("/items").as_array().empty());
  EXPECT_EQ(analyst("GET", path).text("/state"), "new");
}

TEST_F(Refusals, SilencesAreMadeShownAndEnded) {
  auto made = analyst("POST", "/v1/silences",
                      R"({"actor":"mallory","until":"2026-11-24T00:00:00+01:00","reason":"migration"})");
  ASSERT_EQ(made.status, 201) << made.detail();
  EXPECT_EQ(made.text("/until"), "2026-11-23T23:00:00Z");
  apply({export_finding()});
  auto listed = admin("GET", "/v1/silences");
  ASSERT_EQ(listed.at("/items").as_array().size(), 1U);
  EXPECT_EQ(listed.at("/items/0/matched").to_number<int>(), 1);
  EXPECT_TRUE(listed.at("/items/0/rule").is_null());
  EXPECT_EQ(analyst("DELETE", "/v1/silences/" + made.text("/id")).status, 204);
  EXPECT_TRUE(analyst("GET", "/v1/silences").at("/items").as_array().empty());
  EXPECT_EQ(analyst("GET", "/v1/silences?all=true").at("/items").as_array().size(), 1U);
}

TEST_F(Refusals, SeveralAlertsAreTriagedTogether) {
  apply({export_finding(), secret_finding()});
  auto done = analyst("POST", "/v1/alerts/triage", R"({"ids":["1",2],"state":"closed","reason":"a drill"})");
  ASSERT_EQ(done.status, 200) << done.detail();
  EXPECT_EQ(done.at("/items").as_array().size(), 2U);
  EXPECT_EQ(analyst("POST", "/v1/alerts/triage", R"({"ids":[],"state":"closed","reason":"x"})").status, 400);
  EXPECT_EQ(analyst("POST", "/v1/alerts/triage", R"({"ids":["x"],"state":"closed","reason":"x"})").status, 400);
}

}  // namespace
}  // namespace tocsin::engine
