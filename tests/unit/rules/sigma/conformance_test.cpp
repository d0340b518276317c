// What of Sigma is honoured: one row per feature of the specification. A row with an example is run here, on an event
// that must match and one that must not; every row names the test that shows the feature in depth. The table in
// ops/docs/sigma.md is made from these rows: TOCSIN_UPDATE_GOLDEN=1 rewrites it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;

struct Row {
  const char* part;
  const char* feature;
  const char* example;  // a line under a selection; empty: only the test shows it
  const char* yes;
  const char* no;
  const char* test;
};

constexpr Row kRows[] = {
    {"values", "text: whole value, without regard to case", "f: Abc", R"({"f":"aBC"})", R"({"f":"abcd"})", "Values.TypesMeet"},
    {"values", "`*` any run, also across lines", "f: 'a*c'", R"({"f":"a\nbc"})", R"({"f":"acd"})", "Pattern.TruthTableOfEscapes"},
    {"values", "`?` one code point", "f: 'a?c'", R"({"f":"aéc"})", R"({"f":"ac"})", "Pattern.TruthTableOfEscapes"},
    {"values", "`\\` escapes `*`, `?` and `\\` only", R"(f: 'a\*c')", R"({"f":"a*c"})", R"({"f":"abc"})", "Pattern.TruthTableOfEscapes"},
    {"values", "a backslash elsewhere is itself", R"(f: 'C:\Windows')", R"({"f":"c:\\windows"})", R"({"f":"c:\\\\windows"})", "Pattern.TruthTableOfEscapes"},
    {"values", "numbers equal numbers and their texts", "f: 1", R"({"f":"1.0"})", R"({"f":"1a"})", "Values.TypesMeet"},
    {"values", "booleans equal booleans and their texts", "f: true", R"({"f":"True"})", R"({"f":1})", "Values.TypesMeet"},
    {"values", "text equals numbers and booleans", "f: 'true'", R"({"f":true})", R"({"f":false})", "Values.TypesMeet"},
    {"values", "null: absent or null", "f: null", R"({"g":1})", R"({"f":""})", "Values.TypesMeet"},
    {"values", "empty text: present and empty", "f: ''", R"({"f":""})", R"({"f":null})", "Values.TypesMeet"},
    {"values", "a list is OR", "f: [a, b]", R"({"f":"b"})", R"({"f":"c"})", "Shapes.BecomeOneTree"},
    {"values", "arrays match by any member", "f: a", R"({"f":["x","a"]})", R"({"f":["x"]})", "Values.TypesMeet"},
    {"values", "objects are their JSON text", "f|contains: '\"k\":1'", R"({"f":{"k":1}})", R"({"f":{"k":2}})", "Values.TypesMeet"},
    {"fields", "nested, by dots, through arrays", "a.b: 1", R"({"a":[{"b":0},{"b":1}]})", R"({"a":{"c":1}})", "Fields.AreFoundLiterallyThenByPath"},
    {"fields", "a literal name with dots comes first", "a.b: 1", R"({"a.b":1,"a":{"b":2}})", R"({"a.b":2,"a":{"b":1}})", "Fields.AreFoundLiterallyThenByPath"},
    {"fields", "names of raw logs (aliases by log source)", "", "", "", "Aliases.FindTheFieldOfRawLogs"},
    {"modifiers", "contains", "f|contains: b", R"({"f":"abc"})", R"({"f":"ac"})", "Modifiers.OfText"},
    {"modifiers", "startswith", "f|startswith: a", R"({"f":"Abc"})", R"({"f":"ba"})", "Modifiers.OfText"},
    {"modifiers", "endswith", "f|endswith: c", R"({"f":"abC"})", R"({"f":"ca"})", "Modifiers.OfText"},
    {"modifiers", "all", "f|contains|all: [a, b]", R"({"f":"cba"})", R"({"f":"ca"})", "Shapes.BecomeOneTree"},
    {"modifiers", "exists", "f|exists: false", R"({"g":1})", R"({"f":null})", "Modifiers.OfText"},
    {"modifiers", "cased", "f|cased: Ab", R"({"f":"Ab"})", R"({"f":"ab"})", "Modifiers.OfText"},
    {"modifiers", "neq", "f|neq: [a, b]", R"({"f":"c"})", R"({"f":"b"})", "Modifiers.OfText"},
    {"modifiers", "windash", "f|contains|windash: ' -x'", R"({"f":"a /x"})", R"({"f":"a-x"})", "Windash.VariesDashesThatStartAWord"},
    {"modifiers", "re", "f|re: 'a\\d+c'", R"({"f":"xa12cx"})", R"({"f":"xA12cx"})", "Modifiers.OfRegularExpressions"},
    {"modifiers", "re with i", "f|re|i: 'a\\d'", R"({"f":"A1"})", R"({"f":"AB"})", "Modifiers.OfRegularExpressions"},
    {"modifiers", "re with m", "f|re|m: '^b$'", R"({"f":"a\nb\nc"})", R"({"f":"ab"})", "Modifiers.OfRegularExpressions"},
    {"modifiers", "re with s", "f|re|s: 'a.b'", R"({"f":"a\nb"})", R"({"f":"ab"})", "Modifiers.OfRegularExpressions"},
    {"modifiers", "base64", "f|base64: foobar", R"({"f":"Zm9vYmFy"})", R"({"f":"foobar"})", "Modifiers.OfEncodings"},
    {"modifiers", "base64offset", "f|base64offset|contains: foobar", R"({"f":"xxZvb2Jhcx"})", R"({"f":"Zm9vYm"})", "Modifiers.OfEncodings"},
    {"modifiers", "wide, utf16le", "f|wide|base64offset|contains: http", R"({"f":"aAB0AHQAcAA6"})", R"({"f":"aHR0cA"})", "Modifiers.OfEncodings"},
    {"modifiers", "utf16be", "f|utf16be|base64: a", R"({"f":"AGE="})", R"({"f":"YQA="})", "Modifiers.OfEncodings"},
    {"modifiers", "utf16 (with a byte order mark)", "f|utf16|base64: cmd", R"({"f":"//5jAG0AZAA="})", R"({"f":"YwBtAGQA"})", "Modifiers.OfEncodings"},
    {"modifiers", "lt", "f|lt: 5", R"({"f":"4.9"})", R"({"f":5})", "Modifiers.OfNumbers"},
    {"modifiers", "lte", "f|lte: 5", R"({"f":5})", R"({"f":"x"})", "Modifiers.OfNumbers"},
    {"modifiers", "gt", "f|gt: 5", R"({"f":6})", R"({"f":5})", "Modifiers.OfNumbers"},
    {"modifiers", "gte", "f|gte: 5", R"({"f":"5"})", R"({"f":4})", "Modifiers.OfNumbers"},
    {"modifiers", "minute", "f|minute: 30", R"({"f":"2026-03-01T10:30:00Z"})", R"({"f":"2026-03-01T10:31:00Z"})", "Modifiers.OfNumbers"},
    {"modifiers", "hour", "f|hour: 9", R"({"f":"2026-03-01T10:30:00+01:00"})", R"({"f":"2026-03-01T10:30:00Z"})", "Modifiers.OfNumbers"},
    {"modifiers", "day", "f|day: 1", R"({"f":"2026-03-01T10:30:00Z"})", R"({"f":"2026-03-02T10:30:00Z"})", "Modifiers.OfNumbers"},
    {"modifiers", "week (ISO)", "f|week: 1", R"({"f":"2024-12-30T10:00:00Z"})", R"({"f":"2024-12-29T10:00:00Z"})", "Modifiers.OfNumbers"},
    {"modifiers", "month", "f|month: 3", R"({"f":"2026-03-01T10:30:00Z"})", R"({"f":"2026-04-01T10:30:00Z"})", "Modifiers.OfNumbers"},
    {"modifiers", "year", "f|year: 2026", R"({"f":"2026-03-01T10:30:00Z"})", R"({"f":"2025-03-01T10:30:00Z"})", "Modifiers.OfNumbers"},
    {"modifiers", "cidr, IPv4", "f|cidr: 10.0.0.0/8", R"({"f":"::ffff:10.1.2.3"})", R"({"f":"11.1.2.3"})", "Modifiers.OfNetworks"},
    {"modifiers", "cidr, IPv6", "f|cidr: fe80::/10", R"({"f":"fe80::1%eth0"})", R"({"f":"AWS Internal"})", "Modifiers.OfNetworks"},
    {"modifiers", "fieldref", "f|fieldref: g", R"({"f":"A","g":"a"})", R"({"f":"a"})", "Modifiers.OfText"},
    {"modifiers", "fieldref with startswith, endswith, contains", "f|fieldref|startswith: g", R"({"f":"abc","g":"ab"})", R"({"f":"abc","g":"b"})", "Modifiers.OfText"},
    {"modifiers", "expand, with tables of placeholders", "", "", "", "Modifiers.ExpandTakesValuesFromTheTable"},
    {"detections", "map: AND", "f: 1", R"({"f":1})", R"({"f":2})", "Shapes.BecomeOneTree"},
    {"detections", "lists of maps and nested lists: OR", "", "", "", "Shapes.BecomeOneTree"},
    {"detections", "keywords: any value of the event", "", "", "", "Keywords.AreSoughtInEveryValue"},
    {"detections", "keywords, all of them", "'|all': [evil, x]", R"({"a":"very evil","b":["x"]})", R"({"a":"very evil"})", "Keywords.AreSoughtInEveryValue"},
    {"conditions", "and, or, not, parentheses, precedence", "", "", "", "Shapes.BecomeOneTree"},
    {"conditions", "1 of, any of, all of, N of; them; patterns", "", "", "", "Shapes.BecomeOneTree"},
    {"conditions", "a list of conditions", "", "", "", "Shapes.BecomeOneTree"},
    {"conditions", "what cannot be read is refused", "", "", "", "Refusals.HaveACodeALineAndARemedy"},
    {"documents", "several in a file", "", "", "", "Documents.OneWithAMistakeLeavesTheOthers"},
    {"documents", "custom attributes are kept", "", "", "", "Attributes.ThatTheSpecificationDoesNotKnowAreKept"},
    {"documents", "collections: action global, reset, repeat", "", "", "", "Collection.Expands"},
    {"log sources", "routing by product, category, service", "", "", "", "Routing.SkipsOnlyWhatContradicts"},
    {"log sources", "categories within categories", "", "", "", "Source.NarrowCategoriesReachRulesOfTheWideOne"},
    {"arrays", "[any], [all], [all_or_empty], [none]; positions; nested blocks; extended form", "", "", "", "Arrays.ElementsMustSatisfyTheBlockTogether"},
    {"arrays", "only under sigma-version 3", "", "", "", "Arrays.NeedVersionThree"},
    {"filters", "rules by id, name, any, []; containment of log sources; AND", "", "", "", "Filter.IsJoinedByAnd"},
    {"filters", "names apart from those of the rule", "", "", "", "Filter.NamesNeverMeetThoseOfTheRule"},
    {"filters", "not for correlations", "", "", "", "Filter.LeavesCorrelationsAlone"},
    {"correlations", "every key and form", "", "", "", "CorrelationParsing.ReadsEveryForm"},
    {"correlations", "event_count", "", "", "", "Correlator.CountsEventsOfAGroupInASlidingWindow"},
    {"correlations", "value_count, several fields", "", "", "", "Correlator.SeveralFieldsMakeATuple"},
    {"correlations", "temporal", "", "", "", "Correlator.TemporalWithoutAConditionMeansAllRules"},
    {"correlations", "temporal_ordered", "", "", "", "Correlator.OrderMattersWhereItIsAskedFor"},
    {"correlations", "value_sum", "", "", "", "Correlator.SumsAreExactForIntegersAndSkipWhatIsNoNumber"},
    {"correlations", "value_avg", "", "", "", "Correlator.ThresholdsNeedNotBeWholeNumbers"},
    {"correlations", "value_percentile", "", "", "", "Correlator.ThePercentileIsHeldAgainstTheThreshold"},
    {"correlations", "value_median", "", "", "", "Correlator.TheMedianIsTheMiddleOrBetweenTheTwo"},
    {"correlations", "extended temporal conditions, absence", "", "", "", "Correlator.AbsenceIsDecidedWhenTheWindowIsOver"},
    {"correlations", "ranges of thresholds, fractions", "", "", "", "Correlator.TwoOperatorsMakeARange"},
    {"correlations", "chains of correlations", "", "", "", "Correlator.AnUpperGroupFieldIsTakenFromTheLastContributingEvent"},
    {"correlations", "aliases", "", "", "", "Correlator.AliasesNameTheFieldOfEachRule"},
    {"correlations", "generate", "", "", "", "CorrelationLink.ARuleIsSilentUnlessACorrelationOverItSaysGenerate"},
    {"correlations", "references by id or name, in any order; no circles", "", "", "", "CorrelationLink.WhatCannotBeResolvedIsRefusedByNameAndTheRestLoads"},
    {"robustness", "limits, each named", "", "", "", "Hostile.LimitsAreNamed"},
    {"robustness", "fast and slow agree", "", "", "", "Oracle.AgreesOnRealRulesWithChanges"},
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string table() {
  std::string out = "| part | feature | example | shown by |\n|---|---|---|---|\n";
  for (const Row& row : kRows) {
    const std::string example = *row.example == '\0' ? "" : "`` " + cell(row.example) + " ``";
    out += "| " + std::string(row.part) + " | " + cell(row.feature) + " | " + example + " | `" + row.test + "` |\n";
  }
  return out;
}

TEST(Conformance, EveryExampleDoesWhatTheTableSays) {
  for (const Row& row : kRows) {
    if (*row.example == '\0') continue;
    const Loaded loaded = load_item(row.example);
    ASSERT_EQ(loaded.engine->rules().size(), 1U) << row.example << ": " << loaded.reports[0].text();
    EXPECT_EQ(matches(loaded, row.yes), 1U) << row.feature << ": " << row.example << " must match " << row.yes;
    EXPECT_EQ(matches(loaded, row.no), 0U) << row.feature << ": " << row.example << " must not match " << row.no;
  }
}

TEST(Conformance, EveryNamedTestExists) {
  std::set<std::string> tests;
  for (const char* const folder : {"tests/unit/rules/sigma", "tests/oracle"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(TOCSIN_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      const std::string text = read(entry.path());
      for (std::size_t at = 0; (at = text.find("\nTEST(", at)) != std::string::npos; ++at) {
        const std::size_t comma = text.find(", ", at);
        const std::size_t close = text.find(')', at);
        tests.insert(text.substr(at + 6, comma - at - 6) + "." + text.substr(comma + 2, close - comma - 2));
      }
    }
  }
  for (const Row& row : kRows) EXPECT_TRUE(tests.contains(row.test)) << row.test;
}

TEST(Conformance, TheDocumentHoldsTheTable) {
  const fs::path path = fs::path(TOCSIN_SOURCE_DIR) / "ops/docs/sigma.md";
  const std::string begin = "<!-- conformance: made by tests/unit/rules/sigma/conformance_test.cpp -->\n";
  const std::string end = "<!-- /conformance -->";
  std::string text = read(path);
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << "the marks of the table are gone from " << path;
  const std::string held = text.substr(from + begin.size(), to - from - begin.size());
  if (held == table()) return;
  if (std::getenv("TOCSIN_UPDATE_GOLDEN") == nullptr) {
    FAIL() << "the table in ops/docs/sigma.md is not that of this test: run it with TOCSIN_UPDATE_GOLDEN=1";
  }
  text.replace(from + begin.size(), held.size(), table());
  std::ofstream(path, std::ios::binary) << text;
}

// Every code that a rule's author may be shown is explained in the document.
TEST(Conformance, EveryCodeIsExplained) {
  const std::string document = read(fs::path(TOCSIN_SOURCE_DIR) / "ops/docs/sigma.md");
  std::size_t codes = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(TOCSIN_SOURCE_DIR) / "rules/sigma")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = read(entry.path());
    for (const char* const way : {"refuse(\"", "warn(\"", "warning(\"", "Remark{\"", "push_back({\"", "remark(item, \"", "rejected({\"", "refusal = {\""}) {
      for (std::size_t at = 0; (at = text.find(way, at)) != std::string::npos;) {
        at += std::string_view(way).size();
        const std::string code = text.substr(at, text.find('"', at) - at);
        if (code.empty() || code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) continue;
        ++codes;
        EXPECT_NE(document.find("`" + code + "`"), std::string::npos) << code << " of " << entry.path().filename() << " is not in ops/docs/sigma.md";
      }
    }
  }
  EXPECT_GT(codes, 60U);
}

}  // namespace
}  // namespace tocsin::rules::sigma
