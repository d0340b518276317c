// The parts of the index against the plain way to do the same, over many small texts of few letters, where everything
// overlaps; and rules whose witness is of each kind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "rules/sigma/affixes.hpp"
#include "rules/sigma/find.hpp"
#include "rules/sigma/needles.hpp"
#include "rules/sigma/ordinary.hpp"
#include "rules/sigma/table.hpp"
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

class Random {
 public:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_()) % n; }
  std::string text(std::size_t longest, std::string_view letters = "ab\\.") {
    std::string out(below(longest + 1), ' ');
    for (char& c : out) c = letters[below(letters.size())];
    return out;
  }

 private:
  std::mt19937_64 random_{20261123};
};

TEST(Find, IsWhatTheLibraryFinds) {
  Random random;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random.text(70);
    const std::string needle = random.text(6) + "a";
    const std::size_t from = random.below(text.size() + 3);
    // A copy of exactly its size, so that a sanitizer sees a step too far.
    const std::vector<char> exact(text.begin(), text.end());
    ASSERT_EQ(find_in({exact.data(), exact.size()}, needle, from), std::string_view(text).find(needle, from)) << text << " / " << needle;
  }
}

TEST(Needles, FindsAllAndOnlyWhatIsThere) {
  Random random;
  for (int round = 0; round < 400; ++round) {
    Needles needles;
    std::vector<std::string> texts;
    // Rounds with long needles only have strides.
    const std::size_t shortest = round % 4 == 0 ? 1 : round % 4 == 1 ? 4 : round % 4 == 2 ? 5 : 7;
    for (std::uint32_t n = 0; n < 1 + random.below(30); ++n) {
      std::string needle = random.text(6);
      while (needle.size() < shortest) needle += "ab\\."[random.below(4)];
      needles.add(needle, n);
      texts.push_back(std::move(needle));
    }
    needles.finish();
    for (int i = 0; i < 40; ++i) {
      const std::string text = random.text(60);
      const std::vector<char> exact(text.begin(), text.end());
      std::set<std::uint32_t> found;
      needles.search({exact.data(), exact.size()}, [&](std::span<const std::uint32_t> rules) { found.insert(rules.begin(), rules.end()); });
      std::set<std::uint32_t> wanted;
      for (std::uint32_t n = 0; n < texts.size(); ++n) {
        if (text.find(texts[n]) != std::string::npos) wanted.insert(n);
      }
      ASSERT_EQ(found, wanted) << text;
    }
  }
}

TEST(Affixes, FindsAllAndOnlyWhatIsThere) {
  Random random;
  for (const Affixes::End end : {Affixes::End::kFirst, Affixes::End::kLast}) {
    for (int round = 0; round < 200; ++round) {
      Affixes affixes(end);
      std::vector<std::string> texts;
      for (std::uint32_t n = 0; n < 1 + random.below(40); ++n) {
        std::string affix = random.text(12, "ab");
        while (affix.size() < kShortestAffix) affix += 'b';
        affixes.add(affix, n);
        texts.push_back(std::move(affix));
      }
      affixes.finish();
      for (int i = 0; i < 40; ++i) {
        const std::string text = random.text(20, "ab");
        std::set<std::uint32_t> found;
        affixes.search(text, [&](std::span<const std::uint32_t> rules) { found.insert(rules.begin(), rules.end()); });
        std::set<std::uint32_t> wanted;
        for (std::uint32_t n = 0; n < texts.size(); ++n) {
          if (end == Affixes::End::kLast ? text.ends_with(texts[n]) : text.starts_with(texts[n])) wanted.insert(n);
        }
        ASSERT_EQ(found, wanted) << text;
      }
    }
  }
}

TEST(Ordinary, CountsWholeValuesAndTheirParts) {
  EXPECT_GT(ordinary("\\svchost.exe", Where::kLast), 5U);
  EXPECT_EQ(ordinary("\\svchost.exe", Where::kFirst), 0U);
  EXPECT_GT(ordinary("c:\\windows\\", Where::kFirst), 5U);
  EXPECT_EQ(ordinary("c:\\windows\\", Where::kWhole), 0U);
  EXPECT_EQ(ordinary("assumedrole", Where::kWhole), std::min<std::size_t>(kMostOrdinary, 13));
  EXPECT_EQ(ordinary("sekurlsa::", Where::kAnywhere), 0U);
  EXPECT_EQ(ordinary("`", Where::kAnywhere), 0U);
}

