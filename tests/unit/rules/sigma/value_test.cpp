// Values, types and modifiers: one row per promise, rule item on the left, event on the right.
#include <gtest/gtest.h>

#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

struct Row {
  const char* name;
  const char* item;
  const char* event;
  bool want;
};

void check(std::span<const Row> rows, const LoadOptions& options = {}) {
  for (const Row& row : rows) {
    const Loaded loaded = load_item(row.item, options);
    ASSERT_EQ(loaded.count(Status::kRejected), 0U) << row.name << ": " << code_of(loaded);
    EXPECT_EQ(matches(loaded, row.event), row.want ? 1U : 0U) << row.name << ": " << row.item << " on " << row.event;
  }
}

TEST(Values, TypesMeet) {
  const Row rows[] = {
      {"text, full match", "f: abc", R"({"f":"ABC"})", true},
      {"text, not a part", "f: abc", R"({"f":"xabc"})", false},
      {"text against number", "f: '1'", R"({"f":1})", true},
      {"text against real", "f: '1.5'", R"({"f":1.5})", true},
      {"text against bool", "f: 'true'", R"({"f":true})", true},
      {"text against the other bool", "f: 'true'", R"({"f":false})", false},
      {"number against number", "f: 1", R"({"f":1})", true},
      {"number against real", "f: 1", R"({"f":1.0})", true},
      {"number against text", "f: 1", R"({"f":"1"})", true},
      {"number against text of a real", "f: 1", R"({"f":"1.0"})", true},
      {"number against other text", "f: 1", R"({"f":"1x"})", false},
      {"number against bool", "f: 1", R"({"f":true})", false},
      {"large integers stay exact", "f: 9007199254740993", R"({"f":9007199254740992})", false},
      {"real", "f: 0.5", R"({"f":"5e-1"})", true},
      {"bool against bool", "f: true", R"({"f":true})", true},
      {"bool against text", "f: true", R"({"f":"TRUE"})", true},
      {"null against absent", "f: null", R"({"g":1})", true},
      {"null against null", "f: null", R"({"f":null})", true},
      {"null against empty text", "f: null", R"({"f":""})", false},
      {"null against zero", "f: null", R"({"f":0})", false},
      {"null against empty array", "f: null", R"({"f":[]})", false},
      {"empty text against empty text", "f: ''", R"({"f":""})", true},
      {"empty text against absent", "f: ''", R"({"g":""})", false},
      {"empty text against null", "f: ''", R"({"f":null})", false},
      {"any member of an array", "f: b", R"({"f":["a","B"]})", true},
      {"no member of an array", "f: c", R"({"f":["a","b"]})", false},
      {"number in an array", "f: 2", R"({"f":[1,"2"]})", true},
      {"array in an array", "f: x", R"({"f":[["x"]]})", true},
      {"object as JSON text", "f|contains: '\"b\":1'", R"({"f":{"a":{"b":1}}})", true},
      {"array as JSON text", "f: '[\"a\",\"b\"]'", R"({"f":["A","b"]})", true},
      {"unicode case", "f: 'straẞe é'", R"({"f":"STRAßE É"})", true},
      {"any present value", "f: '*'", R"({"f":""})", true},
      {"not a null value", "f: '*'", R"({"f":null})", false},
  };
  check(rows);
}

TEST(Fields, AreFoundLiterallyThenByPath) {
  const Row rows[] = {
      {"path", "a.b.c: 1", R"({"a":{"b":{"c":1}}})", true},
      {"literal name", "a.b.c: 1", R"({"a.b.c":1})", true},
      {"the literal name wins", "a.b: 1", R"({"a.b":2,"a":{"b":1}})", false},
      {"the literal name wins in any order", "a.b: 1", R"({"a":{"b":1},"a.b":2})", false},
      {"through an array", "a.b: 2", R"({"a":[{"b":1},{"b":2}]})", true},
      {"through two arrays", "a.b.c: 4", R"({"a":[{"b":[{"c":3},{"c":4}]}]})", true},
      {"not through a scalar", "a.b: 1", R"({"a":1})", false},
      {"names keep their case", "Field: 1", R"({"field":1})", false},
      {"the first of a repeated name", "f: 1", R"({"f":1,"f":2})", true},
      {"not the second", "f: 2", R"({"f":1,"f":2})", false},
  };
  check(rows);
}

