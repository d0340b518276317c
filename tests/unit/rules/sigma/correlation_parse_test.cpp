// What correlation documents say, seen in one canonical line; and what of them is refused or warned about.
#include <gtest/gtest.h>

#include <chrono>

#include "rules/sigma/parse.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string text(const Condition& condition) {
  switch (condition.kind) {
    case Condition::Kind::kName: return condition.name;
    case Condition::Kind::kSelector: return "of " + condition.name;
    case Condition::Kind::kNot: return "not " + text(condition.parts.front());
    default: break;
  }
  std::string out;
  for (const Condition& part : condition.parts) {
    out += (out.empty() ? "(" : condition.kind == Condition::Kind::kAnd ? " and " : " or ") + text(part);
  }
  return out + ")";
}

// "event_count [a, b] by [User] in 900 s: >= 10"
std::string canonical(const ParsedDocument& parsed) {
  if (!parsed.correlation) return "rejected: " + (parsed.report.remarks.empty() ? "" : parsed.report.remarks.front().code);
  const Correlation& c = *parsed.correlation;
  const auto list = [](const std::vector<std::string>& items) {
    std::string out = "[";
    for (const std::string& item : items) out += (out.size() > 1 ? ", " : "") + item;
    return out + "]";
  };
  std::string out = std::string(name(c.type)) + " " + list(c.rules);
  if (!c.group_by.empty()) out += " by " + list(c.group_by);
  out += " in " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(c.timespan).count()) + " s";
  if (!c.fields.empty()) out += " of " + list(c.fields);
  if (c.type == CorrelationType::kValuePercentile) out += " at " + std::to_string(static_cast<int>(c.percentile * 10));
  static constexpr std::string_view kOperators[] = {"<", "<=", ">", ">=", "=", "!="};
  for (const Bound& bound : c.bounds) {
    out += " " + std::string(kOperators[static_cast<std::size_t>(bound.op)]) + " " + std::to_string(bound.value).substr(0, 4);
  }
  if (c.expression) out += ": " + text(*c.expression);
  for (const Alias& alias : c.aliases) {
    out += " " + alias.name + "=";
    for (const Alias::Field& field : alias.fields) out += field.rule + ":" + field.field + ";";
  }
  if (c.generate) out += " generate";
  return out;
}

ParsedDocument parse(const std::string& section, const std::string& root = "") {
  auto documents = parse_rules("title: C\n" + root + "correlation:\n" + section, "c.yml");
  EXPECT_EQ(documents.size(), 1U);
  return std::move(documents.front());
}

