// The tests of predicates on the values of an event.
#include "rules/sigma/evaluate.hpp"

#include <algorithm>
#include <array>

#include "rules/sigma/fold.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr int kMaxDepth = 64;  // of an event; what lies deeper is not looked at

bool scalar(const Value& value) noexcept {
  return value.kind() == Kind::kString || value.kind() == Kind::kInt || value.kind() == Kind::kDouble || value.kind() == Kind::kBool;
}
bool container(const Value& value) noexcept { return value.kind() == Kind::kArray || value.kind() == Kind::kObject; }
bool looks_like_json(std::string_view text) noexcept { return !text.empty() && (text[0] == '{' || text[0] == '['); }

}  // namespace

void Scratch::begin(const Program& program, std::uint64_t program_id) {
  constexpr std::uint32_t kLastEpoch = 0x7FFFFFFF;  // tests keep it in 31 bits
  if (program_id_ != program_id || epoch == kLastEpoch) {
    fields.assign(program.fields().size(), FieldState{});
    tests.assign(program.predicates().size(), 0);
    rules.assign(program.rules().size(), 0);
    epoch = 0;
    program_id_ = program_id;
  }
  ++epoch;
  candidates.clear();
  present.clear();
  leaves.clear();
  arena.reset();
}

bool Evaluation::holds(std::uint32_t index) {
  const Node& node = program_.nodes().data()[index];
  switch (node.kind) {
    case Node::Kind::kTest: return test(node.value);
    case Node::Kind::kNot: return !holds(node.first);
    case Node::Kind::kAnd:
      for (std::uint32_t i = 0; i < node.count; ++i) {
        if (!holds(order_ != nullptr ? order_->of(node.first)[i] : node.first + i)) return false;
      }
      return true;
    case Node::Kind::kOr:
      for (std::uint32_t i = 0; i < node.count; ++i) {
        if (holds(order_ != nullptr ? order_->of(node.first)[i] : node.first + i)) return true;
      }
      return false;
    case Node::Kind::kAtLeast: {
      std::uint32_t found = 0;
      for (std::uint32_t i = 0; i < node.count && found < node.value; ++i) found += holds(node.first + i) ? 1U : 0U;
      return found >= node.value;
    }
    case Node::Kind::kEach: return every_holds(node);
  }
  return false;
}

bool Evaluation::every_holds(const Node& node) {
  const Every& every = program_.every()[node.value];
  const bool wanted = every.quantifier == Quantifier::kAny || every.quantifier == Quantifier::kNone;  // one such decides
  const Value* const outer = element_;
  bool one = false;
  bool met = false;
  std::vector<Value> arrays;
  addressed(every.field, arrays);
  const auto look = [&](const Value& element) {
    if (met) return;
    one = true;
    element_ = &element;
    met = holds(node.first) == wanted;
    element_ = outer;
  };
  for (const Value& value : arrays) {
    if (value.kind() == Kind::kArray) std::for_each(value.items().begin(), value.items().end(), look);
    else if (value.kind() != Kind::kNull) look(value);
  }
  switch (every.quantifier) {
    case Quantifier::kAny: return met;
    case Quantifier::kAll: return one && !met;
    case Quantifier::kAllOrEmpty:
    case Quantifier::kNone: return !met;
  }
  return false;
}

bool Evaluation::test(PredicateId id) {
  const Predicate& asked = program_.predicates().data()[id];
  if (asked.relative) {
    const std::size_t before = scratch_.leaves.size();
    const bool result = ask(asked);
    scratch_.leaves.resize(before);
    return result;
  }
  std::uint32_t& state = scratch_.tests.data()[id];
  if (state >> 1 == scratch_.epoch) return (state & 1U) != 0;
  if (const Together::Ends* const ends = together_ == nullptr ? nullptr : together_->of(id); ends != nullptr) {
    if (scratch_.fields.data()[asked.field].answered != scratch_.epoch) answer(*ends, asked.field);
    return state >> 1 == scratch_.epoch;  // else it was not among those that hold
  }
  const bool result = ask(asked);
  state = scratch_.epoch << 1 | (result ? 1U : 0U);
  return result;
}

// Marks those of a field's tests that hold.
void Evaluation::answer(const Together::Ends& ends, FieldId field) {
  scratch_.fields[field].answered = scratch_.epoch;
  const auto mark = [&](std::span<const std::uint32_t> held) {
    for (const PredicateId id : held) scratch_.tests[id] = scratch_.epoch << 1 | 1U;
  };
  const Range range = leaves(field);
  for (std::uint32_t i = range.begin; i < range.end; ++i) {
    Leaf& one = leaf(i);
    if (one.value.kind() == Kind::kNull) continue;
    const bool json = container(one.value);
    if (!json || ends.json_first) ends.first.search(folded(one), mark);
    if (!json || ends.json_last) ends.last.search(folded(one), mark);
  }
}

