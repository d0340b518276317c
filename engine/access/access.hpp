// What an event says about data: the type that decoders make and that detection and exposure read.
// Names follow OCSF 1.x where it has one (actor.user, src_endpoint.ip, query_info, count).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/time.hpp"

namespace tocsin::engine {

enum class Action : std::uint8_t {
  kUnknown, kRead, kQuery, kList, kExport, kShare, kWrite, kDelete, kAuthenticate, kConfigure
};
enum class Certainty : std::uint8_t { kUnknown, kAtLeast, kExact };
enum class Outcome : std::uint8_t { kUnknown, kSuccess, kFailure };

// "read", "exact", "success": the words of the API and of `tocsin decode`.
[[nodiscard]] std::string_view name(Action action) noexcept;
[[nodiscard]] std::string_view name(Certainty certainty) noexcept;
[[nodiscard]] std::string_view name(Outcome outcome) noexcept;

// A number and how far it can be trusted. Unknown has no value: a 0 that a log writes for "did not
// count" (pgaudit on COPY) is unknown, never exact.
struct Amount {
  std::uint64_t value = 0;
  Certainty certainty = Certainty::kUnknown;
};

// Where a record came from. `file` and `line` (1-based, of the record's first line) name the evidence to
// a person; `seq` is its number in the journal, 0 when read offline.
struct Origin {
  std::string source;
  std::string file;
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
};

struct Actor {
  std::string person;   // the human being, if the log says; else empty
  std::string account;  // the account that acted: database user, IAM user or role session, web user
  std::string role;     // a role taken on (SET ROLE, assumed role); else empty
  std::string session;  // what ties events of one session together; unique within the source
  // The person if known, else the account.
  [[nodiscard]] const std::string& shown() const noexcept { return person.empty() ? account : person; }
};

struct Resource {
  std::string system;                // "postgresql", "aws.s3", "web"
  std::string store;                 // database, bucket, host
  std::string dataset;               // table, object prefix, route; "schema.table" unless the schema is public
  std::string object;                // what of it: an S3 key (for a listing its prefix), a path with its query; empty = not told
  std::vector<std::string> columns;  // those named; empty = not known, {"*"} = all
};

struct Client {
  std::string ip;
  std::uint16_t port = 0;
  std::string user_agent;  // or the application name
};

// The SQL part of an access, where the source is a database. `parameters` are bound values in order.
struct Statement {
  std::string text;
  std::vector<std::string> parameters;
  bool parameters_known = false;     // false: the log does not show them, or cut them
  std::string command;               // pgaudit COMMAND: "SELECT", "COPY", "FETCH", …
  std::string audit_class;           // pgaudit CLASS: READ, WRITE, FUNCTION, ROLE, DDL, MISC, MISC_SET
  std::string relation;              // as the log names it ("public.patient"); empty if it does not
  std::string relation_type;         // "TABLE", "VIEW", "???", …
  std::uint64_t number = 0;          // pgaudit STATEMENT_ID, unique within the session; 0 = none
  std::uint64_t sub_number = 0;      // pgaudit SUBSTATEMENT_ID
  bool cut = false;                  // the log may have cut `text` short: it says what was begun, not what was asked
};

struct Access {
  Time time{};           // the event's own time
  bool time_known = false;
  Origin origin;
  std::string format;    // "pgaudit-csv", "pgaudit-json", "cloudtrail", "combined", "json"
  std::string event_id;  // unique in its source: eventID, session_id/line_num; empty = none
  Actor actor;
  std::string via;       // application or service account in between
  Action action = Action::kUnknown;
  std::string operation;  // the source's own word: "GetObject", "COPY", "GET"
  Resource resource;
  std::vector<std::string> subjects;  // ids of people that the event itself names, as the source writes them
  Amount rows;
  Amount bytes;
  Client client;
  Outcome outcome = Outcome::kUnknown;
  std::string error;      // the source's error code or message, if it failed
  Statement statement;    // empty text = no SQL
};

}  // namespace tocsin::engine
