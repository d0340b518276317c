// Whom an object's name is about; and the events that come with one.
#include <gtest/gtest.h>

#include "engine/access/person.hpp"
#include "engine/exposure/reader.hpp"

namespace tocsin::engine {
namespace {

struct Case {
  const char *pattern, *store, *object, *person;  // person: "-" = does not fit
};

class Objects : public testing::TestWithParam<Case> {};

TEST_P(Objects, NameThePerson) {
  const auto& [pattern, store, object, person] = GetParam();
  const auto parsed = ObjectTemplate::parse(pattern);
  ASSERT_TRUE(parsed) << pattern;
  Resource resource;
  resource.store = store;
  resource.object = object;
  EXPECT_EQ(parsed->person(resource).value_or("-"), person) << pattern << " on " << object;
}

INSTANTIATE_TEST_SUITE_P(
    Names, Objects,
    testing::Values(Case{"s3://scans/patients/{patient}/…", "scans", "patients/42/mri/1.dcm", "42"},
                    Case{"s3://scans/patients/{patient}/*", "scans", "patients/42/", "42"},
                    Case{"s3://scans/patients/{patient}/…", "scans", "patients/42", "42"},
                    Case{"s3://scans/patients/{patient}/…", "other", "patients/42/a", "-"},
                    Case{"s3://scans/patients/{patient}", "scans", "patients/42/a", "-"},
                    Case{"s3://scans/patients/{patient}/…", "scans", "staff/42/a", "-"},
                    Case{"s3://scans/{}/scan-{patient}.dcm", "scans", "2026/scan-42.dcm", "42"},
                    Case{"s3://scans/{}/scan-{patient}.dcm", "scans", "2026/scan-.dcm", "-"},
                    Case{"/patients/{patient}", "", "/patients/4%202", "4 2"}, Case{"/patients/{patient}", "", "/patients/42?full=1", "42"},
                    Case{"/patients/{patient}", "", "/patients/42/", "42"}, Case{"/patients/{patient}", "", "/patients/", "-"},
                    Case{"/patients/{patient}/visits/{}", "", "/patients/42/visits/7", "42"},
                    Case{"/show.php?id={patient}", "", "/show.php?x=1&id=42&y", "42"}, Case{"/show.php?id={patient}", "", "/show.php?x=1", "-"}));

TEST(Objects, BadTemplatesAreRefused) {
  for (const char* text : {"", "patients/{p}", "s3://", "s3://b", "s3:///{p}", "/patients", "/{a}/{b}", "/{a", "/a}", "/{a}{b}", "/x?id=7", "/x?={p}"}) {
    EXPECT_FALSE(ObjectTemplate::parse(text)) << text;
  }
}

Access event(Action action, const char* store, const char* object) {
  Access a;
  a.time = from_micros(1'790'000'000'000'000);
  a.time_known = true;
  a.event_id = std::string(object) + "#1";
  a.origin.source = "s";
  a.actor.account = "eve";
  a.action = action;
  a.resource.system = "aws.s3";
  a.resource.store = store;
  a.resource.object = object;
  a.resource.dataset = store;
  a.outcome = Outcome::kSuccess;
  return a;
}

TEST(Objects, AnObjectReadIsExactAndAListingIsBound) {
  storage::Registers registers(storage::process_hash());
  DatasetMap map;
  DatasetSpec spec{"patient", "id", {}, {}};
  spec.objects.push_back(*ObjectTemplate::parse("s3://scans/patients/{patient}/…"));
  map.add(std::move(spec));
  ExposureReader reader(std::move(map), registers, {});
  std::vector<Reach> out;
  Access read = event(Action::kRead, "scans", "patients/42/a.dcm");
  reader.read(read, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].dataset, "patient");
  EXPECT_EQ(out[0].grade, storage::Grade::kExact);
  ASSERT_EQ(out[0].people.size(), 1U);
  EXPECT_EQ(registers.find("patient")->at(out[0].people[0]).id, "42");
  EXPECT_EQ(read.subjects, std::vector<std::string>{"42"});
  out.clear();
  Access list = event(Action::kList, "scans", "pati");
  reader.read(list, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].grade, storage::Grade::kBound);
  EXPECT_TRUE(out[0].whole);
  out.clear();
  Access other = event(Action::kRead, "scans", "logo.png");
  reader.read(other, out);
  EXPECT_TRUE(out.empty());
}

TEST(Person, IsNamedOnlyWhereTheConfigurationSaysSo) {
  const char* sql = "select 1 /*action='show',user='nurse%201',traceparent='00-1'*/;";
  EXPECT_EQ(comment_value(sql, "user"), "nurse 1");
  EXPECT_EQ(comment_value(sql, "action"), "show");
  EXPECT_EQ(comment_value(sql, "nobody"), "");
  EXPECT_EQ(comment_value("/*user='a'*/ select 1", "user"), "a");
  EXPECT_EQ(comment_value("select '/*user=''x''*/' from t", "user"), "");
  EXPECT_EQ(comment_value("select 1 /*user='x", "user"), "");
  Access a;
  a.actor.account = "webapp";
  a.statement.text = sql;
  name_person({}, a);
  EXPECT_EQ(a.actor.person, "");
  name_person({{"other", "comment.user"}}, a);
  EXPECT_EQ(a.actor.person, "");
  name_person({{"web*", "comment.user"}}, a);
  EXPECT_EQ(a.actor.shown(), "nurse 1");
  EXPECT_TRUE(check_places({{"a", "role"}, {"b", "application_name"}, {"c", "comment.user"}}));
  EXPECT_FALSE(check_places({{"a", "comment."}}));
  EXPECT_FALSE(check_places({{"a", "cookie"}}));
}

TEST(Person, BehindSetRole) {
  storage::Registers registers(storage::process_hash());
  ExposureReader::Options options;
  options.persons["s"] = {{"app", "role"}};
  ExposureReader reader({}, registers, options);
  const auto run = [&](const char* sql, const char* command, const char* cls) {
    Access a = event(Action::kQuery, "db", "");
    a.resource = {};
    a.resource.system = "postgresql";
    a.actor.account = "app";
    a.actor.session = "1";
    a.statement.text = sql;
    a.statement.command = command;
    a.statement.audit_class = cls;
    std::vector<Reach> out;
    reader.read(a, out);
    return a.actor.shown();
  };
  EXPECT_EQ(run("select * from patient", "SELECT", "READ"), "app");
  run("set role nurse1", "SET", "MISC");
  EXPECT_EQ(run("select * from patient", "SELECT", "READ"), "nurse1");
  run("reset role", "RESET", "MISC");
  EXPECT_EQ(run("select * from patient", "SELECT", "READ"), "app");
}

}  // namespace
}  // namespace tocsin::engine