bool Evaluation::ask(const Predicate& predicate) {
  const Range range = leaves(predicate.field);
  switch (predicate.test) {
    case Test::kNull:
      if (range.begin == range.end) return true;
      for (std::uint32_t i = range.begin; i < range.end; ++i) {
        if (leaf(i).value.kind() == Kind::kNull) return true;
      }
      return false;
    case Test::kExists: return (range.begin != range.end) == (predicate.number.integer != 0);
    case Test::kSameAs:
    case Test::kContainsField:
    case Test::kStartsWithField:
    case Test::kEndsWithField: return ask_field(predicate);
    default: break;
  }
  for (std::uint32_t i = range.begin; i < range.end; ++i) {
    if (leaf_holds(predicate, leaf(i))) return true;
  }
  return false;
}

bool Evaluation::leaf_holds(const Predicate& predicate, Leaf& leaf) {
  const Value& value = leaf.value;
  if (value.kind() == Kind::kNull) return false;
  switch (predicate.test) {
    case Test::kEquals:
      if (container(value) && !looks_like_json(predicate.text)) return false;
      return (predicate.cased ? text(leaf) : folded(leaf)) == predicate.text;
    case Test::kOneOf: {
      if (container(value) && !std::any_of(predicate.texts.begin(), predicate.texts.end(), looks_like_json)) return false;
      const std::string_view shown = predicate.cased ? text(leaf) : folded(leaf);
      return std::binary_search(predicate.texts.begin(), predicate.texts.end(), shown);
    }
    case Test::kLike: return predicate.pattern.matches(predicate.cased ? text(leaf) : folded(leaf));
    case Test::kRegex: {
      const std::string_view shown = text(leaf);
      return RE2::PartialMatch(re2::StringPiece(shown.data(), shown.size()), *predicate.regex);
    }
    case Test::kNumber: {
      const auto number = number_of(value);
      return number && equal(*number, predicate.number);
    }
    case Test::kLess: {
      const auto number = number_of(value);
      return number && less(*number, predicate.number);
    }
    case Test::kLessOrEqual: {
      const auto number = number_of(value);
      return number && !less(predicate.number, *number);
    }
    case Test::kGreater: {
      const auto number = number_of(value);
      return number && less(predicate.number, *number);
    }
    case Test::kGreaterOrEqual: {
      const auto number = number_of(value);
      return number && !less(*number, predicate.number);
    }
    case Test::kTimePart: {
      if (value.kind() != Kind::kString) return false;
      const auto part = time_part(value.as_string(), predicate.part);
      if (!part) return false;
      Number number;
      number.integer = *part;
      number.real = static_cast<double>(*part);
      return equal(number, predicate.number);
    }
    case Test::kNetwork: {
      if (value.kind() != Kind::kString) return false;
      const auto address = parse_address(value.as_string());
      return address && predicate.network.contains(*address);
    }
    default: return false;
  }
}

bool Evaluation::ask_field(const Predicate& predicate) {
  const Range left = leaves(predicate.field);
  const Range right = leaves(predicate.other);
  for (std::uint32_t i = left.begin; i < left.end; ++i) {
    if (!scalar(leaf(i).value)) continue;
    for (std::uint32_t j = right.begin; j < right.end; ++j) {
      if (!scalar(leaf(j).value)) continue;
      const std::string_view a = predicate.cased ? text(leaf(i)) : folded(leaf(i));
      const std::string_view b = predicate.cased ? text(leaf(j)) : folded(leaf(j));
      switch (predicate.test) {
        case Test::kContainsField:
          if (a.find(b) != std::string_view::npos) return true;
          break;
        case Test::kStartsWithField:
          if (a.starts_with(b)) return true;
          break;
        case Test::kEndsWithField:
          if (a.ends_with(b)) return true;
          break;
        default: {
          if (a == b) return true;
          if (leaf(i).value.kind() == Kind::kString && leaf(j).value.kind() == Kind::kString) break;
          const auto x = number_of(leaf(i).value);
          const auto y = number_of(leaf(j).value);
          if (x && y && equal(*x, *y)) return true;
        }
      }
    }
  }
  return false;
}

