// Everything by definition. Text is compared as sequences of folded code points.
#include "tests/oracle/sigma_oracle.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "rules/base/text.hpp"
#include "rules/sigma/alias.hpp"
#include "rules/sigma/condition.hpp"
#include "rules/sigma/fold.hpp"
#include "rules/sigma/scalar.hpp"

namespace tocsin::rules::sigma {
namespace {

// One character of a text: a code point, or a byte that is no UTF-8, as itself and folded.
struct Character {
  std::uint32_t own = 0;
  std::uint32_t folded = 0;
};
using Characters = std::vector<Character>;

std::uint32_t code_of(std::string_view sequence) {
  constexpr std::uint32_t kNoCode = 0x80000000U;
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x80 ? first : kNoCode + first;
  std::uint32_t code = first & 0xFFU >> (sequence.size() + 1);
  for (std::size_t i = 1; i < sequence.size(); ++i) code = code * 64 + (static_cast<unsigned char>(sequence[i]) & 63U);
  return code;
}

Characters characters(std::string_view text) {
  Characters out;
  while (!text.empty()) {
    const std::size_t n = step(text);
    const std::string_view one = text.substr(0, n);
    out.push_back({code_of(one), code_of(folded(one))});
    text.remove_prefix(n);
  }
  return out;
}

// One element of a pattern.
struct Element {
  enum Kind { kCharacter, kOne, kMany, kDash } kind = kCharacter;
  Character character = {};
  std::string bytes = {};  // of the character
};
using Elements = std::vector<Element>;

bool is_dash(std::uint32_t c) { return c == '-' || c == '/' || c == 0x2013 || c == 0x2014 || c == 0x2015; }
bool is_word(std::uint32_t c) {
  if (c >= 0x80) return !is_dash(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Whether the elements match the text as a whole: the definition. yes[t] says whether the elements from e on match the
// characters from t on.
bool whole(const Elements& elements, const Characters& text, bool cased) {
  std::vector<char> next(text.size() + 1, 0);
  next[text.size()] = 1;
  for (std::size_t e = elements.size(); e-- > 0;) {
    std::vector<char> yes(text.size() + 1, 0);
    const Element& element = elements[e];
    for (std::size_t t = text.size() + 1; t-- > 0;) {
      if (element.kind == Element::kMany) {
        yes[t] = next[t] != 0 || (t < text.size() && yes[t + 1] != 0) ? 1 : 0;
      } else if (t < text.size() && next[t + 1] != 0) {
        const bool same = cased ? element.character.own == text[t].own : element.character.folded == text[t].folded;
        const bool fits = element.kind == Element::kOne || (element.kind == Element::kDash && is_dash(text[t].own)) ||
                          (element.kind == Element::kCharacter && same);
        yes[t] = fits ? 1 : 0;
      }
    }
    next = std::move(yes);
  }
  return next[0] != 0;
}

Elements literal(std::string_view text) {
  Elements out;
  while (!text.empty()) {
    const std::size_t n = step(text);
    out.push_back({Element::kCharacter, characters(text.substr(0, n)).front(), std::string(text.substr(0, n))});
    text.remove_prefix(n);
  }
  return out;
}

Elements read_value(std::string_view value) {
  const Elements all = literal(value);
  Elements out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool escapes = all[i].bytes == "\\" && i + 1 < all.size() && (all[i + 1].bytes == "*" || all[i + 1].bytes == "?" || all[i + 1].bytes == "\\");
    if (escapes) out.push_back(all[++i]);
    else if (all[i].bytes == "*") out.push_back({Element::kMany});
    else if (all[i].bytes == "?") out.push_back({Element::kOne});
    else out.push_back(all[i]);
  }
  return out;
}

std::string literal_text(const Elements& elements) {
  std::string out;
  for (const Element& element : elements) out += element.bytes;
  return out;
}

// Base64 bit by bit (RFC 4648 section 4).
std::string base64(const std::string& bytes) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::vector<int> bits;
  for (const char c : bytes) {
    for (int b = 7; b >= 0; --b) bits.push_back(static_cast<unsigned char>(c) >> b & 1);
  }
  while (bits.size() % 6 != 0) bits.push_back(0);
  for (std::size_t i = 0; i < bits.size(); i += 6) {
    int v = 0;
    for (std::size_t b = 0; b < 6; ++b) v = v * 2 + bits[i + b];
    out += kAlphabet[static_cast<std::size_t>(v)];
  }
  while (out.size() % 4 != 0) out += '=';
  return out;
}

// The part of the base64 text that is the same whatever stands before and after: found by trying.
std::string stable_part(const std::string& bytes, std::size_t before) {
  const std::string a = base64(std::string(before, '\0') + bytes + std::string(3, '\0'));
  const std::string b = base64(std::string(before, '\xff') + bytes + std::string(3, '\xff'));
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] && a[i] != '=') out += a[i];
  }
  return out;
}

