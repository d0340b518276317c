// Array matching: which elements must satisfy what, positions, and where the old meaning of brackets stays.
#include "rules/sigma/array.hpp"
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string rule(const std::string& body, const std::string& version = "sigma-version: 3\n") {
  return "title: T\n" + version + "logsource: {category: test}\ndetection:\n  s:\n" + body + "  condition: s\n";
}

TEST(Arrays, ElementsMustSatisfyTheBlockTogether) {
  struct Row { const char* name; const char* body; const char* event; bool want; };
  const Row rows[] = {
      {"any: one element has all", "    c[any]: {p: tcp, ip|cidr: 10.0.0.0/8}\n", R"({"c":[{"p":"udp","ip":"1.1.1.1"},{"p":"TCP","ip":"10.1.1.1"}]})", true},
      {"any: two elements have half each", "    c[any]: {p: tcp, ip|cidr: 10.0.0.0/8}\n", R"({"c":[{"p":"udp","ip":"10.1.1.1"},{"p":"tcp","ip":"1.1.1.1"}]})", false},
      {"without brackets any member of each", "    c.p: tcp\n    c.ip|cidr: 10.0.0.0/8\n", R"({"c":[{"p":"udp","ip":"10.1.1.1"},{"p":"tcp","ip":"1.1.1.1"}]})", true},
      {"sibling scopes are independent", "    c[any].p: tcp\n    c[any].ip|cidr: 10.0.0.0/8\n", R"({"c":[{"p":"udp","ip":"10.1.1.1"},{"p":"tcp","ip":"1.1.1.1"}]})", true},
      {"any: empty", "    c[any]: {p: tcp}\n", R"({"c":[]})", false},
      {"any: missing", "    c[any]: {p: null}\n", R"({"d":1})", false},
      {"any: null", "    c[any]: {p: null}\n", R"({"c":null})", false},
      {"any: an element without the field", "    c[any]: {p: null}\n", R"({"c":[{"p":1},{"q":1}]})", true},
      {"an object is one element", "    c[any]: {p: tcp}\n", R"({"c":{"p":"tcp"}})", true},
      {"all", "    c[all]: {p: tcp}\n", R"({"c":[{"p":"tcp"},{"p":"tcp","q":1}]})", true},
      {"all: not one", "    c[all]: {p: tcp}\n", R"({"c":[{"p":"tcp"},{"p":"udp"}]})", false},
      {"all: empty", "    c[all]: {p: tcp}\n", R"({"c":[]})", false},
      {"all_or_empty: empty", "    c[all_or_empty]: {p: tcp}\n", R"({"c":[]})", true},
      {"all_or_empty: missing", "    c[all_or_empty]: {p: tcp}\n", R"({"d":1})", true},
      {"all_or_empty: not one", "    c[all_or_empty]: {p: tcp}\n", R"({"c":[{"p":"udp"}]})", false},
      {"none", "    c[none]: {p: tcp}\n", R"({"c":[{"p":"udp"}]})", true},
      {"none: one", "    c[none]: {p: tcp}\n", R"({"c":[{"p":"udp"},{"p":"tcp"}]})", false},
      {"none: null", "    c[none]: {p: tcp}\n", R"({"c":null})", true},
      {"scalars: all", "    t[all]|startswith: x\n", R"({"t":["xa","xb"]})", true},
      {"scalars: not all", "    t[all]|startswith: x\n", R"({"t":["xa","yb"]})", false},
      {"scalars: one value in place of an array", "    t[all]|startswith: x\n", R"({"t":"xa"})", true},
      {"scalars: a list of values is OR", "    t[all]: [a, b]\n", R"({"t":["a","b","A"]})", true},
      {"scalars: neq of each", "    t[all]|neq: a\n", R"({"t":["b","a"]})", false},
      {"the element itself", "    n[any]: {.|gte: 5, .|lt: 7}\n", R"({"n":[1,9]})", false},
      {"the element itself, twice satisfied by one", "    n[any]: {.|gte: 5, .|lt: 7}\n", R"({"n":[1,6]})", true},
      {"position", "    a[0]: x\n", R"({"a":["x","y"]})", true},
      {"position: another", "    a[0]: y\n", R"({"a":["x","y"]})", false},
      {"position from the end", "    a[-1]: y\n", R"({"a":["x","y"]})", true},
      {"position out of range is absent", "    a[2]: null\n", R"({"a":["x","y"]})", true},
      {"position of what is no array is absent", "    a[0]|exists: true\n", R"({"a":"x"})", false},
      {"a name after a position", "    a[1].b.c: 5\n", R"({"a":[{},{"b":{"c":5}}]})", true},
      {"a literal name after a position", "    a[0].b.c: 5\n", R"({"a":[{"b.c":5}]})", true},
      {"position of a position", "    a[1][0]: 3\n", R"({"a":[[1,2],[3]]})", true},
      {"quantifier under a path", "    x.y[any]: {k: 1}\n", R"({"x":{"y":[{"k":1}]}})", true},
      {"quantifier under a literal name", "    x.y[any]: {k: 1}\n", R"({"x.y":[{"k":1}]})", true},
      {"arrays below arrays are one", "    x.y[all]: {k: 1}\n", R"({"x":[{"y":[{"k":1}]},{"y":[{"k":2}]}]})", false},
      {"nested blocks", "    e[any]: {name: a, 'p[any]': {n: k, v: 1}}\n", R"({"e":[{"name":"a","p":[{"n":"k","v":2}]},{"name":"b","p":[{"n":"k","v":1}]}]})", false},
      {"nested blocks, found", "    e[any]: {name: a, 'p[any]': {n: k, v: 1}}\n", R"({"e":[{"name":"a","p":[{"n":"z"},{"n":"k","v":1}]}]})", true},
      {"quantifiers in one key", "    e[any].p[all].v: 1\n", R"({"e":[{"p":[{"v":1},{"v":2}]},{"p":[{"v":1}]}]})", true},
      {"quantifier on a quantifier", "    m[any][all]: 1\n", R"({"m":[[1,2],[1,1]]})", true},
      {"position inside a block", "    e[any]: {'a[0]': 1}\n", R"({"e":[{"a":[2,1]},{"a":[1]}]})", true},
      {"position of the element", "    m[any][0]: 3\n", R"({"m":[[1,3],[3,1]]})", true},
      {"a list of maps is OR", "    c[any]: [{p: a}, {q: b}]\n", R"({"c":[{"q":"b"}]})", true},
      {"maps and values mixed", "    c[any]: [{p: a}, z]\n", R"({"c":["z"]})", true},
      {"extended form", "    c[any]:\n      s1: {p: tcp}\n      s2: {port: 22}\n      condition: s1 and not s2\n", R"({"c":[{"p":"tcp","port":22},{"p":"tcp","port":23}]})", true},
      {"extended form, none fits", "    c[any]:\n      s1: {p: tcp}\n      s2: {port: 22}\n      condition: s1 and not s2\n", R"({"c":[{"p":"tcp","port":22},{"p":"udp","port":23}]})", false},
      {"extended form with a pattern", "    c[any]:\n      s1: {p: tcp}\n      s2: {port: 22}\n      condition: all of s*\n", R"({"c":[{"p":"tcp","port":22}]})", true},
      {"extended form with keywords of the element", "    c[any]:\n      words: [evil]\n      ok: {p: tcp}\n      condition: words and ok\n", R"({"c":[{"p":"tcp","x":"y"},{"p":"tcp","x":"very evil"}],"d":1})", true},
      {"keywords of another element do not count", "    c[any]:\n      words: [evil]\n      ok: {p: tcp}\n      condition: words and ok\n", R"({"c":[{"p":"tcp","x":"y"},{"p":"udp","x":"very evil"}],"d":1})", false},
      {"fieldref within one element", "    c[any]: {a|fieldref: b}\n", R"({"c":[{"a":1,"b":2},{"a":2,"b":1}]})", false},
      {"fieldref within one element, equal", "    c[any]: {a|fieldref: b}\n", R"({"c":[{"a":1,"b":2},{"a":2,"b":2}]})", true},
      {"escaped brackets are a name", "    'a\\[0\\]': 1\n", R"({"a[0]":1})", true},
      {"a null element", "    c[any]: null\n", R"({"c":[1,null]})", true},
      {"all is not the modifier", "    c[all]|contains|all: [a, b]\n", R"({"c":["ab","bca"]})", true},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(rule(row.body));
    EXPECT_EQ(loaded.count(Status::kRejected), 0U) << row.name << ": " << loaded.reports[0].text();
    EXPECT_EQ(matches(loaded, row.event), row.want ? 1U : 0U) << row.name << "\n" << canonical(loaded) << "\n" << row.event;
  }
}

