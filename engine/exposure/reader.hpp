// From an access to the people it reached. The heart of Tocsin: the set it reports always holds the true one.
// ops/docs/exposure.md says what is exact, derived and bound, and why.
//
//   ExposureReader reader(map, registers, {});
//   std::vector<Reach> reaches;
//   reader.read(access, reaches);   // in the order of the log; fills access.resource and access.subjects too
//
// One object for one or more sources, one thread. It remembers, per database session, prepared statements, open
// cursors, roles and transactions; and per source, what CREATE TABLE and CREATE VIEW said and which tables are
// copies of others. Its memory is bounded (Options).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/access/person.hpp"
#include "engine/exposure/datasets.hpp"
#include "rules/base/result.hpp"
#include "storage/finding.hpp"
#include "storage/people.hpp"

namespace tocsin::engine {

// Some people of one dataset, reached by one statement (or by one cursor, fetch after fetch).
struct Reach {
  std::string key;       // unique; a Reach with the same key replaces the one before
  std::string source;
  Origin origin;         // of the newest record that supports it
  Time first{};          // event time of the first such record
  Time last{};
  std::string actor;     // Actor::shown()
  std::string account, role, session, application, client_ip;
  std::string dataset;   // register name; empty: nothing is known, not even which (grade unknown)
  storage::Grade grade = storage::Grade::kUnknown;
  bool whole = false;    // everyone in the dataset at any moment from `known_from` to `last`
  Time known_from{};
  std::vector<storage::PersonNo> people;  // otherwise: sorted numbers in the dataset's People
  std::vector<std::string> fields;        // columns read; {"*"} = all. "visit.ward" for other tables than the main one
  std::optional<std::uint64_t> at_least, at_most;  // people truly reached; nullopt = cannot be said
  std::optional<std::uint64_t> rows;      // as the log counts them, if it does
  std::uint64_t known = 0;                // people known in the dataset at that time …
  bool known_all = false;                 // … and as far as we know that is everyone
  bool collected = false;                 // one row may hold many people
  bool paged = false;                     // a page of a longer list (LIMIT, OFFSET)
  bool narrowed = false;                  // `whole`, but only because its conditions do not tell people apart
  std::optional<std::uint64_t> estimate;  // people the conditions probably mean, where that could not be proved
  std::vector<Origin> also;               // earlier records that belong to it (DECLARE, PREPARE)
  std::string way;       // "select", "copy", "cursor", "pg_dump", "prepared", "view", "returning", "failed", "event"
  std::string place;     // "program", "file", "database": the rows went there and not (only) to the client
  std::string reason;    // one sentence for a person: why this grade
  std::string statement_key;  // session and number: the same for all reaches of one statement
};

// What outlasts a restart, and what of it found no room (learned.hpp).
struct LearnedCounts {
  std::size_t relations = 0, sessions = 0;
  std::size_t left_out = 0;  // relations and sessions too many for the limit, or whose statements cannot be read any more
};
struct LearnedBytes {
  std::string bytes;
  LearnedCounts counts;
};

struct ReaderState;  // reader_state.hpp

class ExposureReader {
 public:
  struct Options {
    // Rows stay visible to other sessions until the COMMIT, which may be logged later than the DELETE: a person
    // or value that goes is held this much longer.
    Duration commit_slack = std::chrono::seconds(60);
    // How long a statement may have run if the session's previous record is not known.
    Duration unknown_start = std::chrono::hours(1);
    std::size_t max_sessions = 20'000;   // the longest idle is forgotten first
    std::size_t max_prepared = 1'000;    // per session
    std::size_t max_cursors = 1'000;     // per session
    std::size_t max_relations = 20'000;  // learned tables, views and copies, per source and database
    std::size_t max_ids = 100'000;       // ids taken from one event
    std::map<std::string, PersonPlaces, std::less<>> persons;  // source -> where it names the person behind an account
  };

  // `registers` MUST outlive this.
  ExposureReader(DatasetMap map, storage::Registers& registers, Options options);
  ~ExposureReader();

  // Appends what `access` says about people. Fills access.resource.dataset, columns, access.subjects and action
  // where the SQL tells more than the log did. Never fails: what cannot be read is graded unknown or bound.
  void read(Access& access, std::vector<Reach>& out);

  // Learns from `access` (cursors, prepared statements, views) and completes it, without reporting or changing the
  // registers: for the records before the point where reading resumes.
  void warm(Access& access);

  // What `access` says about people, for a record that was read before: reported like read(), and the registers stay as
  // they are. People whom they do not know (any more) are left away.
  void reread(Access& access, std::vector<Reach>& out);
  void forget_sessions();

  // What was learned, as bytes, and back (learned.hpp). After a failure of restore() nothing has been learned.
  [[nodiscard]] LearnedBytes save() const;
  [[nodiscard]] Result<LearnedCounts> restore(std::string_view bytes);

  [[nodiscard]] const DatasetMap& map() const noexcept;

 private:
  std::unique_ptr<ReaderState> state_;
};

}  // namespace tocsin::engine
