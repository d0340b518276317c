// The shapes of a detection and the grammar of conditions, seen in the canonical text of the compiled rule.
#include <gtest/gtest.h>

#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

TEST(Shapes, BecomeOneTree) {
  struct Row { const char* name; const char* detection; const char* want; };
  const Row rows[] = {
      {"map is AND", "  s:\n    a: 1\n    b: x\n  condition: s\n", R"((a = 1 and b is "x"))"},
      {"list of maps is OR", "  s:\n    - a: 1\n    - b: x\n  condition: s\n", R"((a = 1 or b is "x"))"},
      {"list of values is OR", "  s:\n    a: [x, Y]\n  condition: s\n", R"((a is "x" or a is "y"))"},
      {"many values are one look-up", "  s:\n    a: [d, C, b, a]\n  condition: s\n", R"(a in ["a", "b", "c", "d"])"},
      {"all is AND", "  s:\n    a|contains|all: [x, y]\n  condition: s\n", R"((a like "*x*" and a like "*y*"))"},
      {"keywords", "  s: [x, y]\n  condition: s\n", R"((any value like "*x*" or any value like "*y*"))"},
      {"one keyword", "  s: x\n  condition: s\n", R"(any value like "*x*")"},
      {"maps and keywords mixed", "  s:\n    - x\n    - a: 1\n  condition: s\n", R"((a = 1 or any value like "*x*"))"},
      {"lists in a list", "  s:\n    - - a: 1\n      - a: 2\n    - b: 3\n  condition: s\n", "(a = 1 or a = 2 or b = 3)"},
      {"neq", "  s:\n    a|neq: [x, y]\n  condition: s\n", R"(not (a is "x" or a is "y"))"},
      {"precedence", "  a: {f: 1}\n  b: {f: 2}\n  c: {f: 3}\n  condition: a or not b and c\n", "(f = 1 or (not f = 2 and f = 3))"},
      {"parentheses need no blanks", "  a: {f: 1}\n  b: {f: 2}\n  condition: not(a or b)\n", "not (f = 1 or f = 2)"},
      {"double negation", "  a: {f: 1}\n  condition: not not a\n", "not not f = 1"},
      {"names that begin with keywords", "  notepad: {f: 1}\n  and_x: {f: 2}\n  condition: notepad and and_x\n", "(f = 1 and f = 2)"},
      {"1 of", "  s_a: {f: 1}\n  s_b: {f: 2}\n  t: {f: 3}\n  condition: 1 of s_*\n", "(f = 1 or f = 2)"},
      {"any of", "  s_a: {f: 1}\n  s_b: {f: 2}\n  condition: any of s_*\n", "(f = 1 or f = 2)"},
      {"all of them leaves out hidden ones", "  a: {f: 1}\n  b: {g: 2}\n  _c: {f: 3}\n  condition: all of them\n", "(f = 1 and g = 2)"},
      {"2 of", "  a: {f: 1}\n  b: {f: 2}\n  c: {f: 3}\n  condition: 2 of them\n", "2 of (f = 1, f = 2, f = 3)"},
      {"star inside a pattern", "  s_a_x: {f: 1}\n  s_b_x: {f: 2}\n  s_b_y: {f: 3}\n  condition: all of s_*_x\n", "(f = 1 and f = 2)"},
      {"a list of conditions is OR", "  a: {f: 1}\n  b: {f: 2}\n  condition: [a, b]\n", "(f = 1 or f = 2)"},
      {"odd identifiers, reached by a pattern", "  sel_x.conf: {f: 1}\n  'sel_y|z': {f: 2}\n  condition: 1 of sel_*\n", "(f = 1 or f = 2)"},
      {"types of plain scalars", "  s:\n    a: 0x10\n    b: '16'\n    c: yes\n    d: 1e3\n    e: ~\n  condition: s\n",
       R"((a = 16 and b is "16" and c is "yes" and d = 1000 and e is null))"},
      {"cheap tests come first", "  s:\n    a|re: x\n    b|contains: y\n    c: z\n  condition: s\n", R"((c is "z" and b like "*y*" and a re /x/))"},
  };
  for (const Row& row : rows) EXPECT_EQ(canonical(load_text(rule_text(row.detection))), row.want) << row.name;
}

TEST(Rule, KeepsItsDescription) {
  const Loaded loaded = load_text(
      "title: ' A title '\nid: 11111111-2222-4333-8444-555555555555\nname: a_name\nstatus: test\nlevel: HIGH\n"
      "author: Somebody\ntags: [attack.exfiltration]\nreferences:\n  - https://example.org\nfalsepositives: [Backups]\n"
      "custom: {any: thing}\nlogsource: {product: AWS, service: cloudtrail, definition: none}\n"
      "detection: {s: {f: 1}, condition: s}\n");
  ASSERT_EQ(loaded.engine->rules().size(), 1U) << code_of(loaded);
  const Rule& rule = *loaded.engine->rules().front().rule;
  EXPECT_EQ(rule.title, "A title");
  EXPECT_EQ(rule.level, Level::kHigh);
  EXPECT_EQ(rule.author, "Somebody");
  EXPECT_EQ(rule.product, "aws");
  EXPECT_EQ(rule.tags, std::vector<std::string>{"attack.exfiltration"});
  EXPECT_EQ(rule.falsepositives, std::vector<std::string>{"Backups"});
  EXPECT_EQ(rule.key(), rule.id);
}

TEST(Documents, MayBeginOnTheLineOfTheirMarker) {
  const Loaded loaded = load_text("--- {title: A, logsource: {product: x}, detection: {s: {f: 1}, condition: s}}\n--- # second\n"
                                  "title: B\nlogsource: {product: x}\ndetection: {s: {f: 2}, condition: s}\n...\n");
  ASSERT_EQ(loaded.engine->rules().size(), 2U) << code_of(loaded);
  EXPECT_EQ(loaded.engine->rules()[0].rule->line, 1);
  EXPECT_EQ(loaded.engine->rules()[1].rule->line, 3);
  EXPECT_EQ(load_text("title: A\n...\ntitle: B\n").reports.at(0).remarks.at(0).code, "yaml-syntax") << "a second document without its marker";
}

TEST(Documents, OneWithAMistakeLeavesTheOthers) {
  const std::string good = rule_text("  s: {f: 1}\n  condition: s\n");
  const Loaded loaded = load_text(good + "---\ntitle: [broken\n---\n" + good + "---\n# nothing\n---\ntitle: No detection\nlogsource: {product: x}\n");
  ASSERT_EQ(loaded.reports.size(), 4U);
  EXPECT_EQ(loaded.engine->rules().size(), 2U);
  EXPECT_EQ(loaded.reports[1].status, Status::kRejected);
  EXPECT_EQ(loaded.reports[1].remarks[0].code, "yaml-syntax");
  EXPECT_GE(loaded.reports[1].line, 9);
  EXPECT_EQ(loaded.reports[2].remarks[0].code, "duplicate-id");
  EXPECT_EQ(loaded.reports[3].remarks[0].code, "missing-detection");
}

}  // namespace
}  // namespace tocsin::rules::sigma