TEST(Index, KnowsWitnessesOfEveryKind) {
  struct Row { const char* name; const char* detection; const char* event; bool want; };
  const Row rows[] = {
      {"end", "  s: {a|endswith: '\\cmd.exe'}\n  condition: s\n", R"({"a":"C:\\Windows\\CMD.exe"})", true},
      {"end, other", "  s: {a|endswith: '\\cmd.exe'}\n  condition: s\n", R"({"a":"C:\\Windows\\cmd.exe "})", false},
      {"end of two bytes", "  s: {a|endswith: 'xe'}\n  condition: s\n", R"({"a":"XE"})", true},
      {"end of one byte", "  s: {a|endswith: 'e'}\n  condition: s\n", R"({"a":["x","e"]})", true},
      {"cased end", "  s: {a|endswith|cased: 'Xe'}\n  condition: s\n", R"({"a":"..Xe"})", true},
      {"cased end, folded", "  s: {a|endswith|cased: 'Xe'}\n  condition: s\n", R"({"a":"..xe"})", false},
      {"end of an object's text", "  s: {a|endswith: '1}'}\n  condition: s\n", R"({"a":{"b":1}})", true},
      {"beginning of an array's text", "  s: {a|startswith: '[1,'}\n  condition: s\n", R"({"a":[1,2]})", true},
      {"end of a number", "  s: {a|endswith: '07'}\n  condition: s\n", R"({"a":1007})", true},
      {"beginning", "  s: {a|startswith: 'http'}\n  condition: s\n", R"({"a":"HTTPS://x"})", true},
      {"kelvin sign at the end", "  s: {a|endswith: 'kelvin'}\n  condition: s\n", "{\"a\":\"x\u212Aelvin\"}", true},
      {"single rare byte", "  s: {a|contains: '`'}\n  condition: s\n", R"({"a":"x`"})", true},
      {"two bytes", "  s: {a|contains: '^^'}\n  condition: s\n", R"({"a":"^^"})", true},
      {"two-byte character", "  s: {a|contains: '\u0430'}\n  condition: s\n", "{\"a\":\"x\u0410\"}", true},
      {"literal of an expression", "  s: {a|re: 'foo[0-9]+bar'}\n  condition: s\n", R"({"a":"xfoo1bar"})", true},
      {"one of several literals", "  s: {a|re: '(abc|def)[0-9]'}\n  condition: s\n", R"({"a":"def7"})", true},
      {"expression without case", "  s: {a|re: '(?i)FOO.BAR'}\n  condition: s\n", R"({"a":"fooxbar"})", true},
      {"expression and the kelvin sign", "  s: {a|re|i: 'kelvin'}\n  condition: s\n", "{\"a\":\"\u212Aelvin\"}", true},
      {"expression and the long s", "  s: {a|re|i: 'sun'}\n  condition: s\n", "{\"a\":\"\u017Fun\"}", true},
      {"optional literal", "  s: {a|re: '(abc)?[0-9]'}\n  condition: s\n", R"({"a":"5"})", true},
      {"keyword in a number", "  s: ['4711']\n  condition: s\n", R"({"a":{"b":[47110]}})", true},
      {"keyword in a truth", "  s: ['rue']\n  condition: s\n", R"({"a":true})", true},
      {"short keyword", "  s: ['x']\n  condition: s\n", R"({"a":"x"})", true},
      {"keyword that folding makes longer", "  s: ['\u0250bc']\n  condition: s\n", "{\"a\":\"\u2C6FBC\"}", true},
      {"2 of 3, by the cheap ones", "  s1: {a: 1}\n  s2: {b|contains: 'e'}\n  s3: {c|endswith: '.exe'}\n  condition: 2 of s*\n", R"({"b":"e","c":"x.exe"})", true},
      {"2 of 3, one without a witness", "  s1: {a: 1}\n  s2: {b|neq: 1}\n  s3: {c: 1}\n  condition: 2 of s*\n", R"({"c":1})", true},
      {"list of ends, none", "  s: {a|endswith: ['.exe', '.com']}\n  condition: not s\n", R"({"a":"x.dll"})", true},
      {"list of ends, in an array", "  s: {a|endswith: ['.exe', '.com']}\n  condition: not s\n", R"({"a":["x.dll","x.com"]})", false},
  };
  for (const Row& row : rows) EXPECT_EQ(matches(load_text(rule_text(row.detection)), row.event), row.want ? 1U : 0U) << row.name;
}

TEST(Routing, AuditLogsOfServicesAreNoWebServers) {
  const std::string text = "title: Web\nlogsource: {category: webserver}\ndetection:\n  s: ['union select']\n  condition: s\n";
  const Loaded loaded = load_text(text);
  const char* const event = R"({"userAgent":"union select"})";
  EXPECT_EQ(matches(loaded, event, {"aws", "", "cloudtrail"}), 0U);
  EXPECT_EQ(matches(loaded, event, {"aws", "", "elb"}), 1U);
  EXPECT_EQ(matches(loaded, event, {"nginx", "", "access"}), 1U);
  EXPECT_EQ(matches(loaded, event, {"aws", "webserver", "cloudtrail"}), 1U) << "a tag that says so is believed";
  EXPECT_EQ(matches(loaded, event, {}), 1U);
}

// One hundred thousand rules load, are told apart, and take bounded memory for routes of many log sources.
TEST(Engine, HoldsAHundredThousandRules) {
  const char* longer = std::getenv("TOCSIN_LONG");
  const int count = longer != nullptr ? 100000 : 5000;
  std::string text;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "---\ntitle: R" + n + "\nlogsource: {product: p" + std::to_string(i % 300) + "}\ndetection:\n  s:\n    Image|endswith: '\\tool" + n +
            ".exe'\n    CommandLine|contains: 'word" + n + "'\n  condition: s\n";
  }
  const RuleSource source{"many.yml", std::move(text)};
  const Loaded loaded = load({&source, 1});
  ASSERT_EQ(loaded.engine->rules().size(), static_cast<std::size_t>(count));
  for (int i = 0; i < count; i += count / 400) {
    const std::string n = std::to_string(i);
    const std::string product = "p" + std::to_string(i % 300);
    EXPECT_EQ(matches(loaded, R"({"Image":"C:\\tool)" + n + R"(.exe","CommandLine":"a word)" + n + R"("})", {product, "", ""}), 1U) << n;
  }
}

}  // namespace
}  // namespace tocsin::rules::sigma
