// SQLite behind transactions: one writing connection, a few reading ones, prepared statements kept by text.
#include "storage/sqlite/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace tocsin::storage {
namespace {

constexpr int kWalAutocheckpointPages = 16000;
constexpr std::size_t kMaxStatementsKept = 512;

Errc code_for(int rc) noexcept {
  switch (rc & 0xff) {
    case SQLITE_FULL: return Errc::kTooLarge;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::kBusy;
    case SQLITE_CONSTRAINT: return Errc::kConflict;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_READONLY: return Errc::kIo;
    default: return Errc::kInternal;
  }
}

tl::unexpected<Error> failed(sqlite3* connection, int rc, std::string_view doing) {
  std::string message = "database: ";
  message += doing;
  message += ": ";
  message += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(rc);
  std::string where;
  if (connection != nullptr) {
    if (const char* file = sqlite3_db_filename(connection, "main")) where = file;
  }
  const Errc code = code_for(rc);
  return fail(code, std::move(message), std::move(where),
              code == Errc::kTooLarge  ? "the disk is full: free some space, nothing was changed"
              : code == Errc::kCorrupt ? "restore the last backup"
                                       : "");
}

Result<void> exec(sqlite3* connection, const char* sql) {
  const int rc = sqlite3_exec(connection, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return failed(connection, rc, sql);
  return {};
}

}  // namespace

std::int64_t Columns::integer(int i) const { return sqlite3_column_int64(statement_, i); }
double Columns::real(int i) const { return sqlite3_column_double(statement_, i); }
bool Columns::null(int i) const { return sqlite3_column_type(statement_, i) == SQLITE_NULL; }
std::string Columns::text(int i) const {
  const void* data = sqlite3_column_blob(statement_, i);
  const int size = sqlite3_column_bytes(statement_, i);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}
std::optional<std::int64_t> Columns::maybe_integer(int i) const {
  if (null(i)) return std::nullopt;
  return integer(i);
}
std::optional<std::string> Columns::maybe_text(int i) const {
  if (null(i)) return std::nullopt;
  return text(i);
}
std::optional<Time> Columns::maybe_time(int i) const {
  if (null(i)) return std::nullopt;
  return time(i);
}

// Prepared statements of one connection, by their text. A statement in use (a query inside the mapper of
// the same query) is prepared anew instead of being shared.
struct Reader::Statements {
  struct Kept {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  std::unordered_map<std::string, Kept> by_text;
  int in_use = 0;
  void clear() {
    for (auto& [text, kept] : by_text) sqlite3_finalize(kept.statement);
    by_text.clear();
  }
};

Reader::Reader(sqlite3* connection) : connection_(connection), statements_(std::make_unique<Statements>()) {}
Reader::~Reader() {
  if (statements_) statements_->clear();
}

Result<void> Reader::each(std::string_view sql, const std::function<bool(const Columns&)>& on_row,
                          std::span<const Binding> args) {
  if (statements_->by_text.size() > kMaxStatementsKept && statements_->in_use == 0) statements_->clear();
  auto& kept = statements_->by_text[std::string(sql)];
  sqlite3_stmt* statement = kept.statement;
  const bool shared = !kept.in_use;
  if (statement == nullptr || !shared) {
    const int rc = sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (rc != SQLITE_OK) return failed(connection_, rc, sql);
    if (shared) kept.statement = statement;
  }
  if (shared) kept.in_use = true;
  ++statements_->in_use;

  int index = 0;
  int rc = SQLITE_OK;
  for (const Binding& arg : args) {
    ++index;
    const auto size = static_cast<sqlite3_uint64>(arg.text.size());
    // An empty view may hold a null pointer, which SQLite would bind as NULL.
    const char* bytes = arg.text.data() != nullptr ? arg.text.data() : "";
    switch (arg.type) {
      case Binding::Type::kNull: rc = sqlite3_bind_null(statement, index); break;
      case Binding::Type::kInteger: rc = sqlite3_bind_int64(statement, index, arg.integer); break;
      case Binding::Type::kReal: rc = sqlite3_bind_double(statement, index, arg.real); break;
      case Binding::Type::kText: rc = sqlite3_bind_text64(statement, index, bytes, size, SQLITE_STATIC, SQLITE_UTF8); break;
      case Binding::Type::kBlob: rc = sqlite3_bind_blob64(statement, index, bytes, size, SQLITE_STATIC); break;
    }
    if (rc != SQLITE_OK) break;
  }
  while (rc == SQLITE_OK) {
    rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW) break;
    rc = on_row(Columns(statement)) ? SQLITE_OK : SQLITE_DONE;
  }
  Result<void> out;
  if (rc != SQLITE_DONE) out = failed(connection_, rc, sql);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  --statements_->in_use;
  if (shared) kept.in_use = false;
  else sqlite3_finalize(statement);
  return out;
}

std::filesystem::path Reader::file() const {
  const char* name = sqlite3_db_filename(connection_, "main");
  return name == nullptr ? std::filesystem::path() : std::filesystem::path(name);
}

std::int64_t Transaction::last_insert_id() const { return sqlite3_last_insert_rowid(connection_); }
std::int64_t Transaction::changes() const { return sqlite3_changes64(connection_); }
void Transaction::after_commit(std::function<void()> action) { after_commit_.push_back(std::move(action)); }

struct Database::Impl {
  std::filesystem::path file;
  Options options;
  int lock_fd = -1;

