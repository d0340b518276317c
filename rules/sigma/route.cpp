// Making a route of its rules' witnesses, and asking it about an event.
#include "rules/sigma/route.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace tocsin::rules::sigma {
namespace {

// Calls `each` with the plain fields that a field is made of.
void for_each_root(const Program& program, FieldId field, const std::function<void(FieldId)>& each) {
  const FieldName& name = program.fields()[field];
  switch (name.kind) {
    case FieldName::Kind::kPlain: each(field); return;
    case FieldName::Kind::kAnyOf:
      for (const FieldId place : name.chain) for_each_root(program, place, each);
      return;
    case FieldName::Kind::kElement:
    case FieldName::Kind::kScalars: return;
    case FieldName::Kind::kMember:
    case FieldName::Kind::kPosition:
    case FieldName::Kind::kInside:
    case FieldName::Kind::kElements: for_each_root(program, name.base, each); return;
  }
}

}  // namespace

Route::Route(const Program& program, std::span<const std::uint32_t> rules, const std::vector<Witness>& witnesses)
    : index_of_(program.fields().size(), -1) {
  for (const std::uint32_t rule : rules) {
    const Witness& witness = witnesses[rule];
    if (witness.any) always_.push_back(rule);
    else for (const Fact* const fact : witness.facts) add(*fact, rule);
    size_ += 1 + witness.facts.size();
  }
  for (FieldIndex& field : indexes_) {
    field.texts.finish();
    field.first.finish();
    field.last.finish();
    field.needles.finish();
    field.numbers.finish();
    field.present.erase(std::unique(field.present.begin(), field.present.end()), field.present.end());
  }
  name_keys(program, rules);
}

void Route::add(const Fact& fact, std::uint32_t rule) {
  std::int32_t& at = index_of_[fact.field];
  if (at < 0) {
    at = static_cast<std::int32_t>(indexes_.size());
    indexes_.emplace_back();
  }
  FieldIndex& field = indexes_[static_cast<std::size_t>(at)];
  const char front = fact.text.empty() ? '\0' : fact.text.front();
  const char back = fact.text.empty() ? '\0' : fact.text.back();
  switch (fact.kind) {
    case Fact::Kind::kPresent: field.present.push_back(rule); break;
    case Fact::Kind::kNumber: field.numbers.add(hash_of(fact.number), rule); break;
    case Fact::Kind::kContains: field.needles.add(fact.text, rule); break;
    case Fact::Kind::kFirst:
      field.first.add(fact.text, rule);
      field.json_first = field.json_first || front == '{' || front == '[';
      break;
    case Fact::Kind::kLast:
      field.last.add(fact.text, rule);
      field.json_last = field.json_last || back == '}' || back == ']';
      break;
    case Fact::Kind::kText:
      field.texts.add(hash_of(fact.text), rule);
      field.longest = std::max(field.longest, fact.text.size());
      field.json = field.json || front == '{' || front == '[';
  }
}

void Route::name_keys(const Program& program, std::span<const std::uint32_t> rules) {
  std::vector<bool> named(program.fields().size());
  std::vector<std::uint32_t> open;
  for (const std::uint32_t rule : rules) {
    open.push_back(program.rules()[rule].root);
    while (!open.empty()) {
      const Node& node = program.nodes()[open.back()];
      open.pop_back();
      for (std::uint32_t i = 0; i < node.count; ++i) open.push_back(node.first + i);
      const auto need = [&](FieldId root) { named[root] = true; };
      if (node.kind == Node::Kind::kEach) for_each_root(program, program.every()[node.value].field, need);
      if (node.kind != Node::Kind::kTest) continue;
      const Predicate& predicate = program.predicates()[node.value];
      for_each_root(program, predicate.field, need);
      if (predicate.other != 0) for_each_root(program, predicate.other, need);
    }
  }
  std::map<std::string, std::uint32_t, std::less<>> numbers;
  const auto key = [&](const std::string& name) -> Key& {
    const auto [at, is_new] = numbers.try_emplace(name, static_cast<std::uint32_t>(key_list_.size()));
    if (is_new) {
      key_list_.emplace_back();
      key_list_.back().name = name;
      keys_.add(hash_of(name), at->second);
    }
    return key_list_[at->second];
  };
  for (FieldId field = 0; field < named.size(); ++field) {
    if (!named[field] || field == kKeywords) continue;
    const FieldName& name = program.fields()[field];
    Key& literal = key(name.name);
    literal.literal = true;
    literal.field = field;
    if (name.path.size() > 1) key(name.path.front()).heads.push_back(field);
  }
  for (FieldId field = 0; field < index_of_.size(); ++field) {
    if (index_of_[field] < 0 || program.fields()[field].kind == FieldName::Kind::kPlain) continue;
    for_each_root(program, field, [&](FieldId root) {
      const FieldName& name = program.fields()[root];
      key(name.name).wakes.push_back(field);
      if (name.path.size() > 1) key(name.path.front()).wakes.push_back(field);
    });
  }
  keys_.finish();
}

