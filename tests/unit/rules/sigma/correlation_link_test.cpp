// What correlations refer to: found in any order of loading, or refused by name.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/rules/sigma/sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string rule(std::string_view name, std::string_view value = "1") {
  return "title: " + std::string(name) + "\nname: " + std::string(name) + "\nlogsource: {category: test}\ndetection: {s: {f: " + std::string(value) + "}, condition: s}\n---\n";
}

// A correlation over `rules` ("[a, b]"); `rest` are further lines of the section.
std::string correlation(std::string_view name, std::string_view rules, std::string_view type = "event_count",
                        std::string_view rest = "condition: {gte: 2}") {
  return "title: " + std::string(name) + "\nname: " + std::string(name) + "\ncorrelation:\n  type: " + std::string(type) + "\n  rules: " + std::string(rules) +
         "\n  timespan: 1m\n  " + std::string(rest) + "\n---\n";
}

std::string without_end(std::string text) { return text.substr(0, text.size() - 4); }

const Report* report_of(const Loaded& loaded, std::string_view name) {
  for (const Report& report : loaded.reports) {
    if (report.title == name) return &report;
  }
  return nullptr;
}

std::string code_for(const Loaded& loaded, std::string_view name) {
  const Report* report = report_of(loaded, name);
  if (report == nullptr) return "no report";
  return report->remarks.empty() ? "" : report->remarks.front().code;
}