  std::mutex write_mutex;
  std::unique_ptr<Transaction> writer;  // guarded by write_mutex; null when opened read-only

  std::mutex pool_mutex;
  std::condition_variable pool_free;
  std::vector<std::unique_ptr<Reader>> idle;  // guarded by pool_mutex
  int opened = 0;                             // guarded by pool_mutex

  ~Impl() {
    const auto close = [](std::unique_ptr<Reader> reader) {
      sqlite3* connection = reader->connection_;
      reader.reset();
      sqlite3_close_v2(connection);
    };
    for (auto& reader : idle) close(std::move(reader));
    if (writer) {
      sqlite3* connection = writer->connection_;
      writer.reset();
      sqlite3_close_v2(connection);
    }
    if (lock_fd >= 0) ::close(lock_fd);
  }

  Result<sqlite3*> connect(bool read_only) const {
    sqlite3* connection = nullptr;
    const int flags = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                      SQLITE_OPEN_NOMUTEX;
    const int rc = sqlite3_open_v2(file.c_str(), &connection, flags, nullptr);
    if (rc != SQLITE_OK) {
      auto error = failed(nullptr, rc, "open");
      sqlite3_close_v2(connection);
      error.value().where = file.string();
      return error;
    }
    sqlite3_busy_timeout(connection, options.busy_timeout_ms);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    if (read_only) sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    for (const char* sql : {"PRAGMA mmap_size=0", "PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY"}) {
      if (auto done = exec(connection, sql); !done) {
        sqlite3_close_v2(connection);
        return pass(std::move(done));
      }
    }
    sqlite3_wal_autocheckpoint(connection, read_only ? 0 : kWalAutocheckpointPages);
    return connection;
  }
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, Options options) {
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  impl->options = options;
  const std::string lock = file.string() + ".lock";
  impl->lock_fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (impl->lock_fd < 0) return fail(Errc::kIo, std::string("cannot open: ") + std::strerror(errno), lock);
  if (::flock(impl->lock_fd, LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::kUnavailable, "another tocsin uses this data directory", file.parent_path().string(),
                "stop it, or name another directory with --data");
  }
  auto connection = impl->connect(false);
  if (!connection) return pass(std::move(connection));
  impl->writer.reset(new Transaction(*connection));
  for (const char* sql : {"PRAGMA page_size=4096", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                          "PRAGMA secure_delete=ON", "PRAGMA cache_size=-65536"}) {
    if (auto done = exec(*connection, sql); !done) return pass(std::move(done));
  }
  std::string verdict;
  auto checked = impl->writer->each("PRAGMA quick_check(1)", [&](const Columns& c) {
    verdict = c.text(0);
    return false;
  }, {});
  if (!checked) return pass(std::move(checked));
  if (verdict != "ok") return fail(Errc::kCorrupt, "database: " + verdict, file.string(), "restore the last backup");
  if (auto done = exec(*connection,
                       "CREATE TABLE IF NOT EXISTS schema_version("
                       "family TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID");
      !done) {
    return pass(std::move(done));
  }
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Result<std::unique_ptr<Database>> Database::open_read_only(const std::filesystem::path& file) {
  std::error_code ec;
  if (!std::filesystem::exists(file, ec)) {
    return fail(Errc::kNotFound, "there is no database", file.string(), "name a data directory with --data");
  }
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  return std::unique_ptr<Database>(new Database(std::move(impl)));
}

Result<void> Database::migrate(std::string_view family, std::span<const Migration> migrations) {
  return write([&](Transaction& tx) -> Result<void> {
    auto current = tx.number("SELECT version FROM schema_version WHERE family = ?1", family);
    if (!current) return pass(std::move(current));
    const int newest = migrations.empty() ? 0 : migrations.back().version;
    if (*current > newest) {
      return fail(Errc::kUnsupported, "the database was written by a newer tocsin", impl_->file.string(),
                  "update tocsin, or restore a backup made before the update");
    }
    for (const Migration& migration : migrations) {
      if (migration.version <= *current) continue;
      if (auto done = exec(tx.connection_, migration.sql); !done) return done;
      auto noted = tx.run("INSERT INTO schema_version(family, version) VALUES(?1, ?2) "
                          "ON CONFLICT(family) DO UPDATE SET version = excluded.version",
                          family, migration.version);
      if (!noted) return noted;
    }
    return {};
  });
}

Result<void> Database::write_erased(const std::function<Result<void>(Transaction&)>& body) {
  const std::lock_guard lock(impl_->write_mutex);
  if (!impl_->writer) return fail(Errc::kUnavailable, "this database is open for reading only", impl_->file.string());
  Transaction& tx = *impl_->writer;
  tx.after_commit_.clear();
  if (auto begun = exec(tx.connection_, "BEGIN IMMEDIATE"); !begun) return begun;
  Result<void> done = body(tx);
  if (done) done = exec(tx.connection_, "COMMIT");
  if (!done) {
    // The body's error is the one to report; SQLite may already have rolled back by itself.
    if (sqlite3_get_autocommit(tx.connection_) == 0) {
      static_cast<void>(exec(tx.connection_, "ROLLBACK"));
    }
    tx.after_commit_.clear();
    return done;
  }
  auto actions = std::move(tx.after_commit_);
  tx.after_commit_.clear();
  for (auto& action : actions) action();
  return {};
}

Result<void> Database::read_erased(const std::function<Result<void>(Reader&)>& body) {
  std::unique_ptr<Reader> reader;
  {
    std::unique_lock lock(impl_->pool_mutex);
    impl_->pool_free.wait(lock, [&] { return !impl_->idle.empty() || impl_->opened < impl_->options.readers; });
    if (!impl_->idle.empty()) {
      reader = std::move(impl_->idle.back());
      impl_->idle.pop_back();
    } else {
      ++impl_->opened;
    }
  }
  if (!reader) {
    auto connection = impl_->connect(true);
    if (!connection) {
      const std::lock_guard lock(impl_->pool_mutex);
      --impl_->opened;
      impl_->pool_free.notify_one();
      return pass(std::move(connection));
    }
    reader.reset(new Reader(*connection));
  }
  Result<void> done = exec(reader->connection_, "BEGIN");
  if (done) {
    done = body(*reader);
    static_cast<void>(exec(reader->connection_, "ROLLBACK"));
  }
  const std::lock_guard lock(impl_->pool_mutex);
  impl_->idle.push_back(std::move(reader));
  impl_->pool_free.notify_one();
  return done;
}

const std::filesystem::path& Database::file() const noexcept { return impl_->file; }

Result<void> Database::checkpoint() {
  const std::lock_guard lock(impl_->write_mutex);
  if (!impl_->writer) return fail(Errc::kUnavailable, "this database is open for reading only", impl_->file.string());
  const int rc = sqlite3_wal_checkpoint_v2(impl_->writer->connection_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (rc != SQLITE_OK) return failed(impl_->writer->connection_, rc, "checkpoint");
  return {};
}

Result<void> Database::copy_to(const std::filesystem::path& file) {
  const std::lock_guard lock(impl_->write_mutex);
  const std::string target = file.string();
  if (!impl_->writer) {
    // Reading is enough to copy, and VACUUM may not run in the transactions that readers live in.
    auto connection = impl_->connect(true);
    if (!connection) return pass(std::move(connection));
    Result<void> done;
    {
      Reader reader(*connection);
      done = reader.each("VACUUM INTO ?1", [](const Columns&) { return true; }, {Binding(target)});
    }
    sqlite3_close_v2(*connection);
    return done;
  }
  return impl_->writer->each("VACUUM INTO ?1", [](const Columns&) { return true; }, {Binding(target)});
}

}  // namespace tocsin::storage
