// A correlation: its type, what it refers to, its window, and what the matches must add up to.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/condition.hpp"
#include "rules/sigma/read.hpp"
#include "rules/sigma/scalar.hpp"

namespace tocsin::rules::sigma {
namespace {

using Kind = YamlNode::Kind;
using Type = CorrelationType;
using Operator = Bound::Operator;

constexpr std::string_view kTypes[] = {"event_count",      "value_count", "temporal",         "temporal_ordered",
                                       "value_sum",        "value_avg",   "value_percentile", "value_median"};

struct NamedOperator {
  std::string_view name;
  Operator op;
};
constexpr NamedOperator kOperators[] = {{"lt", Operator::kLess},           {"lte", Operator::kLessOrEqual}, {"gt", Operator::kGreater},
                                        {"gte", Operator::kGreaterOrEqual}, {"eq", Operator::kEqual},        {"neq", Operator::kNotEqual}};

bool temporal(Type type) noexcept { return type == Type::kTemporal || type == Type::kTemporalOrdered; }
bool over_values(Type type) noexcept { return type != Type::kEventCount && !temporal(type); }

Type read_type(const YamlNode& section) {
  const YamlNode* const node = section.find("type");
  if (node == nullptr || !node->is(Kind::kScalar)) {
    refuse("missing-correlation-type", section.line, "the correlation has no type", "add 'type: event_count' or another of the eight types");
  }
  const auto* const at = std::find(std::begin(kTypes), std::end(kTypes), node->text);
  if (at != std::end(kTypes)) return static_cast<Type>(at - std::begin(kTypes));
  const std::string_view close = nearest(node->text, {std::begin(kTypes), std::end(kTypes)});
  refuse("unknown-correlation-type", node->line, "the correlation type '" + printable(node->text, 60) + "' does not exist",
         close.empty() ? "use event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile or value_median"
                       : "did you mean '" + std::string(close) + "'?");
}

// A month and a year are pySigma's: a twelfth of the mean Gregorian year, and that year.
Duration read_timespan(Reader& reader, const YamlNode& section) {
  const YamlNode* node = section.find("timespan");
  const YamlNode* const old = section.find("timeframe");
  if (old != nullptr) {
    if (node != nullptr) refuse("bad-timespan", old->line, "the correlation has both 'timespan' and 'timeframe'", "keep 'timespan'");
    reader.warn("timeframe-key", old->line, "'timeframe' is not the specification's word; it is read as 'timespan'", "write 'timespan'");
    node = old;
  }
  if (node == nullptr || node->is(Kind::kNull)) {
    refuse("missing-timespan", section.line, "the correlation has no timespan", "add 'timespan: 15m' (s, m, h, d, w, M or y)");
  }
  struct Unit {
    char letter;
    std::int64_t seconds;
  };
  static constexpr Unit kUnits[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}, {'M', 2629746}, {'y', 31556952}};
  const std::string_view text = node->is(Kind::kScalar) ? trim(node->text) : std::string_view();
  std::int64_t number = 0;
  const char* const end = text.data() + (text.empty() ? 0 : text.size() - 1);
  const auto parsed = std::from_chars(text.data(), end, number);
  const auto* const unit =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return !text.empty() && u.letter == text.back(); });
  if (text.size() < 2 || parsed.ec != std::errc() || parsed.ptr != end || number <= 0 || unit == std::end(kUnits)) {
    refuse("bad-timespan", node->line, "'" + printable(node->text, 40) + "' is not a span of time", "write a number and one of s, m, h, d, w, M, y: 15m");
  }
  if (number > kMaxTimespan / std::chrono::seconds(unit->seconds)) {
    refuse("too-large", node->line, "the timespan is longer than 10 years", "use a shorter one");
  }
  return std::chrono::seconds(number * unit->seconds);
}

// --- conditions ---

double read_number(const YamlNode& node, std::string_view what) {
  const auto number = node.is(Kind::kScalar) ? parse_number(trim(node.text)) : std::nullopt;
  if (!number || !std::isfinite(number->real)) {
    refuse("bad-correlation-condition", node.line, "the value of '" + std::string(what) + "' is not a number", "give a decimal number");
  }
  return number->real;
}

double read_percentile(const YamlNode& node) {
  const double percentile = read_number(node, "percentile");
  if (percentile < 0 || percentile > 100) {
    refuse("bad-percentile", node.line, "a percentile lies between 0 and 100", "give a number between 0 and 100");
  }
  return percentile;
}

