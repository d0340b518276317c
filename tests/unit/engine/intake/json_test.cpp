#include "engine/intake/json_record.hpp"

#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

TEST(Json, ReadsByAMapping) {
  auto mapping = JsonMapping::from({{"time", "ts"}, {"time_format", "ms"}, {"actor.account", "who.login"}, {"action", "verb"},
                                    {"resource.system", "=crm"}, {"resource.dataset", "obj.type"}, {"subjects", "obj.ids"},
                                    {"rows", "n"}, {"bytes", "size"}, {"client.ip", "ip"}, {"outcome", "ok"},
                                    {"event_id", "id"}, {"resource.columns", "cols"}, {"product", "crm"}, {"service", "audit"}});
  ASSERT_TRUE(mapping) << mapping.error().text();
  Bench json("json", {.mapping = *mapping});
  const std::string line = R"({"ts":1795442733123,"who":{"login":"anna"},"verb":"view","obj":{"type":"contact","ids":[4,"x"]},"n":2,"size":"1024","ip":"192.0.2.1","ok":true,"id":9,"cols":["name","email"]})";
  const DecodedRecord out = json(line);
  ASSERT_EQ(out.all.size(), 1U) << out.error;
  const Access& a = out.all[0].access;
  EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T14:05:33.123Z");
  EXPECT_EQ(a.actor.account, "anna");
  EXPECT_EQ(a.action, Action::kRead);
  EXPECT_EQ(a.operation, "view");
  EXPECT_EQ(a.resource.system, "crm");
  EXPECT_EQ(a.resource.dataset, "contact");
  EXPECT_EQ(a.subjects, (std::vector<std::string>{"4", "x"}));
  EXPECT_EQ(a.resource.columns, (std::vector<std::string>{"name", "email"}));
  EXPECT_EQ(a.rows.value, 2U);
  EXPECT_EQ(a.bytes.value, 1024U);
  EXPECT_EQ(a.outcome, Outcome::kSuccess);
  EXPECT_EQ(a.event_id, "9");
  EXPECT_EQ(record_id("json", line, &*mapping), "9");
  EXPECT_EQ(out.all[0].event.source.product, "crm");
  EXPECT_EQ(out.all[0].event.source.service, "audit");
}

TEST(Json, Times) {
  struct Row { const char* format; const char* value; const char* want; };
  for (const Row& row : {
           Row{"auto", "\"2026-11-23T14:05:33Z\"", "2026-11-23T14:05:33Z"}, Row{"auto", "1795442733", "2026-11-23T14:05:33Z"},
           Row{"auto", "1795442733.5", "2026-11-23T14:05:33.500Z"}, Row{"auto", "1795442733123", "2026-11-23T14:05:33.123Z"},
           Row{"auto", "1795442733123456", "2026-11-23T14:05:33.123456Z"}, Row{"auto", "\"1795442733\"", "2026-11-23T14:05:33Z"},
           Row{"s", "1795442733", "2026-11-23T14:05:33Z"}, Row{"us", "1795442733123456", "2026-11-23T14:05:33.123456Z"},
           Row{"rfc3339", "1795442733", ""}, Row{"ms", "\"noon\"", ""}, Row{"s", "-1", ""}, Row{"s", "1e300", ""},
           Row{"s", "true", ""}, Row{"rfc3339", "\"2026-11-23\"", ""},
       }) {
    auto mapping = JsonMapping::from({{"time", "t"}, {"time_format", row.format}});
    ASSERT_TRUE(mapping);
    Bench json("json", {.mapping = *mapping});
    const DecodedRecord out = json(std::string("{\"t\":") + row.value + "}");
    if (*row.want == '\0') {
      EXPECT_NE(out.error.find("time"), std::string::npos) << row.format << " " << row.value;
    } else {
      ASSERT_EQ(out.all.size(), 1U) << out.error;
      EXPECT_EQ(format_rfc3339(out.all[0].access.time), row.want) << row.format << " " << row.value;
    }
  }
}

