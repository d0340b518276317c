// Mutations of a rule, and events made to satisfy a rule, or nearly.
#include <algorithm>
#include <map>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/event.hpp"
#include "rules/sigma/alias.hpp"
#include "rules/sigma/condition.hpp"
#include "rules/sigma/pattern.hpp"
#include "tests/oracle/sigma_generator.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr const char* kFillers[] = {"", "x", "zz", "é", "\n", "\\", " ", "1", "-", "A"};
constexpr const char* kDashes[] = {"-", "/", "–", "—", "―", "_"};
constexpr const char* kDates[] = {"2026-03-01T10:30:00Z", "2026-03-02T09:10:00+01:00", "2024-12-30 10:00:00", "2025-10-10T10:10:10.5Z"};
constexpr const char* kModifiers[] = {"contains", "startswith", "endswith", "all", "cased", "neq", "windash", "re", "i", "base64offset", "wide", "exists", "gt", "lte", "cidr"};

bool has(const Item& item, std::string_view name) { return std::find(item.modifiers.begin(), item.modifiers.end(), name) != item.modifiers.end(); }

std::string json_text(std::string_view text) {
  std::string out;
  write_json(Value::of(std::string_view(to_utf8(text))), out);
  return out;
}

void all_items(Detection& detection, std::vector<Item*>& out) {
  if (detection.kind == Detection::Kind::kItem) out.push_back(&detection.item);
  for (Detection& part : detection.parts) all_items(part, out);
}
std::vector<Item*> all_items(Rule& rule) {
  std::vector<Item*> out;
  for (Selection& selection : rule.selections) all_items(selection.detection, out);
  return out;
}

}  // namespace

std::string Json::text() const {
  std::string out;
  if (object) {
    for (std::size_t i = 0; i < items.size(); ++i) out += (out.empty() ? "{" : ",") + json_text(names[i]) + ":" + items[i].text();
    return out.empty() ? "{}" : out + "}";
  }
  if (array) {
    for (const Json& item : items) out += (out.empty() ? "[" : ",") + item.text();
    return out.empty() ? "[]" : out + "]";
  }
  return raw;
}

// --- mutations ---

void Generator::mutate(Item& item, const Item& other) {
  Scalar& value = item.values[below(item.values.size())];
  switch (below(10)) {
    case 0: item.modifiers.push_back(pick(kModifiers)); return;
    case 1: item.modifiers.insert(item.modifiers.begin(), pick(kModifiers)); return;
    case 2:
      if (!item.modifiers.empty()) item.modifiers.erase(item.modifiers.begin() + static_cast<std::ptrdiff_t>(below(item.modifiers.size())));
      return;
    case 3: value = other.values[below(other.values.size())]; return;
    case 4: item.values.push_back(other.values[below(other.values.size())]); item.list = true; return;
    case 5:
      if (!other.field.empty() && other.steps.empty()) item.field = other.field;
      return;
    case 6:  // a text's letters, a wildcard, an end
      if (value.type != Scalar::Type::kString || value.text.empty()) return;
      if (chance(40)) value.text.insert(below(value.text.size() + 1), chance(60) ? "*" : "?");
      else if (chance(50)) value.text = value.text.substr(0, 1 + below(value.text.size()));
      else std::transform(value.text.begin(), value.text.end(), value.text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
      return;
    case 7: {
      Scalar made;
      made.type = chance(50) ? Scalar::Type::kInt : chance(50) ? Scalar::Type::kBool : Scalar::Type::kNull;
      made.integer = static_cast<std::int64_t>(below(3));
      made.boolean = chance(50);
      made.text = made.type == Scalar::Type::kInt ? std::to_string(made.integer) : made.type == Scalar::Type::kBool ? (made.boolean ? "true" : "false") : "";
      value = made;
      return;
    }
    case 8:
      if (item.values.size() > 1) item.values.resize(1 + below(item.values.size()));
      return;
    default:
      if (item.modifiers.empty()) item.modifiers = {chance(50) ? "contains" : "endswith"};
      else item.modifiers.clear();
  }
}

Rule Generator::mutated(const Rule& rule, const Rule& other) {
  Rule out = rule;
  Rule donor = other;
  const std::vector<Item*> items = all_items(out);
  const std::vector<Item*> donors = all_items(donor);
  if (items.empty() || donors.empty()) return out;
  const std::size_t changes = 1 + below(3);
  for (std::size_t i = 0; i < changes; ++i) mutate(*items[below(items.size())], *donors[below(donors.size())]);
  if (chance(15)) {
    Condition negation;
    negation.kind = Condition::Kind::kNot;
    negation.parts.push_back(out.condition);
    out.condition = std::move(negation);
  }
  if (chance(20) && out.condition.parts.size() > 1) {
    out.condition.kind = out.condition.kind == Condition::Kind::kAnd ? Condition::Kind::kOr : Condition::Kind::kAnd;
  }
  return out;
}

// --- values ---

// A text that the pattern finds, for the plain part of the syntax; else just some text.
std::string Generator::text_for_regex(std::string_view pattern) {
  std::string out;
  const auto last = [&] { return out.empty() ? std::string() : out.substr(out.size() - 1); };
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\' && at + 1 < pattern.size()) {
      const char kind = pattern[++at];
      if (kind == 'd') out += '7';
      else if (kind == 's') out += ' ';
      else if (kind == 'w') out += 'a';
      else if (kind != 'b') out += kind;
    } else if (c == '[') {
      const std::size_t close = pattern.find(']', at + 2);
      if (close == std::string_view::npos) break;
      out += pattern[at + 1] == '^' ? '~' : pattern[at + 1] == '\\' && at + 2 < close ? pattern[at + 2] : pattern[at + 1];
      at = close;
    } else if (c == '{') {
      const std::size_t close = pattern.find('}', at);
      if (close == std::string_view::npos) break;
      const std::size_t times = std::strtoul(std::string(pattern.substr(at + 1, close - at - 1)).c_str(), nullptr, 10);
      for (std::size_t n = 1; n < std::min<std::size_t>(times, 50); ++n) out += last();
      at = close;
    } else if (c == '(') {
      if (pattern.substr(at).starts_with("(?")) {
        const std::size_t end = pattern.find_first_of(":)", at);
        if (end == std::string_view::npos) break;
        at = end;
      }
    } else if (c == '|') {  // skip the other branches
      int depth = 0;
      while (at < pattern.size() && (depth > 0 || pattern[at] != ')')) {
        depth += pattern[at] == '(' ? 1 : pattern[at] == ')' ? -1 : 0;
        if (pattern[at] == '\\') ++at;
        ++at;
      }
    } else if (c == '.') {
      out += 'x';
    } else if (c != ')' && c != '^' && c != '$' && c != '*' && c != '+' && c != '?') {
      out += c;
    }
  }
  return out;
}

