// What is known about PostgreSQL's functions: which cannot show a person, which show one value, which work on
// one row only. Everything else may be an aggregate or return many rows, and is treated so.
#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin::engine::sql {

enum class FunctionKind : std::uint8_t {
  kStatistic,  // aggregate that gives a number about many: count, sum, avg, …
  kValue,      // aggregate that gives single values: min, max
  kScalar,     // one row in, one value out
  kRanking,    // window function that shows no other row: row_number, rank, …
  kUnknown,
};

// `name` in lower case, of pg_catalog.
[[nodiscard]] FunctionKind function_kind(std::string_view name) noexcept;

// Whether a function brings what the log names no relation for: rows of other servers, files, large objects, the
// stream of replication.
[[nodiscard]] bool reads_elsewhere(std::string_view name) noexcept;

}  // namespace tocsin::engine::sql
