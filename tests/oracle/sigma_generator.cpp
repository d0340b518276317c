// Rules as YAML, events as JSON. Mutations of rules and events near them are in sigma_near.cpp.
#include "tests/oracle/sigma_generator.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/event.hpp"
#include "rules/sigma/pattern.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr const char* kFields[] = {"a", "b", "c", "d.e", "d.f", "d.g.h", "Name", "x-y"};
constexpr const char* kWords[] = {"ab", "abc", "AB", "b", "bc", "cab", "a-b", " -ab", " /c", "éa", "É", "\u212Ab", "1", "10", "1.5", "true",
                                  "", "10.0.0.1", "192.168.7.7", "::1", "*", "?", "\\", "a\\b", "\\\\a", "{\"e\":1}", "[\"ab\"]", "2026-03-01T10:30:00Z", "–ab", "a\nb", "aBcDe", "ABCDE", "xAbCdEy", "wörD", "WÖRD"};
constexpr const char* kPatterns[] = {"a*", "*b", "*a*", "a?c", "?", "??", "*", "a\\*", "\\\\*", "*-?b*", "é*", "*a*b*", "a*b", "**", "\\?", "*\\"};
constexpr const char* kRegexes[] = {"a", "^a", "b$", "a.c", "[ab]+", "^$", "\\d", "(ab|c)", "a{2}", ".", "(?i)AB", "é"};
constexpr const char* kNetworks[] = {"10.0.0.0/8", "192.168.0.0/16", "::/0", "0.0.0.0/0", "10.0.0.1", "::1"};
constexpr const char* kNumbers[] = {"0", "1", "10", "1.5", "-3", "1e1", "9007199254740993"};

std::string json_text(std::string_view text) {
  std::string out;
  const std::string clean = to_utf8(text);
  write_json(Value::of(std::string_view(clean)), out);
  return out;
}
// A YAML single-quoted scalar; line breaks would be folded, so those go into double quotes, which are JSON's.
std::string yaml_text(const std::string& text) {
  if (text.find('\n') != std::string::npos) return json_text(text);
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string Generator::field() {
  static constexpr const char* kBrackets[] = {"[any]", "[all]", "[all_or_empty]", "[none]", "[0]", "[-1]", "[1]", "[any].e", "[all].e.f", "[0].f", "[any][all]", "[none].g[any].h"};
  std::string name = pick(kFields);
  if (in_block_ && chance(20)) name = chance(70) ? "." : ".[0]";
  if (arrays_ && chance(30) && name != ".[0]") name += pick(kBrackets);
  return name;
}

// A block with a map, sometimes with a condition of its own.
std::string Generator::block(const std::string& indent) {
  static constexpr const char* kQuantifiers[] = {"[any]", "[any]", "[all]", "[all_or_empty]", "[none]"};
  const bool outer = std::exchange(in_block_, true);
  std::string out = indent + yaml_text(std::string(pick(kFields)) + pick(kQuantifiers)) + ":\n";
  const std::string inner = indent + "  ";
  if (chance(20)) {
    out += inner + "x:\n" + item(inner + "  ") + inner + "y:\n" + item(inner + "  ") + inner + "condition: " +
           pick(std::vector<std::string>{"x and not y", "x or y", "1 of them", "not all of them"}) + "\n";
  } else {
    out += chance(25) && indent.size() < 10 ? block(inner) : item(inner);
    if (chance(60)) {
      const std::string more = item(inner);
      if (more.substr(0, more.find(':')) != out.substr(out.find(":\n") + 2).substr(0, more.find(':'))) out += more;
    }
  }
  in_block_ = outer;
  return out;
}

std::string Generator::word() {
  std::string text = chance(30) ? pick(kPatterns) : pick(kWords);
  if (chance(15)) text += pick(kWords);
  return text;
}

std::string Generator::item(const std::string& indent) {
  if (arrays_ && indent.size() < 10 && chance(20)) return block(indent);
  struct Form { const char* modifiers; int kind; };  // kind: 0 text, 1 regex, 2 network, 3 number, 4 bool, 5 field, 6 plain bytes, 7 time
  static constexpr Form kForms[] = {
      {"", 0}, {"", 0}, {"", 0}, {"|contains", 0}, {"|startswith", 0}, {"|endswith", 0}, {"|contains|all", 0}, {"|all", 0}, {"|cased", 0},
      {"|contains|cased", 0}, {"|endswith|cased", 0}, {"|neq", 0}, {"|contains|neq", 0}, {"|windash", 0}, {"|contains|windash", 0}, {"|contains|all|windash", 0},
      {"|re", 1}, {"|re|i", 1}, {"|re|s", 1}, {"|re|m", 1}, {"|re|neq", 1}, {"|cidr", 2}, {"|cidr|neq", 2}, {"|lt", 3}, {"|lte", 3}, {"|gt", 3},
      {"|gte", 3}, {"|neq", 3}, {"", 3}, {"", 3}, {"|contains", 3}, {"|exists", 4}, {"|exists|neq", 4}, {"", 4}, {"|fieldref", 5}, {"|fieldref|neq", 5},
      {"|fieldref|startswith", 5}, {"|fieldref|contains", 5}, {"|fieldref|endswith|cased", 5}, {"|base64offset|contains", 6}, {"|base64|contains", 6},
      {"|wide|base64offset|contains", 6}, {"|utf16|base64", 6}, {"|hour", 7}, {"|week", 7}};
  const Form form = kForms[below(std::size(kForms))];
  const bool keyword = chance(8) && form.kind <= 1 && *form.modifiers != '\0';
  std::string name = keyword ? "" : field();
  if (form.kind == 0 && !keyword && chance(8)) return indent + name + ": null\n";
  const std::string key = indent + yaml_text(name + form.modifiers) + ": ";
  const auto value = [&]() -> std::string {
    switch (form.kind) {
      case 1: return yaml_text(pick(kRegexes));
      case 2: return yaml_text(pick(kNetworks));
      case 3: return pick(kNumbers);
      case 4: return chance(50) ? "true" : "false";
      case 5: return yaml_text(field());
      case 6: return yaml_text(chance(50) ? "abc" : "a-b/é");
      case 7: return chance(50) ? "10" : "9";
      default: return yaml_text(word());
    }
  };
  if (form.kind == 4 || chance(60)) return key + value() + "\n";
  std::string list;
  const std::size_t count = 1 + below(6);
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + value();
  return key + "[" + list + "]\n";
}

std::string Generator::selection() {
  if (chance(10)) return "    - " + yaml_text(word()) + "\n    - " + yaml_text(word()) + "\n";
  std::string out;
  if (chance(20)) {
    const std::size_t maps = 1 + below(3);
    for (std::size_t i = 0; i < maps; ++i) {
      std::string map = item("      ");
      map.replace(4, 1, "-");
      out += map;
    }
    return out;
  }
  // Names may repeat, which YAML forbids: keep the first of each key.
  std::map<std::string, std::string> items;
  const std::size_t count = 1 + below(3);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string one = item("    ");
    const std::string key = one.substr(0, std::min(one.find(": "), one.find(":\n")));
    items.try_emplace(key.find('\'') == std::string::npos ? "    '" + key.substr(4) + "'" : key, one);
  }
  for (const auto& [key, one] : items) out += one;
  return out;
}

