// `action:` collections: what each document of a file becomes.
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

// "title: canonical", one line per rule; "rejected: code" for refusals.
std::string expanded(const std::string& text) {
  const Loaded loaded = load_text(text);
  std::string out;
  std::size_t next = 0;
  for (const Report& report : loaded.reports) {
    if (report.status == Status::kRejected) {
      out += "rejected: " + report.remarks.front().code + "\n";
      continue;
    }
    const CompiledRule& rule = loaded.engine->rules().at(next++);
    out += rule.rule->title + ": " + loaded.engine->program().canonical(rule) + "\n";
  }
  return out;
}

const std::string kGlobal = "action: global\ntitle: G\nlevel: high\nlogsource: {product: windows}\ndetection:\n  sel: {f: 1, g: 1}\n  condition: sel\n";

TEST(Collection, Expands) {
  struct Row { const char* name; std::string text; const char* want; };
  const Row rows[] = {
      {"global alone is no rule", kGlobal + "---\ntitle: A\n", "A: (f = 1 and g = 1)\n"},
      {"what a document says itself wins, maps are merged", kGlobal + "---\ntitle: A\ndetection:\n  sel: {g: 2, h: 3}\n---\ntitle: B\n",
       "A: (f = 1 and g = 2 and h = 3)\nB: (f = 1 and g = 1)\n"},
      {"what is no map is replaced", kGlobal + "---\ndetection:\n  sel: [x]\n", "G: any value like \"*x*\"\n"},
      {"reset", kGlobal + "---\ntitle: A\n---\naction: reset\n---\ntitle: B\n", "A: (f = 1 and g = 1)\nrejected: missing-logsource\n"},
      {"a second global replaces the first", kGlobal + "---\naction: global\nlogsource: {product: x}\n---\ntitle: B\ndetection: {s: {f: 9}, condition: s}\n", "B: f = 9\n"},
      {"repeat", "title: A\nlogsource: {product: x}\ndetection:\n  sel: {f: 1}\n  condition: sel\n---\naction: repeat\ntitle: B\ndetection:\n  sel: {g: 2}\n---\naction: repeat\ntitle: C\n",
       "A: f = 1\nB: (f = 1 and g = 2)\nC: (f = 1 and g = 2)\n"},
      {"global under repeat", "action: global\nlogsource: {product: x}\n---\ntitle: A\ndetection:\n  sel: {f: 1}\n  condition: sel\n---\naction: repeat\ntitle: B\n", "A: f = 1\nB: f = 1\n"},
      {"repeat of the template", kGlobal + "---\naction: repeat\ntitle: B\n", "B: (f = 1 and g = 1)\n"},
      {"repeat of nothing", "action: repeat\ntitle: B\n", "rejected: bad-action\n"},
      {"unknown action", "action: repeated\ntitle: B\n", "rejected: bad-action\n"},
      {"reset that says more", "action: reset\ntitle: B\n", "rejected: bad-action\n"},
      {"a correlation takes no part", kGlobal + "---\naction: repeat\ntitle: C\ncorrelation: {type: temporal}\n", "rejected: bad-action\n"},
      {"a template that cannot be read", "action: global\nlevel: [\n---\ntitle: B\nlogsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\n",
       "rejected: yaml-syntax\nrejected: broken-template\n"},
      {"… until it is reset", "action: global\nlevel: [\n---\naction: reset\n---\ntitle: B\nlogsource: {product: x}\ndetection: {s: {f: 1}, condition: s}\n",
       "rejected: yaml-syntax\nB: f = 1\n"},
      {"repeat of what cannot be read", "title: [\n---\naction: repeat\ntitle: B\n", "rejected: yaml-syntax\nrejected: bad-action\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(expanded(row.text), row.want) << row.name;
}

TEST(Collection, IsBounded) {
  // Two trees whose maps double at every level by aliases: merged, they would have 2^30 nodes.
  std::string one = "action: global\na0: &a0 {x: 1, y: 2}\n";
  std::string two = "---\na0: &a0 {x: 3, y: 4}\n";
  for (int i = 1; i < 30; ++i) {
    const std::string n = std::to_string(i);
    const std::string last = std::to_string(i - 1);
    one += "a" + n + ": &a" + n + " {x: *a" + last + ", y: *a" + last + "}\n";
    two += "a" + n + ": &a" + n + " {x: *a" + last + ", y: *a" + last + "}\n";
  }
  EXPECT_EQ(expanded(one + two), "rejected: too-large\n");
  EXPECT_EQ(expanded("action: global\na: &a {b: *a}\n---\na: &a {b: *a}\n"), "rejected: too-deep\n") << "circles";
}

TEST(Attributes, ThatTheSpecificationDoesNotKnowAreKept) {
  const Loaded loaded = load_text("title: A\nmine: {a: [1, 'x', true, null, 1.5]}\nregression_tests_path: p\n" + rule_text("  s: {f: 1}\n  condition: s\n").substr(17));
  ASSERT_EQ(loaded.engine->rules().size(), 1U) << code_of(loaded);
  const auto& custom = loaded.engine->rules()[0].rule->custom;
  ASSERT_EQ(custom.size(), 2U);
  EXPECT_EQ(custom[0].name, "mine");
  EXPECT_EQ(custom[0].json, R"({"a":[1,"x",true,null,1.5]})");
  EXPECT_EQ(custom[1].json, R"("p")");
}

}  // namespace
}  // namespace tocsin::rules::sigma
