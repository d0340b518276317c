// FHIR AuditEvent in both releases, and Teleport: the person and the subject that they name.
#include "tests/unit/engine/intake/intake_test.hpp"

#include "engine/intake/recognise.hpp"

namespace tocsin::engine {
namespace {

constexpr const char* kR4 =
    R"({"resourceType":"AuditEvent","id":"a1","type":{"code":"rest"},"subtype":[{"code":"read"}],"action":"R","recorded":"2026-11-23T10:00:00Z","outcome":"0","agent":[{"who":{"reference":"Device/gateway"},"requestor":false},{"who":{"reference":"Practitioner/7","display":"Nina Nurse"},"altId":"nurse1","requestor":true,"network":{"address":"192.0.2.5","type":"2"}}],"source":{"observer":{"reference":"Device/ehr"}},"entity":[{"what":{"reference":"https://ehr.example/fhir/Patient/42/_history/3"},"role":{"code":"1"}},{"what":{"reference":"Observation/9"},"role":{"code":"4"}}]})";

TEST(Fhir, R4) {
  Bench decode("fhir-audit");
  const Access a = decode.one(kR4);
  EXPECT_EQ(a.subjects, std::vector<std::string>{"42"});
  EXPECT_EQ(a.resource.dataset, "Patient");
  EXPECT_EQ(a.resource.columns, std::vector<std::string>{"Observation"});
  EXPECT_EQ(a.actor.account, "nurse1");
  EXPECT_EQ(a.actor.person, "Nina Nurse");
  EXPECT_EQ(a.via, "Device/gateway");
  EXPECT_EQ(a.client.ip, "192.0.2.5");
  EXPECT_EQ(a.event_id, "a1");
  EXPECT_EQ(a.operation, "read");
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
}

TEST(Fhir, R5) {
  Bench decode("fhir-audit");
  const Access a = decode.one(
      R"({"resourceType":"AuditEvent","code":{"coding":[{"code":"vread"}]},"action":"R","recorded":"2026-11-23T10:00:00Z","outcome":{"code":{"code":"4"}},"patient":{"identifier":{"value":"MRN7"}},"agent":[{"who":{"reference":"Practitioner/7"},"requestor":true,"networkString":"192.0.2.9"}]})");
  EXPECT_EQ(a.subjects, std::vector<std::string>{"MRN7"});
  EXPECT_EQ(a.actor.account, "Practitioner/7");
  EXPECT_EQ(a.client.ip, "192.0.2.9");
  EXPECT_EQ(a.outcome, Outcome::kFailure);
}

TEST(Fhir, ASearchNamesWhatWasSearchedAndNobody) {
  Bench decode("fhir-audit");  // "Patient?name=smith"
  const Access a = decode.one(
      R"({"resourceType":"AuditEvent","subtype":[{"code":"search-type"}],"action":"E","recorded":"2026-11-23T10:00:00Z","agent":[{"altId":"x","requestor":true}],"entity":[{"query":"UGF0aWVudD9uYW1lPXNtaXRo"}]})");
  EXPECT_TRUE(a.subjects.empty());
  EXPECT_EQ(a.resource.dataset, "Patient");
  EXPECT_EQ(a.action, Action::kQuery);
}

TEST(Fhir, BundleAndBadRecords) {
  Bench decode("fhir-audit");
  EXPECT_EQ(decode(std::string(R"({"resourceType":"Bundle","entry":[{"resource":)") + kR4 + R"(},{"resource":{"resourceType":"Patient"}}]})").all.size(), 1U);
  for (const char* bad : {"{}", "[", R"({"resourceType":"Patient"})", R"({"resourceType":"AuditEvent"})", R"({"resourceType":"AuditEvent","recorded":"yesterday"})"}) {
    EXPECT_NE(decode(bad).error, "") << bad;
  }
  EXPECT_EQ(recognise(std::string(kR4) + "\n" + kR4 + "\n")->format, "fhir-audit");
}

TEST(Teleport, KnowsThePersonBehindTheDatabaseUser) {
  Bench decode("teleport");
  const char* line =
      R"({"cluster_name":"c","code":"TDB02I","db_name":"clinic","db_query":"SELECT name FROM patient WHERE id = $1","db_query_parameters":["42"],"db_protocol":"postgres","db_service":"pg","db_user":"app","ei":1,"event":"db.session.query","sid":"s1","time":"2026-11-06T03:36:06.233Z","uid":"u1","user":"dev@example.org","addr.remote":"172.19.0.2:34204"})";
  const Access a = decode.one(line);
  EXPECT_EQ(a.actor.person, "dev@example.org");
  EXPECT_EQ(a.actor.account, "app");
  EXPECT_EQ(a.actor.session, "s1");
  EXPECT_EQ(a.resource.system, "postgresql");
  EXPECT_EQ(a.resource.store, "clinic");
  EXPECT_EQ(a.statement.parameters, std::vector<std::string>{"42"});
  EXPECT_TRUE(a.statement.parameters_known);
  EXPECT_EQ(a.client.ip, "172.19.0.2");
  EXPECT_EQ(record_id("teleport", line, nullptr), "u1");
  EXPECT_EQ(recognise(std::string(line) + "\n" + line + "\n")->format, "teleport");
  const Access login = decode.one(R"({"event":"user.login","uid":"a","time":"2023-09-05T07:16:25.133Z","user":"B","success":false,"error":"invalid"})");
  EXPECT_EQ(login.action, Action::kAuthenticate);
  EXPECT_EQ(login.outcome, Outcome::kFailure);
  EXPECT_NE(decode("{}").error, "");
}

}  // namespace
}  // namespace tocsin::engine
