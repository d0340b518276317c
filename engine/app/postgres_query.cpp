// libpq's calls, each result freed by its owner; COPY's pieces become a stream.
#include "engine/app/postgres_query.hpp"

#include <libpq-fe.h>

#include <cstring>
#include <streambuf>
#include <utility>

#include "engine/sql/reading.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr const char* kConnectSeconds = "10";

struct Close {
  void operator()(PGconn* c) const { PQfinish(c); }
  void operator()(PGresult* r) const { PQclear(r); }
  void operator()(char* p) const { PQfreemem(p); }
  void operator()(PQconninfoOption* o) const { PQconninfoFree(o); }
};
using Connection = std::unique_ptr<PGconn, Close>;
using Answer = std::unique_ptr<PGresult, Close>;
using Text = std::unique_ptr<char, Close>;

// libpq's words in one line, safe to print.
std::string said(const char* message) { return printable(trim(message == nullptr ? "" : message), 400); }

Error refused(PGconn* connection, const PGresult* answer) {
  const char* primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
  const char* hint = PQresultErrorField(answer, PG_DIAG_MESSAGE_HINT);
  const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
  if (state != nullptr && std::strncmp(state, "22", 2) == 0) {  // a data exception: its message quotes the value
    return {Errc::kInvalid, std::string("PostgreSQL refuses the query: a value does not fit its type (SQLSTATE ") + state + ")", "--query",
            "look at the casts and functions of the query"};
  }
  return {Errc::kInvalid, "PostgreSQL refuses the query: " + said(primary != nullptr ? primary : PQerrorMessage(connection)), "--query",
          hint != nullptr ? said(hint) : ""};
}

// Pieces of a COPY as they come.
class CopyBuffer final : public std::streambuf {
 public:
  explicit CopyBuffer(PGconn* connection) : connection_(connection) {}
  [[nodiscard]] bool at_end() const { return at_end_; }

 protected:
  int_type underflow() override {
    if (at_end_) return traits_type::eof();
    char* piece = nullptr;
    const int length = PQgetCopyData(connection_, &piece, 0);
    piece_.reset(piece);
    if (length <= 0) {
      at_end_ = true;
      return traits_type::eof();
    }
    setg(piece, piece, piece + length);
    return traits_type::to_int_type(*gptr());
  }

 private:
  PGconn* connection_;
  Text piece_;
  bool at_end_ = false;
};

Result<void> check_connection(const std::string& connection) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, Close> options(PQconninfoParse(connection.c_str(), &message));
  const Text owned(message);
  if (options == nullptr) {  // its own message quotes the text, which may hold a password
    return fail(Errc::kInvalid, "this is no connection string", "--postgres", "for example: host=db.example dbname=clinic user=register");
  }
  for (const PQconninfoOption* o = options.get(); o->keyword != nullptr; ++o) {
    if ((std::strcmp(o->keyword, "password") == 0 || std::strcmp(o->keyword, "sslpassword") == 0) && o->val != nullptr) {
      return fail(Errc::kInvalid, "a password on a command line is seen by everybody on this machine", "--postgres",
                  "put it into ~/.pgpass (mode 0600) or the file that PGPASSFILE names");
    }
  }
  return {};
}

// The query without its semicolon, if it is one statement that only reads.
Result<std::string> check_query(std::string_view query) {
  query = trim(query);
  while (query.ends_with(';')) query = trim(query.substr(0, query.size() - 1));
  const auto reading = sql::read_afresh("COPY (" + std::string(query) + "\n) TO STDOUT");
  if (!reading) return fail(Errc::kInvalid, "the query cannot be read: " + reading.error().message, "--query");
  const bool one = reading->statements.size() == 1 && reading->statements.front().kind == sql::Kind::kCopyOut;
  if (!one || !reading->statements.front().writes.empty() || reading->statements.front().inner != sql::Kind::kSelect ||
      reading->statements.front().to_file || reading->statements.front().to_program) {
    return fail(Errc::kInvalid, "the query must be one SELECT that writes nothing", "--query");
  }
  return std::string(query);
}

}  // namespace

struct PostgresQuery::Impl {
  Connection connection;
  std::unique_ptr<CopyBuffer> buffer;
  std::unique_ptr<std::istream> rows;
  Time as_of{};
  std::optional<std::string> newest;

