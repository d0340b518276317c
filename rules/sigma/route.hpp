// What the rules of one kind of log source need of an event: which of its top-level names matter, and for each field
// that a witness speaks of, indexes from what a value is, begins with, ends with or holds to the rules concerned.
// Made once, then read by any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rules/event.hpp"
#include "rules/sigma/affixes.hpp"
#include "rules/sigma/evaluate.hpp"
#include "rules/sigma/needles.hpp"
#include "rules/sigma/table.hpp"
#include "rules/sigma/witness.hpp"

namespace tocsin::rules::sigma {

class Route {
 public:
  // `rules` are numbers of the program's rules; `witnesses` has one entry for each rule of the program.
  Route(const Program& program, std::span<const std::uint32_t> rules, const std::vector<Witness>& witnesses);

  // Sets literal and head of every field that a rule of the route names, and notes the indexed ones that are there.
  void resolve(const Event& event, Scratch& scratch) const;
  // Puts every rule whose witness the event has among the candidates.
  void collect(Evaluation& evaluation, Scratch& scratch) const;

  // How much it holds, in facts; what memory it takes grows with that.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  // What a top-level name of an event can mean.
  struct Key {
    std::string name;
    bool literal = false;
    FieldId field = 0;           // literal: this field
    std::vector<FieldId> heads;  // fields whose path starts with it
    std::vector<FieldId> wakes;  // indexed fields that are made of such fields
  };
  struct FieldIndex {
    Table texts;
    Affixes first{Affixes::End::kFirst};
    Affixes last{Affixes::End::kLast};
    Needles needles;
    Table numbers;
    std::vector<std::uint32_t> present;  // rules whose witness is that the field is there
    std::size_t longest = 0;             // of the folded texts
    bool json = false;                   // one of the texts looks like an object or array
    bool json_first = false;             // so does a beginning
    bool json_last = false;              // and an end
  };
  void add(const Fact& fact, std::uint32_t rule);
  void name_keys(const Program& program, std::span<const std::uint32_t> rules);

  std::vector<std::uint32_t> always_;  // rules without a witness
  Table keys_;                         // hash of a name → index into key_list_
  std::vector<Key> key_list_;
  std::vector<std::int32_t> index_of_; // per field: index into indexes_, or -1
  std::vector<FieldIndex> indexes_;
  std::size_t size_ = 0;
};

}  // namespace tocsin::rules::sigma