TEST(CorrelationParsing, ReadsEveryForm) {
  struct Row { const char* name; const char* section; const char* want; };
  const Row rows[] = {
      {"event_count", "  type: event_count\n  rules: [a, b]\n  group-by: [User, Host]\n  timespan: 15m\n  condition: {gte: 10}\n",
       "event_count [a, b] by [User, Host] in 900 s >= 10.0"},
      {"texts instead of lists", "  type: event_count\n  rules: a\n  group-by: User\n  timespan: 30s\n  condition: {gt: 1.5}\n", "event_count [a] by [User] in 30 s > 1.50"},
      {"no group-by", "  type: event_count\n  rules: a\n  timespan: 2h\n  condition: {eq: 3, neq: 4}\n", "event_count [a] in 7200 s = 3.00 != 4.00"},
      {"a range", "  type: event_count\n  rules: a\n  timespan: 1d\n  condition: {gt: 100, lte: 200}\n", "event_count [a] in 86400 s > 100. <= 200."},
      {"weeks", "  type: event_count\n  rules: a\n  timespan: 2w\n  condition: {lt: 5}\n", "event_count [a] in 1209600 s < 5.00"},
      {"months", "  type: event_count\n  rules: a\n  timespan: 1M\n  condition: {lt: 5}\n", "event_count [a] in 2629746 s < 5.00"},
      {"years", "  type: event_count\n  rules: a\n  timespan: 1y\n  condition: {lt: 5}\n", "event_count [a] in 31556952 s < 5.00"},
      {"value_count", "  type: value_count\n  rules: a\n  timespan: 5m\n  condition: {field: User, gte: 3}\n", "value_count [a] in 300 s of [User] >= 3.00"},
      {"tuples", "  type: value_count\n  rules: a\n  timespan: 5m\n  condition: {field: [User, Host], gte: 3}\n", "value_count [a] in 300 s of [User, Host] >= 3.00"},
      {"temporal", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n", "temporal [a, b] in 300 s"},
      {"temporal with a number", "  type: temporal\n  rules: [a, b, c]\n  timespan: 5m\n  condition: {gte: 2}\n", "temporal [a, b, c] in 300 s >= 2.00"},
      {"temporal_ordered keeps repeated rules", "  type: temporal_ordered\n  rules: [a, b, a]\n  timespan: 5m\n", "temporal_ordered [a, b, a] in 300 s"},
      {"value_sum", "  type: value_sum\n  rules: a\n  timespan: 5m\n  condition: {field: bytes, gt: 1e6}\n", "value_sum [a] in 300 s of [bytes] > 1000"},
      {"value_avg", "  type: value_avg\n  rules: a\n  timespan: 5m\n  condition: {field: bytes, lt: 0.5}\n", "value_avg [a] in 300 s of [bytes] < 0.50"},
      {"value_median", "  type: value_median\n  rules: a\n  timespan: 5m\n  condition: {field: bytes, lt: -1}\n", "value_median [a] in 300 s of [bytes] < -1.0"},
      {"value_percentile", "  type: value_percentile\n  rules: a\n  timespan: 5m\n  condition: {field: bytes, gt: 7, percentile: 99.9}\n", "value_percentile [a] in 300 s of [bytes] at 999 > 7.00"},
      {"percentile outside the condition", "  type: value_percentile\n  rules: a\n  timespan: 5m\n  percentile: 50\n  condition: {field: bytes, gt: 7}\n", "value_percentile [a] in 300 s of [bytes] at 500 > 7.00"},
      {"an expression gives the rules", "  type: temporal\n  timespan: 5m\n  condition: a and (b or not c) and not d\n", "temporal [a, b, c, d] in 300 s: (a and (b or not c) and not d)"},
      {"an expression and the same rules", "  type: temporal\n  rules: [b, a]\n  timespan: 5m\n  condition: a and not b\n", "temporal [b, a] in 300 s: (a and not b)"},
      {"aliases", "  type: temporal\n  rules: [a, b]\n  group-by: ip\n  timespan: 5m\n  aliases: {ip: {a: source.ip, b: destination.ip}}\n", "temporal [a, b] by [ip] in 300 s ip=a:source.ip;b:destination.ip;"},
      {"generate inside", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n  generate: true\n", "temporal [a, b] in 300 s generate"},
  };
  for (const Row& row : rows) {
    const ParsedDocument parsed = parse(row.section);
    EXPECT_EQ(canonical(parsed), row.want) << row.name;
    EXPECT_EQ(parsed.report.status, Status::kOk) << row.name << ": " << parsed.report.text();
  }
  EXPECT_EQ(canonical(parse("  type: temporal\n  rules: [a, b]\n  timespan: 5m\n", "generate: true\n")), "temporal [a, b] in 300 s generate");
}

TEST(CorrelationParsing, RefusesWithACode) {
  struct Row { const char* code; const char* section; };
  const Row rows[] = {
      {"bad-correlation", "  - type\n"},
      {"missing-correlation-type", "  rules: a\n"},
      {"unknown-correlation-type", "  type: event_counts\n"},
      {"missing-rules", "  type: event_count\n  timespan: 5m\n  condition: {gte: 1}\n"},
      {"missing-rules", "  type: event_count\n  rules: [{a: 1}]\n  timespan: 5m\n  condition: {gte: 1}\n"},
      {"bad-group-by", "  type: event_count\n  rules: a\n  group-by: {a: 1}\n  timespan: 5m\n  condition: {gte: 1}\n"},
      {"missing-timespan", "  type: event_count\n  rules: a\n  condition: {gte: 1}\n"},
      {"bad-timespan", "  type: event_count\n  rules: a\n  timespan: 5 minutes\n  condition: {gte: 1}\n"},
      {"bad-timespan", "  type: event_count\n  rules: a\n  timespan: 0m\n  condition: {gte: 1}\n"},
      {"bad-timespan", "  type: event_count\n  rules: a\n  timespan: 1m\n  timeframe: 1m\n  condition: {gte: 1}\n"},
      {"too-large", "  type: event_count\n  rules: a\n  timespan: 99999999999w\n  condition: {gte: 1}\n"},
      {"missing-correlation-condition", "  type: event_count\n  rules: a\n  timespan: 5m\n"},
      {"bad-correlation-condition", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: [1]\n"},
      {"bad-correlation-condition", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: {gte: many}\n"},
      {"bad-correlation-condition", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: {ge: 1}\n"},
      {"bad-correlation-condition", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: {field: x, gte: 1}\n"},
      {"bad-correlation-condition", "  type: value_count\n  rules: a\n  timespan: 5m\n  condition: {field: x}\n"},
      {"bad-correlation-condition", "  type: value_sum\n  rules: a\n  timespan: 5m\n  condition: {field: [x, y], gt: 1}\n"},
      {"bad-correlation-condition", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: a and b\n"},
      {"bad-correlation-condition", "  type: temporal\n  timespan: 5m\n  condition: 1 of them\n"},
      {"condition-syntax", "  type: temporal\n  timespan: 5m\n  condition: a and\n"},
      {"condition-and-rules-differ", "  type: temporal\n  rules: [a]\n  timespan: 5m\n  condition: a and b\n"},
      {"condition-and-rules-differ", "  type: temporal\n  rules: [a, b, c]\n  timespan: 5m\n  condition: a and b\n"},
      {"missing-correlation-field", "  type: value_avg\n  rules: a\n  timespan: 5m\n  condition: {gt: 1}\n"},
      {"ambiguous-percentile", "  type: value_percentile\n  rules: a\n  timespan: 5m\n  condition: {field: image, lte: 1}\n"},
      {"bad-percentile", "  type: value_percentile\n  rules: a\n  timespan: 5m\n  condition: {field: x, percentile: 101, lte: 1}\n"},
      {"bad-percentile", "  type: value_avg\n  rules: a\n  timespan: 5m\n  condition: {field: x, percentile: 50, lte: 1}\n"},
      {"bad-aliases", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n  aliases: [x]\n"},
      {"bad-aliases", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n  aliases: {ip: {c: x}}\n"},
      {"bad-field", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n  generate: sometimes\n"},
      {"mixed-document", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\ndetection: {s: {f: 1}, condition: s}\n"},
      {"duplicate-key", "  type: temporal\n  type: temporal\n"},
  };
  for (const Row& row : rows) {
    const ParsedDocument parsed = parse(row.section);
    EXPECT_EQ(canonical(parsed), std::string("rejected: ") + row.code) << row.section;
    EXPECT_EQ(parsed.report.status, Status::kRejected) << row.section;
    ASSERT_FALSE(parsed.report.remarks.empty()) << row.section;
    EXPECT_FALSE(parsed.report.remarks.front().remedy.empty()) << row.section;
    EXPECT_GE(parsed.report.line, 1) << row.section;
  }
}

TEST(CorrelationParsing, Warns) {
  struct Row { const char* code; const char* section; };
  const Row rows[] = {
      {"timeframe-key", "  type: temporal\n  rules: [a, b]\n  timeframe: 5m\n"},
      {"unknown-key", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n  group_by: x\n"},
      {"never-true", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: {gt: 5, lt: 3}\n"},
      {"never-true", "  type: event_count\n  rules: a\n  timespan: 5m\n  condition: {gte: 5, lte: 5, neq: 5}\n"},
      {"duplicate-reference", "  type: temporal\n  rules: [a, b, a]\n  timespan: 5m\n"},
      {"unused-alias", "  type: temporal\n  rules: [a, b]\n  timespan: 5m\n  aliases: {ip: {a: x}}\n"},
      {"unportable-name", "  type: temporal\n  timespan: 5m\n  condition: rule-a and rule_b\n"},
      {"upper-case-keyword", "  type: temporal\n  timespan: 5m\n  condition: a AND b\n"},
      {"ordered-expression", "  type: temporal_ordered\n  timespan: 5m\n  condition: a and b\n"},
  };
  for (const Row& row : rows) {
    const ParsedDocument parsed = parse(row.section);
    EXPECT_TRUE(parsed.correlation.has_value()) << parsed.report.text();
    EXPECT_EQ(parsed.report.status, Status::kWarning) << row.section;
    ASSERT_FALSE(parsed.report.remarks.empty()) << row.section;
    EXPECT_EQ(parsed.report.remarks.front().code, row.code) << row.section;
  }
}

TEST(CorrelationParsing, KeepsTheDescription) {
  const ParsedDocument parsed = parse("  type: temporal\n  rules: [a, b]\n  timespan: 5m\n",
                                      "id: 11111111-2222-4333-8444-555555555555\nname: many\nlevel: high\ntags: [attack.exfiltration]\nowner: {team: db, pager: 7}\n");
  ASSERT_TRUE(parsed.correlation.has_value()) << parsed.report.text();
  EXPECT_EQ(parsed.correlation->name, "many");
  EXPECT_EQ(parsed.correlation->level, Level::kHigh);
  EXPECT_EQ(parsed.correlation->file, "c.yml");
  ASSERT_EQ(parsed.correlation->custom.size(), 1U);
  EXPECT_EQ(parsed.correlation->custom[0].name, "owner");
  EXPECT_EQ(parsed.correlation->custom[0].json, R"({"team":"db","pager":7})");
  EXPECT_EQ(parsed.report.rule, parsed.correlation->id);
}

}  // namespace
}  // namespace tocsin::rules::sigma
