// Conditions as sets. Everything that is not surely understood is "everyone"; AND intersects, OR unites. A
// condition narrows a source's people if its column is the person column, or is joined to it by equalities that
// hold for every row (the class of the key).
//
// SQL has three truths, so a condition has two sets: the people for whom it may be true, and those for whom it may be
// false (under NOT); whoever makes it NULL is in neither. Doubt puts a person into both.
#include "engine/exposure/evaluate.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "rules/base/text.hpp"
#include "storage/mysql_value.hpp"

namespace tocsin::engine {

using sql::Column;
using sql::Op;
using sql::Predicate;
using sql::Value;
using storage::PersonNo;

namespace {

template <class T>
std::vector<T> merged(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out;
  out.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

template <class T>
std::vector<T> common(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

PeopleSet nobody() {
  PeopleSet out;
  out.all = false;
  return out;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

// The elements of a one-dimensional array literal ("{1,2,\"a b\"}"); nullopt if it is not one.
std::optional<std::vector<std::string>> array_elements(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> out;
  if (trim(text).empty()) return out;
  std::string element;
  bool quoted = false, was_quoted = false;
  const auto finish = [&] {
    std::string value = was_quoted ? element : std::string(trim(element));
    if (was_quoted || !iequals(value, "NULL")) out.push_back(std::move(value));
    element.clear();
    was_quoted = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      element += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
      was_quoted = true;
    } else if (!quoted && (c == '{' || c == '}')) {
      return std::nullopt;
    } else if (!quoted && c == ',') {
      finish();
    } else if (quoted || !was_quoted) {
      element += c;
    }
  }
  if (quoted) return std::nullopt;
  finish();
  return out;
}

// The text of a value, if it is known in this execution.
std::optional<std::string> text_of(const Value& v, const Parameters& parameters) {
  if (v.parameter > 0) {
    const auto at = static_cast<std::size_t>(v.parameter - 1);
    if (!parameters.known || parameters.values == nullptr || at >= parameters.values->size()) return std::nullopt;
    return (*parameters.values)[at];
  }
  if (!v.known || v.boolean) return std::nullopt;
  return v.text;
}

std::optional<std::vector<std::string>> texts_of(const Predicate& p, const EvaluationInput& input) {
  std::vector<std::string> out;
  for (const Value& v : p.values) {
    if (v.null) continue;
    auto text = text_of(v, input.parameters);
    if (!text) return std::nullopt;
    if (!v.array) {
      out.push_back(std::move(*text));
    } else {
      auto elements = array_elements(*text);
      if (!elements) return std::nullopt;
      for (std::string& e : *elements) out.push_back(std::move(e));
    }
    if (out.size() > input.max_ids) return std::nullopt;
  }
  return out;
}

// Whether two column references surely mean the same column. `a` is known to exist where it says.
bool same_column(const Column& a, bool a_exists, const Column& b) {
  if (a.name != b.name || a.candidates.empty() || b.candidates.empty()) return false;
  if (a.candidates == b.candidates) return a.candidates.size() == 1 || !a.certain;
  if (a.candidates.size() != 1 || !a_exists) return false;
  return std::find(b.candidates.begin(), b.candidates.end(), a.candidates.front()) != b.candidates.end();
}

struct Member {
  Column column;
  bool exists;
};

// The columns that equal the key in every row of the result of this source.
std::vector<Member> key_class(const EvaluationInput& input, int source, const PersonColumn& key) {
  std::vector<Member> members{{Column{{source}, key.column, true}, key.certain}};
  std::vector<int> conjuncts = input.query.sources[static_cast<std::size_t>(source)].filters;
  for (std::size_t i = 0; i < conjuncts.size(); ++i) {
    const Predicate& p = input.query.predicates[static_cast<std::size_t>(conjuncts[i])];
    if (p.op == Op::kAnd) conjuncts.insert(conjuncts.end(), p.args.begin(), p.args.end());
  }
  constexpr std::size_t kMaxMembers = 64;
  bool grown = true;
  while (grown && members.size() < kMaxMembers) {
    grown = false;
    for (const int conjunct : conjuncts) {
      const Predicate& p = input.query.predicates[static_cast<std::size_t>(conjunct)];
      if (p.op != Op::kSame) continue;
      const auto holds = [&](const Column& c) {
        return std::any_of(members.begin(), members.end(),
                           [&](const Member& m) { return same_column(m.column, m.exists, c); });
      };
      const bool left = holds(p.column), right = holds(p.other);
      if (left == right) continue;
      const Column& fresh = left ? p.other : p.column;
      members.push_back({fresh, fresh.certain});
      grown = true;
    }
  }
  return members;
}

struct Evaluator {
  EvaluationInput& input;
  const std::vector<Member>& members;
  bool nulls = false;  // whoever makes a condition NULL counts both as meeting and as failing it

  // NULL is a verdict that neither holds nor fails.
  storage::Verdict settled(storage::Verdict verdict) const {
    return nulls && !verdict.holds && !verdict.fails ? storage::Verdict{true, true} : verdict;
  }

  // A constant that is NULL, or may be: the log shows a parameter that is NULL as an empty text.
  bool may_be_null(const Value& v) const {
    if (v.null) return true;
    if (v.parameter <= 0) return false;
    const auto text = text_of(v, input.parameters);
    return !text || text->empty() || text->find("NULL") != std::string::npos;
  }
  bool may_be_null(const Predicate& p) const {
    return std::any_of(p.values.begin(), p.values.end(), [&](const Value& v) { return may_be_null(v) || (v.array && v.text.find("NULL") != std::string::npos); }) ||
           (p.low && may_be_null(*p.low)) || (p.high && may_be_null(*p.high));
  }

  bool is_key(const Column& c) const {
    return std::any_of(members.begin(), members.end(),
                       [&](const Member& m) { return same_column(m.column, m.exists, c); });
  }

  // Whether `c` is an attribute of the very person that the key names.
  bool is_attribute(const Column& c) const {
    for (const int candidate : c.candidates) {
      const std::string key = input.main_key(candidate);
      if (key.empty()) continue;
      if (!is_key(Column{{candidate}, key, true})) continue;
      if ((c.certain && c.candidates.size() == 1) || input.has_column(candidate, c.name)) return true;
    }
    return false;
  }

  PeopleSet ids(const std::vector<std::string>& values) const {
    PeopleSet out = nobody();
    out.exact = true;
    for (const std::string& value : values) {
      std::string id = canonical_id(value, input.people);
      const auto known = input.people == nullptr ? std::nullopt : input.people->find(id);
      if (known) {
        out.people.push_back(*known);
      } else {
        out.strangers.push_back(std::move(id));
      }
    }
    std::sort(out.people.begin(), out.people.end());
    out.people.erase(std::unique(out.people.begin(), out.people.end()), out.people.end());
    std::sort(out.strangers.begin(), out.strangers.end());
    out.strangers.erase(std::unique(out.strangers.begin(), out.strangers.end()), out.strangers.end());
    return out;
  }

  // '5' < '10' is false as text and true as numbers; which of the two the column makes of it is not known.
  static bool unquoted(const std::optional<Value>& v) { return !v || (v->parameter == 0 && !v->quoted); }

  // The people whose key MySQL may find equal to one of the values; everyone where that cannot be told.
  PeopleSet mysql_ids(const Predicate& p) const {
    const storage::People* people = input.people != nullptr && input.people->registered() ? input.people : nullptr;
    const bool numbers = people == nullptr || people->only_integers();
    std::vector<std::string> values;
    PeopleSet out = nobody();
    out.exact = true;
    for (const Value& v : p.values) {
      if (v.null) continue;
      if (!v.quoted) {
        if (!numbers) return {};  // a number against text: '42', '42abc' and ' 42.0' are all equal to 42
        values.push_back(v.text);
        continue;
      }
      if (numbers) {
        // As a number if the column is one; as it stands, if nobody knows what the column is.
        const auto number = leading_number(v.text);
        if (!number) return {};
        if (!number->empty()) values.push_back(*number);
        if (people == nullptr && (number->empty() || *number != trim(v.text))) values.push_back(v.text);
        continue;
      }
      const auto like = people->similar(v.text);
      if (!like) return {};
      out.people.insert(out.people.end(), like->begin(), like->end());
      if (like->empty()) values.push_back(v.text);
    }
    PeopleSet named = ids(values);
    out.people.insert(out.people.end(), named.people.begin(), named.people.end());
    std::sort(out.people.begin(), out.people.end());
    out.people.erase(std::unique(out.people.begin(), out.people.end()), out.people.end());
    out.strangers = std::move(named.strangers);
    return out;
  }

  // The whole number that a text becomes beside an integer column: "42", " 42abc", "4.2e1" are 42; text that begins
  // with none is 0. "" if it is no whole number, nullopt if it is too large to be compared exactly.
  static std::optional<std::string> leading_number(std::string_view text) {
    text = trim(text);
    const std::string spelt(text.substr(0, 400));
    const char c = spelt.empty() ? ' ' : spelt[spelt[0] == '-' || spelt[0] == '+' ? std::min<std::size_t>(1, spelt.size() - 1) : 0];
    // Only what MySQL reads as a number: no "inf", no "nan", no "0x1f" (which is 0 there).
    if ((c < '0' || c > '9') && c != '.') return "0";
    const std::size_t hex = spelt.find_first_of("xX");
    const double value = std::strtod(spelt.substr(0, hex).c_str(), nullptr);
    constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it neighbours are equal
    if (!(value > -kExact && value < kExact)) return std::nullopt;
    if (value != std::floor(value)) return "";
    return std::to_string(static_cast<std::int64_t>(value));
  }

  // The people of the register whom `people` leaves out.
  PeopleSet others(std::vector<PersonNo> people) const {
    if (input.people == nullptr || !input.people->registered() || input.people->incomplete_since() || input.trust < Trust::kKeys) return {};
    std::sort(people.begin(), people.end());
    const std::vector<PersonNo> all = input.people->everyone(input.when);
    PeopleSet out = nobody();
    out.range = true;
    std::set_difference(all.begin(), all.end(), people.begin(), people.end(), std::back_inserter(out.people));
    return out;
  }

  PeopleSet listed(const Predicate& p, bool wanted) const {
    if (!is_key(p.column)) return by_attribute(p, wanted);
    const auto values = texts_of(p, input);
    if (!values) {
      input.parameter_missing = std::any_of(p.values.begin(), p.values.end(), [](const Value& v) { return v.parameter > 0; });
      return {};
    }
    if (wanted) return input.mysql ? mysql_ids(p) : ids(*values);
    std::vector<PersonNo> named;  // surely equal, whatever the key's type is
    for (const std::string& value : *values) {
      if (input.people == nullptr) break;
      if (const auto no = input.people->find(value)) named.push_back(*no);
    }
    return others(std::move(named));
  }

  // The attribute's constant, in this execution.
  struct Constant {
    std::string text;
    bool number = false, boolean = false;
    [[nodiscard]] storage::Literal literal() const { return {text, number, boolean}; }
  };

  std::optional<std::vector<Constant>> constants(const std::vector<Value>& values) const {
    std::vector<Constant> out;
    for (const Value& v : values) {
      if (v.null) continue;
      const bool number = v.parameter == 0 && !v.quoted && !v.array && !v.boolean;
      if (v.fractional || v.boolean) {
        out.push_back({v.text, number, v.boolean});
        continue;
      }
      auto text = text_of(v, input.parameters);
      if (!text) return std::nullopt;
      if (!v.array) {
        out.push_back({std::move(*text), number, false});
        continue;
      }
      auto elements = array_elements(*text);
      if (!elements) return std::nullopt;
      for (std::string& e : *elements) out.push_back({std::move(e), false, false});
      if (out.size() > input.max_ids) return std::nullopt;
    }
    return out;
  }

  // Whether equal values surely have one hash, so that nobody else need be looked at.
  static bool by_hash(const storage::ValueShape* shape, const std::vector<Constant>& values) {
    return std::all_of(values.begin(), values.end(), [&](const Constant& c) {
      if (c.boolean || std::any_of(c.text.begin(), c.text.end(), [](char x) { return static_cast<unsigned char>(x) >= 0x80; })) return false;
      if (shape == nullptr) return true;
      const bool digits = !c.text.empty() && c.text.size() <= 15 && std::all_of(c.text.begin(), c.text.end(), [](char x) { return x >= '0' && x <= '9'; });
      if (shape->integers) return digits && !shape->booleans;
      if (shape->dates) return storage::is_iso_date(c.text);
      return !shape->typed() && shape->any && !c.text.empty();
    });
  }

  PeopleSet attributes(std::optional<std::vector<PersonNo>> people) const {
    if (!people) return {};
    PeopleSet out = nobody();
    out.attribute = true;
    out.people = std::move(*people);
    return out;
  }

  PeopleSet by_attribute(const Predicate& p, bool wanted) const {
    if (input.people == nullptr || input.trust < Trust::kAttributes || !is_attribute(p.column)) return {};
    const std::string& column = p.column.name;
    const storage::ValueShape* shape = input.people->shape(column);
    if (input.mysql) return by_mysql_attribute(p, wanted, shape);
    if (p.column.copied && (shape == nullptr || shape->typed())) return {};  // rounded on its way, or a time of day lost
    if (p.column.cast && (shape == nullptr || shape->typed())) return {};  // how it is printed depends on the session
    if (p.op == Op::kNull) {
      return attributes(input.people->judged(column, wanted, [&](std::string_view value) -> storage::Verdict {
        if (!value.empty()) return {false, true};
        return input.empty_is_null || (shape != nullptr && shape->typed()) ? storage::Verdict{true, false} : storage::Verdict{true, true};
      }, input.when));
    }
    if (p.op == Op::kRange) return by_order(p, wanted, shape);
    const auto values = constants(p.values);
    if (!values) return {};
    if (p.op == Op::kLike) {
      if (shape == nullptr || values->size() > 1) return {};
      return attributes(input.people->judged(column, wanted, [&](std::string_view value) -> storage::Verdict {
        if (values->empty() || (value.empty() && input.empty_is_null)) return settled({false, false});  // NULL
        if (value == storage::kEmptyText) return {true, true};
        return settled(storage::like(value, values->front().text, p.fold));
      }, input.when));
    }
    if (wanted && !nulls && by_hash(shape, *values)) {
      std::vector<std::string> texts;
      for (const Constant& c : *values) texts.push_back(c.text);
      return attributes(input.people->having(column, texts, input.when));
    }
    if (shape == nullptr) return {};
    return attributes(input.people->judged(column, wanted, [&](std::string_view value) {
      storage::Verdict out{false, true};
      for (const Constant& c : *values) {
        const storage::Order order = compare(value, c, *shape);
        out.holds = out.holds || order.equal;
        out.fails = out.fails && (order.less || order.greater);
      }
      return settled(out);
    }, input.when));
  }

  // MySQL's "=" is looser than a hash, so all values are looked at; of texts those that may be equal.
  PeopleSet by_mysql_attribute(const Predicate& p, bool wanted, const storage::ValueShape* shape) const {
    constexpr std::size_t kMaxLookedAt = 100'000;  // values, for one condition
    const std::string& column = p.column.name;
    if (shape == nullptr || p.column.cast || p.column.copied || !input.empty_is_null) return {};  // where it is not kept nothing could check it
    const bool few = input.people->different(column) <= kMaxLookedAt;
    if (p.op == Op::kNull) {
      if (!few) return {};
      return attributes(input.people->judged(column, wanted, [&](std::string_view value) -> storage::Verdict {
        if (value.starts_with("0000-00-00")) return {true, true};  // a DATE that MySQL finds NULL
        return value.empty() ? storage::Verdict{true, false} : storage::Verdict{false, true};
      }, input.when));
    }
    if (p.op == Op::kRange) return few ? by_order(p, wanted, shape) : PeopleSet{};
    const auto values = constants(p.values);
    if (!values) return {};
    if (p.op == Op::kLike) {
      if (!few || values->size() > 1) return {};
      return attributes(input.people->judged(column, wanted, [&](std::string_view value) -> storage::Verdict {
        if (values->empty() || value.empty()) return settled({false, false});  // NULL
        return settled(storage::like_mysql(value, values->front().text, *shape));
      }, input.when));
    }
    const auto judge = [&](std::string_view value) {
      storage::Verdict out{false, true};
      for (const Constant& c : *values) {
        const storage::Order order = compare(value, c, *shape);
        out.holds = out.holds || order.equal;
        out.fails = out.fails && (order.less || order.greater);
      }
      return settled(out);
    };
    const bool as_texts = wanted && !nulls && !shape->typed() && std::all_of(values->begin(), values->end(), [](const Constant& c) {
      return !c.number && !c.boolean && storage::mysql_equals_by_fold(c.text);
    });
    if (as_texts) {
      std::vector<std::string> texts;
      for (const Constant& c : *values) texts.push_back(c.text);
      return attributes(input.people->judged_equals(column, texts, judge, input.when));
    }
    return few ? attributes(input.people->judged(column, wanted, judge, input.when)) : PeopleSet{};
  }

  [[nodiscard]] storage::Order compare(std::string_view value, const Constant& c, const storage::ValueShape& shape) const {
    return input.mysql ? storage::compare_mysql(value, c.literal(), shape, input.empty_is_null)
                       : storage::compare(value, c.literal(), shape, input.empty_is_null);
  }

  PeopleSet by_order(const Predicate& p, bool wanted, const storage::ValueShape* shape) const {
    if (shape == nullptr || !shape->typed()) return {};  // the order of texts is the collation's
    std::vector<Constant> ends[2];
    for (const auto& [end, out] : {std::pair(&p.low, &ends[0]), std::pair(&p.high, &ends[1])}) {
      if (!*end) continue;
      auto values = constants({**end});
      if (!values || values->size() != 1) return {};
      *out = std::move(*values);
    }
    return attributes(input.people->judged(p.column.name, wanted, [&](std::string_view value) {
      storage::Verdict out{true, false};
      if (!ends[0].empty()) {
        const storage::Order order = compare(value, ends[0][0], *shape);
        out.holds = order.greater || (order.equal && !p.low_open);
        out.fails = order.less || (order.equal && p.low_open);
      }
      if (!ends[1].empty()) {
        const storage::Order order = compare(value, ends[1][0], *shape);
        out.holds = out.holds && (order.less || (order.equal && !p.high_open));
        out.fails = out.fails || order.greater || (order.equal && p.high_open);
      }
      return settled(out);
    }, input.when));
  }

  PeopleSet ranged(const Predicate& p, bool wanted) const {
    if (!is_key(p.column)) return by_attribute(p, wanted);
    if (p.column.cast || input.people == nullptr || input.trust < Trust::kKeys) return {};
    if (input.mysql && !(input.people->only_integers() && unquoted(p.low) && unquoted(p.high))) return {};
    std::optional<std::int64_t> low, high;
    if (p.low && !bound(*p.low, low)) return {};
    if (p.high && !bound(*p.high, high)) return {};
    if (p.low_open && low && *low < INT64_MAX) ++*low;
    if (p.high_open && high && *high > INT64_MIN) --*high;
    if (wanted) return keys(low, high);
    PeopleSet out = nobody();
    out.range = true;
    if (low && *low > INT64_MIN) out = unite(std::move(out), keys(std::nullopt, *low - 1));
    if (high && *high < INT64_MAX) out = unite(std::move(out), keys(*high + 1, std::nullopt));
    return out;
  }

  PeopleSet keys(std::optional<std::int64_t> low, std::optional<std::int64_t> high) const {
    auto between = input.people->between(low, high, input.when);
    if (!between) return {};
    PeopleSet out = nobody();
    out.range = true;
    out.people = std::move(*between);
    return out;
  }

  bool bound(const Value& v, std::optional<std::int64_t>& out) const {
    const auto text = text_of(v, input.parameters);
    if (!text) {
      input.parameter_missing = input.parameter_missing || v.parameter > 0;
      return false;
    }
    const std::string_view digits = trim(*text);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;
    out = number;
    return true;
  }

  // The people for whom the predicate may be true (`wanted`), or may be false.
  PeopleSet of(int at, bool wanted = true) const {
    if (!wanted && input.query.loose) return {};
    const Predicate& p = input.query.predicates[static_cast<std::size_t>(at)];
    if (nulls && may_be_null(p)) return {};
    switch (p.op) {
      case Op::kTrue:
      case Op::kSame: return {};
      case Op::kFalse: return wanted ? nobody() : PeopleSet{};
      case Op::kIn: return listed(p, wanted);
      case Op::kRange: return ranged(p, wanted);
      case Op::kLike:
      case Op::kNull: return is_key(p.column) ? PeopleSet{} : by_attribute(p, wanted);
      case Op::kNot: return of(p.args.front(), !wanted);
      case Op::kAnd:
      case Op::kOr: break;
    }
    if (p.args.empty()) return {};
    const bool all_of_them = (p.op == Op::kAnd) == wanted;
    PeopleSet out = of(p.args.front(), wanted);
    for (std::size_t i = 1; i < p.args.size(); ++i) {
      if (!all_of_them && out.all) break;
      out = all_of_them ? intersect(std::move(out), of(p.args[i], wanted)) : unite(std::move(out), of(p.args[i], wanted));
    }
    return out;
  }
};

}  // namespace

PeopleSet unite(PeopleSet a, PeopleSet b) {
  if (a.all) return a;
  if (b.all) return b;
  if (a.size() == 0 && !a.range && !a.attribute) return b;
  if (b.size() == 0 && !b.range && !b.attribute) return a;
  a.exact = a.exact && b.exact;
  a.attribute = a.attribute || b.attribute;
  a.range = a.range || b.range;
  a.people = merged(a.people, b.people);
  a.strangers = merged(a.strangers, b.strangers);
  return a;
}

PeopleSet intersect(PeopleSet a, PeopleSet b) {
  if (a.all) return b;
  if (b.all) return a;
  // Ids that the register does not know meet every condition but a list without them.
  const auto strangers_of = [](const PeopleSet& x, const PeopleSet& y) {
    if (x.exact && y.exact) return common(x.strangers, y.strangers);
    return x.exact ? x.strangers : y.exact ? y.strangers : merged(x.strangers, y.strangers);
  };
  PeopleSet out = nobody();
  out.strangers = strangers_of(a, b);
  out.people = common(a.people, b.people);
  out.exact = a.exact || b.exact;
  out.attribute = a.attribute || b.attribute;
  out.range = a.range || b.range;
  // Named ids of which nobody was excluded do not rest on the register.
  for (PeopleSet* named : {&a, &b}) {
    if (named->exact && !named->attribute && !named->range && out.people == named->people) out.attribute = out.range = false;
  }
  return out;
}

std::string canonical_id(std::string_view text, const storage::People* people) {
  std::string_view id = trim(text);
  if (is_uuid(id)) return to_lower(id);
  if (people == nullptr || people->integer_keys()) {
    const bool minus = id.starts_with('-'), plus = id.starts_with('+');
    const std::string_view digits = id.substr(minus || plus ? 1 : 0);
    if (!digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      return storage::comparable(id);
    }
  }
  return std::string(id);
}

PeopleSet evaluate(EvaluationInput& input, int source, const PersonColumn& key) {
  const std::vector<Member> members = key_class(input, source, key);
  const Evaluator evaluator{input, members, false};
  // A row of another table may be about somebody who has left the register's own, unless it is joined to a row there.
  const bool present = key.main || std::any_of(members.begin(), members.end(), [&](const Member& m) {
    return m.exists && m.column.candidates.size() == 1 && input.main_key(m.column.candidates.front()) == m.column.name;
  });
  const storage::Span when = input.when;
  if (!present) {
    input.when.from = storage::kAlways;
    input.past = true;
  }
  PeopleSet out;
  for (const int filter : input.query.sources[static_cast<std::size_t>(source)].filters) {
    out = intersect(std::move(out), evaluator.of(filter));
  }
  input.when = when;
  return out;
}

PeopleSet may_not_hold(EvaluationInput& input, int source, const PersonColumn& key) {
  const std::vector<Member> members = key_class(input, source, key);
  const Evaluator evaluator{input, members, true};
  PeopleSet out = nobody();
  for (const int filter : input.query.sources[static_cast<std::size_t>(source)].filters) {
    out = unite(std::move(out), evaluator.of(filter, false));
  }
  return out;
}

bool same_person(const EvaluationInput& input, int a, const PersonColumn& key_a, int b, const PersonColumn& key_b) {
  if (a == b && key_a.column == key_b.column) return true;
  const Column other{{b}, key_b.column, true};
  for (const Member& m : key_class(input, a, key_a)) {
    if (same_column(m.column, m.exists, other)) return true;
  }
  for (const Member& m : key_class(input, b, key_b)) {
    if (same_column(m.column, m.exists, Column{{a}, key_a.column, true})) return true;
  }
  return false;
}

bool grouped_by_person(const EvaluationInput& input, int source, const PersonColumn& key) {
  const std::vector<Member> members = key_class(input, source, key);
  for (const Column& by : input.query.sources[static_cast<std::size_t>(source)].group_by) {
    for (const Member& m : members) {
      if (same_column(m.column, m.exists, by)) return true;
      if (by.name == "*" && by.candidates.size() == 1 && m.column.candidates == by.candidates) return true;
    }
  }
  return false;
}

}  // namespace tocsin::engine