TEST(Modifiers, OfText) {
  const Row rows[] = {
      {"contains", "f|contains: bc", R"({"f":"aBCd"})", true},
      {"contains a number", "f|contains: 12", R"({"f":"a123"})", true},
      {"contains in a number", "f|contains: 2", R"({"f":123})", true},
      {"contains with its own stars", "f|contains: '*b*'", R"({"f":"abc"})", true},
      {"startswith", "f|startswith: AB", R"({"f":"abc"})", true},
      {"startswith not inside", "f|startswith: b", R"({"f":"abc"})", false},
      {"endswith", "f|endswith: BC", R"({"f":"abc"})", true},
      {"endswith with a wildcard inside", "f|endswith: 'b?d'", R"({"f":"abcd"})", true},
      {"list is OR", "f: [x, b]", R"({"f":"b"})", true},
      {"long list is OR", "f: [x, b, c, d, E]", R"({"f":"e"})", true},
      {"all", "f|contains|all: [a, c]", R"({"f":"abc"})", true},
      {"all, one missing", "f|contains|all: [a, x]", R"({"f":"abc"})", false},
      {"all over members", "f|all: [a, b]", R"({"f":["a","b"]})", true},
      {"cased", "f|cased: aB", R"({"f":"aB"})", true},
      {"cased, other case", "f|cased: aB", R"({"f":"ab"})", false},
      {"cased after contains", "f|contains|cased: B", R"({"f":"abc"})", false},
      {"exists", "f|exists: true", R"({"f":null})", true},
      {"exists, absent", "f|exists: true", R"({"g":1})", false},
      {"exists false", "f|exists: false", R"({"g":1})", true},
      {"exists as text", "f|exists: 'yes'", R"({"f":""})", true},
      {"neq", "f|neq: a", R"({"f":"b"})", true},
      {"neq, equal", "f|neq: a", R"({"f":"A"})", false},
      {"neq of a list negates the whole", "f|neq: [a, b]", R"({"f":"a"})", false},
      {"neq, absent", "f|neq: a", R"({"g":1})", true},
      {"neq with contains", "f|contains|neq: a", R"({"f":"xax"})", false},
      {"windash", "f|windash|contains: ' -x'", R"({"f":"a /X"})", true},
      {"windash under all", "f|windash|contains|all: [' -x', ' /y']", R"({"f":"a /x –y"})", true},
      {"fieldref", "f|fieldref: g", R"({"f":"A","g":"a"})", true},
      {"fieldref, different", "f|fieldref: g", R"({"f":"A","g":"b"})", false},
      {"fieldref, absent", "f|fieldref: g", R"({"f":"A"})", false},
      {"fieldref neq", "f|fieldref|neq: g", R"({"f":"A","g":"b"})", true},
      {"fieldref endswith", "f|endswith|fieldref: g", R"({"f":"x\\name","g":"NAME"})", true},
      {"fieldref nested", "a.b|fieldref: c.d", R"({"a":{"b":1},"c":{"d":"1.0"}})", true},
  };
  check(rows);
}

TEST(Modifiers, OfNumbers) {
  const Row rows[] = {
      {"lt", "f|lt: 5", R"({"f":4.9})", true},       {"lt, equal", "f|lt: 5", R"({"f":5})", false},
      {"lte", "f|lte: 5", R"({"f":"5"})", true},     {"gt", "f|gt: 5", R"({"f":"5.1"})", true},
      {"gte", "f|gte: 5", R"({"f":5})", true},       {"gte of text", "f|gte: 5", R"({"f":"many"})", false},
      {"gte absent", "f|gte: 0", R"({"g":1})", false}, {"any member", "f|gt: 5", R"({"f":[1,9]})", true},
      {"hour", "f|hour: 23", R"({"f":"2026-03-01T00:30:00+01:00"})", true},
      {"minute", "f|minute: 30", R"({"f":"2026-03-01T00:30:00Z"})", true},
      {"day", "f|day: 28", R"({"f":"2026-03-01T00:30:00+01:00"})", true},
      {"ISO week 53", "f|week: 53", R"({"f":"2027-01-03T12:00:00Z"})", true},
      {"ISO week 1", "f|week: 1", R"({"f":"2024-12-30T12:00:00Z"})", true},
      {"month", "f|month: 2", R"({"f":"2026-02-28"})", false},
      {"year", "f|year: 2026", R"({"f":"2026-02-28T00:00:00Z"})", true},
  };
  check(rows);
}

TEST(Modifiers, OfNetworks) {
  const Row rows[] = {
      {"inside", "f|cidr: 10.0.0.0/8", R"({"f":"10.200.1.2"})", true},
      {"outside", "f|cidr: 10.0.0.0/8", R"({"f":"11.0.0.1"})", false},
      {"odd prefix", "f|cidr: 172.16.0.0/12", R"({"f":"172.31.255.255"})", true},
      {"just outside", "f|cidr: 172.16.0.0/12", R"({"f":"172.32.0.0"})", false},
      {"one address", "f|cidr: 192.0.2.1", R"({"f":"192.0.2.1"})", true},
      {"port", "f|cidr: 10.0.0.0/8", R"({"f":"10.0.0.1:443"})", true},
      {"mapped", "f|cidr: 10.0.0.0/8", R"({"f":"::ffff:10.1.2.3"})", true},
      {"v6", "f|cidr: 'fe80::/10'", R"({"f":"fe80::1%eth0"})", true},
      {"v6 with port", "f|cidr: '2001:db8::/32'", R"({"f":"[2001:db8::7]:443"})", true},
      {"families differ", "f|cidr: '::/0'", R"({"f":"10.0.0.1"})", false},
      {"no address", "f|cidr: 0.0.0.0/0", R"({"f":"cloudtrail.amazonaws.com"})", false},
      {"any member", "f|cidr: [10.0.0.0/8, 192.168.0.0/16]", R"({"f":["8.8.8.8","192.168.7.7"]})", true},
  };
  check(rows);
}

