// Chances come from the sample of ordinary values, costs from the kind of test; both need only be roughly right.
#include "rules/sigma/order.hpp"

#include <algorithm>
#include <numeric>

#include "rules/sigma/ordinary.hpp"
#include "rules/sigma/together.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr double kLeast = 0.002;  // no chance is smaller, and none is nearer to certainty

double bounded(double chance) { return std::clamp(chance, kLeast, 1 - kLeast); }

double chance_of(std::string_view text, Where where) {
  constexpr double kAllTimes = 80;
  return bounded(static_cast<double>(ordinary(text, where)) / kAllTimes);
}

double cost_of(const Predicate& predicate, bool together) {
  const double wide = predicate.field == kKeywords ? 20 : 1;
  switch (predicate.test) {
    case Test::kRegex: return 30 * wide;
    case Test::kNetwork:
    case Test::kTimePart: return 6 * wide;
    case Test::kLike: return together ? 1 : 4 * wide;
    case Test::kOneOf: return 3 * wide;
    default: return 2 * wide;
  }
}

double chance_of(const Predicate& predicate) {
  switch (predicate.test) {
    case Test::kEquals: return chance_of(predicate.text, Where::kWhole);
    case Test::kOneOf: {
      double sum = 0;
      for (const std::string& text : predicate.texts) sum += chance_of(text, Where::kWhole);
      return bounded(sum);
    }
    case Test::kLike: {
      double least = 1;
      for (const Pattern::Piece& piece : predicate.pattern.pieces()) {
        const Where where = piece.first && piece.last ? Where::kWhole : piece.first ? Where::kFirst : piece.last ? Where::kLast : Where::kAnywhere;
        least = std::min(least, chance_of(piece.text, where));
      }
      return bounded(least);
    }
    case Test::kExists: return predicate.number.integer != 0 ? 0.8 : 0.2;
    case Test::kNull: return 0.1;
    default: return 0.05;
  }
}

}  // namespace

Order::Order(const Program& program, const Together& together) : order_(program.nodes().size()) {
  std::iota(order_.begin(), order_.end(), 0U);
  std::vector<Estimate> tests;
  tests.reserve(program.predicates().size());
  for (PredicateId id = 0; id < program.predicates().size(); ++id) {
    const Predicate& predicate = program.predicates()[id];
    tests.push_back({chance_of(predicate), cost_of(predicate, together.of(id) != nullptr)});
  }
  for (const CompiledRule& rule : program.rules()) arrange(program, tests, rule.root);
}

Order::Estimate Order::arrange(const Program& program, const std::vector<Estimate>& tests, std::uint32_t index) {
  const Node& node = program.nodes()[index];
  if (node.kind == Node::Kind::kTest) return tests[node.value];
  std::vector<Estimate> parts;
  parts.reserve(node.count);
  for (std::uint32_t i = 0; i < node.count; ++i) parts.push_back(arrange(program, tests, node.first + i));
  const auto begin = order_.begin() + node.first;
  const auto part = [&](std::uint32_t child) -> const Estimate& { return parts[child - node.first]; };
  Estimate whole;
  switch (node.kind) {
    case Node::Kind::kNot:
      whole = parts.front();
      whole.chance = 1 - whole.chance;
      return whole;
    case Node::Kind::kAnd:
    case Node::Kind::kOr: {
      const bool all = node.kind == Node::Kind::kAnd;
      const auto ends = [&](const Estimate& estimate) { return all ? 1 - estimate.chance : estimate.chance; };
      std::stable_sort(begin, begin + node.count, [&](std::uint32_t a, std::uint32_t b) { return part(a).cost * ends(part(b)) < part(b).cost * ends(part(a)); });
      double going_on = 1;
      for (std::uint32_t i = 0; i < node.count; ++i) {
        const Estimate& next = part(order_[node.first + i]);
        whole.cost += going_on * next.cost;
        going_on *= 1 - ends(next);
      }
      whole.chance = bounded(all ? going_on : 1 - going_on);
      return whole;
    }
    default:
      for (const Estimate& estimate : parts) whole.cost += estimate.cost;
      whole.chance = 0.1;
      return whole;
  }
}

}  // namespace tocsin::rules::sigma
