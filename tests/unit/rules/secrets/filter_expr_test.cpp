// betterleaks' filter expressions: what they mean, and what is refused by name.
#include "rules/secrets/filter_expr.hpp"

#include <gtest/gtest.h>

namespace tocsin::rules::secrets {
namespace {

bool holds(const std::string& text) {
  FilterInput input;
  input.path = "a/vendor/x.go";
  input.rule_id = "r";
  input.record = "first\nkey = Abc123 near stripe\nlast";
  input.secret = "Abc123";
  input.match = "key = Abc123";
  input.line = "key = Abc123 near stripe";
  input.match_start = 6;
  input.match_end = 18;
  input.line_start = 6;
  input.line_end = 30;
  const auto parsed = FilterExpr::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed && parsed->holds(input);
}

TEST(FilterExpr, WhatItMeans) {
  struct Case {
    const char* text;
    bool holds;
  };
  const Case cases[] = {
      {R"(entropy(finding["secret"]) <= 3.5)", true},
      {R"(filter.entropy(finding["secret"]) < 2.5)", false},
      {R"(entropy("éé") > 0.9)", true},
      {R"(matchesAny(finding["secret"], [`^x`, `c1`]))", true},
      {R"(matchesAny(finding["secret"], ["^a", `(`]))", false},
      {R"(matchesAny(finding["match"], [`(?i)^KEY`]) && !matchesAny(finding["line"], [`nothing`]))", true},
      {R"(containsAny(finding["secret"], ["abc"]))", true},
      {R"(containsAny(finding["secret"], ["Abc"]))", false},
      {R"(findMatch(finding["line"], `n\w+`) == "near")", true},
      {R"(get(attributes, "path", "") == "a/vendor/x.go")", true},
      {R"((attributes["git.sha"] ?? "none") == "none")", true},
      {R"(len(finding["secret"]) == 6 and not false)", true},
      {R"(finding["line"] contains "stripe" or false)", true},
      {R"(finding["fragment_raw"][max(finding["match_start_idx"] - 150, finding["match_line_start_idx"]):min(finding["match_end_idx"] + 5, finding["match_line_end_idx"])] == "key = Abc123 near")", true},
      {R"(let a = finding["fragment_raw"][:5]; let b = a + "!"; b == "first!")", true},
      {R"(failsTokenEfficiency(finding["secret"]))", false},
      {R"(!filter.failsTokenEfficiency("horse"))", true},
      {"// a comment\ntrue // another", true},
      {R"(finding["rule_id"] != "r" || len("ab") + 1 - 1 >= 3)", false},
      {R"(finding["secret"] < 3)", false},
      {R"(unknown == 1)", false},
      {R"("abc"[2:1] == "")", false},
  };
  for (const auto& c : cases) EXPECT_EQ(holds(c.text), c.holds) << c.text;
}

TEST(FilterExpr, WhatIsRefusedByName) {
  struct Case {
    std::string text;
    const char* says;
  };
  std::string deep(1000, '(');
  const Case cases[] = {
      {R"(http.get("x") == 1)", "not understood"},
      {R"(finding["nothing"] == 1)", "is not known"},
      {R"(matchesAny(finding["secret"], finding["line"]))", "takes a list"},
      {R"(matchesAny(finding["secret"], [finding["line"]]))", "must be a text"},
      {R"(entropy(1, 2))", "takes 1 arguments"},
      {"(true", "')' is missing"},
      {"\"abc", "does not end"},
      {"", "ends too early"},
      {"true true", "not understood"},
      {deep, "nested too deeply"},
  };
  for (const auto& c : cases) {
    const auto parsed = FilterExpr::parse(c.text);
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_NE(parsed.error().message.find(c.says), std::string::npos) << c.text << ": " << parsed.error().message;
  }
}

}  // namespace
}  // namespace tocsin::rules::secrets
