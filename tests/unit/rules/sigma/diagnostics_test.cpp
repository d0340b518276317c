// What is refused, with its stable code and line; what is only warned about; hostile input.
#include <gtest/gtest.h>

#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

TEST(Refusals, HaveACodeALineAndARemedy) {
  struct Row { const char* code; int line; std::string text; };
  const auto item = [](const char* text) { return rule_text("  s:\n    " + std::string(text) + "\n  condition: s\n"); };
  const auto condition = [](const char* text) { return rule_text("  a: {f: 1}\n  b: {f: 2}\n  condition: " + std::string(text) + "\n"); };
  const Row rows[] = {
      {"unknown-modifier", 7, item("f|contians: x")},
      {"modifier-conflict", 7, item("f|contains|startswith: x")},
      {"modifier-conflict", 7, item("f|contains|base64: x")},
      {"modifier-conflict", 7, item("f|i: x")},
      {"modifier-conflict", 7, item("f|re|windash: x")},
      {"null-in-list", 7, item("f: [a, null]")},
      {"null-value", 7, item("f|contains: null")},
      {"empty-list", 7, item("f: []")},
      {"nested-map", 7, item("f: {g: 1}")},
      {"nested-list", 7, item("f: [[a]]")},
      {"bad-regex", 7, item("f|re: '(?=x)'")},
      {"bad-regex", 7, item("f|re: '('")},
      {"bad-cidr", 7, item("f|cidr: 10.0.0.1/8")},
      {"bad-cidr", 7, item("f|cidr: nothing")},
      {"bad-number", 7, item("f|gt: many")},
      {"bad-exists", 7, item("f|exists: maybe")},
      {"bad-fieldref", 7, item("f|fieldref: 'g*'")},
      {"encoded-wildcard", 7, item("f|base64: 'a*'")},
      {"short-base64offset", 7, item("f|base64offset|contains: a")},
      {"missing-placeholder", 7, item("f|expand: '%x%'")},
      {"empty-selection", 6, rule_text("  s: {}\n  condition: s\n")},
      {"empty-selection", 6, rule_text("  s:\n  condition: s\n")},
      {"duplicate-key", 8, item("f: 1\n    f: 2")},
      {"unknown-identifier", 8, condition("a and bb")},
      {"empty-selector", 8, condition("a and not 1 of filter_*")},
      {"empty-selector", 8, condition("3 of them")},
      {"condition-syntax", 8, condition("a and")},
      {"condition-syntax", 8, condition("(a")},
      {"condition-syntax", 8, condition("a b")},
      {"condition-syntax", 8, condition("1 of")},
      {"condition-syntax", 8, condition("a*")},
      {"condition-syntax", 8, condition("a & b")},
      {"condition-syntax", 8, condition("them")},
      {"aggregation", 8, condition("a | count() > 5")},
      {"aggregation", 8, condition("a near b")},
      {"missing-condition", 6, rule_text("  s: {f: 1}\n")},
      {"missing-title", 1, "logsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\n"},
      {"missing-logsource", 1, "title: x\ndetection: {s: {f: 1}, condition: s}\n"},
      {"bad-level", 2, "title: x\nlevel: extreme\nlogsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\n"},
      {"missing-rules", 4, "title: x\nlogsource: {product: x}\nfilter:\n  s: {f: 1}\n  condition: not s\n"},
      {"bad-filter", 3, "title: x\nlogsource: {product: x}\nfilter: any\n"},
      {"bad-filter", 3, "title: x\nlogsource: {product: x}\nfilter: {rules: any, condition: not s}\n"},
      {"missing-condition", 3, "title: x\nlogsource: {product: x}\nfilter: {rules: any, s: {f: 1}}\n"},
      {"mixed-document", 3, "title: x\nlogsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\nfilter: {rules: any}\n"},
      {"not-a-rule", 1, "- 1\n"},
      {"not-a-rule", 1, "# nothing\n"},
      {"not-utf8", 1, "title: \xff\n"},
      {"yaml-syntax", 2, "title: x\n bad: [\n"},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(row.text);
    ASSERT_EQ(loaded.reports.size(), 1U) << row.text;
    const Report& report = loaded.reports[0];
    ASSERT_FALSE(report.remarks.empty()) << "should be " << row.code << "\n" << row.text;
    EXPECT_EQ(report.status, Status::kRejected) << row.text;
    EXPECT_EQ(report.remarks[0].code, row.code) << row.text;
    EXPECT_EQ(report.line, row.line) << row.code << "\n" << row.text;
    EXPECT_FALSE(report.remarks[0].message.empty()) << row.code;
    EXPECT_FALSE(report.remarks[0].remedy.empty()) << row.code;
    EXPECT_TRUE(loaded.engine->rules().empty());
  }
}

TEST(Warnings, LetTheRuleLoad) {
  struct Row { const char* code; std::string text; };
  const auto item = [](const char* text) { return rule_text("  s:\n    " + std::string(text) + "\n  condition: s\n"); };
  const Row rows[] = {
      {"all-single-value", item("f|contains|all: x")},
      {"two-backslashes", item(R"(f: '\\server\share')")},
      {"lone-star", item("f: '*'")},
      {"fieldref-itself", item("f|fieldref: f")},
      {"upper-case-keyword", rule_text("  a: {f: 1}\n  b: {f: 2}\n  condition: a AND b\n")},
      {"unused-selection", rule_text("  a: {f: 1}\n  b: {f: 2}\n  condition: a\n")},
      {"empty-logsource", rule_text("  a: {f: 1}\n  condition: a\n", "definition: x")},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(row.text);
    EXPECT_EQ(loaded.count(Status::kWarning), 1U) << row.text;
    EXPECT_EQ(code_of(loaded), row.code) << row.text;
    EXPECT_EQ(loaded.engine->rules().size(), 1U) << row.code;
  }
}