TEST(Arrays, ShowTheirCanonicalText) {
  EXPECT_EQ(canonical(load_text(rule("    c[any]: {p: tcp, 'a[0].x': 1}\n    t[all]|contains: z\n"))), R"((c[any] (p is "tcp" and a[0].x = 1) and t[all] . like "*z*"))");
}

TEST(Arrays, NeedVersionThree) {
  for (const char* const version : {"", "sigma-version: 2\n", "sigma-version: '2.1'\n"}) {
    EXPECT_EQ(canonical(load_text(rule("    c[any]: 1\n", version))), "c[any] = 1") << version << "brackets are part of the name";
  }
  for (const char* const version : {"sigma-version: 3\n", "sigma-version: '3.0'\n", "sigma-version: 4\n"}) {
    EXPECT_EQ(canonical(load_text(rule("    c[any]: 1\n", version))), "c[any] . = 1") << version;
  }
}

TEST(Arrays, RefuseWhatHasNoMeaning) {
  struct Row { const char* code; const char* body; };
  const Row rows[] = {
      {"bad-array-key", "    c[some]: 1\n"},      {"bad-array-key", "    c[any: 1\n"},       {"bad-array-key", "    c]: 1\n"},
      {"bad-array-key", "    '[any]': 1\n"},      {"bad-array-key", "    c[any]x: 1\n"},     {"bad-array-key", "    c[any].: 1\n"},
      {"bad-array-key", "    '.[0]': 1\n"},       {"bad-array-key", "    c[1.5]: 1\n"},      {"nested-map", "    c[0]: {a: 1}\n"},
      {"modifier-conflict", "    c[any]|contains: {a: 1}\n"},                                {"empty-list", "    c[any]: []\n"},
      {"empty-selection", "    c[any]: {}\n"},    {"nested-list", "    c[any]: [[1]]\n"},    {"empty-selection", "    c[any]: {condition: s}\n"},
      {"unknown-identifier", "    c[any]: {s: {a: 1}, condition: t}\n"},                     {"bad-array-key", "    c[any]: [{s: {a: 1}, condition: s}]\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(canonical(load_text(rule(row.body))), std::string("rejected: ") + row.code) << row.body;
  std::string deep = "    'a";
  for (int i = 0; i < 100; ++i) deep += "[any]";
  EXPECT_EQ(canonical(load_text(rule(deep + "': 1\n"))), "rejected: too-deep");
}

TEST(Arrays, WarnOfSiblingScopes) {
  EXPECT_EQ(code_of(load_text(rule("    c[any].p: tcp\n    c[any].ip: x\n"))), "sibling-scopes");
  EXPECT_EQ(code_of(load_text(rule("    c[any].p: tcp\n    d[any].ip: x\n"))), "");
  EXPECT_EQ(code_of(load_text(rule("    c[all].p: tcp\n    c[all].ip: x\n"))), "") << "every element satisfies both either way";
}

TEST(Arrays, AreIndexedByWhatElementsMustHold) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += rule("    c[any]: {p: v" + std::to_string(i) + ", 'q[all]|startswith': x}\n") + "---\n";
  const Loaded loaded = load_text(text);
  EXPECT_EQ(matches(loaded, R"({"c":[{"p":"v1","q":["x"]},{"p":"V299","q":["xa","xb"]},{"p":"v7","q":[]}]})"), 2U);
}

TEST(Arrays, AreExplained) {
  const Loaded loaded = load_text(rule("    c[any]: {p: tcp}\n"));
  Arena arena;
  Event event;
  event.root = *parse_json(R"({"c":[{"p":"tcp"}]})", arena);
  const auto reasons = loaded.engine->explain(event, *loaded.engine->rules()[0].rule);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].field, "c");
  EXPECT_EQ(reasons[0].test, R"(c[any] p is "tcp")");
  EXPECT_EQ(reasons[0].value, R"([{"p":"tcp"}])");
}

}  // namespace
}  // namespace tocsin::rules::sigma