// Whether some number satisfies all bounds.
bool satisfiable(const std::vector<Bound>& bounds) {
  double low = -HUGE_VAL;
  double high = HUGE_VAL;
  bool open_low = true;
  bool open_high = true;
  for (const Bound& bound : bounds) {
    const bool strict = bound.op == Operator::kGreater || bound.op == Operator::kLess;
    if (bound.op != Operator::kLess && bound.op != Operator::kLessOrEqual && bound.op != Operator::kNotEqual) {
      if (bound.value > low || (bound.value == low && strict)) {
        low = bound.value;
        open_low = strict;
      }
    }
    if (bound.op != Operator::kGreater && bound.op != Operator::kGreaterOrEqual && bound.op != Operator::kNotEqual) {
      if (bound.value < high || (bound.value == high && strict)) {
        high = bound.value;
        open_high = strict;
      }
    }
  }
  if (low > high || (low == high && (open_low || open_high))) return false;
  return low != high || std::none_of(bounds.begin(), bounds.end(), [&](const Bound& b) { return b.op == Operator::kNotEqual && b.value == low; });
}

void read_bounds(Reader& reader, const YamlNode& node, Correlation& out) {
  reader.check_keys(node);
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const std::string& key = node.items[i]->text;
    const YamlNode& value = *node.items[i + 1];
    const auto* const named = std::find_if(std::begin(kOperators), std::end(kOperators), [&](const NamedOperator& o) { return o.name == key; });
    if (named != std::end(kOperators)) {
      out.bounds.push_back(Bound{named->op, read_number(value, key)});
      out.condition_text += (out.condition_text.empty() ? "" : " and ") + key + " " + std::string(trim(value.text));
    } else if (key == "field") {
      out.fields = reader.names_of(value, "bad-correlation-condition", "'field' of the condition");
    } else if (key == "percentile") {
      out.percentile = read_percentile(value);
    } else {
      const std::string_view close = nearest(key, {"lt", "lte", "gt", "gte", "eq", "neq", "field", "percentile"});
      refuse("bad-correlation-condition", node.items[i]->line, "the condition has no operator '" + printable(key, 40) + "'",
             close.empty() ? "use lt, lte, gt, gte, eq or neq" : "did you mean '" + std::string(close) + "'?");
    }
  }
  if (out.bounds.empty()) {
    refuse("bad-correlation-condition", node.line, "the condition compares with nothing", "add 'gte: 10', or another of lt, lte, gt, gte, eq, neq");
  }
  if (!satisfiable(out.bounds)) {
    reader.warn("never-true", node.line, "no number satisfies all operators of the condition", "check lower and upper bound");
  }
}