void Route::resolve(const Event& event, Scratch& scratch) const {
  if (event.root.kind() != Kind::kObject) return;
  FieldState* const fields = scratch.fields.data();
  const auto meet = [&](FieldId field) -> FieldState& {
    FieldState& state = fields[field];
    if (state.seen != scratch.epoch) {
      state.seen = scratch.epoch;
      state.literal = nullptr;
      state.head = nullptr;
      if (index_of_.data()[field] >= 0) scratch.present.push_back(field);
    }
    return state;
  };
  for (const Field& member : event.root.fields()) {
    for (const std::uint32_t number : keys_.find(hash_of(member.key))) {
      const Key& key = key_list_.data()[number];
      if (key.name != member.key) continue;
      if (key.literal) {
        FieldState& state = meet(key.field);
        if (state.literal == nullptr) state.literal = &member.value;
      }
      for (const FieldId field : key.heads) {
        FieldState& state = meet(field);
        if (state.head == nullptr) state.head = &member.value;
      }
      for (const FieldId field : key.wakes) (void)meet(field);
    }
  }
}

void Route::collect(Evaluation& evaluation, Scratch& scratch) const {
  std::uint32_t* const seen = scratch.rules.data();
  const auto add = [&](std::span<const std::uint32_t> found) {
    for (const std::uint32_t rule : found) {
      if (seen[rule] == scratch.epoch) continue;
      seen[rule] = scratch.epoch;
      scratch.candidates.push_back(rule);
    }
  };
  add(always_);
  if (index_of_[kKeywords] >= 0) {  // its only facts are needles, and one search costs less than one per value
    const Needles& needles = indexes_[static_cast<std::size_t>(index_of_[kKeywords])].needles;
    needles.search(evaluation.joined(needles.shortest(), needles.in_numbers()), add);
  }
  for (const FieldId field : scratch.present) {
    const FieldIndex& index = indexes_.data()[index_of_.data()[field]];
    const Evaluation::Range range = evaluation.leaves(field);
    if (range.begin == range.end) continue;
    add(index.present);
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      Leaf& leaf = evaluation.leaf(i);
      const Kind kind = leaf.value.kind();
      if (kind == Kind::kNull) continue;
      const bool container = kind == Kind::kArray || kind == Kind::kObject;
      if (!index.texts.empty() && (!container || index.json)) {
        // Folding shortens a text to a third at most, so a longer one cannot become any of the texts.
        constexpr std::size_t kShrink = 3;
        const std::string_view text = evaluation.text(leaf);
        if (text.size() <= index.longest * kShrink) add(index.texts.find(hash_of(evaluation.folded(leaf))));
      }
      if (!index.first.empty() && (!container || index.json_first)) index.first.search(evaluation.folded(leaf), add);
      if (!index.last.empty() && (!container || index.json_last)) index.last.search(evaluation.folded(leaf), add);
      if (!index.needles.empty()) index.needles.search(evaluation.folded(leaf), add);
      if (!index.numbers.empty() && !container) {
        if (const auto number = number_of(leaf.value)) add(index.numbers.find(hash_of(*number)));
      }
    }
  }
}

}  // namespace tocsin::rules::sigma