std::string Generator::text_for(const Item& item, const Scalar& wanted) {
  std::string text;
  if (has(item, "re")) {
    text = chance(90) ? text_for_regex(wanted.text) : wanted.text;
    return (chance(30) ? "z" : "") + text + (chance(30) ? "z" : "");
  }
  for (const Token& token : parse_tokens(wanted.type == Scalar::Type::kInt ? std::to_string(wanted.integer) : wanted.text)) {
    if (token.kind == Token::Kind::kText) text += token.text;
    if (token.kind == Token::Kind::kOne) text += chance(50) ? "é" : "x";
    if (token.kind == Token::Kind::kMany && chance(50)) text += pick(kFillers);
  }
  if (has(item, "wide") || has(item, "utf16le")) {
    std::string wide;
    for (const char c : text) wide += std::string(1, c) + std::string(1, '\0');
    text = wide;
  }
  if (has(item, "base64") || has(item, "base64offset")) text = to_base64(std::string(below(4), 'x') + text + std::string(below(4), 'y'));
  if (has(item, "cidr")) text = text.substr(0, text.find('/')) + (chance(20) && text.find(':') == std::string::npos ? ":443" : "");
  if (has(item, "windash")) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if ((text[at] == '-' || text[at] == '/') && chance(50)) text.replace(at, 1, pick(kDashes));
    }
  }
  if (chance(25)) std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (chance(4) && !text.empty()) text.pop_back();
  return text;
}

// The JSON text of a value that the item might like.
std::string Generator::value_for(const Item& item) {
  const Scalar& wanted = item.values[below(item.values.size())];
  if (wanted.type == Scalar::Type::kNull) return chance(70) ? "null" : "\"\"";
  if (has(item, "exists")) return json_value(1);
  for (const char* const part : {"minute", "hour", "day", "week", "month", "year"}) {
    if (has(item, part)) return json_text(pick(kDates));
  }
  const bool compares = has(item, "lt") || has(item, "lte") || has(item, "gt") || has(item, "gte");
  const bool number = wanted.type == Scalar::Type::kInt || wanted.type == Scalar::Type::kDouble;
  if (compares || (number && !has(item, "contains"))) {
    std::string text = wanted.type == Scalar::Type::kInt ? std::to_string(wanted.integer) : wanted.text;
    if (compares && chance(60)) text = std::to_string(std::strtol(text.c_str(), nullptr, 10) + static_cast<long>(below(5)) - 2);
    if (wanted.type == Scalar::Type::kInt && chance(10)) text += ".0";
    const bool plain = !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos && text[0] != '.' && text.back() != '.' && text != "-" &&
                       !(text.size() > 1 && text[0] == '0' && text[1] != '.');
    return plain && chance(65) ? text : json_text(text);
  }
  if (wanted.type == Scalar::Type::kBool || (wanted.text == "true" || wanted.text == "false")) {
    const std::string text = wanted.type == Scalar::Type::kBool ? (wanted.boolean ? "true" : "false") : wanted.text;
    return chance(50) ? text : json_text(chance(50) ? text : std::string(1, static_cast<char>(text[0] - 32)) + text.substr(1));
  }
  return value_for(std::vector<const Item*>{&item});
}

