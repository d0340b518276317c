// Routes and indexes. A route holds what the rules of one kind of log source need: which top-level names of an event
// matter to them, and for each indexed field a table from value to the rules that have it as a witness. Routes are
// made when first used; there are at most kMaxRoutes of them.
#include "rules/sigma/engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/correlation_link.hpp"
#include "rules/sigma/evaluate.hpp"
#include "rules/sigma/fold.hpp"
#include "rules/sigma/load.hpp"
#include "rules/sigma/needles.hpp"
#include "rules/sigma/witness.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kMaxRoutes = 256;
// Normalised events are a language of their own: a rule for them and a raw record never meet by having little to say.
constexpr std::string_view kClosedCategory = "data_access";

std::uint64_t hash_of(std::string_view text) noexcept {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
  std::uint64_t h = text.size() * kOdd;
  const char* at = text.data();
  std::size_t left = text.size();
  const auto mix = [&h](std::uint64_t word) {
    h = (h ^ word) * kOdd;
    h ^= h >> 32;
  };
  while (left >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    mix(word);
    at += 8;
    left -= 8;
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, left);
    mix(word);
  }
  return h ^ h >> 29;
}

std::uint64_t hash_of(const Number& number) noexcept {
  const double real = number.real == 0 ? 0.0 : number.real;  // -0 equals 0
  const auto bits = std::bit_cast<std::uint64_t>(real) * 0x9E3779B97F4A7C15ULL;
  return bits ^ bits >> 31;
}

// From a hash to a few numbers. Filled once, then read; a false hit costs an evaluation, never a match.
class Table {
 public:
  void add(std::uint64_t hash, std::uint32_t number) { building_[hash].push_back(number); }
  void finish() {
    slots_.assign(std::bit_ceil(building_.size() * 2 + 1), Slot{});
    for (auto& [hash, numbers] : building_) {
      std::sort(numbers.begin(), numbers.end());
      numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
      std::size_t at = hash & (slots_.size() - 1);
      while (slots_[at].count != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = {hash, static_cast<std::uint32_t>(numbers_.size()), static_cast<std::uint32_t>(numbers.size())};
      numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
    }
    empty_ = building_.empty();
    building_.clear();
  }
  [[nodiscard]] bool empty() const noexcept { return empty_; }
  [[nodiscard]] std::span<const std::uint32_t> find(std::uint64_t hash) const noexcept {
    for (std::size_t at = hash & (slots_.size() - 1); slots_[at].count != 0; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].hash == hash) return {numbers_.data() + slots_[at].first, slots_[at].count};
    }
    return {};
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> building_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> numbers_;
  bool empty_ = true;
};

// What a top-level name of an event can mean.
struct Key {
  std::string name;
  bool literal = false;
  FieldId field = 0;               // literal: this field
  std::vector<FieldId> heads;      // fields whose path starts with it
  std::vector<FieldId> wakes;      // indexed fields that are made of such fields
};

// Calls `each` with the plain fields that a field is made of.
void for_each_root(const Program& program, FieldId field, const std::function<void(FieldId)>& each) {
  const FieldName& name = program.fields()[field];
  switch (name.kind) {
    case FieldName::Kind::kPlain: each(field); return;
    case FieldName::Kind::kAnyOf:
      for (const FieldId place : name.chain) for_each_root(program, place, each);
      return;
    case FieldName::Kind::kMember: for_each_root(program, name.base, each); return;
  }
}

struct FieldIndex {
  Table texts;
  Needles needles;
  Table numbers;
  std::vector<std::uint32_t> present;  // rules whose witness is that the field is there
  std::size_t longest = 0;             // of the folded texts
  bool json = false;                   // a text looks like an object or array
};

struct Route {
  std::vector<std::uint32_t> always;  // rules without a witness
  Table keys;                         // hash of a name → index into key_list
  std::vector<Key> key_list;
  std::vector<std::int32_t> index_of; // per field: index into indexes, or -1
  std::vector<FieldIndex> indexes;
  bool filter = false;                // holds rules of other log sources too; check each match
};

