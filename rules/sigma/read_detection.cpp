// The shapes of a detection section become one tree, and the condition is checked against the names of selections.
#include <algorithm>
#include <set>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/array.hpp"
#include "rules/sigma/condition.hpp"
#include "rules/sigma/parse.hpp"
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

std::vector<Selection> Reader::read_selections(const YamlNode& section, const std::vector<std::string_view>& reserved, int depth) {
  std::vector<Selection> selections;
  for (std::size_t i = 0; i + 1 < section.items.size(); i += 2) {
    const YamlNode& key = *section.items[i];
    if (std::find(reserved.begin(), reserved.end(), key.text) != reserved.end()) continue;
    Selection selection;
    selection.name = key.text;
    selection.line = key.line;
    selection.detection = read_part(*section.items[i + 1], depth, selection.line);
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
  if (array_matching_) lint_siblings(map);
  Detection all;
  all.kind = Detection::Kind::kAll;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    all.parts.push_back(read_entry(*map.items[i], *map.items[i + 1], depth + 1));
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

// `key: value` of a map: an item, under sigma-version 3 perhaps inside blocks.
Detection Reader::read_entry(const YamlNode& key, const YamlNode& value, int depth) {
  count(value, depth);
  Detection part;
  Item& item = part.item;
  item.line = key.line;
  const std::vector<std::string_view> words = split(key.text, '|');
  item.field = std::string(words.front());
  for (std::size_t i = 1; i < words.size(); ++i) item.modifiers.emplace_back(words[i]);
  if (item.field.empty() && item.modifiers.empty()) {
    refuse("bad-key", item.line, "an item has neither field nor modifier", "write 'field: value', or a list for keywords");
  }
  const bool brackets = item.field.find_first_of("[]") != std::string::npos;
  if (!array_matching_ || (!brackets && !(in_block_ && item.field == "."))) {
    read_values(value, item);
    return part;
  }
  auto parsed = parse_key(item.field);
  if (!parsed) refuse("bad-array-key", item.line, "'" + printable(item.field, 80) + "': " + parsed.error().message, parsed.error().remedy);
  std::vector<KeyPart> parts = std::move(*parsed);
  if (!in_block_ && !parts.front().steps.empty() && parts.front().steps.front().name == ".") {
    refuse("bad-array-key", item.line, "'.' is the element of an array, and this is outside of any", "write it inside 'name[any]:'");
  }
  KeyPart last = std::move(parts.back());
  parts.pop_back();
  const int inner = depth + static_cast<int>(std::min<std::size_t>(parts.size(), kMaxYamlDepth));
  if (inner > kMaxYamlDepth) refuse("too-deep", key.line, "the document is nested deeper than 32 levels", "flatten it");
  const bool outer = std::exchange(in_block_, in_block_ || !parts.empty());
  if (last.steps.empty()) {
    part = read_body(value, item, inner);
  } else {
    item.field = written(last.steps);
    const bool plain = last.steps.size() == 1 && last.steps.front().name != ".";
    if (!plain) item.steps = std::move(last.steps);
    read_values(value, item);
  }
  in_block_ = outer;
  for (; !parts.empty(); parts.pop_back()) part = block(key.line, std::move(parts.back()), std::move(part));
  return part;
}

// What stands under a key that ends with a quantifier: values are the element's own, maps ask for its fields.
Detection Reader::read_body(const YamlNode& value, const Item& item, int depth) {
  Detection body;
  const auto own_values = [&](const std::vector<const YamlNode*>& nodes, bool list) {
    Detection part;
    part.item = item;
    part.item.field = ".";
    part.item.steps = {Step{".", {}}};
    part.item.list = list;
    for (const YamlNode* node : nodes) part.item.values.push_back(read_scalar(*node));
    return part;
  };
  const auto map_body = [&](const YamlNode& map) {
    if (!item.modifiers.empty()) {
      refuse("modifier-conflict", item.line, "the modifiers of '" + printable(item.field, 80) + "' have no value to act on: it holds a map", "put them on the items of the map");
    }
    const YamlNode* const condition = map.find("condition");
    if (condition == nullptr) return read_map(map, depth + 1);
    check_keys(map);
    auto extended = std::make_shared<Block>();
    extended->selections = read_selections(map, {"condition"}, depth + 1);
    if (extended->selections.empty()) refuse("empty-selection", map.line, "the block has a condition but no selection", "add a selection");
    Conditions conditions = read_conditions(*condition, extended->selections);
    extended->condition = either(std::move(conditions.each));
    Detection part;
    part.kind = Detection::Kind::kEach;  // completed by block()
    part.block = std::move(extended);
    return part;
  };
  if (value.is(Kind::kMap)) return map_body(value);
  if (!value.is(Kind::kList)) return own_values({&value}, false);
  if (value.items.empty()) {
    refuse("empty-list", item.line, "the value of '" + printable(item.field, 80) + "' is an empty list", "use null for a null element, or remove the item");
  }
  body.kind = Detection::Kind::kAny;
  std::vector<const YamlNode*> scalars;
  for (const YamlNode* entry : value.items) {
    count(*entry, depth + 1);
    if (entry->is(Kind::kMap)) {
      if (entry->find("condition") != nullptr) {
        refuse("bad-array-key", entry->line, "a map with a 'condition' stands in a list", "write it directly under the key");
      }
      body.parts.push_back(map_body(*entry));
    } else if (is_scalar(*entry)) {
      scalars.push_back(entry);
    } else {
      refuse("nested-list", entry->line, "the values of '" + printable(item.field, 80) + "' are not all plain values or maps", "write one flat list");
    }
  }
  if (!scalars.empty()) body.parts.push_back(own_values(scalars, true));
  if (body.parts.size() == 1) return Detection(std::move(body.parts.front()));
  return body;
}

Detection Reader::block(int line, KeyPart part, Detection body) {
  auto made = std::make_shared<Block>();
  if (body.kind == Detection::Kind::kEach && body.block->steps.empty()) {  // an extended body
    made->selections = body.block->selections;
    made->condition = body.block->condition;
  } else {
    made->selections.resize(1);
    made->selections.front().line = line;
    made->selections.front().detection = std::move(body);
    made->condition.kind = Condition::Kind::kName;  // of the one selection, whose name is empty
  }
  made->steps = std::move(part.steps);
  made->quantifier = part.quantifier;
  made->line = line;
  Detection out;
  out.kind = Detection::Kind::kEach;
  out.block = std::move(made);
  return out;
}

void Reader::read_values(const YamlNode& value, Item& item) {
  const std::string shown = "'" + printable(item.field, 80) + "'";
  if (value.is(Kind::kMap)) {
    refuse("nested-map", item.line, "the value of " + shown + " is a map", "write nested fields as 'outer.inner: value'");
  }
  if (!value.is(Kind::kList)) {
    item.values.push_back(read_scalar(value));
    return;
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
}

// Two keys that open the same array with [any] or [none] do not speak of the same element.
void Reader::lint_siblings(const YamlNode& map) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const std::string_view key = map.items[i]->text;
    for (const std::string_view quantifier : {"[any]", "[none]"}) {
      const std::size_t at = key.find(quantifier);
      if (at == std::string_view::npos || seen.insert(key.substr(0, at + quantifier.size())).second) continue;
      warn("sibling-scopes", map.items[i]->line,
           "two items open '" + printable(key.substr(0, at + quantifier.size()), 60) + "' separately, so that different elements may satisfy them",
           "write one block: 'name[any]: {a: …, b: …}'");
    }
  }
}

Condition either(std::vector<Condition> conditions) {
  if (conditions.size() == 1) return Condition(std::move(conditions.front()));
  Condition any;
  any.kind = Condition::Kind::kOr;
  any.parts = std::move(conditions);
  return any;
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