  // One statement; what it gives must be of kind `wanted`.
  Result<Answer> ask(const std::string& statement, ExecStatusType wanted) {
    Answer answer(PQexecParams(connection.get(), statement.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
    if (PQresultStatus(answer.get()) != wanted) return tl::unexpected<Error>(refused(connection.get(), answer.get()));
    return answer;
  }

  Result<void> connect(const std::string& to) {
    const char* const names[] = {"dbname", "connect_timeout", "fallback_application_name", "client_encoding", nullptr};
    const char* const values[] = {to.c_str(), kConnectSeconds, "tocsin", "UTF8", nullptr};
    connection.reset(PQconnectdbParams(names, values, 1));
    if (PQstatus(connection.get()) != CONNECTION_OK) {
      return fail(Errc::kUnavailable, "cannot connect to PostgreSQL: " + said(PQerrorMessage(connection.get())), "--postgres");
    }
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    return {};
  }

  // Begins the transaction whose state of the database everything is read in.
  Result<void> begin() {
    for (const char* statement : {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL datestyle TO 'ISO'", "SET LOCAL timezone TO 'UTC'"}) {
      if (auto done = ask(statement, PGRES_COMMAND_OK); !done) return pass(std::move(done));
    }
    auto now = ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", PGRES_TUPLES_OK);
    if (!now) return pass(std::move(now));
    const auto time = parse_rfc3339(PQgetvalue(now->get(), 0, 0), true);
    if (!time) return fail(Errc::kInternal, "PostgreSQL's clock cannot be read");
    as_of = *time;
    return {};
  }

  Result<std::string> column(const std::string& name) {
    const Text quoted(PQescapeIdentifier(connection.get(), name.c_str(), name.size()));
    if (quoted == nullptr) return fail(Errc::kInvalid, "this is no name of a column", "--since");
    return std::string(quoted.get());
  }

  // The query, narrowed to what is new if it is asked for.
  Result<std::string> narrowed(const std::string& query, const PostgresSettings& settings) {
    if (settings.since.empty()) return query;
    auto name = column(settings.since);
    if (!name) return pass(std::move(name));
    auto greatest = ask("SELECT max(q." + *name + ")::text FROM (" + query + "\n) q", PGRES_TUPLES_OK);
    if (!greatest) return pass(std::move(greatest));
    if (PQgetisnull(greatest->get(), 0, 0) == 0) newest = PQgetvalue(greatest->get(), 0, 0);
    if (!settings.after) return query;
    const Text value(PQescapeLiteral(connection.get(), settings.after->c_str(), settings.after->size()));
    if (value == nullptr) return fail(Errc::kInvalid, "the value kept from the last import cannot be used", "--since");
    return "SELECT * FROM (" + query + "\n) q WHERE q." + *name + " >= " + value.get();
  }
};

PostgresQuery::PostgresQuery(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PostgresQuery::PostgresQuery(PostgresQuery&&) noexcept = default;
PostgresQuery& PostgresQuery::operator=(PostgresQuery&&) noexcept = default;
PostgresQuery::~PostgresQuery() = default;

Result<PostgresQuery> PostgresQuery::open(const PostgresSettings& settings) {
  if (auto good = check_connection(settings.connection); !good) return pass(std::move(good));
  auto query = check_query(settings.query);
  if (!query) return pass(std::move(query));
  auto impl = std::make_unique<Impl>();
  if (auto connected = impl->connect(settings.connection); !connected) return pass(std::move(connected));
  if (auto begun = impl->begin(); !begun) return pass(std::move(begun));
  auto rows = impl->narrowed(*query, settings);
  if (!rows) return pass(std::move(rows));
  auto copying = impl->ask("COPY (" + *rows + "\n) TO STDOUT (FORMAT csv, HEADER)", PGRES_COPY_OUT);
  if (!copying) return pass(std::move(copying));
  impl->buffer = std::make_unique<CopyBuffer>(impl->connection.get());
  impl->rows = std::make_unique<std::istream>(impl->buffer.get());
  return PostgresQuery(std::move(impl));
}

std::istream& PostgresQuery::rows() { return *impl_->rows; }

Result<void> PostgresQuery::finish() {
  if (!impl_->buffer->at_end()) return fail(Errc::kInternal, "the rows have not been read to their end");
  const Answer answer(PQgetResult(impl_->connection.get()));
  if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) {
    if (PQstatus(impl_->connection.get()) != CONNECTION_OK) {
      return fail(Errc::kUnavailable, "the connection to PostgreSQL broke: " + said(PQerrorMessage(impl_->connection.get())), "--postgres");
    }
    return tl::unexpected<Error>(refused(impl_->connection.get(), answer.get()));
  }
  return {};
}

Time PostgresQuery::as_of() const { return impl_->as_of; }
const std::optional<std::string>& PostgresQuery::newest() const { return impl_->newest; }

}  // namespace tocsin::engine