// One text that satisfies several items of one field: beginnings, middles and ends one after another.
std::string Generator::value_for(const std::vector<const Item*>& items) {
  std::string start, middle, end;
  std::vector<std::string> apart;
  for (const Item* const item : items) {
    std::vector<const Scalar*> values;
    for (const Scalar& value : item->values) values.push_back(&value);
    if (!has(*item, "all") && !values.empty()) values = {values[below(values.size())]};
    for (const Scalar* const value : values) {
      const std::string text = text_for(*item, *value);
      apart.push_back(json_text(text));
      if (has(*item, "startswith") && start.empty()) start = text;
      else if (has(*item, "endswith") || (!has(*item, "contains") && value->text.starts_with('*'))) end = text + end;
      else middle += (has(*item, "contains") && chance(50) ? pick(kFillers) : "") + text + (has(*item, "contains") && chance(50) ? pick(kFillers) : "");
    }
  }
  if (apart.size() > 1 && chance(10)) {
    std::string out = "[";
    for (const std::string& one : apart) out += (out.size() > 1 ? "," : "") + one;
    return out + "]";
  }
  std::string value = json_text(start + middle + end);
  if (chance(8)) value = "[" + json_value(1) + "," + value + "]";
  if (chance(2)) value = "{\"e\":" + value + "}";
  return value;
}

// --- events ---

void Generator::collect(const Condition& condition, const std::vector<Selection>& selections, bool truth, std::vector<const Detection*>& out) {
  switch (condition.kind) {
    case Condition::Kind::kNot: collect(condition.parts[0], selections, !truth, out); return;
    case Condition::Kind::kAnd:
    case Condition::Kind::kOr: {
      const bool every = (condition.kind == Condition::Kind::kAnd) == truth;
      const std::size_t chosen = below(condition.parts.size());
      for (std::size_t i = 0; i < condition.parts.size(); ++i) collect(condition.parts[i], selections, every || i == chosen ? truth : chance(30), out);
      return;
    }
    default: break;
  }
  std::vector<const Selection*> meant;
  for (const Selection& selection : selections) {
    const bool hit = condition.kind == Condition::Kind::kName ? selection.name == condition.name : selects(condition.name, selection.name);
    if (hit) meant.push_back(&selection);
  }
  const std::size_t chosen = meant.empty() ? 0 : below(meant.size());
  for (std::size_t i = 0; i < meant.size(); ++i) {
    const bool needed = condition.kind == Condition::Kind::kName || condition.quantity == 0 || i == chosen;
    collect(meant[i]->detection, truth ? needed || chance(25) : false, out);
  }
}

void Generator::collect(const Detection& detection, bool truth, std::vector<const Detection*>& out) {
  if (chance(3)) truth = !truth;
  if (!truth && !chance(15)) return;
  if (detection.kind == Detection::Kind::kItem || detection.kind == Detection::Kind::kEach) {
    out.push_back(&detection);
    return;
  }
  const std::size_t chosen = below(detection.parts.size());
  for (std::size_t i = 0; i < detection.parts.size(); ++i) {
    if (detection.kind == Detection::Kind::kAll || i == chosen || chance(20)) collect(detection.parts[i], true, out);
  }
}

// Where to put a field: under its name, as a path, or where an alias has it.
std::vector<Step> Generator::place_of(const Rule& rule, const std::string& field, bool element, std::string& member) {
  std::string name = field;
  if (!element && chance(35)) {
    const std::vector<Place> all = places(rule.product, rule.category, rule.service, field);
    const Place& place = all[below(all.size())];
    name = place.name;
    member = place.member;
  }
  std::vector<Step> steps;
  if (chance(25)) return {Step{name, {}}};
  for (const std::string_view part : split(name, '.')) steps.push_back(Step{std::string(part), {}});
  return steps;
}

