// Loading: what a row must carry, what is refused and with which words; facts documents; playbooks.
#include "rules/law/pack.hpp"

#include <gtest/gtest.h>

#include "rules/law/assess.hpp"
#include "rules/law/playbook.hpp"

namespace tocsin::rules::law {
namespace {

// One sound row; tests replace a part of it.
constexpr const char* kSound = R"(pack: test
law: TEST
title: a law
anchors: [aware]
facts:
  personal_data: {ask: "About people?"}
duties:
  - id: test.1
    title: Tell somebody
    citation: Act 1, section 2
    quote: within a day
    source_url: https://example.org/act
    verified_on: null
    unverified: {basis: T, seen: 2026-11-23}
    confidence: H
    conflicts: []
    in_force_from: 2020-01-01
    towards: somebody
    anchor: aware
    when: personal_data
    hard: {hours: 24}
)";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + std::string(from));
  return text.replace(at, from.size(), to);
}

Result<Pack> load_text(const std::string& text) {
  const Source source{"test.yaml", text};
  return load({&source, 1});
}

TEST(LawPack, ASoundRowLoads) {
  const auto pack = load_text(kSound);
  ASSERT_TRUE(pack) << pack.error().text();
  EXPECT_EQ(pack->rows.at(0).when.text(), "personal_data");
  EXPECT_EQ(pack->rows.at(0).hard->length, std::chrono::hours(24));
}

TEST(LawPack, RefusesWhatARowMustNotLack) {
  struct Case {
    const char* name;
    const char* from;
    const char* to;
    const char* says;
  };
  const Case cases[] = {
      {"no citation", "    citation: Act 1, section 2\n", "", "needs 'citation'"},
      {"empty quote", "quote: within a day", "quote: ''", "needs 'quote'"},
      {"no confidence", "    confidence: H\n", "", "needs 'confidence'"},
      {"bad confidence", "confidence: H", "confidence: X", "must be H, M or L"},
      {"no conflicts", "    conflicts: []\n", "", "needs 'conflicts'"},
      {"open conflict at H", "conflicts: []", "conflicts: [{claim: a, source: b, seen_on: 2026-01-01, resolution: ''}]", "cannot have confidence H"},
      {"clock at L", "confidence: H", "confidence: L", "must not run a clock"},
      {"no verification mark", "    unverified: {basis: T, seen: 2026-11-23}\n", "", "loads only with 'unverified"},
      {"no verified_on", "    verified_on: null\n", "", "needs 'verified_on'"},
      {"verified by nobody", "verified_on: null\n    unverified: {basis: T, seen: 2026-11-23}", "verified_on: 2026-11-23", "needs 'verified_by'"},
      {"bad basis", "basis: T", "basis: Q", "'basis' must be"},
      {"unknown fact", "when: personal_data", "when: personal_datum", "is not defined as a fact"},
      {"unknown anchor", "anchor: aware", "anchor: awake", "is not defined under 'anchors'"},
      {"unknown key", "towards:", "toward:", "did you mean 'towards'"},
      {"unknown country group", "when: personal_data", "when: {residents: {of: MARS, at_least: 1}}", "neither a country nor a group"},
      {"business days", "hard: {hours: 24}", "hard: {business_days: 4}", "calendar"},
      {"no hours", "hard: {hours: 24}", "hard: {hours: 0}", "1 to 8784"},
      {"bad day", "in_force_from: 2020-01-01", "in_force_from: 2020-13-01", "must be a day"},
      {"two-key condition", "when: personal_data", "when: {all: [personal_data], any: [personal_data]}", "a condition is"},
      {"not a mapping", "pack: test", "- pack: test", "must be a mapping"},
  };
  for (const auto& c : cases) {
    const auto pack = load_text(replaced(kSound, c.from, c.to));
    ASSERT_FALSE(pack) << c.name;
    EXPECT_NE(pack.error().text().find(c.says), std::string::npos) << c.name << ": " << pack.error().text();
    EXPECT_EQ(pack.error().where.rfind("test.yaml", 0), 0U) << c.name << ": " << pack.error().where;
  }
}

TEST(LawPack, ErrorsNameTheLine) {
  const auto pack = load_text(replaced(kSound, "confidence: H", "confidence: X"));
  ASSERT_FALSE(pack);
  EXPECT_EQ(pack.error().where, "test.yaml:15");
}

TEST(LawPack, DerivedFactsMustNotGoInCircles) {
  const auto pack = load_text(std::string(kSound) + "derived:\n  a: {not: b}\n  b: {all: [a]}\n");
  ASSERT_FALSE(pack);
  EXPECT_NE(pack.error().message.find("circle"), std::string::npos);
}

TEST(LawPack, DepthAndSizeAreLimited) {
  std::string deep = "personal_data";
  for (int i = 0; i < 30; ++i) deep = "{not: " + deep + "}";
  const auto pack = load_text(replaced(kSound, "when: personal_data", "when: " + deep));
  ASSERT_FALSE(pack);
  EXPECT_EQ(pack.error().code, Errc::kTooLarge);
  // Aliases multiply: ten lines that would be ten thousand million parts.
  std::string bomb = std::string(kSound) + "derived:\n  x0: &x0 {all: [personal_data, personal_data]}\n";
  for (int i = 1; i < 10; ++i) {
    const std::string prev = "*x" + std::to_string(i - 1);
    bomb += "  x" + std::to_string(i) + ": &x" + std::to_string(i) + " {all: [" + prev + "," + prev + "," + prev + "," + prev + "]}\n";
  }
  EXPECT_FALSE(load_text(bomb));
}

