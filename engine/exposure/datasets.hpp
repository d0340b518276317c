// Which tables hold whose data: the map from relations to the registers of people they name.
//
//   DatasetMap map;
//   map.add({.name = "patient", .key = "id", .tables = {{"patient", "id"}, {"visit", "patient_id"}},
//            .columns = {{"email", "contact"}, {"reason", "health"}}});
//   map.persons_of("visit")  // -> patient by patient_id
//
// Without configuration a table counts as a dataset of its own, keyed by `id`, and its columns `<dataset>_id`
// name people of <dataset> where a relation or register of that name is known.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/exposure/objects.hpp"

namespace tocsin::engine {

struct DatasetSpec {
  std::string name;   // of the register: "patient"
  std::string key = "id";  // the column of the register's main table that identifies a person
  std::map<std::string, std::string> tables;   // relation -> column that names the person; the main table too
  std::map<std::string, std::string> columns;  // "email" or "visit.reason" -> kind of data ("contact", "health", …)
  // Declared: every change of the main table is in the log that is read, or is told by `register apply`. Then conditions on
  // attributes narrow the answer even where the log counts no rows to check them by.
  bool kept = false;
  std::vector<ObjectTemplate> objects = {};    // names of objects and paths that name a person
};

// A column of a relation that names people of a dataset.
struct PersonColumn {
  std::string dataset;
  std::string column;
  bool main = false;     // the relation is the register's own table: one row, one person
  bool certain = false;  // configured or seen: the column surely exists
  bool view = false;     // a view of the register's own table, as far as we know
};

class DatasetMap {
 public:
  void add(DatasetSpec spec);
  [[nodiscard]] bool configured() const noexcept { return !specs_.empty(); }
  [[nodiscard]] const std::vector<DatasetSpec>& specs() const noexcept { return specs_; }
  [[nodiscard]] const DatasetSpec* find(std::string_view dataset) const;

  // The people named by rows of `relation` ("patient", "crm.patient"), as configured. An unqualified relation
  // also finds the tables of other schemas by that name: rather too many than too few.
  [[nodiscard]] std::vector<PersonColumn> persons_of(std::string_view relation) const;

  // The person whom an object's name is about, by the templates of the datasets: (dataset, id).
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> person_of(const Resource& resource) const;
  // The dataset whose objects a listing shows; "" if none.
  [[nodiscard]] std::string listed(const Resource& resource) const;

  // The kind of data of a column ("contact"), "" if the catalogue does not say.
  [[nodiscard]] std::string kind_of(std::string_view dataset, std::string_view field) const;
  // The kinds of a field as a reach names it: also of "*" (the dataset's own table) and "visit.*", which stand for every
  // column that the catalogue has for the table, and for those it has for no table in particular.
  [[nodiscard]] std::set<std::string> kinds_of(std::string_view dataset, std::string_view field) const;

 private:
  std::vector<DatasetSpec> specs_;
};

}  // namespace tocsin::engine