// The names of an expression, each once, in its order. Selectors have no meaning here.
void names_in(Reader& reader, const Condition& condition, int line, std::vector<std::string>& names) {
  if (condition.kind == Condition::Kind::kSelector) {
    refuse("bad-correlation-condition", line, "'of " + printable(condition.name, 60) + "' has no meaning in the condition of a correlation",
           "name the rules: 'rule_a and not rule_b'");
  }
  for (const Condition& part : condition.parts) names_in(reader, part, line, names);
  if (condition.kind != Condition::Kind::kName) return;
  const std::string& name = condition.name;
  if (name.find('-') != std::string::npos || (name[0] >= '0' && name[0] <= '9')) {
    reader.warn("unportable-name", line, "'" + printable(name, 60) + "' is no name that other engines read in a condition",
                "give the rule a name of letters, digits and '_'");
  }
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

void read_expression(Reader& reader, const YamlNode& node, Correlation& out) {
  if (!temporal(out.type)) {
    refuse("bad-correlation-condition", node.line, "an expression over rules is for the types temporal and temporal_ordered only",
           "write the condition as a map: 'gte: 10'");
  }
  auto parsed = parse_condition(node.text);
  if (!parsed) {
    const bool pipe = parsed.error().where == "aggregation";
    refuse(pipe ? "bad-correlation-condition" : parsed.error().where, node.line, parsed.error().message,
           pipe ? "write names of rules joined by and, or, not" : parsed.error().remedy);
  }
  if (parsed->upper_case_keywords) {
    reader.warn("upper-case-keyword", node.line, "the condition has a keyword in upper case; it is read as the keyword", "write and, or, not in lower case");
  }
  std::vector<std::string> names;
  names_in(reader, parsed->condition, node.line, names);
  if (out.rules.empty()) out.rules = names;
  for (const std::string& name : names) {
    if (std::find(out.rules.begin(), out.rules.end(), name) == out.rules.end()) {
      refuse("condition-and-rules-differ", node.line, "the condition names '" + printable(name, 60) + "', which 'rules' does not", "add it to 'rules', or leave 'rules' out");
    }
  }
  for (const std::string& rule : out.rules) {
    if (std::find(names.begin(), names.end(), rule) == names.end()) {
      refuse("condition-and-rules-differ", node.line, "'rules' names '" + printable(rule, 60) + "', which the condition does not", "use it in the condition, or take it out of 'rules'");
    }
  }
  out.condition_text = node.text;
  out.expression = std::move(parsed->condition);
}

void read_condition(Reader& reader, const YamlNode& section, Correlation& out) {
  const YamlNode* const node = section.find("condition");
  if (node == nullptr || node->is(Kind::kNull)) {
    if (temporal(out.type)) return;
    refuse("missing-correlation-condition", section.line, "a correlation of type " + std::string(name(out.type)) + " needs a condition", "add 'condition: {gte: 10}'");
  }
  if (node->is(Kind::kScalar)) return read_expression(reader, *node, out);
  if (!node->is(Kind::kMap)) refuse("bad-correlation-condition", node->line, "the condition is a list", "write a map: 'gte: 10'");
  read_bounds(reader, *node, out);
  if (over_values(out.type) && out.fields.empty()) {
    refuse("missing-correlation-field", node->line, "a correlation of type " + std::string(name(out.type)) + " needs 'field' in its condition", "add 'field: name'");
  }
  if (!over_values(out.type) && !out.fields.empty()) {
    refuse("bad-correlation-condition", node->line, "a correlation of type " + std::string(name(out.type)) + " looks at no field", "remove 'field', or use value_count");
  }
  if (out.fields.size() > 1 && out.type != Type::kValueCount) {
    refuse("bad-correlation-condition", node->line, "only value_count takes several fields", "name one field");
  }
}

void check_percentile(const YamlNode& section, Correlation& out) {
  const YamlNode* const condition = section.find("condition");
  const YamlNode* const inner = condition == nullptr ? nullptr : condition->find("percentile");
  const YamlNode* const outer = section.find("percentile");
  if (inner != nullptr && outer != nullptr) refuse("bad-percentile", outer->line, "'percentile' stands twice", "keep that in the condition");
  const YamlNode* const given = inner != nullptr ? inner : outer;
  if (out.type == Type::kValuePercentile) {
    if (given == nullptr) {
      refuse("ambiguous-percentile", condition->line,
             "value_percentile without 'percentile' means one thing in the text of the specification and another in its tools",
             "add 'percentile: 95' to the condition: gte, lte … then compare with the value at that percentile");
    }
    out.percentile = read_percentile(*given);
  } else if (given != nullptr) {
    refuse("bad-percentile", given->line, "'percentile' belongs to the type value_percentile only", "remove it, or use value_percentile");
  }
}

// --- the rest ---

void read_aliases(Reader& reader, const YamlNode& section, Correlation& out) {
  const YamlNode* const aliases = section.find("aliases");
  if (aliases == nullptr || aliases->is(Kind::kNull)) return;
  if (!aliases->is(Kind::kMap)) refuse("bad-aliases", aliases->line, "'aliases' is not a map", "write 'name: {rule: field}'");
  reader.check_keys(*aliases);
  for (std::size_t i = 0; i + 1 < aliases->items.size(); i += 2) {
    const YamlNode& key = *aliases->items[i];
    const YamlNode& fields = *aliases->items[i + 1];
    const std::string shown = "the alias '" + printable(key.text, 60) + "'";
    if (!fields.is(Kind::kMap) || fields.items.empty()) refuse("bad-aliases", key.line, shown + " is not a map", "write 'name: {rule: field}'");
    reader.check_keys(fields);
    Alias alias;
    alias.name = key.text;
    for (std::size_t n = 0; n + 1 < fields.items.size(); n += 2) {
      const YamlNode& rule = *fields.items[n];
      const YamlNode& field = *fields.items[n + 1];
      reader.count(field, 0);
      if (!field.is(Kind::kScalar) || trim(field.text).empty()) refuse("bad-aliases", rule.line, shown + " gives no field for a rule", "write 'rule: field'");
      if (std::find(out.rules.begin(), out.rules.end(), rule.text) == out.rules.end()) {
        refuse("bad-aliases", rule.line, shown + " names '" + printable(rule.text, 60) + "', which 'rules' does not", "use the words of 'rules'");
      }
      alias.fields.push_back(Alias::Field{rule.text, std::string(trim(field.text))});
    }
    const auto used = [&](const std::vector<std::string>& names) { return std::find(names.begin(), names.end(), alias.name) != names.end(); };
    if (!used(out.group_by) && !used(out.fields)) {
      reader.warn("unused-alias", key.line, shown + " is used neither in group-by nor in the condition", "use it, or remove it");
    }
    out.aliases.push_back(std::move(alias));
  }
}

bool read_flag(const YamlNode& node) {
  const Scalar scalar = read_scalar(node);
  const std::string text = to_lower(scalar.text);
  if (scalar.type == Scalar::Type::kBool) return scalar.boolean;
  if (text != "true" && text != "false") refuse("bad-field", node.line, "'generate' is neither true nor false", "write 'generate: true'");
  return text == "true";
}

// The root is the schema's place, the section pySigma's; both are read.
bool read_generate(const YamlNode& root, const YamlNode& section) {
  const YamlNode* const outer = root.find("generate");
  const YamlNode* const inner = section.find("generate");
  if (outer != nullptr && inner != nullptr && read_flag(*outer) != read_flag(*inner)) {
    refuse("bad-field", inner->line, "'generate' is said twice, and differently", "keep one of them");
  }
  return outer != nullptr ? read_flag(*outer) : inner != nullptr && read_flag(*inner);
}

}  // namespace

