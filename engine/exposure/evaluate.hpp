// Whom a query can have reached: the conditions of each source, evaluated over the register as it was then.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/exposure/datasets.hpp"
#include "engine/sql/reading.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

// A set of people of one dataset that holds the true one. `all` = everyone. What it rests on decides how it is checked:
// both `exact` and `attribute` means named ids of which the register leaves only some.
struct PeopleSet {
  bool all = true;
  bool exact = false;      // from ids in the statement or its parameters
  bool attribute = false;  // rests on registered attributes
  bool range = false;      // rests on the order of keys, or on who else is in the register
  std::vector<storage::PersonNo> people;  // sorted
  std::vector<std::string> strangers;     // ids that the register does not know; sorted
  [[nodiscard]] std::size_t size() const { return people.size() + strangers.size(); }
};

[[nodiscard]] PeopleSet unite(PeopleSet a, PeopleSet b);
[[nodiscard]] PeopleSet intersect(PeopleSet a, PeopleSet b);

// How far the register is believed: a set that turns out to be too small is worked out again, with less of it.
enum class Trust : std::uint8_t { kIds, kKeys, kAttributes };

// The parameters of one execution.
struct Parameters {
  const std::vector<std::string>* values = nullptr;
  bool known = false;
};

// The id as it stands in the register: trimmed; integers without leading zeros; UUIDs in lower case.
[[nodiscard]] std::string canonical_id(std::string_view text, const storage::People* people);

struct EvaluationInput {
  const sql::Query& query;
  Parameters parameters;
  const storage::People* people = nullptr;  // of the dataset; nullptr: nobody is known
  storage::Span when;
  // The person column of source `i` for this dataset, if it is the register's own table; "" otherwise.
  std::function<std::string(int)> main_key;
  // Whether source `i` surely has this column.
  std::function<bool(int, const std::string&)> has_column;
  std::size_t max_ids = 100'000;
  // MySQL compares as it pleases: '42abc' = 42, any text = 0, 'A' = 'a' (storage/mysql_value.hpp). Keys are compared only
  // where their kind leaves one reading.
  bool mysql = false;
  Trust trust = Trust::kAttributes;
  bool empty_is_null = false;  // a register's empty field surely is NULL
  bool past = false;  // set: rows may be about people who are no longer in the register's own table
  bool parameter_missing = false;  // set: a condition on the key had a value that the log does not show
};

// The people whom rows of `source`, named by its column `key`, can have been in the result.
[[nodiscard]] PeopleSet evaluate(EvaluationInput& input, int source, const PersonColumn& key);

// The people for whom the conditions of `source` may be false or NULL; all = anyone. Everyone else surely meets them.
[[nodiscard]] PeopleSet may_not_hold(EvaluationInput& input, int source, const PersonColumn& key);

// Whether two person columns of the query are the same for every row of the result (p.id = v.patient_id).
[[nodiscard]] bool same_person(const EvaluationInput& input, int a, const PersonColumn& key_a, int b,
                               const PersonColumn& key_b);

// Whether the rows of `source` are grouped by the person, so that a row of the result stands for one person.
[[nodiscard]] bool grouped_by_person(const EvaluationInput& input, int source, const PersonColumn& key);

}  // namespace tocsin::engine
