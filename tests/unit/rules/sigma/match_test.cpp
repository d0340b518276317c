// The engine as a whole: routing, indexes, explanation, threads.
#include <gtest/gtest.h>

#include <thread>

#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string rule(const char* id_end, const char* logsource, const char* detection) {
  return "title: Rule " + std::string(id_end) + "\nid: 00000000-0000-4000-8000-00000000000" + id_end + "\nlogsource: {" + logsource +
         "}\ndetection:\n" + detection + "---\n";
}

TEST(Routing, SkipsOnlyWhatContradicts) {
  struct Row { const char* name; const char* rule; LogSource event; bool want; };
  const Row rows[] = {
      {"same product", "product: windows, category: process_creation", {"windows", "", ""}, true},
      {"case does not matter", "product: windows", {"Windows", "", ""}, true},
      {"other product", "product: windows", {"linux", "", ""}, false},
      {"unknown product", "product: windows", {"plan9", "", ""}, false},
      {"no tag at all", "product: windows", {"", "", ""}, true},
      {"other service", "product: aws, service: cloudtrail", {"aws", "", "vpcflow"}, false},
      {"rule says less", "service: cloudtrail", {"aws", "", "cloudtrail"}, true},
      {"normalised rule, normalised event", "category: data_access", {"postgresql", "data_access", ""}, true},
      {"normalised rule, raw event", "category: data_access", {"aws", "", "cloudtrail"}, false},
      {"raw rule, normalised event", "product: aws", {"aws", "data_access", ""}, false},
      {"normalised rule, event of unknown kind", "category: data_access", {"", "", ""}, true},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(rule("1", row.rule, "  s: {f: 1}\n  condition: s\n"));
    EXPECT_EQ(matches(loaded, R"({"f":1})", row.event), row.want ? 1U : 0U) << row.name;
    EXPECT_EQ(matches(loaded, R"({"f":1})", row.event, Routing::kEverything), 1U) << row.name;
  }
}

TEST(Index, NeedsAFactOfTheWholeCondition) {
  struct Row { const char* name; const char* detection; const char* event; bool want; };
  const Row rows[] = {
      {"or not", "  s: {a: 1}\n  f: {b: 2}\n  condition: s or not f\n", R"({"c":3})", true},
      {"not alone", "  f: {b: 2}\n  condition: not f\n", R"({})", true},
      {"null is met by absence", "  s: {a: null}\n  condition: s\n", R"({"b":1})", true},
      {"neq is met by absence", "  s: {a|neq: 1}\n  condition: s\n", R"({})", true},
      {"exists false", "  s: {a|exists: false}\n  condition: s\n", R"({})", true},
      {"cased needle", "  s: {a|cased: ABC}\n  condition: s\n", R"({"a":"ABC"})", true},
      {"number as text", "  s: {a: 7}\n  condition: s\n", R"({"a":["x","7.0"]})", true},
      {"text as number", "  s: {a: '7'}\n  condition: s\n", R"({"a":[[7]]})", true},
      {"2 of 3", "  a: {a: 1}\n  b: {b: 2}\n  c: {c: 3}\n  condition: 2 of them\n", R"({"b":2,"c":3})", true},
      {"1 of optional selections", "  a: {a: 1}\n  b: {b|neq: 2}\n  condition: 1 of them\n", R"({"x":0})", true},
      {"JSON text of an object", "  s: {a: '{\"b\":1}'}\n  condition: s\n", R"({"a":{"b":1}})", true},
      {"kelvin sign folds to k", "  s: {a: kelvin}\n  condition: s\n", "{\"a\":\"\u212Aelvin\"}", true},
      {"minus zero", "  s: {a: 0}\n  condition: s\n", R"({"a":-0.0})", true},
      {"keyword or field", "  k: [needle]\n  s: {a: 1}\n  condition: k or s\n", R"({"z":"a needle"})", true},
  };
  for (const Row& row : rows) EXPECT_EQ(matches(load_text(rule_text(row.detection)), row.event), row.want ? 1U : 0U) << row.name;
}

TEST(Engine, FindsTheRightRulesOfMany) {
  std::string text;
  for (int i = 0; i < 500; ++i) {
    text += "title: R" + std::to_string(i) + "\nlogsource: {product: p" + std::to_string(i % 7) + "}\ndetection:\n  s: {name: n" +
            std::to_string(i) + ", kind: k" + std::to_string(i % 3) + "}\n  condition: s\n---\n";
  }
  const Loaded loaded = load_text(text);
  ASSERT_EQ(loaded.engine->rules().size(), 500U);
  EXPECT_EQ(matches(loaded, R"({"name":"n12","kind":"k0"})", {"p5", "", ""}), 1U);
  EXPECT_EQ(matches(loaded, R"({"name":"n12","kind":"k1"})", {"p5", "", ""}), 0U);
  EXPECT_EQ(matches(loaded, R"({"name":"n12","kind":"k0"})", {"p4", "", ""}), 0U);
  EXPECT_EQ(matches(loaded, R"({"name":["n3","n6","n9","N12"],"kind":"k0"})", {}), 4U);
}

TEST(Explanation, NamesSelectionsFieldsAndValues) {
  const Loaded loaded = load_text(rule_text(
      "  selection:\n    eventName: [DeleteTrail, StopLogging]\n    args|contains: trail\n  filter: {user: backup}\n  condition: selection and not filter\n"));
  Arena arena;
  const auto root = parse_json(R"({"eventName":"StopLogging","args":{"name":"my-trail"},"user":"mallory"})", arena);
  Event event;
  event.root = *root;
  const auto reasons = loaded.engine->explain(event, *loaded.engine->rules()[0].rule);
  ASSERT_EQ(reasons.size(), 3U);
  EXPECT_EQ(reasons[0].selection, "selection");
  EXPECT_EQ(reasons[0].field, "eventName");
  EXPECT_EQ(reasons[0].value, "StopLogging");
  EXPECT_EQ(reasons[1].field, "args");
  EXPECT_EQ(reasons[1].value, R"({"name":"my-trail"})");
  EXPECT_EQ(reasons[2].selection, "not filter");
  EXPECT_EQ(reasons[2].test, "not user is \"backup\"");
  EXPECT_EQ(reasons[2].value, "mallory");
  event.root = Value();
  EXPECT_TRUE(loaded.engine->explain(event, *loaded.engine->rules()[0].rule).empty());
}

TEST(Engine, IsReadByManyThreadsAtOnce) {
  const Loaded loaded = load_text(rule_text("  s:\n    f|startswith: ab\n    g|re: '[0-9]+$'\n  condition: s\n"));
  const Loaded other = load_text(rule_text("  s: {f: abc}\n  condition: s\n"));
  std::vector<std::thread> threads;
  std::atomic<int> found{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const LogSource source{"", t % 2 == 0 ? "test" : "", i % 2 == 0 ? "x" : "y"};
        found += static_cast<int>(matches(loaded, R"({"f":"ABC","g":"x1"})", source));
        found += static_cast<int>(matches(other, R"({"f":"ABC"})", source));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, 4 * 200 * 2);
}

TEST(Engine, WithoutRulesMatchesNothing) {
  const Loaded loaded = load({});
  EXPECT_EQ(matches(loaded, R"({"a":1})"), 0U);
  Event empty;
  std::vector<Match> found;
  loaded.engine->match(empty, found);
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace tocsin::rules::sigma