std::string fact_key(const Fact& fact) {
  std::string key = std::to_string(fact.field) + static_cast<char>('0' + static_cast<int>(fact.kind));
  if (fact.kind == Fact::Kind::kText || fact.kind == Fact::Kind::kContains) key += fact.text;
  if (fact.kind == Fact::Kind::kNumber) key += std::to_string(hash_of(fact.number));
  return key;
}

bool contradicts(std::string_view rule, std::string_view event) noexcept {
  return !rule.empty() && !event.empty() && !iequals(rule, event);
}

}  // namespace

struct Engine::Inner {
  Program program;
  std::vector<std::vector<Fact>> witnesses;  // per rule
  std::vector<bool> always;                  // per rule: it has none
  std::vector<CompiledCorrelation> correlations;
  std::vector<bool> silent;                  // per rule: it only feeds correlations
  std::uint64_t id = 0;

  // Which of the distinct product, category and service a name is: 0 none, 1 one that no rule has, else 2 + position.
  std::array<std::vector<std::string>, 3> names;

  mutable std::shared_mutex mutex;
  mutable std::map<std::uint64_t, std::unique_ptr<const Route>> routes;  // guarded by mutex; values never change
  // Made when first asked for: most engines never are.
  mutable std::once_flag everything_once;
  mutable std::unique_ptr<const Route> everything;
  mutable std::once_flag overflow_once;
  mutable std::unique_ptr<const Route> overflow;
  mutable std::atomic<std::uint32_t> next_database{0};

  [[nodiscard]] const Route& every_rule() const;
  [[nodiscard]] const Route& overflow_route() const;
  void derive_witnesses();
  [[nodiscard]] std::unique_ptr<Route> make_route(const LogSource* source) const;
  [[nodiscard]] const Route& route(const LogSource& source) const;
  [[nodiscard]] std::uint64_t route_key(const LogSource& source) const noexcept;
  void resolve(const Event& event, const Route& route, Scratch& scratch) const;
  void collect(const Route& route, Evaluation& evaluation, Scratch& scratch) const;
};

namespace {

// The log source a thread saw last and its route, so that the usual case takes no lock.
struct Memo {
  std::uint64_t engine = 0;
  std::string product, category, service;
  const Route* route = nullptr;
};

// One per engine that the thread uses, the last few: during a reload two are in use side by side.
Scratch& thread_scratch(std::uint64_t engine) {
  thread_local std::array<std::pair<std::uint64_t, Scratch>, 4> scratches;
  thread_local std::size_t next = 0;
  for (auto& [id, scratch] : scratches) {
    if (id == engine) return scratch;
  }
  next = (next + 1) % scratches.size();
  scratches[next].first = engine;
  return scratches[next].second;
}

}  // namespace

void Engine::Inner::derive_witnesses() {
  std::unordered_map<std::string, double> uses;
  for (const CompiledRule& rule : program.rules()) {
    std::set<std::string> own;
    std::vector<std::uint32_t> open = {rule.root};
    while (!open.empty()) {
      const Node& node = program.nodes()[open.back()];
      open.pop_back();
      for (std::uint32_t i = 0; i < node.count; ++i) open.push_back(node.first + i);
      if (node.kind != Node::Kind::kTest) continue;
      for (const Fact& fact : facts_of(program.predicates()[node.value]).facts) {
        if (fact.kind != Fact::Kind::kPresent) own.insert(fact_key(fact));
      }
    }
    for (const std::string& key : own) ++uses[key];
  }
  const auto frequency = [&](const Fact& fact) {
    const auto at = uses.find(fact_key(fact));
    return at == uses.end() ? 1.0 : at->second;
  };
  for (const CompiledRule& rule : program.rules()) {
    Witness witness = find_witness(program, rule.root, frequency);
    always.push_back(witness.any);
    witnesses.push_back(std::move(witness.facts));
  }
}

