// The shapes of a detection section become one tree, and the condition is checked against the names of selections.
#include <algorithm>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/condition.hpp"
#include "rules/sigma/read.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kMaxNames = 1000000;  // selections looked at for one condition

using Kind = YamlNode::Kind;

Detection keywords(std::vector<Scalar> words, bool list, int line) {
  Detection part;
  part.item.values = std::move(words);
  part.item.list = list;
  part.item.line = line;
  return part;
}

bool is_scalar(const YamlNode& node) noexcept { return node.is(Kind::kScalar) || node.is(Kind::kNull); }

}  // namespace

std::vector<Selection> Reader::read_selections(const YamlNode& section, const std::vector<std::string_view>& reserved) {
  std::vector<Selection> selections;
  for (std::size_t i = 0; i + 1 < section.items.size(); i += 2) {
    const YamlNode& key = *section.items[i];
    if (std::find(reserved.begin(), reserved.end(), key.text) != reserved.end()) continue;
    Selection selection;
    selection.name = key.text;
    selection.line = key.line;
    selection.detection = read_part(*section.items[i + 1], 1, selection.line);
    selections.push_back(std::move(selection));
  }
  return selections;
}

// A map, a list, or a keyword.
Detection Reader::read_part(const YamlNode& node, int depth, int line) {
  count(node, depth);
  switch (node.kind) {
    case Kind::kMap: return read_map(node, depth);
    case Kind::kList: return read_list(node, depth);
    case Kind::kScalar: return keywords({read_scalar(node)}, false, node.line);
    case Kind::kNull: break;
  }
  refuse("empty-selection", line, "the selection is empty", "give it at least one item, or remove it");
}

Detection Reader::read_map(const YamlNode& map, int depth) {
  if (map.items.empty()) refuse("empty-selection", map.line, "the selection is empty", "give it at least one item, or remove it");
  check_keys(map);
  Detection all;
  all.kind = Detection::Kind::kAll;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    count(*map.items[i + 1], depth + 1);
    Detection part;
    part.item = read_item(*map.items[i], *map.items[i + 1]);
    all.parts.push_back(std::move(part));
  }
  if (all.parts.size() == 1) return Detection(std::move(all.parts.front()));
  return all;
}

Detection Reader::read_list(const YamlNode& list, int depth) {
  if (list.items.empty()) {
    refuse("empty-selection", list.line, "the selection is an empty list", "give it at least one item, or remove it");
  }
  std::vector<Scalar> words;
  Detection any;
  any.kind = Detection::Kind::kAny;
  for (const YamlNode* entry : list.items) {
    if (is_scalar(*entry)) {
      count(*entry, depth + 1);
      words.push_back(read_scalar(*entry));
    } else {
      any.parts.push_back(read_part(*entry, depth + 1, entry->line));
    }
  }
  if (!words.empty()) any.parts.push_back(keywords(std::move(words), true, list.line));
  if (any.parts.size() == 1) return Detection(std::move(any.parts.front()));
  return any;
}

Item Reader::read_item(const YamlNode& key, const YamlNode& value) {
  Item item;
  item.line = key.line;
  const std::vector<std::string_view> parts = split(key.text, '|');
  item.field = std::string(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) item.modifiers.emplace_back(parts[i]);
  const std::string shown = "'" + printable(key.text, 80) + "'";
  if (item.field.empty() && item.modifiers.empty()) {
    refuse("bad-key", item.line, "an item has neither field nor modifier", "write 'field: value', or a list for keywords");
  }
  if (array_matching_ && item.field.find('[') != std::string::npos) {
    refuse("unsupported-array-matching", item.line, "array matching (sigma-version 3) is not evaluated by this version: " + shown,
           "name the field without [..]: a rule then matches if any member does");
  }
  if (value.is(Kind::kMap)) {
    refuse("nested-map", item.line, "the value of " + shown + " is a map", "write nested fields as 'outer.inner: value'");
  }
  if (!value.is(Kind::kList)) {
    item.values.push_back(read_scalar(value));
    return item;
  }
  item.list = true;
  if (value.items.empty()) {
    refuse("empty-list", item.line, "the value of " + shown + " is an empty list", "use null for an absent field, or remove the item");
  }
  for (const YamlNode* entry : value.items) {
    count(*entry, 0);
    if (!is_scalar(*entry)) {
      refuse("nested-list", entry->line, "the values of " + shown + " are not all plain values", "write one flat list");
    }
    item.values.push_back(read_scalar(*entry));
  }
  return item;
}

Reader::Conditions Reader::read_conditions(const YamlNode& node, const std::vector<Selection>& selections) {
  std::vector<const YamlNode*> texts;
  if (node.is(Kind::kScalar)) texts.push_back(&node);
  if (node.is(Kind::kList)) {
    for (const YamlNode* entry : node.items) {
      count(*entry, 0);
      if (!entry->is(Kind::kScalar)) refuse("condition-syntax", entry->line, "a condition is not text", "write one text per condition");
      texts.push_back(entry);
    }
  }
  if (texts.empty()) refuse("missing-condition", node.line, "the condition is empty", "name at least one selection");
  Conditions result;
  std::vector<char> used(selections.size(), 0);
  for (const YamlNode* text : texts) {
    auto parsed = parse_condition(text->text);
    if (!parsed) refuse(parsed.error().where, text->line, parsed.error().message, parsed.error().remedy);
    if (parsed->upper_case_keywords) {
      warn("upper-case-keyword", text->line, "the condition has a keyword in upper case; it is read as the keyword",
           "write and, or, not, of in lower case");
    }
    check_names(parsed->condition, selections, text->line, used);
    if (!result.text.empty()) result.text += " | ";
    result.text += text->text;
    result.each.push_back(std::move(parsed->condition));
  }
  for (std::size_t i = 0; i < selections.size(); ++i) {
    if (used[i] == 0 && !selections[i].name.starts_with('_')) {
      warn("unused-selection", selections[i].line, "the condition never uses the selection '" + printable(selections[i].name, 80) + "'",
           "use it in the condition, or remove it");
    }
  }
  return result;
}

void Reader::check_names(const Condition& condition, const std::vector<Selection>& selections, int line, std::vector<char>& used) {
  for (const Condition& part : condition.parts) check_names(part, selections, line, used);
  if (condition.kind != Condition::Kind::kName && condition.kind != Condition::Kind::kSelector) return;
  std::size_t hits = 0;
  names_seen_ += selections.size();
  if (names_seen_ > kMaxNames) {
    refuse("too-large", line, "the condition refers to selections more than a million times", "split the rule");
  }
  for (std::size_t i = 0; i < selections.size(); ++i) {
    const bool hit = condition.kind == Condition::Kind::kName ? selections[i].name == condition.name : selects(condition.name, selections[i].name);
    if (!hit) continue;
    ++hits;
    used[i] = 1;
  }
  if (hits == 0 && condition.kind == Condition::Kind::kName) {
    std::vector<std::string_view> names;
    for (const Selection& selection : selections) names.push_back(selection.name);
    const std::string_view close = nearest(condition.name, names);
    refuse("unknown-identifier", line, "the condition names '" + printable(condition.name, 80) + "', which the detection does not have",
           close.empty() ? "define it, or remove it" : "did you mean '" + std::string(close) + "'?");
  }
  if (hits == 0 || hits < condition.quantity) {
    refuse("empty-selector", line, "'of " + printable(condition.name, 80) + "' reaches " + std::to_string(hits) + " selections, fewer than it asks for",
           "check the pattern against the names of the selections");
  }
}

}  // namespace tocsin::rules::sigma