TEST(Json, WithoutAMappingUsualNamesAreTried) {
  Bench json("json");
  const Access a = json.one(R"({"@timestamp":"2026-11-23T14:05:33Z","user":{"name":"anna"},"event":{"action":"download","outcome":"failure"},"source":{"ip":"192.0.2.1"},"time":"soon"})");
  EXPECT_EQ(format_rfc3339(a.time), "2026-11-23T14:05:33Z") << "a guess that does not fit is passed over";
  EXPECT_EQ(a.actor.account, "anna");
  EXPECT_EQ(a.action, Action::kExport);
  EXPECT_EQ(a.outcome, Outcome::kFailure);
  EXPECT_EQ(a.client.ip, "192.0.2.1");
  EXPECT_FALSE(json.one(R"({"hello":1})").time_known);
}

TEST(Json, PathsMayHoldDotsAndIndices) {
  rules::Arena arena;
  const auto root = parse_record(R"({"a.b":1,"a":{"b":2,"c.d":{"e":3}},"l":[{"x":4},5]})", arena);
  ASSERT_TRUE(root);
  EXPECT_EQ(at_path(*root, "a.b").as_int(), 1);
  EXPECT_EQ(at_path(*root, "a.c.d.e").as_int(), 3);
  EXPECT_EQ(at_path(*root, "l.0.x").as_int(), 4);
  EXPECT_EQ(at_path(*root, "l.1").as_int(), 5);
  for (const char* none : {"", ".", "a.", "l.2", "l.x", "a.b.c", "l.0.x.y", "zz"}) EXPECT_FALSE(at_path(*root, none).present()) << none;
}

TEST(Json, MappingMistakesAreNamed) {
  struct Row { const char* key; const char* value; const char* says; };
  for (const Row& row : {Row{"actor.acount", "x", "did you mean 'actor.account'"}, Row{"nonsense", "x", "the fields are"},
                         Row{"time_format", "days", "rfc3339"}, Row{"action", "=dance", "not an action"},
                         Row{"time", "=now", "cannot be the same"}, Row{"rows", "", "no path"}}) {
    const auto mapping = JsonMapping::from({{row.key, row.value}});
    ASSERT_FALSE(mapping) << row.key;
    EXPECT_NE(mapping.error().text().find(row.says), std::string::npos) << mapping.error().text();
  }
  const auto unknown = make_decoder("pgaudit", {});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().text().find("cloudtrail"), std::string::npos);
  EXPECT_FALSE(make_decoder("json", {.timezone = "Europe/Atlantis"}));
}

TEST(Text, KeepsTheLineAndWhatLogfmtSays) {
  Bench text("text");
  const DecodedRecord out = text(R"(ts=2026-11-23T15:59:30.065Z level=info msg="signed in" user=nurse_anna)");
  ASSERT_EQ(out.all.size(), 1U);
  EXPECT_EQ(format_rfc3339(out.all[0].access.time), "2026-11-23T15:59:30.065Z");
  EXPECT_EQ(out.all[0].access.actor.account, "nurse_anna");
  EXPECT_EQ(out.all[0].event.raw, out.all[0].raw);
  EXPECT_FALSE(out.all[0].event.root.present());
  EXPECT_EQ(format_rfc3339(text.one("2026-11-23 15:59:30,123 INFO x").time), "2026-11-23T15:59:30.123Z");
  EXPECT_EQ(format_rfc3339(text.one("[2026-11-23 15:59:30 UTC] x").time), "2026-11-23T15:59:30Z");
  EXPECT_FALSE(text.one("no time here").time_known);
}

TEST(AccessJson, UnknownIsNull) {
  std::string out;
  write_access({}, out);
  EXPECT_EQ(out,
            R"({"file":"","line":0,"time":null,"actor":null,"action":null,"resource":{"system":null,"store":null,"dataset":null,"columns":null},"subjects":null,"rows":{"value":null,"certainty":"unknown"},"bytes":{"value":null,"certainty":"unknown"},"client":{"ip":null,"port":null,"user_agent":null},"outcome":null,"format":null,"operation":null,"person":null,"account":null,"role":null,"session":null,"via":null,"failure":null,"event_id":null,"statement":null,"parameters":null})");
  out.clear();
  write_fault("a\xff", 3, "why", out);
  EXPECT_EQ(out, "{\"file\":\"a\xEF\xBF\xBD\",\"line\":3,\"error\":\"why\"}");
}

}  // namespace
}  // namespace tocsin::engine
