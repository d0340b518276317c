// What an SQL statement does with people's rows: which relations it reads into its result, which of their
// columns, and which conditions those rows surely fulfil. Read with PostgreSQL 15's own parser (libpg_query);
// nothing is guessed: what is not understood becomes "no condition", which can only widen the answer.
//
//   auto reading = sql::read("SELECT name FROM patient WHERE id = $1");
//   reading->statements[0].query.sources[0]  // patient, use kRow, columns {"name"}, condition id IN ($1)
//
// A Query is flat. Sub-selects, CTEs and joins are dissolved into one list of sources; each source carries the
// conditions that hold for every one of its rows that can reach the result. So the people a source lets through
// can be worked out source by source, and the union over the sources holds the truth:
//   - WHERE and inner ON hold for all sources below; ON of an outer join holds for its nullable side only;
//   - what is computed with window functions or set operations is not narrowed from outside;
//   - sources that only filter (EXISTS, IN (SELECT …)) reach nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"

namespace tocsin::engine::sql {

// Limits; beyond them a statement is not read (kTooLarge) and its exposure is graded by the log alone.
inline constexpr std::size_t kMaxStatementBytes = 256 * 1024;
inline constexpr std::size_t kMaxDepth = 200;         // of the parse tree
inline constexpr std::size_t kMaxSources = 256;       // after CTEs are dissolved
inline constexpr std::size_t kMaxPredicates = 20'000;
inline constexpr std::size_t kCachedReadings = 4096;  // shapes of statements, per thread
inline constexpr std::size_t kMaxCacheBytes = 64 * 1024 * 1024;  // about, per thread
inline constexpr std::size_t kMaxCachedBytes = 8 * 1024;  // longer statements are not kept

enum class Kind : std::uint8_t {
  kOther, kSelect, kInsert, kUpdate, kDelete, kMerge, kCopyOut, kCopyIn, kDeclare, kFetch, kMove, kClose, kPrepare,
  kExecute, kDeallocate, kCreateAs, kExplain, kSet, kReset, kBegin, kCommit, kRollback, kRollbackTo, kCreateTable,
  kCreateForeign, kCreateView, kDrop, kTruncate, kCall, kRename, kRefresh, kAlterTable, kRule, kDefaults,
};

// A relation as the statement writes it. `schema` is empty if it is not qualified.
struct Relation {
  std::string schema;
  std::string name;
  [[nodiscard]] bool is_catalog() const;     // pg_catalog, information_schema
  [[nodiscard]] std::string text() const;    // "crm.patient"; "patient" for schema public or none
  bool operator==(const Relation&) const = default;
};

// A constant, or a parameter whose value comes with each execution.
struct Value {
  bool known = false;    // false: an expression that is not evaluated
  bool array = false;    // an array literal ("{1,2}") whose elements count
  bool null = false;
  bool quoted = false;   // a string, not a number
  bool boolean = false;  // true or false
  bool fractional = false;  // a number that is no integer: `text` is it, but `known` is false
  int parameter = 0;     // 1-based; 0 = `text` is the value
  int literal = 0;       // while a reading is made for a shape: the constant it is, 1-based, negative with a minus; else 0
  std::string text;
  bool operator==(const Value&) const = default;
};

// A column that a condition names. An unqualified name in a join belongs to exactly one of `candidates`
// (PostgreSQL refuses it otherwise); `certain` says that there is one and it is surely that.
struct Column {
  std::vector<int> candidates;  // indices of sources
  std::string name;
  bool certain = false;
  bool cast = false;  // as text: equality of keys means the same, an order does not
  bool copied = false;  // read from a copy whose columns may have other types: the value may have been cut or rounded
  [[nodiscard]] bool may_be(int source, std::string_view column) const;
  bool operator==(const Column&) const = default;
};

enum class Op : std::uint8_t {
  kTrue,   // not understood, or always true
  kAnd, kOr,
  kIn,     // `column` equals one of `values`
  kRange,  // `column` lies between `low` and `high` (either may be missing)
  kSame,   // `column` equals `other`
  kNot,    // the one of `args` does not hold; it may be NULL, then neither holds
  kNull,   // `column` IS NULL
  kLike,   // `column` LIKE the one of `values`
  kFalse,  // never
};

struct Predicate {
  Op op = Op::kTrue;
  Column column;
  Column other;
  std::vector<Value> values;
  std::optional<Value> low, high;
  bool low_open = false, high_open = false;  // < instead of <=
  bool fold = false;                         // ILIKE
  std::vector<int> args;                     // of kAnd, kOr and kNot
  bool operator==(const Predicate&) const = default;
};

// How a source's rows get into the result, weakest first.
enum class Use : std::uint8_t {
  kNone,       // only filters, or is only written
  kStatistic,  // counted, summed, averaged
  kExistence,  // a constant per row: says only that the row is there
  kValue,      // min, max: single values
  kRow,        // values of a row in a row of the result
  kCollected,  // values of many rows in one row (json_agg, a function that may be an aggregate)
};

struct Source {
  Relation relation;
  std::string alias;
  bool only = false;                 // FROM ONLY
  Use use = Use::kNone;
  Use staged = Use::kNone;           // the same for the copy that CREATE … AS or INSERT … SELECT makes
  std::vector<std::string> columns;  // that reach the result as values; {"*"} = all
  std::vector<int> filters;          // predicates; all of them hold for its rows that reach the result
  bool nullable = false;             // on the optional side of an outer join
  bool merged = false;               // a row of the result may stand for several rows of this source …
  std::vector<Column> group_by;      // … that agree in these columns
  bool written = false;              // target of INSERT, UPDATE, DELETE, MERGE
  bool inserted = false;             // only new rows of it can be shown
  bool operator==(const Source&) const = default;
};

// Where a column of the result comes from, if it is simply a column of a source.
struct Output {
  std::string name;  // "*" = all columns of `source` under their own names
  int source = -1;   // -1 = computed
  std::string column;
  bool operator==(const Output&) const = default;
};

// ORDER BY a column.
struct Ordering {
  Column column;
  bool descending = false;
  bool operator==(const Ordering&) const = default;
};

struct Query {
  std::vector<Source> sources;
  std::vector<Predicate> predicates;
  std::vector<Output> outputs;
  std::optional<std::uint64_t> limit;  // constant LIMIT of the whole result
  Value limit_parameter;               // LIMIT $n
  bool limited = false;                // LIMIT or OFFSET is there
  bool offset = false;
  Value skipped;                       // OFFSET: how many; unknown if it is no constant or parameter
  std::optional<Ordering> order;       // the first column of ORDER BY of the whole result, if the rest of it is simple
  bool undecided = false;   // a condition was not understood: not every row that meets the others came
  bool loose = false;       // a condition was replaced by one that holds more often: of its failing nothing is known
  bool calls = false;       // a function, which may read anything, stands somewhere in the statement
  bool one_to_one = false;  // each row of the result is one row of sources[0], and no two are the same row
  bool barrier = false;     // window functions or set operations: conditions on the result say nothing of the sources
  bool aggregate = false;   // an aggregate without GROUP BY: one row whatever is there
  std::string elsewhere;    // the function that brings what no relation of the statement holds: dblink, pg_read_file, …
  bool key_share = false;   // SELECT 1 … FOR KEY SHARE: PostgreSQL's own check of a foreign key
  bool operator==(const Query&) const = default;
};

// A setting that a statement changes without being SET: set_config(), ALTER ROLE … SET. `value` may be unknown.
struct Setting {
  std::string name;
  Value value;
  bool operator==(const Setting&) const = default;
};

// FOR VALUES of a partition. For ranges each end may be open (MINVALUE, MAXVALUE, or not understood).
struct PartitionBound {
  char strategy = 0;           // 'l' list, 'r' range, 'h' hash, 'd' DEFAULT; 0 = none
  std::vector<Value> values;   // of a list
  std::optional<Value> low, high;  // of the first column: low <= it, it < high (<= if there are more columns)
  bool operator==(const PartitionBound&) const = default;
};

// What a statement changes in a table; for keeping a register true.
struct Write {
  Kind kind = Kind::kOther;  // kInsert, kUpdate, kDelete, kTruncate, kCopyIn, kMerge
  int source = -1;           // the target's index in query.sources; its filters say which rows
  std::vector<std::string> columns;       // of INSERT; empty = all, in the table's order
  std::vector<std::vector<Value>> rows;   // VALUES of INSERT, one Value a column
  std::vector<std::pair<std::string, Value>> set;  // UPDATE … SET
  bool from_query = false;   // INSERT … SELECT
  bool upsert = false;       // ON CONFLICT DO UPDATE
  bool operator==(const Write&) const = default;
};

struct Statement {
  Kind kind = Kind::kOther;
  Kind inner = Kind::kOther;  // of what PREPARE, DECLARE, EXPLAIN, COPY (…) or CREATE … AS hold; else = kind
  Query query;                // of the statement or of what it holds
  std::vector<Write> writes;  // the statement's own, and those of its CTEs
  std::string name;           // cursor, prepared statement, variable; "" for CLOSE ALL, DEALLOCATE ALL
  std::string setting;        // SET …: the value, items joined with ","
  std::vector<Value> arguments;          // EXECUTE
  std::uint64_t count = 0;               // FETCH, MOVE: rows
  bool all = false;                      // FETCH ALL
  bool jumps = false;                    // FETCH otherwise than forward from where the cursor stands
  bool analyze = false;                  // EXPLAIN ANALYZE
  bool to_program = false, to_file = false;  // COPY TO PROGRAM, TO a file on the server
  Relation target;                       // CREATE TABLE, CREATE VIEW, SELECT INTO, INSERT … SELECT, DROP, RENAME
  Relation remote;                       // CREATE FOREIGN TABLE: the table of the other server, if it says so
  std::vector<Output> staged;            // the columns of the copy that is made
  std::vector<Relation> parents;         // CREATE TABLE … INHERITS / PARTITION OF
  std::vector<Relation> dropped;         // DROP, TRUNCATE
  std::vector<std::string> target_columns;  // named in CREATE TABLE (…), CREATE VIEW v(…), INSERT INTO t(…)
  std::string new_name;                  // RENAME; ALTER SCHEMA … RENAME has its old name in target.schema alone
  std::string new_schema;                // ALTER TABLE … SET SCHEMA
  std::vector<std::string> altered;      // ALTER TABLE, RENAME COLUMN: columns that mean something else; "*" = any
  bool temporary = false;                // CREATE TEMP …
  bool if_not_exists = false;
  bool guarded = false;                  // row-level security
  bool local = false;                    // SET LOCAL
  std::vector<Setting> settings;         // set_config(); ALTER ROLE, DATABASE, SYSTEM SET
  std::string partition_column;          // CREATE TABLE … PARTITION BY LIST or RANGE: the first column, if it is one
  PartitionBound bound;                  // CREATE TABLE … PARTITION OF, ATTACH PARTITION
  bool operator==(const Statement&) const = default;
};

struct Reading {
  std::vector<Statement> statements;  // a message may hold several
  bool operator==(const Reading&) const = default;
};

// Reads `text`. Errors: kInvalid (PostgreSQL's parser refuses it: the message says why, without the text),
// kTooLarge (a limit above). Thread-safe: keeps a cache per thread, so a text of a known shape (shape.hpp) is not
// parsed again. The answer is always that of read_afresh.
[[nodiscard]] Result<std::shared_ptr<const Reading>> read(std::string_view text);

// What the caches of all threads have done since the program began.
struct CacheCounts {
  std::uint64_t hits = 0, misses = 0;
};
[[nodiscard]] CacheCounts cache_counts() noexcept;

struct Literal;  // shape.hpp

struct ReadOptions {
  // The constants of the text, to be found again in the reading (Value::literal); tells which are seen and pinned.
  std::vector<Literal>* literals = nullptr;
  bool loose_grouping = false;  // a plain column beside an aggregate needs no GROUP BY (MySQL)
};

// The same without cache.
[[nodiscard]] Result<Reading> read_afresh(std::string_view text, ReadOptions options = {});

// Canonical text of a reading, for tests: one line per statement, one per source.
[[nodiscard]] std::string describe(const Reading& reading);

}  // namespace tocsin::engine::sql