std::string_view Evaluation::text(Leaf& leaf) {
  if (leaf.has_text) return leaf.text;
  leaf.has_text = true;
  if (leaf.value.kind() == Kind::kString) {
    leaf.text = leaf.value.as_string();
  } else if (container(leaf.value)) {
    scratch_.json.clear();
    write_json(leaf.value, scratch_.json);
    leaf.text = scratch_.arena.copy(scratch_.json);
  } else {
    std::array<char, 32> buffer{};
    leaf.text = scratch_.arena.copy(scalar_text(leaf.value, buffer));
  }
  return leaf.text;
}

std::string_view Evaluation::folded(Leaf& leaf) {
  if (leaf.has_folded) return leaf.folded;
  leaf.has_folded = true;
  const std::string_view original = text(leaf);
  if (original.empty()) return leaf.folded;
  char* const at = reinterpret_cast<char*>(scratch_.arena.allocate(original.size() * kFoldGrowth, 1));
  leaf.folded = {at, fold_into(original, at)};
  return leaf.folded;
}

std::string_view Evaluation::joined(std::size_t shortest, bool numbers) {
  scratch_.joined_size = 0;
  join(event_.root.present() ? event_.root : Value::of(event_.raw), shortest, numbers, 0);
  return {scratch_.joined.data(), scratch_.joined_size};
}

// Reaches what add_scalars reaches.
void Evaluation::join(const Value& value, std::size_t shortest, bool numbers, int depth) {
  std::array<char, 32> buffer{};
  std::string_view text;
  switch (value.kind()) {
    case Kind::kString: text = value.as_string(); break;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kDouble:
      if (!numbers) return;
      text = scalar_text(value, buffer);
      break;
    case Kind::kArray:
      if (depth >= kMaxDepth) return;
      for (const Value& item : value.items()) join(item, shortest, numbers, depth + 1);
      return;
    case Kind::kObject:
      if (depth >= kMaxDepth) return;
      for (const Field& member : value.fields()) join(member.value, shortest, numbers, depth + 1);
      return;
    default: return;
  }
  if (text.size() * kFoldGrowth < shortest) return;
  std::vector<char>& out = scratch_.joined;
  const std::size_t room = scratch_.joined_size + text.size() * kFoldGrowth + 1;
  if (out.size() < room) out.resize(room * 2);
  scratch_.joined_size += fold_into(text, out.data() + scratch_.joined_size);
  out[scratch_.joined_size++] = '\n';
}

Evaluation::Range Evaluation::leaves(FieldId field) {
  FieldState& state = scratch_.fields[field];
  const FieldName& name = program_.fields()[field];
  if (name.relative) {
    const auto begin = static_cast<std::uint32_t>(scratch_.leaves.size());
    if (name.kind == FieldName::Kind::kScalars) {
      add_scalars(*element_, 0);
    } else {
      std::vector<Value> values;
      addressed(field, values);
      for (const Value& value : values) add_leaf(value, 0);
    }
    return {begin, static_cast<std::uint32_t>(scratch_.leaves.size())};
  }
  if (state.gathered == scratch_.epoch) return {state.begin, state.end};
  state.gathered = scratch_.epoch;
  if (name.kind == FieldName::Kind::kAnyOf) {
    for (const FieldId place : name.chain) {
      const Range range = leaves(place);
      state.begin = range.begin;
      state.end = range.end;
      if (range.begin != range.end) break;
    }
    return {state.begin, state.end};
  }
  state.begin = static_cast<std::uint32_t>(scratch_.leaves.size());
  if (field == kKeywords) {
    if (event_.root.present()) add_scalars(event_.root, 0);
    else scratch_.leaves.push_back(Leaf{Value::of(event_.raw), {}, {}, false, false});
  } else if (name.kind != FieldName::Kind::kPlain) {
    std::vector<Value> values;
    addressed(field, values);
    for (const Value& value : values) add_leaf(value, 0);
  } else {
    find(field, state);
    if (state.literal != nullptr) {
      add_leaf(*state.literal, 0);
    } else if (state.head != nullptr) {
      walk(*state.head, name.path, 1, 0);
    }
  }
  state.end = static_cast<std::uint32_t>(scratch_.leaves.size());
  return {state.begin, state.end};
}

