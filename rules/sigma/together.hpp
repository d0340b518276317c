// Tests that are answered together. Of all the tests whether one field begins or ends with a text, few hold for a
// value: one look-up finds those, and the others are known not to. Rules with lists of fifty programs are common.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "rules/sigma/affixes.hpp"
#include "rules/sigma/compile.hpp"

namespace tocsin::rules::sigma {

class Together {
 public:
  struct Ends {
    Affixes first{Affixes::End::kFirst};  // their "rules" are predicates
    Affixes last{Affixes::End::kLast};
    bool json_first = false;  // one of the beginnings looks like an object or array
    bool json_last = false;   // one of the ends does
  };

  // Keeps nothing of the program.
  explicit Together(const Program& program) : of_(program.predicates().size()) {
    std::vector<std::uint32_t> by_field(program.fields().size());
    for (PredicateId id = 0; id < program.predicates().size(); ++id) {
      const Predicate& predicate = program.predicates()[id];
      if (predicate.test != Test::kLike || predicate.cased || predicate.relative || predicate.field == kKeywords) continue;
      const Pattern::Piece only = predicate.pattern.only();
      if (only.first == only.last || only.text.size() < kShortestAffix) continue;
      std::uint32_t& at = by_field[predicate.field];
      if (at == 0) {
        ends_.emplace_back();
        at = static_cast<std::uint32_t>(ends_.size());
      }
      of_[id] = at;
      Ends& ends = ends_[at - 1];
      if (only.last) {
        ends.last.add(only.text, id);
        ends.json_last = ends.json_last || only.text.back() == '}' || only.text.back() == ']';
      } else {
        ends.first.add(only.text, id);
        ends.json_first = ends.json_first || only.text.front() == '{' || only.text.front() == '[';
      }
    }
    for (Ends& ends : ends_) {
      ends.first.finish();
      ends.last.finish();
    }
  }

  // All that is answered with this test; nullptr if it is answered alone.
  [[nodiscard]] const Ends* of(PredicateId id) const noexcept {
    const std::uint32_t at = of_.data()[id];
    return at == 0 ? nullptr : &ends_[at - 1];
  }

 private:
  std::vector<std::uint32_t> of_;  // by predicate: 1 + index into ends_, or 0
  std::deque<Ends> ends_;          // one for each field
};

}  // namespace tocsin::rules::sigma
