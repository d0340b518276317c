// What the reader holds between two accesses, and the access in work. The parts of the reader share it:
//
//   reader.cpp            which part an access is for
//   postgres.cpp          pgaudit: a line of a log → the statements it is about
//   mariadb.cpp           server_audit: the same, where tables are named on lines of their own
//   statements.cpp        what one statement means in its session: cursors, prepared statements, copies, roles
//   copies.cpp            which relations hold copies of people's data
//   settings.cpp          settings that let statements mean something else
//   answer.cpp            a query that gives rows to the client → reaches
//   people_columns.cpp    which columns of a table name people
//   register_changes.cpp  inserts, updates and deletes keep the register true
//   named_people.cpp      events that name people themselves: objects, routes, health records
#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/exposure/catalogue.hpp"
#include "engine/exposure/datasets.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/exposure/session.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

using ReadingPtr = std::shared_ptr<const sql::Reading>;

struct ReaderState {
  DatasetMap map;
  storage::Registers& registers;
  ExposureReader::Options options;
  std::map<std::string, Catalogue> catalogues;  // by source and database
  std::list<Session> sessions;                  // most recent first
  std::unordered_map<std::string, std::list<Session>::iterator> by_id;
  // Datasets whose register was seen to be wrong, and how new it was; under "\x1f" + dataset, where people may have left.
  std::map<std::string, Time> disproved;
  bool warming = false;  // learn only: report nothing, leave the registers alone
  bool reporting = false;  // … but report all the same

  ReaderState(DatasetMap m, storage::Registers& r, ExposureReader::Options o)
      : map(std::move(m)), registers(r), options(std::move(o)) {}

  Session& session(const Access& access);  // the longest idle is forgotten if there are too many
  void forget(const Session& session);
  Catalogue& catalogue(const Access& access);
  // Whether the dataset's register is declared to be kept, and nothing has shown that it is not.
  [[nodiscard]] bool kept(const std::string& dataset) const;
  void disprove(const std::string& dataset);
  // Whether people may have left the dataset whom its register still has. Until the next import of it, like the above.
  [[nodiscard]] bool departed(const std::string& dataset) const;
  void depart(const std::string& dataset);
  // People who may have left, or may not have come for everybody yet.
  [[nodiscard]] bool doubtful(const std::string& dataset, storage::PersonNo no) const;
  void doubt(const std::string& dataset, storage::PersonNo no);
  // What is kept over a restart: `disproved`, and one word for each dataset with people in doubt.
  [[nodiscard]] std::map<std::string, Time> doubts() const;

 private:
  struct Doubtful {
    Time as_of{};
    std::set<storage::PersonNo> people;
  };
  std::map<std::string, Doubtful> doubtful_;
};

// One access in work.
struct StatementLine {
  ReaderState& state;
  Access& access;
  Session& session;
  Catalogue& catalogue;
  storage::Span when;  // the moments whose state of the database the statement may have seen
  std::vector<Reach>& out;
  std::string mysql_way = {};      // of the statement in work, if it is not a plain select
  std::string unread_reason = {};  // why only the table is known
};

[[nodiscard]] bool is_mysql(const Access& access);

// Not before the record that precedes it in its session (or the transaction's beginning), not after its own record.
[[nodiscard]] storage::Span window(const ReaderState& state, const Session& session, const Access& access);

// The same for all reaches of one statement.
[[nodiscard]] std::string statement_key(const StatementLine& line);
// A reach with what the line says about who and when.
[[nodiscard]] Reach blank(const StatementLine& line, const std::string& dataset, std::string key);
// Reports it, and remembers it for the statement's next line.
void emit(StatementLine& line, Reach reach);
// What the statement is about, where the log does not name it.
void name_resource(StatementLine& line, const sql::Query& query);

[[nodiscard]] std::string_view last_part(std::string_view relation);  // "patient" of "crm.patient"
[[nodiscard]] bool names_relation(const sql::Query& query, std::string_view relation);
// How the names of relations in the statement are to be understood.
[[nodiscard]] Names names_of(const StatementLine& line);
// The log names relations with their schema; the statement may not.
[[nodiscard]] std::string qualified(const StatementLine& line, const sql::Relation& relation);
// A refusal before anything was read.
[[nodiscard]] bool nothing_was_read(std::string_view error);

[[nodiscard]] std::string with_commas(std::uint64_t n);
[[nodiscard]] std::string people_word(std::uint64_t n);

}  // namespace tocsin::engine