std::unique_ptr<Route> Engine::Inner::make_route(const LogSource* source) const {
  auto made = std::make_unique<Route>();
  made->index_of.assign(program.fields().size(), -1);
  std::set<FieldId> fields;
  for (std::uint32_t index = 0; index < program.rules().size(); ++index) {
    const CompiledRule& rule = program.rules()[index];
    if (source != nullptr && !Engine::routed(*rule.rule, *source)) continue;
    std::vector<std::uint32_t> open = {rule.root};
    while (!open.empty()) {
      const Node& node = program.nodes()[open.back()];
      open.pop_back();
      for (std::uint32_t i = 0; i < node.count; ++i) open.push_back(node.first + i);
      if (node.kind != Node::Kind::kTest) continue;
      const Predicate& predicate = program.predicates()[node.value];
      const auto need = [&](FieldId root) { fields.insert(root); };
      for_each_root(program, predicate.field, need);
      if (predicate.other != 0) for_each_root(program, predicate.other, need);
    }
    if (always[index]) {
      made->always.push_back(index);
      continue;
    }
    for (const Fact& fact : witnesses[index]) {
      std::int32_t& at = made->index_of[fact.field];
      if (at < 0) {
        at = static_cast<std::int32_t>(made->indexes.size());
        made->indexes.emplace_back();
      }
      FieldIndex& field = made->indexes[static_cast<std::size_t>(at)];
      switch (fact.kind) {
        case Fact::Kind::kPresent: field.present.push_back(index); break;
        case Fact::Kind::kNumber: field.numbers.add(hash_of(fact.number), index); break;
        case Fact::Kind::kContains: field.needles.add(fact.text, index); break;
        case Fact::Kind::kText:
          field.texts.add(hash_of(fact.text), index);
          field.longest = std::max(field.longest, fact.text.size());
          field.json = field.json || (!fact.text.empty() && (fact.text[0] == '{' || fact.text[0] == '['));
      }
    }
  }
  for (FieldIndex& field : made->indexes) {
    field.texts.finish();
    field.numbers.finish();
    field.needles.finish(next_database.fetch_add(1));
  }
  std::map<std::string, std::uint32_t, std::less<>> key_numbers;
  const auto key = [&](const std::string& name) -> Key& {
    const auto [at, is_new] = key_numbers.try_emplace(name, static_cast<std::uint32_t>(made->key_list.size()));
    if (is_new) {
      made->key_list.emplace_back();
      made->key_list.back().name = name;
      made->keys.add(hash_of(name), at->second);
    }
    return made->key_list[at->second];
  };
  for (const FieldId field : fields) {
    if (field == kKeywords) continue;
    const FieldName& name = program.fields()[field];
    Key& literal = key(name.name);
    literal.literal = true;
    literal.field = field;
    if (name.path.size() > 1) key(name.path.front()).heads.push_back(field);
  }
  for (FieldId field = 0; field < made->index_of.size(); ++field) {
    if (made->index_of[field] < 0 || program.fields()[field].kind == FieldName::Kind::kPlain) continue;
    for_each_root(program, field, [&](FieldId root) {
      const FieldName& name = program.fields()[root];
      key(name.name).wakes.push_back(field);
      if (name.path.size() > 1) key(name.path.front()).wakes.push_back(field);
    });
  }
  made->keys.finish();
  return made;
}

const Route& Engine::Inner::every_rule() const {
  std::call_once(everything_once, [&] { everything = make_route(nullptr); });
  return *everything;
}

const Route& Engine::Inner::overflow_route() const {
  std::call_once(overflow_once, [&] {
    auto made = make_route(nullptr);
    made->filter = true;
    overflow = std::move(made);
  });
  return *overflow;
}

std::uint64_t Engine::Inner::route_key(const LogSource& source) const noexcept {
  std::uint64_t key = 0;
  const std::array<std::string_view, 3> dimensions = {source.product, source.category, source.service};
  for (std::size_t i = 0; i < 3; ++i) {
    std::uint64_t number = dimensions[i].empty() ? 0 : 1;
    for (std::size_t n = 0; number == 1 && n < names[i].size(); ++n) {
      if (iequals(names[i][n], dimensions[i])) number = 2 + n;
    }
    key = key << 20 | number;
  }
  return key;
}

