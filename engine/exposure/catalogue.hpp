// What a log has taught about a database's relations: columns of tables, definitions of views, and which tables
// are copies of people's data made by CREATE TABLE AS, SELECT INTO or INSERT … SELECT.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sql/reading.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

// A statement that is remembered, and what it was read from, so that it can be kept and read again after a restart.
struct KnownStatement {
  std::shared_ptr<const sql::Reading> reading;
  std::size_t index = 0;  // in reading->statements
  std::string text;
  bool mysql = false;     // the language of `text`
  [[nodiscard]] const sql::Statement& statement() const { return reading->statements[index]; }
};

// A relation that stands for a query: a view, or a copy of what a query gave at some time.
struct Definition {
  KnownStatement said;
  std::vector<std::string> parameters;
  bool parameters_known = true;
  bool copy = false;      // the rows were taken at `taken`; a view's are taken when it is read
  storage::Span taken;
};

class Catalogue {
 public:
  static constexpr std::size_t kMaxCopies = 64;  // INSERT … SELECT into one table; more than that is one table of its own
  explicit Catalogue(std::size_t max_relations) : max_(max_relations) {}

  // Learns from CREATE, DROP, RENAME and from the columns that statements name.
  void define(const std::string& relation, Definition definition);       // a view: replaces
  void add_copy(const std::string& relation, Definition definition);     // a copy: adds
  void set_columns(const std::string& relation, const std::vector<std::string>& columns);
  void see_columns(const sql::Query& query);
  void see_relation(const std::string& relation);
  void set_parents(const std::string& relation, std::vector<std::string> parents);
  void set_bases(const std::string& view, const std::string& base);      // a view without known definition
  void set_foreign(const std::string& relation, const sql::Relation& remote);  // `remote` may be empty
  void extend(const std::string& relation, Time until);                  // REFRESH MATERIALIZED VIEW
  void drop(const std::string& relation);
  void rename(const std::string& from, const std::string& to);

  [[nodiscard]] const std::vector<Definition>* definitions(const std::string& relation) const;
  // Columns known to exist; nullptr if nothing is known. `complete` says whether these are all, in order.
  [[nodiscard]] const std::vector<std::string>* columns(const std::string& relation) const;
  [[nodiscard]] bool columns_complete(const std::string& relation) const;
  [[nodiscard]] bool knows(std::string_view relation) const;
  [[nodiscard]] const std::vector<std::string>& parents(const std::string& relation) const;
  [[nodiscard]] const std::set<std::string>& bases(const std::string& view) const;
  // The table of another server that a foreign table stands for (empty if that is not known); nullopt if it is none.
  [[nodiscard]] std::optional<sql::Relation> foreign(const std::string& relation) const;

  // All that is known of one relation; for learned.hpp, which keeps it over a restart.
  struct Entry {
    std::vector<std::string> columns;
    bool complete = false;
    std::vector<Definition> definitions;
    std::vector<std::string> parents;
    std::set<std::string> bases;
    std::vector<std::string> foreign;  // schema and name of the remote table, "" if not known; empty: no foreign table
  };
  [[nodiscard]] const std::map<std::string, Entry, std::less<>>& entries() const noexcept { return entries_; }
  bool restore(std::string relation, Entry entry);  // false if there are too many

 private:
  Entry* entry(const std::string& relation);
  const Entry* find(const std::string& relation) const;
  std::size_t max_;
  std::map<std::string, Entry, std::less<>> entries_;
};

// A query in which every view and copy is replaced by what it stands for. `taken[i]` is set for sources whose
// rows are those of an earlier moment.
struct Expanded {
  sql::Query query;
  std::vector<std::optional<storage::Span>> taken;
  bool through_view = false;
  bool through_copy = false;
};

[[nodiscard]] Expanded expand(const sql::Query& query, const Catalogue& catalogue);

// Whether expanding would change anything; if not, the query can be used as it is.
[[nodiscard]] bool needs_expansion(const sql::Query& query, const Catalogue& catalogue);

}  // namespace tocsin::engine
