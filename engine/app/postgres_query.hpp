// A register's people straight from a PostgreSQL database: the rows of one query as a stream of CSV with a header line.
// The only place that includes libpq.
//
// The database is read within one READ ONLY, REPEATABLE READ transaction, by COPY … TO STDOUT, so memory stays small however
// many people come. A password comes from PGPASSWORD, a pgpass file or a service file: never from a command line.
#pragma once

#include <istream>
#include <memory>
#include <optional>
#include <string>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

struct PostgresSettings {
  std::string connection;  // "host=db dbname=clinic user=register", or a postgresql:// address; without a password
  std::string query;       // one SELECT, VALUES or TABLE
  std::string since;       // a column of it: only rows whose value is not less than `after`
  std::optional<std::string> after;  // as PostgreSQL wrote it the last time
};

class PostgresQuery {
 public:
  // Errors: kInvalid (a password in `connection`, not one reading statement, what PostgreSQL says of the query),
  // kUnavailable (no connection). No message holds the connection's password.
  [[nodiscard]] static Result<PostgresQuery> open(const PostgresSettings& settings);
  PostgresQuery(PostgresQuery&&) noexcept;
  PostgresQuery& operator=(PostgresQuery&&) noexcept;
  ~PostgresQuery();

  [[nodiscard]] std::istream& rows();
  // After the last row: whether they all came. Rows MUST NOT be kept before this said so.
  [[nodiscard]] Result<void> finish();

  [[nodiscard]] Time as_of() const;  // the moment of the rows, by the database's clock
  // The greatest value of the column `since` in the same state of the database; nullopt if there is none.
  [[nodiscard]] const std::optional<std::string>& newest() const;

 private:
  struct Impl;
  explicit PostgresQuery(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::engine
