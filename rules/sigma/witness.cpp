// Deriving witnesses on the compiled tree.
#include "rules/sigma/witness.hpp"

#include <algorithm>
#include <utility>

#include <re2/filtered_re2.h>

#include "rules/base/text.hpp"
#include "rules/sigma/affixes.hpp"
#include "rules/sigma/fold.hpp"
#include "rules/sigma/hash.hpp"
#include "rules/sigma/needles.hpp"
#include "rules/sigma/ordinary.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr double kPresenceCost = 1000;  // a field that is there says little
constexpr double kOrdinaryCost = 40;    // of each ordinary value that the fact holds for

std::uint64_t key_of(const Fact& fact) noexcept {
  std::uint64_t key = fact.kind == Fact::Kind::kNumber ? hash_of(fact.number) : hash_of(fact.text);
  key ^= (static_cast<std::uint64_t>(fact.field) << 8 | static_cast<std::uint64_t>(fact.kind)) * kHashOdd;
  return key;
}

// What a fact costs whoever asks for it: short and ordinary texts are met often, and seeking costs more than looking up.
double own_cost(const Fact& fact) {
  const auto size = static_cast<double>(fact.text.size());
  switch (fact.kind) {
    case Fact::Kind::kPresent: return kPresenceCost;
    case Fact::Kind::kNumber: return 0;
    case Fact::Kind::kText: return kOrdinaryCost * static_cast<double>(ordinary(fact.text, Where::kWhole));
    case Fact::Kind::kFirst: return kOrdinaryCost * static_cast<double>(ordinary(fact.text, Where::kFirst)) + 8 / size;
    case Fact::Kind::kLast: return kOrdinaryCost * static_cast<double>(ordinary(fact.text, Where::kLast)) + 8 / size;
    case Fact::Kind::kContains: return kOrdinaryCost * static_cast<double>(ordinary(fact.text, Where::kAnywhere)) + 60 / (size * size) + 8 / size;
  }
  return 0;
}

// A single byte only if ordinary values do without it: a backtick is telling, a backslash is not.
bool worth_seeking(std::string_view text) {
  return text.size() > 1 || (text.size() == kShortestNeedle && ordinary(text, Where::kAnywhere) == 0);
}

bool ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

Witnesses::Witnesses(const Program& program) : program_(program) {
  required_.reserve(program.predicates().size());
  for (const Predicate& predicate : program.predicates()) required_.push_back(required(predicate));
  for (const Every& every : program.every()) {
    if (every.indexed != kNoField) arrays_.try_emplace(every.indexed, Fact{Fact::Kind::kPresent, every.indexed, {}, {}});
  }
  struct Use {
    double rules = 0;
    std::size_t last = static_cast<std::size_t>(-1);  // the rule that was counted last
  };
  std::unordered_map<std::uint64_t, Use> uses;
  std::vector<std::uint32_t> open;
  for (std::size_t rule = 0; rule < program.rules().size(); ++rule) {
    open.push_back(program.rules()[rule].root);
    while (!open.empty()) {
      const Node& node = program.nodes()[open.back()];
      open.pop_back();
      for (std::uint32_t i = 0; i < node.count; ++i) open.push_back(node.first + i);
      if (node.kind != Node::Kind::kTest) continue;
      for (const Fact& fact : required_[node.value].facts) {
        Use& use = uses[key_of(fact)];
        if (use.last == rule) continue;
        use.last = rule;
        ++use.rules;
      }
    }
  }
  for (const auto& [key, use] : uses) uses_.emplace(key, use.rules);
}

std::string_view Witnesses::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

double Witnesses::cost(const Fact& fact) const {
  const auto at = uses_.find(key_of(fact));
  return own_cost(fact) + (at == uses_.end() ? 1.0 : at->second);
}

double Witnesses::overhead(const Fact& fact) const {
  constexpr double kSeek = 25;  // in a text
  constexpr double kPath = 12;  // to a value that is not at the top of the event
  double sum = fact.kind == Fact::Kind::kContains ? kSeek : 0;
  const FieldName& field = program_.fields()[fact.field];
  const bool at_top = field.kind == FieldName::Kind::kAnyOf || (field.kind == FieldName::Kind::kPlain && field.path.size() == 1);
  if (!at_top) sum += kPath;
  return sum;
}

Witnesses::Required Witnesses::required(const Predicate& predicate) {
  Required result;
  result.any = predicate.indexed == kNoField;
  if (result.any) return result;
  const auto text_fact = [&](const std::string& text) {
    result.facts.push_back(Fact{Fact::Kind::kText, predicate.indexed, predicate.cased ? keep(folded(text)) : std::string_view(text), {}});
  };
  if (predicate.test == Test::kLike) require_pieces(predicate, result);
  if (predicate.test == Test::kRegex) require_literals(predicate, result);
  if (!result.facts.empty()) return result;
  if (predicate.indexed == kKeywords) {  // every event has values
    result.any = true;
    return result;
  }
  switch (predicate.test) {
    case Test::kEquals: text_fact(predicate.text); break;
    case Test::kOneOf:
      for (const std::string& text : predicate.texts) text_fact(text);
      break;
    case Test::kNumber: result.facts.push_back(Fact{Fact::Kind::kNumber, predicate.indexed, {}, predicate.number}); break;
    case Test::kNull: result.any = true; break;
    case Test::kExists:
      if (predicate.number.integer == 0) {
        result.any = true;
        break;
      }
      [[fallthrough]];
    default: result.facts.push_back(Fact{Fact::Kind::kPresent, predicate.indexed, {}, {}});
  }
  return result;
}