// Fills in literal and head where nobody has.
void Evaluation::find(FieldId field, FieldState& state) {
  if (state.seen == scratch_.epoch) return;
  state.seen = scratch_.epoch;
  state.literal = nullptr;
  state.head = nullptr;
  if (resolved_ || event_.root.kind() != Kind::kObject) return;
  const FieldName& name = program_.fields()[field];
  for (const Field& member : event_.root.fields()) {
    if (state.literal == nullptr && member.key == name.name) state.literal = &member.value;
    if (name.path.size() > 1 && state.head == nullptr && member.key == name.path.front()) state.head = &member.value;
  }
}

void Evaluation::addressed(FieldId field, std::vector<Value>& out) {
  const FieldName& name = program_.fields()[field];
  switch (name.kind) {
    case FieldName::Kind::kPlain: {
      FieldState& state = scratch_.fields[field];
      find(field, state);
      if (state.literal != nullptr) out.push_back(*state.literal);
      else if (state.head != nullptr) walk(*state.head, name.path, 1, 0, out);
      return;
    }
    case FieldName::Kind::kAnyOf: {
      const std::size_t before = out.size();
      for (std::size_t i = 0; i < name.chain.size() && out.size() == before; ++i) addressed(name.chain[i], out);
      return;
    }
    case FieldName::Kind::kMember: {
      std::vector<Value> lists;
      addressed(name.base, lists);
      const auto take = [&](const Value& entry) {
        const Value key = entry.get("name");
        const Value value = entry.get("value");
        if (value.present() && key.kind() == Kind::kString && key.as_string() == name.member) out.push_back(value);
      };
      for (const Value& list : lists) {
        if (list.kind() != Kind::kArray) take(list);
        else std::for_each(list.items().begin(), list.items().end(), take);
      }
      return;
    }
    case FieldName::Kind::kElement: out.push_back(*element_); return;
    case FieldName::Kind::kScalars: return;  // has leaves only
    default: break;
  }
  std::vector<Value> values;
  addressed(name.base, values);
  for (const Value& value : values) {
    const bool array = value.kind() == Kind::kArray;
    switch (name.kind) {
      case FieldName::Kind::kPosition: {
        const auto size = array ? static_cast<std::int64_t>(value.items().size()) : 0;
        const std::int64_t at = name.position < 0 ? size + name.position : name.position;
        if (at >= 0 && at < size) out.push_back(value.items()[static_cast<std::size_t>(at)]);
        break;
      }
      case FieldName::Kind::kInside: {
        const Value literal = value.get(name.member);
        if (literal.present()) out.push_back(literal);
        else walk(value, name.path, 0, 0, out);
        break;
      }
      default:  // kElements
        if (array) out.insert(out.end(), value.items().begin(), value.items().end());
        else if (value.kind() != Kind::kNull) out.push_back(value);
    }
  }
}

void Evaluation::walk(const Value& value, const std::vector<std::string>& path, std::size_t at, int depth, std::vector<Value>& out) {
  if (at == path.size()) {
    out.push_back(value);
    return;
  }
  if (depth >= kMaxDepth) return;
  if (value.kind() == Kind::kArray) {
    for (const Value& item : value.items()) walk(item, path, at, depth + 1, out);
  } else if (const Value member = value.get(path[at]); member.present()) {
    walk(member, path, at + 1, depth + 1, out);
  }
}

void Evaluation::add_leaf(const Value& value, int depth) {
  scratch_.leaves.push_back(Leaf{value, {}, {}, false, false});
  if (value.kind() != Kind::kArray || depth >= kMaxDepth) return;
  for (const Value& item : value.items()) add_leaf(item, depth + 1);
}

void Evaluation::add_scalars(const Value& value, int depth) {
  if (scalar(value)) {
    scratch_.leaves.push_back(Leaf{value, {}, {}, false, false});
  } else if (depth >= kMaxDepth) {
    return;
  } else if (value.kind() == Kind::kArray) {
    for (const Value& item : value.items()) add_scalars(item, depth + 1);
  } else if (value.kind() == Kind::kObject) {
    for (const Field& member : value.fields()) add_scalars(member.value, depth + 1);
  }
}

void Evaluation::walk(const Value& value, const std::vector<std::string>& path, std::size_t at, int depth) {
  if (at == path.size()) {
    add_leaf(value, depth);
    return;
  }
  if (depth >= kMaxDepth) return;
  if (value.kind() == Kind::kArray) {
    for (const Value& item : value.items()) walk(item, path, at, depth + 1);
  } else if (value.kind() == Kind::kObject) {
    for (const Field& member : value.fields()) {
      if (member.key != path[at]) continue;
      walk(member.value, path, at + 1, depth + 1);
      return;
    }
  }
}

}  // namespace tocsin::rules::sigma
