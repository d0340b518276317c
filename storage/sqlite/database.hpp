// The one place that includes sqlite3.h. One connection writes and checkpoints (Debian 12's 3.40.1 has the
// WAL-reset bug that two writers can hit); readers are separate, read-only connections.
//
//   db.write([&](Transaction& tx) -> Result<void> { return tx.run("INSERT INTO t VALUES(?1)", 42); });
//   db.read([&](Reader& r) { return r.rows<Row>("SELECT a, b FROM t WHERE c = ?1",
//           [](const Columns& c) { return Row{c.integer(0), c.text(1)}; }, key); });
//
// What a write returns successfully is on disk (WAL, synchronous=FULL). SQL stays plain (no SQLite-only
// functions beyond upserts), so that PostgreSQL can take this place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tocsin::storage {

// One step of a family's schema. Families (one per store) migrate independently; versions count from 1.
struct Migration {
  int version;
  const char* sql;
};

// The columns of the current row; valid only inside the mapper that receives it. 0-based.
class Columns {
 public:
  explicit Columns(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] std::int64_t integer(int i) const;
  [[nodiscard]] double real(int i) const;
  [[nodiscard]] std::string text(int i) const;  // also blobs
  [[nodiscard]] Time time(int i) const { return from_micros(integer(i)); }
  [[nodiscard]] bool null(int i) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_integer(int i) const;
  [[nodiscard]] std::optional<std::string> maybe_text(int i) const;
  [[nodiscard]] std::optional<Time> maybe_time(int i) const;

 private:
  sqlite3_stmt* statement_;
};

// Bytes to be bound as a BLOB (text binds as TEXT).
struct Blob {
  std::string_view bytes;
};

// A value to bind: integers, double, bool, text, Blob, Time, nullptr, or an optional of one of these.
class Binding {
 public:
  template <class T>
  Binding(const T& value) {  // NOLINT(google-explicit-constructor): this is an argument type
    set(value);
  }
  enum class Type : std::uint8_t { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;

 private:
  template <class T>
  void set(const std::optional<T>& value) {
    if (value) set(*value);
  }
  void set(std::nullptr_t) {}
  void set(const Blob& blob) { type = Type::kBlob; text = blob.bytes; }
  void set(Time t) { type = Type::kInteger; integer = to_micros(t); }
  template <class T>
  void set(const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      type = Type::kInteger;
      integer = static_cast<std::int64_t>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      type = Type::kReal;
      real = value;
    } else {
      type = Type::kText;
      text = std::string_view(value);
    }
  }
};

// What reading and writing share. Not thread-safe: belongs to the callback it is handed to.
class Reader {
 public:
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();

  // All rows through `map` (Columns -> T). The statement is prepared once and kept.
  template <class T, class Map, class... Args>
  [[nodiscard]] Result<std::vector<T>> rows(std::string_view sql, Map&& map, const Args&... args) {
    std::vector<T> out;
    auto done = each(sql, [&](const Columns& c) { out.push_back(map(c)); return true; },
                     std::initializer_list<Binding>{Binding(args)...});
    if (!done) return pass(std::move(done));
    return out;
  }
  // The first row, or nullopt.
  template <class T, class Map, class... Args>
  [[nodiscard]] Result<std::optional<T>> row(std::string_view sql, Map&& map, const Args&... args) {
    std::optional<T> out;
    auto done = each(sql, [&](const Columns& c) { out.emplace(map(c)); return false; },
                     std::initializer_list<Binding>{Binding(args)...});
    if (!done) return pass(std::move(done));
    return out;
  }
  // The first column of the first row as an integer; 0 if there is no row or it is NULL.
  template <class... Args>
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql, const Args&... args) {
    std::int64_t out = 0;
    auto done = each(sql, [&](const Columns& c) { out = c.integer(0); return false; },
                     std::initializer_list<Binding>{Binding(args)...});
    if (!done) return pass(std::move(done));
    return out;
  }
  // Calls `on_row` for each row until it returns false.
  [[nodiscard]] Result<void> each(std::string_view sql, const std::function<bool(const Columns&)>& on_row,
                                  std::span<const Binding> args);
  [[nodiscard]] Result<void> each(std::string_view sql, const std::function<bool(const Columns&)>& on_row,
                                  std::initializer_list<Binding> args) {
    return each(sql, on_row, std::span<const Binding>(args.begin(), args.size()));
  }

  // The database's file, for what lies beside it.
  [[nodiscard]] std::filesystem::path file() const;

 protected:
  explicit Reader(sqlite3* connection);
  friend class Database;
  struct Statements;
  sqlite3* connection_;
  std::unique_ptr<Statements> statements_;
};

