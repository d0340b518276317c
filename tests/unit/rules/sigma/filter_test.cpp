// Filters: which rules they reach, what they add, and what is said about the dangerous ones.
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

const std::string kRule =
    "title: Logon\nid: 11111111-0000-4000-8000-00000000000A\nname: logon\nlogsource: {product: windows, service: security}\n"
    "detection:\n  selection: {EventID: 1}\n  selection_more: {Kind: x}\n  condition: 1 of selection*\n";

std::string filter(const std::string& rules, const std::string& body, const std::string& source = "{product: windows}") {
  return "---\ntitle: Except admins\nid: 22222222-0000-4000-8000-000000000001\nlogsource: " + source + "\nfilter:\n" +
         (rules.empty() ? "" : "  rules: " + rules + "\n") + body;
}
const std::string kAdmins = "  selection: {User: admin}\n  condition: not selection\n";

bool matches_one(const std::string& text, std::string_view json) { return matches(load_text(text), json, {}, Routing::kEverything) == 1; }

TEST(Filter, IsJoinedByAnd) {
  struct Row { const char* name; std::string filter; bool admin; bool other; };
  const Row rows[] = {
      {"by id", filter("[11111111-0000-4000-8000-00000000000a]", kAdmins), false, true},
      {"by name", filter("[logon]", kAdmins), false, true},
      {"a single reference", filter("logon", kAdmins), false, true},
      {"any", filter("any", kAdmins), false, true},
      {"an empty list is any", filter("[]", kAdmins), false, true},
      {"the same log source", filter("any", kAdmins, "{product: Windows, service: security}"), false, true},
      {"another log source", filter("any", kAdmins, "{product: linux}"), true, true},
      {"a dimension that the rule does not name", filter("any", kAdmins, "{product: windows, category: process_creation}"), true, true},
      {"another rule", filter("other", kAdmins), true, true},
      {"the positive form keeps what it finds", filter("any", "  selection: {User: admin}\n  condition: selection\n"), true, false},
      {"a list of conditions is OR", filter("any", "  a: {User: admin}\n  b: {User: eve}\n  condition: [a, b]\n"), true, true},
      {"its patterns and them reach its own selections", filter("any", "  a: {User: admin}\n  b: {User: root}\n  condition: not 1 of them\n"), false, true},
      {"hidden selections", filter("any", "  _a: {User: admin}\n  b: {User: root}\n  condition: not _a\n"), false, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(matches_one(kRule + row.filter, R"({"EventID":1,"User":"admin"})"), row.admin) << row.name;
    EXPECT_EQ(matches_one(kRule + row.filter, R"({"EventID":1,"User":"eve"})"), row.other) << row.name;
    EXPECT_FALSE(matches_one(kRule + row.filter, R"({"EventID":2,"User":"admin"})")) << row.name;
  }
}

TEST(Filter, NamesNeverMeetThoseOfTheRule) {
  // Every pattern that a rule can write, over a filter with selections of the same names.
  for (const char* const condition : {"1 of selection*", "1 of them", "any of *", "selection or selection_more"}) {
    std::string rule = kRule;
    rule.replace(rule.find("1 of selection*"), 15, condition);
    const Loaded loaded = load_text(rule + filter("any", "  selection: {EventID: 7}\n  selection_more: {EventID: 8}\n  condition: not 1 of selection*\n"));
    EXPECT_EQ(loaded.count(Status::kRejected), 0U) << condition;
    EXPECT_EQ(canonical(loaded), R"(((EventID = 1 or Kind is "x") and not (EventID = 7 or EventID = 8)))") << condition;
  }
  const std::string hidden = "title: H\nlogsource: {product: windows}\ndetection:\n  _a: {f: 1}\n  _b: {f: 2}\n  condition: 1 of _*\n";
  EXPECT_EQ(canonical(load_text(hidden + filter("any", "  _c: {f: 3}\n  condition: not 1 of _*\n"))), "((f = 1 or f = 2) and not f = 3)");
}

TEST(Filter, AppliesToEachOfSeveralConditions) {
  std::string rule = kRule;
  rule.replace(rule.find("1 of selection*"), 15, "[selection, selection_more]");
  EXPECT_EQ(canonical(load_text(rule + filter("any", kAdmins))), R"(((EventID = 1 or Kind is "x") and not User is "admin"))");
}

TEST(Filter, SeveralAreAllJoined) {
  const std::string second = "  selection: {User: backup}\n  condition: not selection\n";
  EXPECT_EQ(canonical(load_text(filter("any", kAdmins) + "---\n" + kRule + filter("logon", second))),
            R"(((EventID = 1 or Kind is "x") and not User is "admin" and not User is "backup"))");
}

TEST(Filter, LeavesCorrelationsAlone) {
  const std::string correlation = "---\ntitle: C\nname: c\ncorrelation: {type: event_count, rules: logon, timespan: 5m, condition: {gte: 3}}\n";
  const Loaded loaded = load_text(kRule + correlation + filter("c", kAdmins));
  EXPECT_EQ(loaded.reports.back().remarks.at(0).code, "unknown-reference");
}

TEST(Filter, IsNamedInExplanations) {
  const Loaded loaded = load_text(kRule + filter("any", "  selection: {User: eve}\n  condition: selection\n"));
  Arena arena;
  Event event;
  event.root = *parse_json(R"({"EventID":1,"User":"eve"})", arena);
  const auto reasons = loaded.engine->explain(event, *loaded.engine->rules()[0].rule);
  ASSERT_EQ(reasons.size(), 2U);
  EXPECT_EQ(reasons[0].selection, "selection");
  EXPECT_EQ(reasons[1].selection, "22222222-0000-4000-8000-000000000001: selection");
}

TEST(Filter, WarnsOfWhatIsLikelyWrong) {
  struct Row { const char* code; std::string filter; };
  const Row rows[] = {
      {"positive-filter", filter("any", "  selection: {User: admin}\n  condition: selection\n")},
      {"unknown-reference", filter("[logon, logoff]", kAdmins)},
      {"filter-log-source", filter("logon", kAdmins, "{product: linux}")},
      {"unused-filter", filter("any", kAdmins, "{product: linux}")},
      {"unused-selection", filter("any", "  a: {User: admin}\n  b: {User: b}\n  condition: not a\n")},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(kRule + row.filter);
    EXPECT_EQ(loaded.count(Status::kWarning), 1U) << row.filter;
    EXPECT_EQ(code_of(loaded), row.code) << row.filter;
  }
  EXPECT_EQ(load_text(kRule + filter("any", kAdmins)).count(Status::kOk), 2U);
  EXPECT_EQ(load_text(kRule + filter("any", "  s: {User|neq: admin}\n  condition: s\n")).count(Status::kOk), 2U) << "negated in the selection";
}

}  // namespace
}  // namespace tocsin::rules::sigma