// The piece of a pattern that is met least.
void Witnesses::require_pieces(const Predicate& predicate, Required& out) {
  double best = 0;
  for (const Pattern::Piece& piece : predicate.pattern.pieces()) {
    // Folding a text keeps what it holds only if the piece ends where characters end.
    if (predicate.cased && !is_utf8(piece.text)) continue;
    Fact fact{Fact::Kind::kContains, predicate.indexed, piece.text, {}};
    if (predicate.indexed != kKeywords) {  // whose values are sought as one text
      if (piece.last) fact.kind = Fact::Kind::kLast;
      else if (piece.first) fact.kind = Fact::Kind::kFirst;
    }
    if (predicate.cased) fact.text = keep(folded(piece.text));
    if (fact.kind == Fact::Kind::kContains ? !worth_seeking(fact.text) : fact.text.size() < kShortestAffix) continue;
    const double cost = own_cost(fact);
    if (!out.facts.empty() && cost >= best) continue;
    out.facts.assign(1, fact);
    best = cost;
  }
}

// RE2 tells which literal texts a regular expression filters by, and for a set of texts that are there whether the
// expression could still match. A set of literals is a witness if without them it could not; from all of them, those
// are left out that are met most.
void Witnesses::require_literals(const Predicate& predicate, Required& out) {
  constexpr int kShortestLiteral = 1;
  constexpr std::size_t kMostLiterals = 200;
  re2::FilteredRE2 filter(kShortestLiteral);
  int id = 0;
  if (filter.Add(predicate.regex->pattern(), predicate.regex->options(), &id) != RE2::NoError) return;
  std::vector<std::string> literals;  // lower-cased
  filter.Compile(&literals);
  std::vector<bool> needed(literals.size());
  const auto could_match = [&] {
    std::vector<int> there;
    for (std::size_t i = 0; i < literals.size(); ++i) {
      if (!needed[i]) there.push_back(static_cast<int>(i));
    }
    std::vector<int> potential;
    filter.AllPotentials(there, &potential);
    return !potential.empty();
  };
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < literals.size(); ++i) {
    // Beyond ASCII RE2's lower case and our folding need not agree.
    needed[i] = ascii(literals[i]) && worth_seeking(literals[i]);
    if (needed[i]) order.emplace_back(own_cost(Fact{Fact::Kind::kContains, predicate.indexed, literals[i], {}}), i);
  }
  if (order.empty() || order.size() > kMostLiterals || could_match()) return;
  std::sort(order.rbegin(), order.rend());
  for (const auto& [cost, i] : order) {
    needed[i] = false;
    if (could_match()) needed[i] = true;
  }
  for (std::size_t i = 0; i < literals.size(); ++i) {
    if (needed[i]) out.facts.push_back(Fact{Fact::Kind::kContains, predicate.indexed, keep(std::move(literals[i])), {}});
  }
}

Witness Witnesses::find(std::uint32_t root) const {
  const Node& node = program_.nodes()[root];
  Witness result;
  switch (node.kind) {
    case Node::Kind::kTest: {
      const Required& required = required_[node.value];
      result.any = required.any;
      for (const Fact& fact : required.facts) {
        result.facts.push_back(&fact);
        result.cost += cost(fact);
        result.overhead = std::max(result.overhead, overhead(fact));
      }
      return result;
    }
    case Node::Kind::kNot: return result;
    case Node::Kind::kAnd:
      for (std::uint32_t i = 0; i < node.count; ++i) {
        Witness part = find(node.first + i);
        if (!part.any && (result.any || part.cost + part.overhead < result.cost + result.overhead)) result = std::move(part);
      }
      return result;
    case Node::Kind::kEach: {
      const Every& every = program_.every()[node.value];
      if (every.indexed == kNoField) return result;  // nothing need be there
      result = find(node.first);
      if (!result.any && result.cost <= kPresenceCost) return result;
      const Fact& there = arrays_.at(every.indexed);
      result.any = false;
      result.facts = {&there};
      result.cost = cost(there);
      return result;
    }
    case Node::Kind::kOr:
    case Node::Kind::kAtLeast: {
      // Of any m - n + 1 of the parts one must hold if n of the m do.
      const std::uint32_t least = node.kind == Node::Kind::kOr ? 1 : node.value;
      if (least == 0 || least > node.count) return result;
      const std::uint32_t wanted = node.count - least + 1;
      std::vector<Witness> parts;
      for (std::uint32_t i = 0; i < node.count; ++i) {
        Witness part = find(node.first + i);
        if (!part.any) parts.push_back(std::move(part));
        else if (least == 1) return part;
      }
      if (parts.size() < wanted) return result;
      std::stable_sort(parts.begin(), parts.end(), [](const Witness& a, const Witness& b) { return a.cost < b.cost; });
      result.any = false;
      for (std::uint32_t i = 0; i < wanted; ++i) {
        result.cost += parts[i].cost;
        result.overhead = std::max(result.overhead, parts[i].overhead);
        result.facts.insert(result.facts.end(), parts[i].facts.begin(), parts[i].facts.end());
      }
      return result;
    }
  }
  return result;
}

}  // namespace tocsin::rules::sigma
