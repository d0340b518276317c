// One event under one program: fields are looked up, turned into text and folded at most once, tests are asked at
// most once. All memory is the Scratch's, which a thread uses again for its next event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/event.hpp"
#include "rules/sigma/compile.hpp"
#include "rules/sigma/order.hpp"
#include "rules/sigma/together.hpp"

namespace tocsin::rules::sigma {

// A value that a field has in this event. An array is a leaf of its own (its JSON text can be tested) and gives one
// more for each member.
struct Leaf {
  Value value;
  std::string_view text;
  std::string_view folded;
  bool has_text = false;
  bool has_folded = false;
};

struct FieldState {
  std::uint32_t seen = 0;        // epoch in which literal and head were set
  std::uint32_t gathered = 0;    // epoch in which the leaves were
  std::uint32_t answered = 0;    // epoch in which the tests of its beginnings and ends were
  const Value* literal = nullptr;
  const Value* head = nullptr;   // the value of the first part of the path
  std::uint32_t begin = 0;       // leaves
  std::uint32_t end = 0;
};

// What a thread keeps between events. Belongs to one program at a time.
class Scratch {
 public:
  // Starts a new event. `program_id` tells programs apart; a change of program clears everything.
  void begin(const Program& program, std::uint64_t program_id);

  std::vector<FieldState> fields;
  std::vector<std::uint32_t> tests;      // epoch * 2 + result
  std::vector<std::uint32_t> rules;      // epoch in which the rule became a candidate
  std::vector<std::uint32_t> candidates;
  std::vector<FieldId> present;          // indexed fields that the event has
  std::vector<Leaf> leaves;
  Arena arena{16 * 1024};
  std::string json;
  std::vector<char> joined;              // of `joined_size` bytes the rest is room
  std::size_t joined_size = 0;
  std::uint32_t epoch = 0;

 private:
  std::uint64_t program_id_ = 0;
};

class Evaluation {
 public:
  // `resolved`: the caller has set FieldState::seen for all fields of the event already. Without `together` every test
  // is answered alone; without `order` parts are asked in the order that the rule has.
  Evaluation(const Program& program, const Event& event, Scratch& scratch, bool resolved, const Together* together = nullptr, const Order* order = nullptr)
      : program_(program), event_(event), scratch_(scratch), together_(together), order_(order), resolved_(resolved) {}

  [[nodiscard]] bool holds(std::uint32_t node);
  [[nodiscard]] bool test(PredicateId id);

  // The leaves of a field, as indices into Scratch::leaves.
  struct Range {
    std::uint32_t begin;
    std::uint32_t end;
  };
  [[nodiscard]] Range leaves(FieldId field);
  [[nodiscard]] Leaf& leaf(std::uint32_t index) { return scratch_.leaves[index]; }
  [[nodiscard]] std::string_view text(Leaf& leaf);
  [[nodiscard]] std::string_view folded(Leaf& leaf);
  // The folded texts of all scalars of the event, one after another with a line break between them: what keywords are
  // sought in first. Holds everything that one of them holds, and by accident a little more. Left out are texts that
  // have fewer than `shortest` bytes when folded, and numbers and booleans unless they are wanted.
  [[nodiscard]] std::string_view joined(std::size_t shortest, bool numbers);
  // Whether that one value makes the test hold; for tests that look at values one by one.
  [[nodiscard]] bool leaf_holds(const Predicate& predicate, Leaf& leaf);

 private:
  [[nodiscard]] bool ask(const Predicate& predicate);
  void answer(const Together::Ends& ends, FieldId field);
  [[nodiscard]] bool ask_field(const Predicate& predicate);
  void find(FieldId field, FieldState& state);
  // Appends what a field addresses: whole values, arrays not taken apart.
  void addressed(FieldId field, std::vector<Value>& out);
  void join(const Value& value, std::size_t shortest, bool numbers, int depth);
  void add_leaf(const Value& value, int depth);
  void add_scalars(const Value& value, int depth);
  void walk(const Value& value, const std::vector<std::string>& path, std::size_t at, int depth);
  [[nodiscard]] bool every_holds(const Node& node);
  static void walk(const Value& value, const std::vector<std::string>& path, std::size_t at, int depth, std::vector<Value>& out);

  const Program& program_;
  const Event& event_;
  Scratch& scratch_;
  const Together* together_;
  const Order* order_;
  bool resolved_;
  const Value* element_ = nullptr;  // that the innermost block looks at
};

}  // namespace tocsin::rules::sigma
