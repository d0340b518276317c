// The regex's tree becomes nodes that each wait for one byte; sets of nodes become the automaton's states.
#include "rules/secrets/regex_refusal.hpp"

#include <algorithm>
#include <bitset>
#include <map>
#include <utility>

#include "rules/secrets/regex_tree.hpp"

namespace tocsin::rules::secrets {
namespace {

using Kind = RegexTree::Kind;
using Index = std::uint32_t;

constexpr int kMaxCopies = 12;  // of a repeated part; what may come more often may come for ever

struct Node {
  enum class What : std::uint8_t { kByte, kSplit, kBegin, kEnd, kMatch } what = What::kMatch;
  std::bitset<128> bytes;  // kByte
  Index to = 0;
  Index other = 0;         // kSplit
};

// Upper and lower case are not told apart: that halves the states and costs few refusals.
std::bitset<128> either_case(std::bitset<128> bytes) {
  for (std::size_t c = 'a'; c <= 'z'; ++c) {
    const std::size_t upper = c - 'a' + 'A';
    bytes[c] = bytes[upper] = bytes[c] || bytes[upper];
  }
  return bytes;
}

// Nodes from the last to the first: each part is built in front of what follows it.
class Nodes {
 public:
  std::vector<Node> all;
  bool too_many = false;

  Index add(Node node) {
    if (all.size() >= RegexRefusal::kMaxNodes) too_many = true;
    if (!too_many) all.push_back(node);
    return static_cast<Index>(all.size() - 1);
  }

  Index before(const RegexTree& tree, Index next) {
    if (too_many) return next;
    switch (tree.kind) {
      case Kind::kClass: return add({Node::What::kByte, either_case(tree.bytes), next, 0});
      case Kind::kBegin: return add({Node::What::kBegin, {}, next, 0});
      case Kind::kEnd: return add({Node::What::kEnd, {}, next, 0});
      case Kind::kWordEdge:
      case Kind::kEmpty: return next;
      case Kind::kConcat:
        for (auto part = tree.parts.rbegin(); part != tree.parts.rend(); ++part) next = before(*part, next);
        return next;
      case Kind::kAlt: {
        Index first = before(tree.parts.back(), next);
        for (auto part = tree.parts.rbegin() + 1; part != tree.parts.rend(); ++part) {
          const Index other = before(*part, next);
          first = add({Node::What::kSplit, {}, other, first});
        }
        return first;
      }
      case Kind::kRepeat: return repeat(tree, next);
    }
    return next;
  }

 private:
  Index repeat(const RegexTree& tree, Index next) {
    const RegexTree& part = tree.parts.front();
    const int must = std::min(tree.min, kMaxCopies);
    const bool endless = tree.max == RegexTree::kUnbounded || tree.max > kMaxCopies;
    if (endless) {
      const Index loop = add({Node::What::kSplit, {}, 0, next});
      const Index again = before(part, loop);
      if (!too_many) all[loop].to = again;
      next = loop;
    } else {
      const Index behind = next;
      for (int i = must; i < tree.max; ++i) next = add({Node::What::kSplit, {}, before(part, next), behind});
    }
    for (int i = 0; i < must; ++i) next = before(part, next);
    return next;
  }
};

bool holds(const RegexTree& tree, Kind kind) {
  return tree.kind == kind || std::any_of(tree.parts.begin(), tree.parts.end(), [&](const RegexTree& part) { return holds(part, kind); });
}

// What begins with "a or more" begins, somewhere, with the least number of them; so it is at the end. Keeps the number of
// states small and changes no answer, as a match may begin and end anywhere.
void cut_repeats(RegexTree& tree, bool at_front) {
  if (tree.kind == Kind::kAlt) {
    for (auto& part : tree.parts) cut_repeats(part, at_front);
  } else if (tree.kind == Kind::kRepeat) {
    if (!holds(tree, at_front ? Kind::kBegin : Kind::kEnd)) tree.max = tree.min;
  } else if (tree.kind == Kind::kConcat) {
    for (std::size_t i = 0; i < tree.parts.size(); ++i) {
      RegexTree& part = tree.parts[at_front ? i : tree.parts.size() - 1 - i];
      cut_repeats(part, at_front);
      const bool gone = part.kind == Kind::kRepeat && part.max == 0;
      if (!gone) break;
    }
  }
}

}  // namespace

class RegexRefusal::Builder {
 public:
  std::optional<RegexRefusal> build(const RegexTree& tree) {
    const Index match = nodes_.add({});
    first_ = nodes_.before(tree, match);
    if (nodes_.too_many) return std::nullopt;
    find_classes();
    Set start;
    seen_.assign(nodes_.all.size(), false);
    (void)follow(first_, true, false, start);
    const std::uint32_t first = state(start);
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      for (std::uint32_t c = 0; c < out_.classes_; ++c) {
        const std::uint32_t to = after(i, c);  // may make room for further states
        out_.next_[(i + kFirst) * out_.classes_ + c] = to;
      }
    }
    out_.start_ = first;
    return std::move(out_);
  }