std::string utf16(const std::string& text, bool big, bool mark) {
  std::vector<unsigned> units;
  if (mark) units.push_back(0xFEFF);
  for (const Character& c : characters(text)) {
    const std::uint32_t code = c.own;
    if (code > 0xFFFF) {
      units.push_back(0xD800 + (code - 0x10000) / 1024);
      units.push_back(0xDC00 + (code - 0x10000) % 1024);
    } else {
      units.push_back(code);
    }
  }
  std::string out;
  for (const unsigned unit : units) {
    const char high = static_cast<char>(static_cast<unsigned char>(unit / 256));
    const char low = static_cast<char>(static_cast<unsigned char>(unit % 256));
    out += big ? high : low;
    out += big ? low : high;
  }
  return out;
}

// --- the event ---

// What a name addresses: the literal member, else every end of the path.
void follow(const Value& value, const std::vector<std::string>& path, std::size_t at, std::vector<Value>& out) {
  if (at == path.size()) {
    out.push_back(value);
  } else if (value.kind() == Kind::kArray) {
    for (const Value& item : value.items()) follow(item, path, at, out);
  } else if (value.get(path[at]).present()) {
    follow(value.get(path[at]), path, at + 1, out);
  }
}
std::vector<Value> addressed(const Value& root, const std::string& name) {
  if (root.get(name).present()) return {root.get(name)};
  std::vector<std::string> path(1);
  for (const char c : name) {
    if (c == '.') path.emplace_back();
    else path.back() += c;
  }
  std::vector<Value> out;
  follow(root, path, 0, out);
  return out;
}
// The first of a field's places where something is.
using Places = std::unordered_map<std::string, std::vector<Place>>;  // of the fields of one rule
std::vector<Value> placed(const Event& event, const Rule& rule, Places& known, const std::string& name) {
  std::vector<Value> found;
  const auto [at, is_new] = known.try_emplace(name);
  if (is_new) at->second = places(rule.product, rule.category, rule.service, name);
  for (const Place& place : at->second) {
    found = addressed(event.root, place.name);
    if (!place.member.empty()) {
      std::vector<Value> named;
      for (const Value& list : found) {
        const std::vector<Value> one = {list};
        for (const Value& entry : list.kind() == Kind::kArray ? std::vector<Value>(list.items().begin(), list.items().end()) : one) {
          const bool is_text = entry.get("name").kind() == Kind::kString;
          if (is_text && entry.get("name").as_string() == place.member && entry.get("value").present()) named.push_back(entry.get("value"));
        }
      }
      found = named;
    }
    if (!found.empty()) break;
  }
  return found;
}
// A value and, if it is an array, all members at all depths.
void with_members(const Value& value, std::vector<Value>& out) {
  out.push_back(value);
  if (value.kind() != Kind::kArray) return;
  for (const Value& item : value.items()) with_members(item, out);
}
void scalars(const Value& value, std::vector<Value>& out) {
  if (value.kind() == Kind::kArray) {
    for (const Value& item : value.items()) scalars(item, out);
  } else if (value.kind() == Kind::kObject) {
    for (const Field& field : value.fields()) scalars(field.value, out);
  } else if (value.kind() != Kind::kNull && value.present()) {
    out.push_back(value);
  }
}
std::string text_of(const Value& value) {
  std::array<char, 32> buffer{};
  if (value.kind() == Kind::kObject || value.kind() == Kind::kArray) {
    std::string out;
    write_json(value, out);
    return out;
  }
  return std::string(scalar_text(value, buffer));
}

// --- an item ---

// Patterns or regular expression of a value, kept because an interpreter sees many events.
struct Meaning {
  bool read = false;
  std::vector<Elements> patterns;
  std::unique_ptr<RE2> regex;
};
// What an interpreter has found out about a rule.
struct Notes {
  std::unordered_map<const Scalar*, Meaning> meanings;
  Places places;
};

class Interpreter {
 public:
  // `element`: of an array, where the parts of a block are asked; null for the event itself.
  Interpreter(const Rule& rule, Notes& notes, const Event& event, const Value* element = nullptr)
      : rule_(rule), notes_(notes), event_(event), element_(element) {}

