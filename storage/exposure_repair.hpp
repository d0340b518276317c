// Segments of the exposure index that are damaged or gone, and their contents made again from records of the journal.
// Reading those records is the engine's; here it is decided what of it was lost: neither a row nor in a sound segment.
// Either all that a segment held comes back, or nothing is changed and the segment stays named as damaged, so that no
// answer can be smaller without saying so. For the process that owns the database, before it begins to detect.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure_store.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

inline constexpr std::size_t kMaxRepairKnown = 32'000'000;  // accesses of sound segments held against, 8 bytes each

// Segments of one slice that can only be repaired together.
struct LostSegments {
  struct Part {
    std::int64_t id = 0;
    std::uint64_t first_seq = 0, last_seq = 0, accesses = 0;
  };
  std::int64_t slice = 0;
  std::vector<Part> parts;
  std::vector<Error> errors;  // of each
  Time from{}, to{};          // when what they held happened
  [[nodiscard]] std::uint64_t first_seq() const;
  [[nodiscard]] std::uint64_t last_seq() const;
  [[nodiscard]] std::uint64_t accesses() const;
  [[nodiscard]] bool about(std::uint64_t seq) const;
};

// Reads every block of every segment and holds it against its checksum, without decoding it.
[[nodiscard]] Result<std::vector<LostSegments>> lost_segments(Reader& reader);

// Takes reaches, a batch at a time, and keeps those that were lost.
using KeepLost = std::function<Result<void>(std::span<const StoredReach>)>;
// Calls `read_again`, which hands all reaches of the records first_seq() … last_seq() to its argument, newest of a key
// last. True if all came back: they are rows again, to be sealed as others are, and the damaged files count no more.
// False: nothing was changed.
struct Repaired {
  bool whole = false;
  std::uint64_t found = 0;  // of lost.accesses()
};
[[nodiscard]] Result<Repaired> repair_segments(Database& db, const LostSegments& lost, Time now,
                                               const std::function<Result<void>(const KeepLost&)>& read_again);

}  // namespace tocsin::storage
