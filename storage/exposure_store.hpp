// Who reached whom, when: stored so that "the people reached by this actor, alert or incident" and "who saw this
// person" are look-ups. A reach of a whole dataset is one row, and is expanded by the register's validity times
// when it is asked for. People are numbers of the register; names are only in the vault.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure/person_set.hpp"
#include "storage/finding.hpp"
#include "storage/people.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::storage {

// One row to be stored; see engine::Reach, which exposure makes it from.
struct StoredReach {
  std::string key;  // unique: a row with this key is replaced
  std::string source, file;
  std::uint64_t line = 0, seq = 0;
  Time first{}, last{}, known_from{};
  std::string actor, account, role, session, application, client_ip;
  std::string dataset;
  Grade grade = Grade::kUnknown;
  bool whole = false;
  std::vector<PersonNo> people;  // sorted
  std::vector<std::string> fields;
  std::optional<std::uint64_t> at_least, at_most, rows;
  std::string way, reason;
};

// Which reaches. Empty or missing = any. The time range takes every reach that overlaps it.
struct ExposureFilter {
  std::string actor;
  std::string dataset;
  std::optional<Time> from, to;
};

// One person, over all reaches of a filter: the best grade, all fields, first and last time.
struct ExposedPerson {
  Pseudonym pseudonym;
  std::string dataset;
  PersonNo no = 0;
  Grade grade = Grade::kUnknown;
  std::vector<std::string> fields;
  Time first{}, last{};
  bool in_register = false;
  bool erased = false;
  bool certain = false;  // some reach whose people the log counted named this person
  std::string country, language;
};

// One actor, over all reaches of one person.
struct Watcher {
  std::string actor;
  std::string dataset;
  Grade grade = Grade::kUnknown;
  std::vector<std::string> fields;
  Time first{}, last{};
  std::uint64_t reaches = 0;
};

struct ExposureOverview {
  ExposureSummary summary;
  std::uint64_t total = 0;  // people that ExposureAnswer::people lists
  std::vector<std::string> datasets;
  std::vector<std::string> reasons;  // different ones, at most 20
  std::map<std::string, std::set<std::string>> fields;  // of each dataset: which columns were reached, by any reach
};

using PeopleByDataset = std::map<std::string, exposure::PersonSet>;

// What a filter meets, looked up once: then several things are asked of it, within the same read. Holds the rows and sets
// in memory; cheap to copy, never changes.
class ExposureAnswer {
 public:
  [[nodiscard]] static Result<ExposureAnswer> of(Reader& reader, const ExposureFilter& filter);

  // The numbers in short; damage to the index is said in it.
  [[nodiscard]] Result<ExposureOverview> overview(Reader& reader) const;
  // The people: ordered by dataset and number, `limit` 0 = all. These three are errors if people would be missing.
  [[nodiscard]] Result<std::vector<ExposedPerson>> people(Reader& reader, std::uint64_t offset = 0, std::uint64_t limit = 0) const;
  // Of those, only these.
  [[nodiscard]] Result<std::vector<ExposedPerson>> people(Reader& reader, const PeopleByDataset& wanted) const;
  // Whom people() lists, as numbers: for counting and comparing, without looking anybody up.
  [[nodiscard]] Result<PeopleByDataset> listed() const;

 private:
  struct All;
  ExposureFilter filter_;
  std::shared_ptr<const All> all_;
};

class ExposureStore {
 public:
  static constexpr std::string_view kFamily = "exposure";
  static constexpr std::size_t kMaxListed = 10'000;  // larger sets are kept as one bitmap only
  [[nodiscard]] static std::span<const Migration> migrations();

  // Adds or replaces. Inside the transaction of the batch, after RegisterStore::save.
  [[nodiscard]] static Result<void> add(Transaction& tx, std::span<const StoredReach> reaches);

  // Where these people live; "" = not known.
  [[nodiscard]] static Result<std::map<std::string, std::uint64_t>> countries(Reader& reader, const PeopleByDataset& people);
  // Those who reached this person, latest first.
  [[nodiscard]] static Result<std::vector<Watcher>> watchers(Reader& reader, std::string_view dataset, PersonNo person,
                                                             std::optional<Time> from = {},
                                                             std::optional<Time> to = {});
  // The newest reaches of a filter, for a timeline; without the people.
  [[nodiscard]] static Result<std::vector<StoredReach>> reaches(Reader& reader, const ExposureFilter& filter,
                                                                std::uint64_t limit = 200);
  // What events after `seq` reached, oldest first: what detection learned since it last kept its windows. Looks at the
  // newest kMaxSince rows. Sets larger than kMaxListed come without their people.
  static constexpr std::int64_t kMaxSince = 500'000;
  [[nodiscard]] static Result<std::vector<StoredReach>> since(Reader& reader, std::uint64_t seq);
};

}  // namespace tocsin::storage