TEST(Hostile, RulesEndInARefusalNotInACrash) {
  const auto rejected = [](const std::string& text) { return load_text(text).count(Status::kRejected); };
  EXPECT_EQ(rejected(rule_text("  s: " + std::string(100000, '[') + std::string(100000, ']') + "\n  condition: s\n")), 1U);
  EXPECT_EQ(rejected(rule_text("  s: {f: 1}\n  condition: " + std::string(10000, '(') + "s" + std::string(10000, ')') + "\n")), 1U);
  std::string negations;
  for (int i = 0; i < 10000; ++i) negations += "not ";
  EXPECT_EQ(rejected(rule_text("  s: {f: 1}\n  condition: " + negations + "s\n")), 1U);
  std::string bomb = "title: bomb\nlogsource: {product: x}\ndetection:\n  a0: &a0 [{f: 1}, {f: 2}]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last + "]\n";
  }
  EXPECT_EQ(rejected(bomb + "  condition: a29\n"), 1U) << "aliases that double at every level";
  EXPECT_EQ(rejected("title: x\nlogsource: {product: x}\ndetection:\n  s: &s [*s]\n  condition: s\n"), 1U);
  std::string wide;
  for (int i = 0; i < 20000; ++i) wide += "  s" + std::to_string(i) + ": {f: " + std::to_string(i) + "}\n";
  std::string selectors = "1 of s*";
  for (int i = 0; i < 1000; ++i) selectors += " or 1 of s*";
  EXPECT_EQ(rejected(rule_text(wide + "  condition: " + selectors + "\n")), 1U) << "twenty million tests";
  EXPECT_EQ(rejected(rule_text("  s: {f|re: '" + std::string(20000, 'a') + "'}\n  condition: s\n")), 1U);
  EXPECT_EQ(rejected(rule_text("  s: {f|re: '((a{1000}){1000}){1000}'}\n  condition: s\n")), 1U);
  EXPECT_EQ(rejected(std::string("title: \0x\n", 10)), 1U);
}

TEST(Hostile, LimitsAreNamed) {
  struct Row { const char* name; const char* code; const char* words; std::string text; };
  std::string million = "f: [0";
  for (int i = 1; i < 1000000; ++i) million += ",1";
  std::string values = "f: [0";
  for (int i = 1; i < 150000; ++i) values += ",1";
  std::string long_condition = "s";
  for (int i = 0; i < 14000; ++i) long_condition += " or s";
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "[";
  deep += "{f: 1}" + std::string(40, ']');
  std::string selections;
  for (int i = 0; i < 3000; ++i) selections += "  s" + std::to_string(i) + ": {f: " + std::to_string(i) + "}\n";
  std::string selectors = "1 of s*";
  for (int i = 0; i < 200; ++i) selectors += " or 1 of s*";
  std::string rules;
  for (int i = 0; i < 1001; ++i) rules += (i == 0 ? "" : ", ") + std::string("r") + std::to_string(i);
  const std::string correlation = "title: c\ncorrelation: {type: event_count, rules: [" + rules + "], timespan: 1m, condition: {gte: 1}}\n";
  const auto item = [](const std::string& text) { return rule_text("  s:\n    " + text + "\n  condition: s\n"); };
  const Row rows[] = {
      {"a million values", "too-large", "1 MiB", item(million + "]")},
      {"150,000 values", "too-large", "100,000 values", item(values + "]")},
      {"a condition of 70 kB", "too-large", "64 KiB", rule_text("  s: {f: 1}\n  condition: " + long_condition + "\n")},
      {"a deep condition", "condition-syntax", "64 levels", rule_text("  s: {f: 1}\n  condition: " + std::string(100, '(') + "s" + std::string(100, ')') + "\n")},
      {"deep lists, beyond what is read", "too-deep", "64 levels", rule_text("  s: " + std::string(100000, '[') + "\n  condition: s\n")},
      {"deep lists", "too-deep", "32 levels", rule_text("  s: " + deep + "\n  condition: s\n")},
      {"600,000 tests", "too-large", "200,000 tests", rule_text(selections + "  condition: " + selectors + "\n")},
      {"a long regular expression", "too-large", "16 KiB", item("f|re: '" + std::string(20000, 'a') + "'")},
      {"dashes before base64", "too-large", "1,000 variants", item("f|windash|base64: ' -a -b -c -d -e'")},
      {"1,001 rules in a correlation", "too-large", "1,000 rules", correlation},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(row.text);
    ASSERT_EQ(loaded.reports.size(), 1U) << row.name;
    ASSERT_FALSE(loaded.reports[0].remarks.empty()) << row.name;
    EXPECT_EQ(loaded.reports[0].status, Status::kRejected) << row.name;
    EXPECT_EQ(loaded.reports[0].remarks[0].code, row.code) << row.name;
    EXPECT_NE(loaded.reports[0].remarks[0].message.find(row.words), std::string::npos) << row.name << ": " << loaded.reports[0].remarks[0].message;
  }
  LoadOptions options;
  for (int i = 0; i < 200; ++i) options.placeholders["p"].push_back("v" + std::to_string(i));
  EXPECT_EQ(code_of(load_item("f|expand: '%p%%p%'", options)), "too-large") << "40,000 variants";
}

}  // namespace
}  // namespace tocsin::rules::sigma