 private:
  using Set = std::vector<Index>;           // nodes that wait for a byte, in order
  static constexpr std::size_t kFirst = 1;  // number of the first state with a row

  // Bytes that no node tells apart are one class. The last one is of the bytes beyond ASCII.
  void find_classes() {
    std::map<std::vector<bool>, std::uint8_t> known;
    for (std::size_t byte = 0; byte < 128; ++byte) {
      std::vector<bool> fits;
      for (const Node& node : nodes_.all) {
        if (node.what == Node::What::kByte) fits.push_back(node.bytes[byte]);
      }
      const auto [it, fresh] = known.emplace(std::move(fits), static_cast<std::uint8_t>(known.size()));
      out_.class_[byte] = it->second;
      if (fresh) member_.push_back(byte);
    }
    for (std::size_t byte = 128; byte < 256; ++byte) out_.class_[byte] = static_cast<std::uint8_t>(known.size());
    // At least two, so that no state's offset is taken for one of the first two.
    out_.classes_ = std::max<std::uint32_t>(2, static_cast<std::uint32_t>(known.size()) + 1);
    out_.next_.assign(kFirst * out_.classes_, kPossible);
    out_.at_end_.assign(kFirst, true);
  }

  // Adds the nodes that can be reached without a byte, but for those in seen_. True: the match is among them.
  bool follow(Index from, bool at_begin, bool at_end, Set& out) {
    std::vector<Index> open{from};
    bool match = false;
    while (!open.empty()) {
      const Index at = open.back();
      open.pop_back();
      if (seen_[at]) continue;
      seen_[at] = true;
      const Node& node = nodes_.all[at];
      switch (node.what) {
        case Node::What::kByte: out.push_back(at); break;
        case Node::What::kSplit: open.insert(open.end(), {node.to, node.other}); break;
        case Node::What::kBegin:
          if (at_begin) open.push_back(node.to);
          break;
        case Node::What::kEnd:
          if (at_end) open.push_back(node.to);
          else out.push_back(at);  // kept, for the question at the end
          break;
        case Node::What::kMatch: match = true; break;
      }
    }
    matched_ = matched_ || match;
    return match;
  }

  // The state of a set; matched_ tells whether the match was reached on the way to it.
  std::uint32_t state(Set& set) {
    if (std::exchange(matched_, false)) return kPossible;
    if (set.empty()) return kDead;
    std::sort(set.begin(), set.end());
    const auto known = numbers_.find(set);
    if (known != numbers_.end()) return known->second;
    if (sets_.size() >= kMaxStates) return kPossible;
    const auto number = static_cast<std::uint32_t>((sets_.size() + kFirst) * out_.classes_);
    numbers_.emplace(set, number);
    Set rest;
    bool ends = false;
    seen_.assign(nodes_.all.size(), false);
    for (const Index at : set) {
      if (nodes_.all[at].what == Node::What::kEnd) ends = follow(nodes_.all[at].to, false, true, rest) || ends;
    }
    matched_ = false;
    out_.at_end_.push_back(ends);
    out_.next_.resize(out_.next_.size() + out_.classes_, kPossible);
    sets_.push_back(std::move(set));
    return number;
  }

  std::uint32_t after(std::size_t index, std::uint32_t cls) {
    if (cls >= member_.size()) return kPossible;  // beyond ASCII: RE2 knows
    Set set;
    seen_.assign(nodes_.all.size(), false);
    for (const Index at : sets_[index]) {
      const Node& node = nodes_.all[at];
      if (node.what == Node::What::kByte && node.bytes[member_[cls]]) (void)follow(node.to, false, false, set);
    }
    (void)follow(first_, false, false, set);  // a match may begin anywhere
    return state(set);
  }

  Nodes nodes_;
  Index first_ = 0;
  std::vector<std::size_t> member_;  // a byte of each class
  std::vector<bool> seen_;
  bool matched_ = false;
  std::vector<Set> sets_;            // by number, less kFirst
  std::map<Set, std::uint32_t> numbers_;
  RegexRefusal out_;
};

std::optional<RegexRefusal> RegexRefusal::compile(std::string_view pattern) {
  auto tree = read_regex(pattern);
  if (!tree) return std::nullopt;
  cut_repeats(*tree, true);
  cut_repeats(*tree, false);
  return Builder().build(*tree);
}

}  // namespace tocsin::rules::secrets