std::string_view name(CorrelationType type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }

Correlation read_correlation(Reader& reader, const YamlNode& root) {
  Correlation out;
  reader.read_identity(root, out);
  if (out.title.empty()) refuse("missing-title", out.line, "the correlation has no title", "add 'title: …'");
  for (const char* const other : {"detection", "filter"}) {
    if (root.find(other) == nullptr) continue;
    refuse("mixed-document", root.find(other)->line, "a correlation has '" + std::string(other) + "' too", "write the two as documents of their own");
  }
  reader.read_description(root, {"correlation", "generate", "logsource"}, out);
  const YamlNode& section = *root.find("correlation");
  if (!section.is(Kind::kMap)) refuse("bad-correlation", section.line, "'correlation' is not a map", "write 'type', 'rules', 'timespan' and 'condition' under it");
  reader.check_keys(section);
  reader.warn_unknown_keys(section, {"type", "rules", "group-by", "timespan", "timeframe", "condition", "aliases", "generate", "percentile"}, "a correlation");
  out.type = read_type(section);
  if (const YamlNode* const rules = section.find("rules"); rules != nullptr) out.rules = reader.names_of(*rules, "missing-rules", "'rules'");
  if (const YamlNode* const fields = section.find("group-by"); fields != nullptr) out.group_by = reader.names_of(*fields, "bad-group-by", "'group-by'");
  out.timespan = read_timespan(reader, section);
  if (out.type != Type::kTemporalOrdered) {
    std::vector<std::string> once;
    for (std::string& rule : out.rules) {
      if (std::find(once.begin(), once.end(), rule) == once.end()) once.push_back(std::move(rule));
      else reader.warn("duplicate-reference", section.line, "'rules' names a rule twice", "name it once");
    }
    out.rules = std::move(once);
  }
  if (out.rules.size() > kMaxCorrelationRules || out.group_by.size() > kMaxGroupFields) {
    refuse("too-large", section.line, "a correlation refers to at most 1,000 rules and groups by at most 32 fields", "split it");
  }
  read_condition(reader, section, out);
  if (out.rules.empty()) refuse("missing-rules", section.line, "the correlation refers to no rule", "add 'rules:' with ids or names");
  if (out.fields.size() > kMaxGroupFields) refuse("too-large", section.line, "the condition names more than 32 fields", "name fewer");
  if (out.type == Type::kTemporalOrdered && out.expression) {
    reader.warn("ordered-expression", section.find("condition")->line, "an expression over rules says nothing of their order", "use 'type: temporal', or leave the condition out");
  }
  check_percentile(section, out);
  read_aliases(reader, section, out);
  out.generate = read_generate(root, section);
  return out;
}

}  // namespace tocsin::rules::sigma
