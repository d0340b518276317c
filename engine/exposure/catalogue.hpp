// What a log has taught about a database's relations: columns of tables, definitions of views, and which tables
// hold copies of people's data: by a statement that is known (CREATE TABLE AS, INSERT … SELECT, UPDATE … FROM), or by one
// that only tells which relations it read (a function, a trigger). What it cannot tell it says: `hidden`.
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

// How a statement names its relations: what the log calls the one that the line is about, and whose temporary tables count.
struct Names {
  std::string_view logged;   // "crm.letter"; "" if the log names none
  std::string_view session;
};

class Catalogue {
 public:
  static constexpr std::size_t kMaxCopies = 64;  // statements that filled one table; later ones count as everyone in what they read
  static constexpr std::size_t kMaxFeeding = 64; // relations that one is fed by; more than that is not known
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
  void hide(const std::string& relation, const std::string& why);        // nobody knows whose rows it holds
  void feed(const std::string& relation, const std::string& from);       // it may hold rows of anybody in `from`
  void change(const std::string& relation, const std::vector<std::string>& columns);  // no longer what they were copied from; "*" = any
  void set_partition(const std::string& relation, KnownStatement made);  // the statement that has its FOR VALUES
  void set_partition_column(const std::string& relation, const std::string& column);
  void guard(const std::string& relation);                               // row level security: readers need not see all rows
  void forget_order(const std::string& relation);                        // its columns are no longer those, in order, that were told
  void unsure(const std::string& relation);                              // its schema was not told
  void adopt(const std::string& relation, const std::string& qualified); // … and now is
  void drop(const std::string& relation);
  // `keep` leaves the old name too: the renaming may be taken back.
  void rename(const std::string& from, const std::string& to, bool keep = false);

  [[nodiscard]] const std::vector<Definition>* definitions(const std::string& relation) const;
  // The relations that a name in a statement may mean.
  [[nodiscard]] std::vector<std::string> resolve(const sql::Relation& relation, const Names& names) const;
  [[nodiscard]] bool full() const noexcept { return entries_.size() >= max_; }
  [[nodiscard]] bool guarded(const sql::Relation& relation, const Names& names) const;
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
    std::string hidden;                // why nobody knows whose rows it holds; "" = that is known
    std::set<std::string> changed;
    std::set<std::string> fed_by;
    std::vector<KnownStatement> made;  // of a partition: at most one
    std::string partition_column;      // of a partitioned table
    bool unsure = false, guarded = false;
    // Whether a reader of it reaches others than its own rows name.
    [[nodiscard]] bool stands_for_more() const { return !definitions.empty() || !hidden.empty() || !fed_by.empty() || !made.empty(); }
  };
  [[nodiscard]] const Entry* find(std::string_view relation) const;
  [[nodiscard]] const std::map<std::string, Entry, std::less<>>& entries() const noexcept { return entries_; }
  bool restore(std::string relation, Entry entry);  // false if there are too many

 private:
  Entry* entry(const std::string& relation);
  void forget(const std::string& relation);
  std::size_t max_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::set<std::string>, std::less<>> by_last_;  // "letter" -> "letter", "crm.letter"
};

// A query in which every view and copy is replaced by what it stands for. `taken[i]` is set for sources whose
// rows are those of an earlier moment.
struct Expanded {
  sql::Query query;
  std::vector<std::optional<storage::Span>> taken;
  bool through_view = false;
  bool through_copy = false;
  std::string hidden;  // why it is not known whom some of its rows are about; "" = that is known
};

[[nodiscard]] Expanded expand(const sql::Query& query, const Catalogue& catalogue, const Names& names);

// Whether expanding would change anything; if not, the query can be used as it is.
[[nodiscard]] bool needs_expansion(const sql::Query& query, const Catalogue& catalogue, const Names& names);

}  // namespace tocsin::engine