TEST(LawPack, ProposedLawNeverRuns) {
  const auto pack = load_text(replaced(kSound, "    towards:", "    status: proposed\n    towards:"));
  ASSERT_TRUE(pack) << pack.error().text();
  Facts facts;
  facts.answers["personal_data"] = Tri::kYes;
  const Assessment a = assess(facts, *pack);
  EXPECT_EQ(a.duties.at(0).applies, Tri::kNo);
  EXPECT_NE(a.duties.at(0).why.find("proposed"), std::string::npos);
}

TEST(LawPack, PeopleThresholdsBiteOnTheExactValue) {
  const auto pack = load_text(replaced(kSound, "when: personal_data", "when: {people: {at_least: 500}}"));
  ASSERT_TRUE(pack) << pack.error().text();
  const auto answer = [&](Count count) {
    Facts facts;
    facts.people = count;
    return assess(facts, *pack).duties.at(0).applies;
  };
  EXPECT_EQ(answer({499, 499}), Tri::kNo);
  EXPECT_EQ(answer({500, 500}), Tri::kYes);
  EXPECT_EQ(answer({501, std::nullopt}), Tri::kYes);
  EXPECT_EQ(answer({499, 500}), Tri::kUnknown);
  EXPECT_EQ(answer({0, std::nullopt}), Tri::kUnknown);
}

TEST(FactsDocument, YamlAndJsonReadTheSame) {
  const auto yaml = read_facts(R"(facts: {personal_data: yes, high_risk: unknown, controller: ~}
times: {aware: "2026-11-20T16:40:00+01:00"}
people: {at_least: 40, at_most: 200}
countries: {DE: 30, NO: {at_least: 1}}
data: [name, email]
data_complete: yes
)", "facts.yaml");
  const auto json = read_facts(R"({"facts": {"personal_data": true, "high_risk": "unknown", "controller": null},
 "times": {"aware": "2026-11-20T15:40:00Z"}, "people": {"at_least": 40, "at_most": 200},
 "countries": {"DE": 30, "NO": {"at_least": 1}}, "data": ["name", "email"], "data_complete": true})", "facts.json");
  ASSERT_TRUE(yaml) << yaml.error().text();
  ASSERT_TRUE(json) << json.error().text();
  for (const auto* f : {&*yaml, &*json}) {
    EXPECT_EQ(f->answer("personal_data"), Tri::kYes);
    EXPECT_EQ(f->answer("high_risk"), Tri::kUnknown);
    EXPECT_EQ(f->answer("never heard of"), Tri::kUnknown);
    EXPECT_EQ(format_rfc3339(f->times.at("aware")), "2026-11-20T15:40:00Z");
    EXPECT_EQ(f->people->at_most, 200U);
    EXPECT_EQ(f->countries.at("DE").at_most, 30U);
    EXPECT_FALSE(f->countries.at("NO").at_most);
    EXPECT_TRUE(f->data_complete);
    EXPECT_EQ(f->data.size(), 2U);
  }
}

TEST(FactsDocument, MistakesAreNamed) {
  struct Case {
    const char* text;
    const char* says;
  };
  const Case cases[] = {
      {"facts: {a: perhaps}", "must be yes, no or unknown"},
      {"times: {aware: 2026-11-20}", "with its zone"},
      {"people: {at_least: 5, at_most: 4}", "below"},
      {"people: many", "whole number"},
      {"countries: {de: 4}", "two capital letters"},
      {"persons: 4", "unknown key 'persons'"},
      {"identification: {value: 9, reason: x}", "must be 1, 2, 3 or 4"},
      {"identification: {value: 2}", "needs 'reason'"},
      {"[1, 2", "not readable as YAML"},
  };
  for (const auto& c : cases) {
    const auto facts = read_facts(c.text, "f");
    ASSERT_FALSE(facts) << c.text;
    EXPECT_NE(facts.error().text().find(c.says), std::string::npos) << c.text << ": " << facts.error().text();
  }
}

TEST(Playbook, TheBuiltInOneIsSoundAndServesExistingDuties) {
  const auto playbook = load_built_in_playbook();
  ASSERT_TRUE(playbook) << playbook.error().text();
  EXPECT_GE(playbook->tasks.size(), 10U);
  const auto pack = load_built_in();
  ASSERT_TRUE(pack) << pack.error().text();
  for (const auto& task : playbook->tasks) {
    if (task.duty.empty()) continue;
    EXPECT_TRUE(std::any_of(pack->rows.begin(), pack->rows.end(), [&](const Row& r) { return r.id == task.duty; })) << task.duty;
  }
}

TEST(Playbook, RefusesIncompleteTasks) {
  const std::string sound = "playbook: p\ntitle: t\nversion: '1'\ntasks:\n"
      "  - {key: k, title: t, detail: d, owner: admin, due: {after: aware, within: 24h}, proof: p, phase: 'Respond'}\n";
  ASSERT_TRUE(load_playbook({"p.yaml", sound}));
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"proof: p, ", ""}, {"owner: admin", "owner: nobody"}, {"after: aware", "after: lunch"}, {"24h", "24"},
           {"24h", "-1h"}, {"tasks:", "tasks: []\nx:"}}) {
    EXPECT_FALSE(load_playbook({"p.yaml", replaced(sound, from, to)})) << from << " → " << to;
  }
}

}  // namespace
}  // namespace tocsin::rules::law
