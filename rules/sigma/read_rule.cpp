// A rule: what it says of itself, its log source, its detection.
#include <utility>

#include "rules/sigma/read.hpp"

namespace tocsin::rules::sigma {
Rule read_rule(Reader& reader, const YamlNode& root) {
  Rule rule;
  reader.read_identity(root, rule);
  if (rule.title.empty()) refuse("missing-title", rule.line, "the rule has no title", "add 'title: …'");
  reader.read_description(root, {"logsource", "detection", "sigma-version"}, rule);
  reader.read_version(root);
  Reader::Source source = reader.read_log_source(root, rule.line, "rule");
  rule.product = std::move(source.product);
  rule.category = std::move(source.category);
  rule.service = std::move(source.service);
  const YamlNode* const section = root.find("detection");
  if (section == nullptr || !section->is(YamlNode::Kind::kMap)) {
    refuse("missing-detection", rule.line, "the rule has no detection section", "add 'detection:' with selections and a condition");
  }
  reader.check_keys(*section);
  const YamlNode* const condition = section->find("condition");
  if (condition == nullptr) refuse("missing-condition", section->line, "the detection has no condition", "add 'condition: …'");
  if (const YamlNode* const timeframe = section->find("timeframe"); timeframe != nullptr) {
    refuse("aggregation", timeframe->line, "'timeframe' belongs to the aggregations of Sigma 1", "write the count as a correlation rule of its own");
  }
  rule.selections = reader.read_selections(*section, {"condition"});
  if (rule.selections.empty()) {
    refuse("missing-detection", section->line, "the detection has a condition but no selection", "add a selection");
  }
  Reader::Conditions conditions = reader.read_conditions(*condition, rule.selections);
  rule.condition_text = std::move(conditions.text);
  rule.condition = either(std::move(conditions.each));
  return rule;
}

}  // namespace tocsin::rules::sigma
