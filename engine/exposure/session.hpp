// What is remembered of one database session: what it is in the middle of. The reader fills it; learned.hpp keeps it
// over a restart, so a new member belongs there too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/exposure/catalogue.hpp"
#include "engine/exposure/reader.hpp"

namespace tocsin::engine {

struct Session {
  struct Prepared {
    KnownStatement said;
    Origin origin;
  };
  struct Cursor {
    KnownStatement said;
    std::vector<std::string> parameters;
    bool parameters_known = false;
    std::string key;       // of the DECLARE
    Origin origin;         // of the DECLARE
    Time from{};           // its snapshot is not older
    Time first{};          // first FETCH
    std::uint64_t fetched = 0;
    bool all = false;
    bool hold = false;
    bool jumped = false;   // it was moved other than by FETCH n: which rows came is not their order
  };
  // A relation that a line of the statement names, and the text in which it does.
  struct Touch {
    std::string relation;
    std::uint64_t text = 0;
    bool written = false;
    bool told = false;     // the text itself says what is written there
    bool operator==(const Touch&) const = default;
  };
  std::string id;
  Time last{};            // of the newest record of an earlier statement
  bool last_known = false;
  std::optional<Time> transaction;  // since when one is open, at the latest
  std::string role;
  std::vector<std::string> search_path;  // empty if it is not surely known
  std::vector<std::string> odd;          // settings that let statements mean something else (settings.hpp)
  std::vector<std::string> dropped;      // relations, in this transaction, to be forgotten at COMMIT
  std::map<std::string, Prepared, std::less<>> prepared;
  std::map<std::string, Cursor, std::less<>> cursors;
  std::vector<std::pair<std::string, storage::PersonNo>> added;    // in this transaction, to be taken back at ROLLBACK
  std::vector<std::pair<std::string, storage::PersonNo>> removed;  // in this transaction, to go at COMMIT

  // The statement whose lines are coming in.
  std::uint64_t number = 0;
  Time before{};          // `last` when it began
  bool before_known = false;
  std::map<std::size_t, std::uint64_t> rows;  // most rows seen, by text
  std::vector<Reach> reaches;                 // newest per key
  std::vector<std::uint64_t> staged;          // texts whose copies are noted
  std::vector<Touch> touched;
  std::set<std::string> views;                // VIEW lines
  // A prepared write whose values are not with its line: they may come with the EXECUTE.
  struct Deferred {
    Access access;
    KnownStatement said;
    storage::Span when;
  };
  std::optional<Deferred> deferred;

  // MariaDB: tables that the log named for statements whose own line has not come, by query number; the tables of
  // LOCK TABLES, whose statements name none; and whether sql_mode makes texts mean something else.
  struct Opened {
    Origin origin;
    Time time{};
    std::vector<std::string> read, written;  // with repetitions: once for each time a table was opened
  };
  std::map<std::uint64_t, Opened> opened;
  std::vector<std::string> locked;
  bool other_modes = false;
};

}  // namespace tocsin::engine