TEST(Modifiers, OfRegularExpressions) {
  const Row rows[] = {
      {"search, not full match", "f|re: 'b+'", R"({"f":"abbc"})", true},
      {"case matters", "f|re: 'B'", R"({"f":"b"})", false},
      {"i", "f|re|i: 'B'", R"({"f":"b"})", true},
      {"dot and newline", "f|re: 'a.c'", R"({"f":"a\nc"})", false},
      {"s", "f|re|s: 'a.c'", R"({"f":"a\nc"})", true},
      {"anchors", "f|re: '^b'", R"({"f":"a\nb"})", false},
      {"m", "f|re|m: '^b'", R"({"f":"a\nb"})", true},
      {"no Sigma escapes", R"(f|re: '^\\\\\*$')", R"({"f":"\\\\*"})", true},
      {"list", "f|re: ['^x', 'c$']", R"({"f":"abc"})", true},
      {"backslash classes", R"(f|re: '^\d{3}\s\w$')", R"({"f":"123 x"})", true},
  };
  check(rows);
}

TEST(Modifiers, OfEncodings) {
  const Row rows[] = {
      {"base64", "f|base64|contains: foobar", R"({"f":"xZm9vYmFyx"})", true},
      {"base64 is case-insensitive", "f|base64: foobar", R"({"f":"zm9vymfy"})", true},
      {"offset 0", "f|base64offset|contains: 'http://'", R"({"f":"..aHR0cDovL.."})", true},
      {"offset 1", "f|base64offset|contains: 'http://'", R"({"f":"..h0dHA6Ly.."})", true},
      {"offset 2", "f|base64offset|contains: 'http://'", R"({"f":"..odHRwOi8v.."})", true},
      {"wide 0", "f|wide|base64offset|contains: http", R"({"f":"aAB0AHQAcA"})", true},
      {"wide 1", "f|wide|base64offset|contains: http", R"({"f":"gAdAB0AHAA"})", true},
      {"wide 2", "f|wide|base64offset|contains: http", R"({"f":"oAHQAdABwA"})", true},
      {"utf16 has a byte order mark", "f|utf16|base64: cmd", R"({"f":"//5jAG0AZAA="})", true},
      {"utf16be", "f|utf16be|base64: cmd", R"({"f":"AGMAbQBk"})", true},
      {"utf16le is wide", "f|utf16le|base64: cmd", R"({"f":"YwBtAGQA"})", true},
  };
  check(rows);
}

TEST(Modifiers, ExpandTakesValuesFromTheTable) {
  LoadOptions options;
  options.placeholders["admins"] = {"alice", "bob*"};
  options.placeholders["host"] = {"db1"};
  const Row rows[] = {
      {"first", "f|expand: '%admins%'", R"({"f":"Alice"})", true},
      {"second, a pattern", "f|expand: '%admins%'", R"({"f":"bobby"})", true},
      {"neither", "f|expand: '%admins%'", R"({"f":"carol"})", false},
      {"two in one value", "f|expand: '%host%\\%admins%'", R"({"f":"db1%admins%"})", true},
      {"inside text", "f|contains|expand: 'x%host%y'", R"({"f":"..xDB1y.."})", true},
      {"escaped percent", "f|expand: '\\%plain%host%'", R"({"f":"%plaindb1"})", true},
      {"a lone percent", "f|expand: '100%'", R"({"f":"100%"})", true},
  };
  check(rows, options);
  EXPECT_EQ(code_of(load_item("f|expand: '%nobody%'", options)), "missing-placeholder");
}

TEST(Keywords, AreSoughtInEveryValue) {
  const Loaded loaded = load_text(rule_text("  kw:\n    - 'drop table'\n    - 'select \\*'\n    - 42\n  condition: kw\n"));
  EXPECT_EQ(matches(loaded, R"({"a":{"b":["x","please DROP TABLE y"]}})"), 1U);
  EXPECT_EQ(matches(loaded, R"({"q":"SELECT * from t"})"), 1U);
  EXPECT_EQ(matches(loaded, R"({"q":"SELECT a from t"})"), 0U);
  EXPECT_EQ(matches(loaded, R"({"n":1427})"), 1U) << "numbers are searched as text";
  EXPECT_EQ(matches(loaded, R"({"drop table":1})"), 0U) << "names are not values";
  const Loaded both = load_text(rule_text("  kw:\n    '|all': [alpha, beta]\n  condition: kw\n"));
  EXPECT_EQ(matches(both, R"({"a":"alpha","b":"BETA"})"), 1U);
  EXPECT_EQ(matches(both, R"({"a":"alpha"})"), 0U);
  Event line;
  line.raw = "Nov 3 sshd: Alpha then beta";
  std::vector<Match> found;
  both.engine->match(line, found);
  EXPECT_EQ(found.size(), 1U) << "plain text has no values, the line is searched";
}

}  // namespace
}  // namespace tocsin::rules::sigma
