// The people of an incident as they were at one moment, kept for good: who is to be told was decided about exactly
// these. A set never changes; people who come later make a further set of the same incident.
//
// Kept are numbers of the register and pseudonyms, no id and no name: erasing a person destroys the vault's key to them
// and leaves the set, and its hash, as they are. Format and hash: ops/docs/formats/frozen-set.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/exposure/person_set.hpp"
#include "storage/finding.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::storage {

struct FrozenSet {
  std::int64_t id = 0;        // given by the store
  std::int64_t incident = 0;
  int number = 0;             // 1 = the first of its incident; given by the store
  Time at{};
  std::string by;             // login
  std::int64_t notice = 0;    // whose approval froze it; 0 = a decision of its own
  std::uint64_t people = 0;
  ExposureSummary summary;    // of everyone reached at that time, as an interval
  std::string hash;           // hex; what the ledger's entry "people-frozen" holds
};

struct FrozenPerson {
  PersonNo no = 0;
  Pseudonym pseudonym;
  std::string dataset;
  Grade grade = Grade::kUnknown;
  bool certain = false;             // the log counted as many people as it names
  std::vector<std::string> fields;  // which of their data
  int set = 0;                      // number of the set, when read
};

// Numbers of people by dataset.
using PeopleByDataset = std::map<std::string, exposure::PersonSet>;

class FrozenStore {
 public:
  static constexpr std::string_view kFamily = "frozen";
  static constexpr std::size_t kPart = 65'536;     // people in one row
  static constexpr std::size_t kMaxSets = 1'000;   // of one incident
  static constexpr const char* kEntry = "people-frozen";  // kind of the ledger's entry
  [[nodiscard]] static std::span<const Migration> migrations();

  // Keeps `people` as the next set of `set.incident`; returns it with id, number, people and hash. Error kInvalid if
  // there is nobody in it, kTooLarge beyond kMaxSets.
  [[nodiscard]] static Result<FrozenSet> add(Transaction& tx, FrozenSet set, std::span<const FrozenPerson> people);

  [[nodiscard]] static Result<std::vector<FrozenSet>> of_incident(Reader& reader, std::int64_t incident);
  // Who is in any set of the incident.
  [[nodiscard]] static Result<PeopleByDataset> numbers(Reader& reader, std::int64_t incident);
  // Set after set, in the order in which they are kept. `number` 0 = all sets; `limit` 0 = all people.
  [[nodiscard]] static Result<std::vector<FrozenPerson>> people(Reader& reader, std::int64_t incident, int number = 0,
                                                                std::uint64_t offset = 0, std::uint64_t limit = 0);

  // Works out the hash of what is kept.
  [[nodiscard]] static Result<std::string> hash_of(Reader& reader, std::int64_t set);
  // Holds every set against its hash, the ledger's entries and the register; each sentence is one thing that is wrong.
  [[nodiscard]] static Result<std::vector<std::string>> check(Reader& reader);
};

}  // namespace tocsin::storage
