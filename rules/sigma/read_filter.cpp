// A filter: its log source, the rules it is for, its selections and condition.
#include <algorithm>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/read.hpp"

namespace tocsin::rules::sigma {
namespace {

using Kind = YamlNode::Kind;

// `any` and an empty list are every rule; nothing at all is a mistake, because tools disagree about it.
void read_rules(Reader& reader, const YamlNode& section, Filter& out) {
  const YamlNode* const rules = section.find("rules");
  if (rules == nullptr || rules->is(Kind::kNull)) {
    refuse("missing-rules", section.line, "the filter does not say which rules it is for", "add 'rules:' with ids or names, or 'rules: any'");
  }
  out.rules = reader.names_of(*rules, "missing-rules", "'rules'");
  out.any = out.rules.empty() || (rules->is(Kind::kScalar) && iequals(out.rules.front(), "any"));
  if (out.any) out.rules.clear();
}

// Whether the condition asks for what matches, instead of excluding it: no `not` anywhere, nor a `neq`.
bool positive(const Condition& condition) {
  return condition.kind != Condition::Kind::kNot && std::all_of(condition.parts.begin(), condition.parts.end(), [](const Condition& part) { return positive(part); });
}
bool positive(const Detection& detection) {
  if (std::find(detection.item.modifiers.begin(), detection.item.modifiers.end(), "neq") != detection.item.modifiers.end()) return false;
  return std::all_of(detection.parts.begin(), detection.parts.end(), [](const Detection& part) { return positive(part); });
}

}  // namespace

Filter read_filter(Reader& reader, const YamlNode& root) {
  Filter out;
  reader.read_identity(root, out);
  if (out.title.empty()) refuse("missing-title", out.line, "the filter has no title", "add 'title: …'");
  for (const char* const other : {"detection", "correlation"}) {
    if (root.find(other) == nullptr) continue;
    refuse("mixed-document", root.find(other)->line, "a filter has '" + std::string(other) + "' too", "write the two as documents of their own");
  }
  reader.read_description(root, {"filter", "logsource", "sigma-version"}, out);
  reader.read_version(root);
  Reader::Source source = reader.read_log_source(root, out.line, "filter");
  out.product = std::move(source.product);
  out.category = std::move(source.category);
  out.service = std::move(source.service);
  const YamlNode& section = *root.find("filter");
  if (!section.is(Kind::kMap)) refuse("bad-filter", section.line, "'filter' is not a map", "write 'rules', selections and 'condition' under it");
  reader.check_keys(section);
  read_rules(reader, section, out);
  const YamlNode* const condition = section.find("condition");
  if (condition == nullptr) refuse("missing-condition", section.line, "the filter has no condition", "add 'condition: not selection'");
  out.selections = reader.read_selections(section, {"rules", "condition"});
  if (out.selections.empty()) refuse("bad-filter", section.line, "the filter has a condition but no selection", "add a selection");
  Reader::Conditions conditions = reader.read_conditions(*condition, out.selections);
  const auto asks = [](const Condition& one) { return positive(one); };
  const auto finds = [](const Selection& selection) { return positive(selection.detection); };
  if (std::all_of(conditions.each.begin(), conditions.each.end(), asks) && std::all_of(out.selections.begin(), out.selections.end(), finds)) {
    reader.warn("positive-filter", condition->line,
                "the filter keeps only what its selections match: a rule then alerts on nothing else. To leave that out, negate it",
                "write 'condition: not …'");
  }
  out.condition_text = std::move(conditions.text);
  out.condition = either(std::move(conditions.each));
  return out;
}

}  // namespace tocsin::rules::sigma