  bool condition(const Condition& c, const std::vector<Selection>& selections) const {
    switch (c.kind) {
      case Condition::Kind::kNot: return !condition(c.parts[0], selections);
      case Condition::Kind::kAnd: return std::all_of(c.parts.begin(), c.parts.end(), [&](const Condition& p) { return condition(p, selections); });
      case Condition::Kind::kOr: return std::any_of(c.parts.begin(), c.parts.end(), [&](const Condition& p) { return condition(p, selections); });
      case Condition::Kind::kName:
        for (const Selection& s : selections) {
          if (s.name == c.name) return detection(s.detection);
        }
        return false;
      case Condition::Kind::kSelector: {
        std::size_t all = 0;
        std::size_t hits = 0;
        for (const Selection& s : selections) {
          if (!selects(c.name, s.name)) continue;
          ++all;
          hits += detection(s.detection) ? 1U : 0U;
        }
        return hits >= (c.quantity == 0 ? all : c.quantity);
      }
    }
    return false;
  }

 private:
  bool detection(const Detection& d) const {
    if (d.kind == Detection::Kind::kItem) return item(d.item);
    if (d.kind == Detection::Kind::kEach) return block(*d.block);
    const auto part = [&](const Detection& p) { return detection(p); };
    return d.kind == Detection::Kind::kAll ? std::all_of(d.parts.begin(), d.parts.end(), part)
                                           : std::any_of(d.parts.begin(), d.parts.end(), part);
  }

  // How many elements there are, and how many of them satisfy the block, says all.
  bool block(const Block& b) const {
    std::size_t all = 0;
    std::size_t good = 0;
    for (const Value& array : steps(b.steps)) {
      std::vector<Value> elements;
      if (array.kind() == Kind::kArray) elements.assign(array.items().begin(), array.items().end());
      else if (array.kind() != Kind::kNull) elements.push_back(array);
      for (const Value& element : elements) {
        ++all;
        good += Interpreter(rule_, notes_, event_, &element).condition(b.condition, b.selections) ? 1U : 0U;
      }
    }
    switch (b.quantifier) {
      case Quantifier::kAny: return good > 0;
      case Quantifier::kAll: return good == all && all > 0;
      case Quantifier::kAllOrEmpty: return good == all;
      case Quantifier::kNone: return good == 0;
    }
    return false;
  }

  std::vector<Value> named(const std::string& name) const {
    return element_ == nullptr ? placed(event_, rule_, notes_.places, name) : addressed(*element_, name);
  }
  std::vector<Value> steps(const std::vector<Step>& way) const {
    std::vector<Value> now;
    for (std::size_t i = 0; i < way.size(); ++i) {
      if (i == 0) {
        if (way[0].name == "." && element_ != nullptr) now.push_back(*element_);
        else now = named(way[0].name);
        continue;
      }
      std::vector<Value> next;
      for (const Value& value : now) {
        if (!way[i].position) {
          for (const Value& found : addressed(value, way[i].name)) next.push_back(found);
          continue;
        }
        if (value.kind() != Kind::kArray) continue;
        const long size = static_cast<long>(value.items().size());
        const long at = *way[i].position >= 0 ? *way[i].position : size + *way[i].position;
        if (at >= 0 && at < size) next.push_back(value.items()[static_cast<std::size_t>(at)]);
      }
      now = next;
    }
    return now;
  }

  static bool has(const Item& item, std::initializer_list<std::string_view> names) {
    return std::any_of(item.modifiers.begin(), item.modifiers.end(), [&](const std::string& m) { return std::find(names.begin(), names.end(), m) != names.end(); });
  }

  bool item(const Item& i) const {
    std::vector<Seen> values;
    for (const Value& value : seen(i)) values.push_back(Seen{value, {}, {}, false});
    const auto one = [&](const Scalar& v) { return value_holds(i, v, values); };
    const bool result = has(i, {"all"}) ? std::all_of(i.values.begin(), i.values.end(), one) : std::any_of(i.values.begin(), i.values.end(), one);
    return has(i, {"neq"}) ? !result : result;
  }

  // The values of the field that a test sees one by one.
  std::vector<Value> seen(const Item& i) const {
    std::vector<Value> out;
    if (i.field.empty() && i.steps.empty()) {
      if (element_ != nullptr) scalars(*element_, out);
      else if (event_.root.present()) scalars(event_.root, out);
      else out.push_back(Value::of(event_.raw));
      return out;
    }
    for (const Value& v : i.steps.empty() ? named(i.field) : steps(i.steps)) with_members(v, out);
    return out;
  }