const Route& Engine::Inner::route(const LogSource& source) const {
  thread_local std::array<Memo, 4> memos;
  thread_local std::size_t next = 0;
  for (const Memo& memo : memos) {
    if (memo.engine == id && memo.product == source.product && memo.category == source.category && memo.service == source.service) {
      return *memo.route;
    }
  }
  const std::uint64_t key = route_key(source);
  const Route* found = nullptr;
  bool full = false;
  {
    const std::shared_lock lock(mutex);
    const auto at = routes.find(key);
    if (at != routes.end()) found = at->second.get();
    full = routes.size() >= kMaxRoutes;
  }
  if (found == nullptr && full) found = &overflow_route();
  if (found == nullptr) {
    std::unique_ptr<const Route> made = make_route(&source);
    const std::unique_lock lock(mutex);
    found = routes.try_emplace(key, std::move(made)).first->second.get();
  }
  memos[next] = Memo{id, std::string(source.product), std::string(source.category), std::string(source.service), found};
  next = (next + 1) % memos.size();
  return *found;
}

// One pass over the event's top-level names sets literal and head of every field that a rule of the route names.
void Engine::Inner::resolve(const Event& event, const Route& route, Scratch& scratch) const {
  if (event.root.kind() != Kind::kObject) return;
  const auto meet = [&](FieldId field) -> FieldState& {
    FieldState& state = scratch.fields[field];
    if (state.seen != scratch.epoch) {
      state.seen = scratch.epoch;
      state.literal = nullptr;
      state.head = nullptr;
      if (route.index_of[field] >= 0) scratch.present.push_back(field);
    }
    return state;
  };
  for (const Field& member : event.root.fields()) {
    for (const std::uint32_t number : route.keys.find(hash_of(member.key))) {
      const Key& key = route.key_list[number];
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

// Puts every rule whose witness the event has among the candidates.
void Engine::Inner::collect(const Route& route, Evaluation& evaluation, Scratch& scratch) const {
  const auto add = [&](std::span<const std::uint32_t> found) {
    for (const std::uint32_t rule : found) {
      if (scratch.rules[rule] == scratch.epoch) continue;
      scratch.rules[rule] = scratch.epoch;
      scratch.candidates.push_back(rule);
    }
  };
  add(route.always);
  if (route.index_of[kKeywords] >= 0) scratch.present.push_back(kKeywords);
  for (const FieldId field : scratch.present) {
    const FieldIndex& index = route.indexes[static_cast<std::size_t>(route.index_of[field])];
    const Evaluation::Range range = evaluation.leaves(field);
    if (range.begin == range.end) continue;
    add(index.present);
    if (field == kKeywords) {  // its only facts are needles, and one search costs less than one per value
      std::string_view joined = evaluation.joined(range);
      index.needles.search(joined, scratch);
      for (const std::uint32_t needle : scratch.found) add(index.needles.rules_of(needle));
      continue;
    }
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
      if (!index.needles.empty()) {
        index.needles.search(evaluation.folded(leaf), scratch);
        for (const std::uint32_t needle : scratch.found) add(index.needles.rules_of(needle));
      }
      if (!index.numbers.empty() && !container) {
        if (const auto number = number_of(leaf.value)) add(index.numbers.find(hash_of(*number)));
      }
    }
  }
}

Engine::Engine(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Engine::~Engine() = default;

void Engine::match(const Event& event, std::vector<Match>& out, Routing routing) const {
  const Inner& inner = *inner_;
  const Route& route = routing == Routing::kEverything ? inner.every_rule() : inner.route(event.source);
  Scratch& scratch = thread_scratch(inner.id);
  scratch.begin(inner.program, inner.id);
  inner.resolve(event, route, scratch);
  Evaluation evaluation(inner.program, event, scratch, true);
  inner.collect(route, evaluation, scratch);
  std::sort(scratch.candidates.begin(), scratch.candidates.end());
  for (const std::uint32_t index : scratch.candidates) {
    const CompiledRule& rule = inner.program.rules()[index];
    if (route.filter && !routed(*rule.rule, event.source)) continue;
    if (evaluation.holds(rule.root)) out.push_back(Match{rule.rule.get(), index, inner.silent[index]});
  }
}

bool Engine::routed(const Rule& rule, const LogSource& source) noexcept {
  const bool rule_closed = rule.category == kClosedCategory;
  const bool event_closed = iequals(source.category, kClosedCategory);
  const bool unknown = source.product.empty() && source.category.empty() && source.service.empty();
  if (rule_closed != event_closed && !unknown) return false;
  return !contradicts(rule.product, source.product) && !contradicts(rule.category, source.category) &&
         !contradicts(rule.service, source.service);
}

const std::vector<CompiledRule>& Engine::rules() const noexcept { return inner_->program.rules(); }
const std::vector<CompiledCorrelation>& Engine::correlations() const noexcept { return inner_->correlations; }
const Program& Engine::program() const noexcept { return inner_->program; }

// --- explanation ---

namespace {

class Explainer {
 public:
  Explainer(const Program& program, Evaluation& evaluation, const Rule& rule, std::vector<Reason>& out)
      : program_(program), evaluation_(evaluation), rule_(rule), out_(out) {}

  // Says why `node` has the truth `wanted`.
  void explain(std::uint32_t index, bool wanted, const std::string& selection) {
    const Node& node = program_.nodes()[index];
    std::string name = selection;
    if (node.selection >= 0) {
      const Selection& written = rule_.selections[static_cast<std::size_t>(node.selection)];
      name = (wanted ? "" : "not ") + (written.origin == 0 ? "" : rule_.filters[written.origin - 1] + ": ") + written.name;
    }
    switch (node.kind) {
      case Node::Kind::kTest: add(program_.predicates()[node.value], wanted, name); return;
      case Node::Kind::kNot: explain(node.first, !wanted, name); return;
      default: break;
    }
    // Only the parts that have the wanted truth are reasons for it.
    for (std::uint32_t i = 0; i < node.count; ++i) {
      if (evaluation_.holds(node.first + i) == wanted) explain(node.first + i, wanted, name);
    }
  }

 private:
  void add(const Predicate& predicate, bool wanted, const std::string& selection) {
    Reason reason;
    reason.selection = selection;
    if (predicate.field != kKeywords) reason.field = program_.fields()[predicate.field].name;
    reason.test = (wanted ? "" : "not ") + predicate.canonical;
    const Evaluation::Range range = evaluation_.leaves(predicate.field);
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      Leaf& leaf = evaluation_.leaf(i);
      const bool shown = predicate.test >= Test::kNull || !wanted || evaluation_.leaf_holds(predicate, leaf);
      if (!shown || leaf.value.kind() == Kind::kNull || (!wanted && predicate.field == kKeywords)) continue;
      std::string_view text = evaluation_.text(leaf);
      if (text.size() > Reason::kMaxValue) {
        std::size_t cut = Reason::kMaxValue;
        while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
        text = text.substr(0, cut);
      }
      reason.value = std::string(text);
      break;
    }
    for (const Reason& known : out_) {
      if (known.selection == reason.selection && known.test == reason.test) return;
    }
    out_.push_back(std::move(reason));
  }

  const Program& program_;
  Evaluation& evaluation_;
  const Rule& rule_;
  std::vector<Reason>& out_;
};

}  // namespace

std::vector<Reason> Engine::explain(const Event& event, const Rule& rule) const {
  std::vector<Reason> reasons;
  const auto& all = inner_->program.rules();
  const auto compiled = std::find_if(all.begin(), all.end(), [&](const CompiledRule& c) { return c.rule.get() == &rule; });
  if (compiled == all.end()) return reasons;
  Scratch scratch;
  scratch.begin(inner_->program, inner_->id);
  Evaluation evaluation(inner_->program, event, scratch, false);
  if (!evaluation.holds(compiled->root)) return reasons;
  Explainer(inner_->program, evaluation, rule, reasons).explain(compiled->root, true, {});
  // What was found reads better before what was not.
  std::stable_partition(reasons.begin(), reasons.end(), [](const Reason& reason) { return !reason.test.starts_with("not "); });
  return reasons;
}

// --- loading ---

class EngineBuilder {
 public:
  explicit EngineBuilder(const LoadOptions& options) : options_(options), inner_(std::make_unique<Engine::Inner>()) {}

  void add(std::shared_ptr<const Rule> rule, Report report) {
    if (!rule->id.empty() && !ids_.insert(rule->id).second) {
      report.remarks.push_back({"duplicate-id", "another rule with the id " + printable(rule->id, 60) + " was loaded before this one",
                                "give every rule an id of its own", rule->line});
    }
    std::vector<Remark> warnings;
    std::optional<Remark> refusal = inner_->program.add(std::move(rule), options_.placeholders, warnings);
    for (Remark& warning : warnings) report.remarks.push_back(std::move(warning));
    if (refusal) {
      report.remarks.clear();
      report.remarks.push_back(std::move(*refusal));
      report.status = Status::kRejected;
    } else if (!report.remarks.empty()) {
      report.status = Status::kWarning;
    }
    if (!report.remarks.empty()) report.line = report.remarks.front().line;
    loaded_.reports.push_back(std::move(report));
  }
  void add(std::shared_ptr<const Correlation> correlation, Report report) {
    if (!correlation->id.empty() && !ids_.insert(correlation->id).second) {
      report.remarks.push_back({"duplicate-id", "another rule with the id " + printable(correlation->id, 60) + " was loaded before this one",
                                "give every rule an id of its own", correlation->line});
      report.line = report.remarks.front().line;
      report.status = Status::kWarning;
    }
    correlations_.push_back({std::move(correlation), loaded_.reports.size()});
    loaded_.reports.push_back(std::move(report));
  }
  void refused(Report report) { loaded_.reports.push_back(std::move(report)); }

  Loaded finish() {
    static std::atomic<std::uint64_t> next_id{0};
    Engine::Inner& inner = *inner_;
    inner.id = ++next_id;
    inner.derive_witnesses();
    LinkedCorrelations linked = link_correlations(correlations_, inner.program, loaded_.reports);
    inner.correlations = std::move(linked.correlations);
    inner.silent = std::move(linked.silent);
    for (const CompiledRule& compiled : inner.program.rules()) {
      const std::array<const std::string*, 3> dimensions = {&compiled.rule->product, &compiled.rule->category, &compiled.rule->service};
      for (std::size_t i = 0; i < 3; ++i) {
        auto& names = inner.names[i];
        if (!dimensions[i]->empty() && std::find(names.begin(), names.end(), *dimensions[i]) == names.end()) names.push_back(*dimensions[i]);
      }
    }
    if (std::find(inner.names[1].begin(), inner.names[1].end(), kClosedCategory) == inner.names[1].end()) {
      inner.names[1].emplace_back(kClosedCategory);  // an event of that category is not like one of any other
    }
    loaded_.engine = std::shared_ptr<const Engine>(new Engine(std::move(inner_)));
    return std::move(loaded_);
  }

 private:
  const LoadOptions& options_;
  std::unique_ptr<Engine::Inner> inner_;
  std::set<std::string> ids_;
  std::vector<PendingCorrelation> correlations_;
  Loaded loaded_;
};

std::size_t Loaded::count(Status status) const noexcept {
  return static_cast<std::size_t>(std::count_if(reports.begin(), reports.end(), [&](const Report& r) { return r.status == status; }));
}

Loaded build(std::vector<ParsedDocument> documents, const LoadOptions& options) {
  EngineBuilder builder(options);
  for (ParsedDocument& document : documents) {
    if (document.rule) builder.add(std::make_shared<const Rule>(std::move(*document.rule)), std::move(document.report));
    else if (document.correlation) builder.add(std::make_shared<const Correlation>(std::move(*document.correlation)), std::move(document.report));
    else builder.refused(std::move(document.report));
  }
  return builder.finish();
}

Loaded load_rules(std::span<const std::shared_ptr<const Rule>> rules, const LoadOptions& options) {
  EngineBuilder builder(options);
  for (const std::shared_ptr<const Rule>& rule : rules) {
    Report report;
    report.file = rule->file;
    report.line = rule->line;
    report.rule = rule->id.empty() ? rule->name : rule->id;
    report.title = rule->title;
    builder.add(rule, std::move(report));
  }
  return builder.finish();
}

}  // namespace tocsin::rules::sigma