void Generator::put(Json& at, const std::vector<Step>& steps, std::size_t next, Json value) {
  if (next == steps.size()) {
    if (at.object && value.object && chance(70)) {
      for (std::size_t i = 0; i < value.items.size(); ++i) at.add(value.names[i], value.items[i]);
    } else {
      at = std::move(value);
    }
    return;
  }
  const Step& step = steps[next];
  if (step.name == ".") return put(at, steps, next + 1, std::move(value));
  if (step.position) {
    if (!at.array) at = Json{};
    at.array = true;
    const std::size_t wanted = static_cast<std::size_t>(*step.position >= 0 ? *step.position + 1 : -*step.position) % 100;
    while (at.items.size() < wanted) at.items.emplace_back();
    const std::size_t index = *step.position >= 0 ? wanted - 1 : at.items.size() - wanted;
    if (index < at.items.size()) put(at.items[index], steps, next + 1, std::move(value));
    return;
  }
  if (at.array && !at.items.empty()) return put(at.items[below(at.items.size())], steps, next, std::move(value));
  if (!at.object && next > 0 && chance(8)) {
    at = Json{};
    at.array = true;
    at.items.resize(1 + below(2));
    return put(at.items.back(), steps, next, std::move(value));
  }
  if (!at.object) at = Json{};
  at.object = true;
  for (std::size_t i = 0; i < at.items.size(); ++i) {
    if (at.names[i] == step.name) return put(at.items[i], steps, next + 1, std::move(value));
  }
  at.add(step.name, Json{});
  put(at.items.back(), steps, next + 1, std::move(value));
}

Json Generator::array_near(const Rule& rule, const Block& block) {
  Json array;
  array.array = true;
  const std::size_t count = chance(8) ? 0 : 1 + below(3);
  const std::size_t chosen = count == 0 ? 0 : below(count);
  for (std::size_t i = 0; i < count; ++i) {
    bool truth = block.quantifier == Quantifier::kAny ? i == chosen || chance(20) : block.quantifier != Quantifier::kNone;
    if (chance(8)) truth = !truth;
    array.items.push_back(object_near(rule, block.condition, block.selections, truth, true));
  }
  if (count == 1 && chance(15)) return Json(std::move(array.items[0]));
  return array;
}

Json Generator::object_near(const Rule& rule, const Condition& condition, const std::vector<Selection>& selections, bool truth, bool element) {
  std::vector<const Detection*> leaves;
  collect(condition, selections, truth, leaves);
  Json out;
  out.object = true;
  std::map<std::string, std::vector<const Item*>> by_field;
  for (const Detection* const leaf : leaves) {
    if (leaf->kind == Detection::Kind::kEach) {
      std::string member;
      std::vector<Step> steps = leaf->block->steps;
      if (steps.size() == 1 && steps[0].name != ".") steps = place_of(rule, steps[0].name, element, member);
      put(out, steps, 0, array_near(rule, *leaf->block));
    } else {
      by_field[leaf->item.field].push_back(&leaf->item);
    }
  }
  for (const auto& [field, items] : by_field) {
    if (chance(3)) continue;
    const Item& first = *items[0];
    const bool absent = has(first, "exists") && !first.values.empty() && to_lower(first.values[0].text) == "false";
    if (absent != chance(5)) continue;
    Json value;
    value.raw = items.size() > 1 && chance(90) ? value_for(items) : value_for(first);
    std::string member;
    std::vector<Step> steps = first.steps;
    if (steps.empty()) steps = field.empty() ? std::vector<Step>{Step{chance(50) ? "message" : "m.n", {}}} : place_of(rule, field, element, member);
    if (!member.empty()) {
      Json entry;
      entry.add("name", Json::of(json_text(member)));
      entry.add("value", value);
      value = Json{};
      value.array = true;
      value.items.push_back(std::move(entry));
    }
    if (has(first, "fieldref") && chance(90)) put(out, {Step{first.values[0].text, {}}}, 0, value);
    put(out, steps, 0, std::move(value));
  }
  return out;
}

std::string Generator::event_near(const Rule& rule) {
  Json event = object_near(rule, rule.condition, rule.selections, !chance(8), false);
  if (!event.object) return event.array ? "{\"a\":" + event.text() + "}" : "{}";
  if (chance(10)) event.add("noise", Json::of(json_value(0)));
  if (chance(5) && !event.items.empty()) {
    const auto at = static_cast<std::ptrdiff_t>(below(event.items.size()));
    event.items.erase(event.items.begin() + at);
    event.names.erase(event.names.begin() + at);
  }
  return event.text();
}

}  // namespace tocsin::rules::sigma