TEST(CorrelationLink, ReferencesAreFoundInAnyOrderOfLoading) {
  const std::string parts[] = {rule("a"), rule("b", "2"), correlation("low", "[a, b]"), correlation("high", "[low, a]", "temporal", "group-by: [x]")};
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    std::string text;
    for (const std::size_t i : order) text += parts[i];
    const Loaded loaded = load_text(without_end(text));
    ASSERT_EQ(loaded.count(Status::kOk), 4U) << code_of(loaded);
    ASSERT_EQ(loaded.engine->correlations().size(), 2U);
    for (const CompiledCorrelation& one : loaded.engine->correlations()) {
      ASSERT_EQ(one.inputs.size(), 2U);
      const bool low = one.rule->name == "low";
      EXPECT_EQ(one.inputs[0].correlation, !low);
      EXPECT_EQ(one.silent, low) << "what feeds another correlation has no alert of its own";
      const auto& first = one.inputs[0];
      const std::string found = first.correlation ? loaded.engine->correlations()[first.index].rule->name : loaded.engine->rules()[first.index].rule->name;
      EXPECT_EQ(found, low ? "a" : "low");
      EXPECT_EQ(one.fingerprint.size(), 32U);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(CorrelationLink, WhatCannotBeResolvedIsRefusedByNameAndTheRestLoads) {
  struct Case {
    const char* name;
    std::string text;
    const char* code;
    const char* says;
  };
  const Case cases[] = {
      {"unknown", rule("a") + correlation("c", "[a, nobody]"), "unknown-rule-reference", "'nobody'"},
      {"two of that name", rule("a") + rule("a", "2") + correlation("c", "[a]"), "ambiguous-rule-reference", "2 rules"},
      {"itself", rule("a") + correlation("c", "[c, a]", "temporal", "group-by: [x]"), "correlation-cycle", "itself"},
      {"a circle", rule("a") + correlation("c", "[d]") + correlation("d", "[c]"), "correlation-cycle", "itself"},
      {"leans on a circle", rule("a") + correlation("c", "[d]") + correlation("d", "[e]") + correlation("e", "[d]"), "rejected-rule-reference", "'d'"},
      {"a rejected rule", "title: a\nid: 00000000-0000-4000-8000-00000000000a\nlogsource: {category: t}\ndetection: {s: {f|nonsense: 1}, condition: s}\n---\n" +
           correlation("c", "[00000000-0000-4000-8000-00000000000a]"), "rejected-rule-reference", "00000000-0000-4000-8000-00000000000a"},
      {"a rejected correlation", rule("a") + correlation("d", "[nobody]") + correlation("c", "[d, a]"), "rejected-rule-reference", "'d'"},
      {"order without a growing count", rule("a") + rule("b") + correlation("c", "[a, b]", "temporal_ordered", "condition: {lt: 2}"), "bad-correlation", "gte"},
  };
  for (const Case& one : cases) {
    const Loaded loaded = load_text(without_end(one.text));
    const Report* report = report_of(loaded, "c");
    ASSERT_NE(report, nullptr) << one.name;
    EXPECT_EQ(report->status, Status::kRejected) << one.name;
    EXPECT_EQ(code_for(loaded, "c"), one.code) << one.name;
    EXPECT_NE(report->text().find(one.says), std::string::npos) << report->text();
    EXPECT_FALSE(report->remarks.front().remedy.empty()) << one.name;
    EXPECT_GT(report->line, 0) << one.name;
    if (report_of(loaded, "a")->status == Status::kOk) {
      EXPECT_GE(loaded.engine->rules().size(), 1U) << one.name;
    }
    EXPECT_TRUE(std::none_of(loaded.engine->correlations().begin(), loaded.engine->correlations().end(), [](const auto& c) { return c.rule->name == "c"; })) << one.name;
  }
}

TEST(CorrelationLink, ARuleIsSilentUnlessACorrelationOverItSaysGenerate) {
  const auto silent = [](std::string text) {
    const Loaded loaded = load_text(without_end(std::move(text)));
    Arena arena;
    Event event;
    event.root = *parse_json(R"({"f":1})", arena);
    std::vector<Match> found;
    loaded.engine->match(event, found);
    return found.size() == 1 && found.front().silent;
  };
  EXPECT_FALSE(silent(rule("a")));
  EXPECT_TRUE(silent(rule("a") + correlation("c", "[a]")));
  EXPECT_FALSE(silent(rule("a") + correlation("c", "[a]", "event_count", "condition: {gte: 2}\n  generate: true")));
  EXPECT_FALSE(silent(rule("a") + correlation("c", "[a]") + correlation("d", "[a]", "event_count", "condition: {gte: 2}\n  generate: true")));
  EXPECT_FALSE(silent(rule("a") + correlation("c", "[a, nobody]"))) << "a refused correlation must not silence the rule";
}

TEST(CorrelationLink, ExpressionsAreOverTheRulesAndSayWhetherAWindowMustBeWhole) {
  const Loaded loaded = load_text(without_end(rule("a") + rule("b", "2") + rule("c", "3") + correlation("plain", "[a, b, c]", "temporal", "condition: a and (b or c)") +
                                              correlation("absent", "[a, b]", "temporal", "condition: a and not b")));
  ASSERT_EQ(loaded.engine->correlations().size(), 2U) << code_of(loaded);
  const CompiledCorrelation& plain = loaded.engine->correlations()[0];
  EXPECT_FALSE(plain.whole_windows);
  EXPECT_TRUE(holds(plain.expression, 0b011));
  EXPECT_TRUE(holds(plain.expression, 0b101));
  EXPECT_FALSE(holds(plain.expression, 0b110));
  EXPECT_FALSE(holds(plain.expression, 0b001));
  const CompiledCorrelation& absent = loaded.engine->correlations()[1];
  EXPECT_TRUE(absent.whole_windows);
  EXPECT_TRUE(holds(absent.expression, 0b01));
  EXPECT_FALSE(holds(absent.expression, 0b11));
  EXPECT_FALSE(holds(absent.expression, 0b10));
}

TEST(CorrelationLink, TheFingerprintChangesWithMeaningAndOnlyWithMeaning) {
  const auto print = [](std::string text) {
    const Loaded loaded = load_text(without_end(std::move(text)));
    return loaded.engine->correlations().empty() ? code_of(loaded) : loaded.engine->correlations().back().fingerprint;
  };
  const std::string before = print(rule("a") + correlation("c", "[a]"));
  EXPECT_EQ(before.size(), 32U);
  EXPECT_EQ(before, print("title: other\nlogsource: {category: test}\ndetection: {s: {g: 1}, condition: s}\n---\n" + rule("a") + correlation("c", "[a]")));
  EXPECT_EQ(before, print(rule("a") + "level: high\n" + correlation("c", "[a]")));
  EXPECT_NE(before, print(rule("a", "2") + correlation("c", "[a]"))) << "the rule it refers to has changed";
  EXPECT_NE(before, print(rule("a") + correlation("c", "[a]", "event_count", "condition: {gte: 3}")));
  EXPECT_NE(before, print(rule("a") + correlation("c", "[a]", "event_count", "condition: {gte: 2}\n  group-by: [u]")));
  const std::string chain = print(rule("a") + correlation("low", "[a]") + correlation("c", "[low]"));
  EXPECT_NE(chain, print(rule("a", "2") + correlation("low", "[a]") + correlation("c", "[low]"))) << "through a chain too";
}

}  // namespace
}  // namespace tocsin::rules::sigma