std::string Generator::filter() {
  std::string out = "title: Filter\n" + std::string(chance(30) ? "sigma-version: 3\n" : "") + "logsource: {" +
                    pick(std::vector<std::string>{"category: generated", "category: generated", "product: azure", "service: none"}) + "}\nfilter:\n  rules: " +
                    pick(std::vector<std::string>{"any", "[]", "any", "[rule_1, rule_3, rule_5]", "rule_2"}) + "\n";
  arrays_ = out.find("sigma-version") != std::string::npos;
  std::vector<std::string> names;
  const std::size_t count = 1 + below(2);
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("s_" + std::to_string(i));  // the names of the rules' selections, on purpose
    out += "  " + names.back() + ":\n" + selection();
  }
  return out + "  condition: " + (chance(60) ? "not " + names[0] : condition(names, 1)) + "\n";
}

std::string Generator::condition(const std::vector<std::string>& names, int depth) {
  if (depth > 3 || chance(35)) {
    if (chance(15)) return pick(std::vector<std::string>{"1 of them", "all of them", "1 of s*", "any of s_*", "all of s*", "2 of them"});
    return names[below(names.size())];
  }
  switch (below(4)) {
    case 0: return "not " + condition(names, depth + 1);
    case 1: return "(" + condition(names, depth + 1) + " or " + condition(names, depth + 1) + ")";
    case 2: return condition(names, depth + 1) + " and not " + condition(names, depth + 1);
    default: return condition(names, depth + 1) + " and " + condition(names, depth + 1);
  }
}

std::string Generator::rule() {
  arrays_ = chance(35);
  std::string out = "title: Generated\nname: rule_" + std::to_string(below(8)) + "\n" + std::string(arrays_ ? "sigma-version: 3\n" : "") + "logsource: {" +
                    pick(std::vector<std::string>{"category: generated", "category: generated", "product: azure", "product: gcp, service: google_workspace.admin", "category: antivirus"}) +
                    "}\ndetection:\n";
  std::vector<std::string> names;
  const std::size_t count = 2 + below(3);
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("s_" + std::to_string(i));
    out += "  " + names.back() + ":\n" + selection();
  }
  return out + "  condition: " + condition(names, 0) + "\n";
}

std::string Generator::json_value(int depth) {
  switch (below(depth > 2 ? 8 : 11)) {
    case 0: return "null";
    case 1: return chance(50) ? "true" : "false";
    case 2: return pick(kNumbers);
    case 8: {
      std::string out = "[";
      const std::size_t count = below(4);
      for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + json_value(depth + 1);
      return out + "]";
    }
    case 9: return "{\"e\":" + json_value(depth + 1) + ",\"f\":" + json_value(depth + 1) + "}";
    case 10: return "{\"g\":{\"h\":" + json_value(depth + 1) + "}}";
    default: return json_text(pick(kWords) + (chance(20) ? pick(kWords) : ""));
  }
}

std::string Generator::event() {
  std::string out = "{";
  const std::size_t count = below(7);
  for (std::size_t i = 0; i < count; ++i) {
    out += (i == 0 ? "" : ",") + json_text(chance(25) ? "d" : field()) + ":" + json_value(0);
  }
  return out + "}";
}

}  // namespace tocsin::rules::sigma