  // A value with its text, which is made for all tests of an item at once.
  struct Seen {
    Value value;
    std::string text;
    Characters characters;
    bool has_text;
  };
  static const Characters& characters_of(Seen& x) {
    if (!x.has_text) {
      x.text = text_of(x.value);
      x.characters = characters(x.text);
      x.has_text = true;
    }
    return x.characters;
  }

  bool value_holds(const Item& i, const Scalar& v, std::vector<Seen>& values) const {
    if (v.type == Scalar::Type::kNull) {
      return values.empty() || std::any_of(values.begin(), values.end(), [](const Seen& x) { return x.value.kind() == Kind::kNull; });
    }
    if (has(i, {"exists"})) return values.empty() != (folded(v.text) == "true" || folded(v.text) == "yes");
    if (has(i, {"fieldref"})) return field_reference(i, v, values);
    return std::any_of(values.begin(), values.end(), [&](Seen& x) { return x.value.kind() != Kind::kNull && test(i, v, x); });
  }

  bool field_reference(const Item& i, const Scalar& v, std::vector<Seen>& left) const {
    std::vector<Value> right;
    for (const Value& other : named(literal_text(read_value(v.text)))) with_members(other, right);
    const bool cased = has(i, {"cased"});
    const auto scalar = [](const Value& x) { return x.kind() != Kind::kNull && x.kind() != Kind::kArray && x.kind() != Kind::kObject; };
    for (Seen& seen : left) {
      const Value& a = seen.value;
      for (const Value& b : right) {
        if (!scalar(a) || !scalar(b)) continue;
        Elements pattern = literal(text_of(b));
        ends(i, false, pattern);
        if (whole(pattern, characters_of(seen), cased)) return true;
        const bool both_text = a.kind() == Kind::kString && b.kind() == Kind::kString;
        const bool plain = !has(i, {"contains", "startswith", "endswith"});
        if (plain && !both_text && number_of(a) && number_of(b) && equal(*number_of(a), *number_of(b))) return true;
      }
    }
    return false;
  }

  static void ends(const Item& i, bool keyword, Elements& pattern) {
    const bool plain_keyword = keyword && !has(i, {"startswith", "endswith"});
    if (has(i, {"contains", "endswith"}) || plain_keyword) pattern.insert(pattern.begin(), Element{Element::kMany});
    if (has(i, {"contains", "startswith"}) || plain_keyword) pattern.push_back(Element{Element::kMany});
  }

  static std::string rule_text(const Scalar& v) {
    if (v.type == Scalar::Type::kBool) return v.boolean ? "true" : "false";
    if (v.type == Scalar::Type::kInt) return std::to_string(v.integer);
    return v.text;
  }

