// Whom an incident concerned when its notices were approved, and who has come since. The set is frozen with the first
// approved notice, so that what was decided stays what was decided; later events may widen what is known, and that is
// shown beside it until a manager takes the new people in, as a further set with its own hash.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/respond/respond.hpp"
#include "storage/exposure_events.hpp"
#include "storage/frozen_store.hpp"

namespace tocsin::engine {

class FrozenPeople {
 public:
  static constexpr std::size_t kMaxEvents = 50;  // shown of those that reached people who came later

  // `respond` (with its PeopleSource) MUST outlive it. Thread-safe.
  explicit FrozenPeople(const Respond& respond) : respond_(respond) {}

  struct State {
    std::vector<storage::FrozenSet> sets;  // empty: nothing is frozen, and the rest is empty too
    std::uint64_t people = 0;              // in all of them
    std::uint64_t added = 0;               // concerned by what is known now, and in none of them
    storage::Reaching by;                  // the events that reached those
  };
  [[nodiscard]] Result<State> state(storage::Reader& reader, std::int64_t incident) const;

  // At the approval of a notice: freezes everyone whom the incident concerns now, unless that has been done.
  // kConflict if it concerns nobody.
  [[nodiscard]] Result<void> freeze(storage::Transaction& tx, std::int64_t incident, std::int64_t notice, const std::string& by,
                                    Time now) const;

  // A manager takes in those who came later. `people` is how many the manager saw; kConflict if it is another number by
  // now, if nobody came, if nothing is frozen yet or the incident is over. A reason is required.
  [[nodiscard]] Result<storage::FrozenSet> add(std::int64_t incident, std::uint64_t people, const By& by) const;

  // Those who would be taken in, in a stable order.
  [[nodiscard]] Result<std::vector<storage::ExposedPerson>> added(storage::Reader& reader, std::int64_t incident) const;

 private:
  // Everyone whom the incident concerns now and who is in no set.
  [[nodiscard]] Result<std::vector<storage::ExposedPerson>> outside(storage::Reader& reader, std::int64_t incident,
                                                                    const storage::PeopleByDataset& sets) const;
  [[nodiscard]] Result<storage::FrozenSet> keep(Decision& decision, storage::FrozenSet set,
                                                std::span<const storage::ExposedPerson> people) const;
  const Respond& respond_;
};

}  // namespace tocsin::engine