// One transaction on the writing connection. Everything in it happens, or nothing.
class Transaction : public Reader {
 public:
  template <class... Args>
  [[nodiscard]] Result<void> run(std::string_view sql, const Args&... args) {
    return each(sql, [](const Columns&) { return true; }, std::initializer_list<Binding>{Binding(args)...});
  }
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] std::int64_t changes() const;  // rows changed by the last run()
  // Runs `action` once the transaction is on disk, in the writer's thread and before write() returns;
  // dropped if it rolls back. For what must follow a commit: publish the ledger, wake listeners.
  void after_commit(std::function<void()> action);

 private:
  friend class Database;
  using Reader::Reader;
  std::vector<std::function<void()>> after_commit_;
};

class Database {
 public:
  struct Options {
    int readers = 4;             // read-only connections, opened when first needed
    int busy_timeout_ms = 5000;
  };

  // Opens or creates the database file, checks it (quick_check) and takes the lock file beside it: one
  // process at a time. Errors: kUnavailable (another process has it), kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, Options options);
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file) {
    return open(file, Options());
  }
  // Opens an existing database for reading only; works while another process writes.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open_read_only(const std::filesystem::path& file);
  ~Database();

  // Brings one family to its newest version. Call at start, before anything else uses the family.
  // Error kUnsupported if the file was written by a newer version.
  [[nodiscard]] Result<void> migrate(std::string_view family, std::span<const Migration> migrations);

  // Runs `body` in a transaction on the writing connection; commits if it succeeds, rolls back if it
  // returns an error. Writers wait for each other. MUST NOT be nested. Error kTooLarge on a full disk.
  template <class Body>
  auto write(Body&& body) -> std::invoke_result_t<Body&, Transaction&> {
    using R = std::invoke_result_t<Body&, Transaction&>;
    std::optional<R> out;
    Result<void> done = write_erased([&](Transaction& tx) -> Result<void> {
      out.emplace(body(tx));
      if (!*out) return tl::unexpected<Error>(out->error());
      return {};
    });
    if (!done) return tl::unexpected<Error>(std::move(done).error());
    return std::move(*out);
  }

  // Runs `body` on a reading connection, in one snapshot. May run beside writes and other reads.
  template <class Body>
  auto read(Body&& body) -> std::invoke_result_t<Body&, Reader&> {
    using R = std::invoke_result_t<Body&, Reader&>;
    std::optional<R> out;
    Result<void> done = read_erased([&](Reader& reader) -> Result<void> {
      out.emplace(body(reader));
      return {};
    });
    if (!done) return tl::unexpected<Error>(std::move(done).error());
    return std::move(*out);
  }

  [[nodiscard]] const std::filesystem::path& file() const noexcept;

  // Moves the WAL into the database file and truncates it (after an erasure, before a backup).
  [[nodiscard]] Result<void> checkpoint();
  // A consistent copy of the whole database as a new file (SQLite's VACUUM INTO). Works read-only too, beside
  // the process that writes.
  [[nodiscard]] Result<void> copy_to(const std::filesystem::path& file);

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  Result<void> write_erased(const std::function<Result<void>(Transaction&)>& body);
  Result<void> read_erased(const std::function<Result<void>(Reader&)>& body);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::storage
