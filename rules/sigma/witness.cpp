// Deriving witnesses on the compiled tree.
#include "rules/sigma/witness.hpp"

#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/fold.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr double kPresenceCost = 1000;  // a field that is there says little

}  // namespace

Witness facts_of(const Predicate& predicate) {
  Witness witness;
  witness.any = false;
  const auto add = [&](Fact::Kind kind, std::string text = {}, Number number = {}) {
    witness.facts.push_back(Fact{kind, predicate.field, std::move(text), number});
  };
  if (predicate.test == Test::kLike) {
    std::string needle(predicate.pattern.needle());
    // Folding a text keeps what it holds only if the needle ends where characters end.
    if (predicate.cased) needle = is_utf8(needle) ? folded(needle) : std::string();
    if (needle.size() >= kShortestNeedle) {
      add(Fact::Kind::kContains, std::move(needle));
      return witness;
    }
  }
  if (predicate.field == kKeywords) {  // every event has values
    witness.any = true;
    return witness;
  }
  switch (predicate.test) {
    case Test::kEquals: add(Fact::Kind::kText, predicate.cased ? folded(predicate.text) : predicate.text); break;
    case Test::kOneOf:
      for (const std::string& text : predicate.texts) add(Fact::Kind::kText, predicate.cased ? folded(text) : text);
      break;
    case Test::kNumber: add(Fact::Kind::kNumber, {}, predicate.number); break;
    case Test::kNull: witness.any = true; break;
    case Test::kExists:
      if (predicate.number.integer != 0) add(Fact::Kind::kPresent);
      else witness.any = true;
      break;
    default: add(Fact::Kind::kPresent);
  }
  return witness;
}

Witness find_witness(const Program& program, std::uint32_t root, const std::function<double(const Fact&)>& frequency) {
  const Node& node = program.nodes()[root];
  Witness result;
  switch (node.kind) {
    case Node::Kind::kTest:
      result = facts_of(program.predicates()[node.value]);
      for (const Fact& fact : result.facts) {
        switch (fact.kind) {
          case Fact::Kind::kPresent: result.cost += kPresenceCost; break;
          case Fact::Kind::kContains: {  // seeking costs more than looking up, and short texts are met more often
            constexpr double kSeek = 2;
            constexpr double kShortness = 30;
            result.cost += kSeek * frequency(fact) + kShortness / static_cast<double>(fact.text.size());
            break;
          }
          default: result.cost += frequency(fact);
        }
      }
      return result;
    case Node::Kind::kNot: return result;
    case Node::Kind::kAnd:
      for (std::uint32_t i = 0; i < node.count; ++i) {
        Witness part = find_witness(program, node.first + i, frequency);
        if (!part.any && (result.any || part.cost < result.cost)) result = std::move(part);
      }
      return result;
    case Node::Kind::kOr:
    case Node::Kind::kAtLeast:  // at least one of them, so one of each part is enough
      result.any = false;
      for (std::uint32_t i = 0; i < node.count; ++i) {
        Witness part = find_witness(program, node.first + i, frequency);
        if (part.any) return part;
        result.cost += part.cost;
        for (Fact& fact : part.facts) result.facts.push_back(std::move(fact));
      }
      return result;
  }
  return result;
}

}  // namespace tocsin::rules::sigma