  // What a value of the rule means, whatever the event.
  const Meaning& meaning(const Item& i, const Scalar& v) const {
    Meaning& known = notes_.meanings[&v];
    if (known.read) return known;
    known.read = true;
    const std::string text = rule_text(v);
    if (has(i, {"re"})) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_case_sensitive(!has(i, {"i", "ignorecase"}));
      options.set_dot_nl(has(i, {"s", "dotall"}));
      known.regex = std::make_unique<RE2>((has(i, {"m", "multiline"}) ? "(?m)" : "") + text, options);
    } else {
      known.patterns = patterns(i, text);
    }
    return known;
  }

  bool test(const Item& i, const Scalar& v, Seen& seen) const {
    const Value& x = seen.value;
    const std::string text = rule_text(v);
    if (has(i, {"re"})) return RE2::PartialMatch(text_of(x), *meaning(i, v).regex);
    if (has(i, {"cidr"})) {
      const auto address = x.kind() == Kind::kString ? parse_address(x.as_string()) : std::nullopt;
      return address && parse_network(text)->contains(*address);
    }
    for (const auto& [name, part] : {std::pair{"minute", TimePart::kMinute}, {"hour", TimePart::kHour}, {"day", TimePart::kDay},
                                     {"week", TimePart::kWeek}, {"month", TimePart::kMonth}, {"year", TimePart::kYear}}) {
      if (!has(i, {name})) continue;
      const auto got = x.kind() == Kind::kString ? time_part(x.as_string(), part) : std::nullopt;
      return got && equal(*number_of(Value::of(*got)), *parse_number(text));
    }
    const auto number = number_of(x);
    if (has(i, {"lt"})) return number && less(*number, *parse_number(text));
    if (has(i, {"gte"})) return number && !less(*number, *parse_number(text));
    if (has(i, {"gt"})) return number && less(*parse_number(text), *number);
    if (has(i, {"lte"})) return number && !less(*parse_number(text), *number);
    const bool encodes = has(i, {"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"});
    const bool shapes = has(i, {"contains", "startswith", "endswith"});
    if ((v.type == Scalar::Type::kInt || v.type == Scalar::Type::kDouble) && !shapes && !encodes && !i.field.empty()) {
      const Number wanted = v.type == Scalar::Type::kInt ? *number_of(Value::of(v.integer)) : *number_of(Value::of(v.real));
      return number && equal(*number, wanted);
    }
    const Characters& characters = characters_of(seen);
    const std::vector<Elements>& all = meaning(i, v).patterns;
    return std::any_of(all.begin(), all.end(), [&](const Elements& pattern) { return whole(pattern, characters, has(i, {"cased"})); });
  }

  static std::vector<Elements> patterns(const Item& i, const std::string& text) {
    std::vector<Elements> patterns = {read_value(text)};
    if (has(i, {"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"})) {
      std::string bytes = literal_text(patterns[0]);
      if (has(i, {"wide", "utf16le"})) bytes = utf16(bytes, false, false);
      if (has(i, {"utf16be"})) bytes = utf16(bytes, true, false);
      if (has(i, {"utf16"})) bytes = utf16(bytes, false, true);
      patterns.clear();
      if (has(i, {"base64offset"})) {
        for (std::size_t before = 0; before < 3; ++before) patterns.push_back(literal(stable_part(bytes, before)));
      } else {
        patterns.push_back(literal(has(i, {"base64"}) ? base64(bytes) : bytes));
      }
    } else if (has(i, {"windash"})) {
      vary(patterns[0]);
    }
    for (Elements& pattern : patterns) ends(i, i.field.empty() && i.steps.empty(), pattern);
    return patterns;
  }

  static void vary(Elements& pattern) {
    Elements out = pattern;
    const auto text_at = [&](std::size_t n) { return n < pattern.size() && pattern[n].kind == Element::kCharacter; };
    for (std::size_t n = 0; n < pattern.size(); ++n) {
      if (!text_at(n) || !is_dash(pattern[n].character.own)) continue;
      const bool starts = n == 0 || !text_at(n - 1) || !is_word(pattern[n - 1].character.own);
      if (starts && text_at(n + 1) && is_word(pattern[n + 1].character.own)) out[n].kind = Element::kDash;
    }
    pattern = std::move(out);
  }

  const Rule& rule_;
  Notes& notes_;
  const Event& event_;
  const Value* element_;
};

}  // namespace

struct Oracle::Inner {
  Rule rule;
  std::vector<Rule> filters;  // as if they were rules of this rule's log source
  mutable Notes notes;
};

namespace {

bool names(const Filter& filter, const Rule& rule) {
  if (filter.any) return true;
  return std::any_of(filter.rules.begin(), filter.rules.end(), [&](const std::string& reference) {
    const bool by_id = !rule.id.empty() && iequals(reference, rule.id);
    return by_id || (!rule.name.empty() && reference == rule.name);
  });
}
bool lies_within(const Rule& rule, const Filter& filter) {
  const bool product = filter.product.empty() || filter.product == rule.product;
  const bool category = filter.category.empty() || filter.category == rule.category;
  const bool service = filter.service.empty() || filter.service == rule.service;
  return product && category && service;
}

}  // namespace

Oracle::Oracle(const Rule& rule, std::span<const Filter> filters) : inner_(std::make_unique<Inner>()) {
  inner_->rule = rule;
  for (const Filter& filter : filters) {
    if (!names(filter, rule) || !lies_within(rule, filter)) continue;
    Rule& as_rule = inner_->filters.emplace_back();
    as_rule.product = rule.product;
    as_rule.category = rule.category;
    as_rule.service = rule.service;
    as_rule.selections = filter.selections;
    as_rule.condition = filter.condition;
  }
}
Oracle::Oracle(Oracle&&) noexcept = default;
Oracle::~Oracle() = default;

bool Oracle::matches(const Event& event) const {
  const auto holds = [&](const Rule& rule) { return Interpreter(rule, inner_->notes, event).condition(rule.condition, rule.selections); };
  return holds(inner_->rule) && std::all_of(inner_->filters.begin(), inner_->filters.end(), holds);
}

}  // namespace tocsin::rules::sigma
