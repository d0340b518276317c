// The people that alerts and incidents concern, as respond asks for them. engine/exposure answers; a test answers
// with a list.
//
// All methods take the Reader to use, so that what was written in the same transaction is seen. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/alert_store.hpp"
#include "storage/exposure_store.hpp"
#include "storage/finding.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::engine {

// Who was reached, counted.
struct PeopleSummary {
  storage::Grade grade = storage::Grade::kUnknown;
  std::optional<std::uint64_t> at_least;
  std::optional<std::uint64_t> at_most;
  std::uint64_t total = 0;             // people that can be named and listed
  std::vector<std::string> reasons;    // why it is no surer than that, one sentence each
  std::map<std::string, std::uint64_t> by_country;  // ISO 3166-1 alpha-2 of residence; "" = not known
  std::set<std::string> fields;        // their data that were reached: "email", "birth_date"
  std::set<std::string> kinds;         // the same in the words of the law packs: "name", "health"
  bool kinds_complete = false;         // no other kinds were reached
};

// One of them. Pseudonyms are hex of the vault's keyed hash: not a name, and the same everywhere.
struct PersonReached {
  std::string pseudonym;
  std::string dataset;
  storage::Grade grade = storage::Grade::kUnknown;
  std::vector<std::string> fields;
  Time first{};
  Time last{};
  bool in_register = false;  // false: an id that the register does not know
  bool certain = false;      // the log counted the rows of a statement that reached this person
  bool erased = false;
  std::string country;       // empty = not known
  storage::PersonNo no = 0;
};

[[nodiscard]] inline PersonReached reached_of(storage::ExposedPerson person) {
  PersonReached out;
  out.pseudonym = person.pseudonym.hex();
  out.dataset = std::move(person.dataset);
  out.grade = person.grade;
  out.fields = std::move(person.fields);
  out.first = person.first;
  out.last = person.last;
  out.in_register = person.in_register;
  out.certain = person.certain;
  out.erased = person.erased;
  out.country = std::move(person.country);
  out.no = person.no;
  return out;
}

class PeopleSource {
 public:
  virtual ~PeopleSource() = default;
  [[nodiscard]] virtual Result<PeopleSummary> summary(storage::Reader& reader,
                                                      std::span<const storage::Scope> scopes) const = 0;
  // In a stable order: surest first, but large sets by dataset and number.
  [[nodiscard]] virtual Result<std::vector<PersonReached>> page(storage::Reader& reader,
                                                                std::span<const storage::Scope> scopes,
                                                                std::size_t offset, std::size_t limit) const = 0;
  // All of them, each once: best grade, all fields. Ordered by grade, dataset, number.
  [[nodiscard]] virtual Result<std::vector<storage::ExposedPerson>> everybody(storage::Reader& reader,
                                                                             std::span<const storage::Scope> scopes) const = 0;
  // The same as numbers by dataset: for counting and comparing.
  [[nodiscard]] virtual Result<storage::PeopleByDataset> listed(
      storage::Reader& reader, std::span<const storage::Scope> scopes) const = 0;
};

}  // namespace tocsin::engine
