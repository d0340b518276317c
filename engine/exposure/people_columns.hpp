// Which columns of a query's tables name people, and of which dataset.
#pragma once

#include <vector>

#include "engine/exposure/datasets.hpp"
#include "engine/exposure/reader_state.hpp"
#include "engine/sql/reading.hpp"

namespace tocsin::engine {

// Of the query's source `i`: as configured or, unconfigured, as tables and registers are called; for a view without
// a known definition, the tables it rests on, with an empty column.
[[nodiscard]] std::vector<PersonColumn> person_columns(const StatementLine& line, const sql::Query& query, std::size_t i);
// Of a table by its name alone.
[[nodiscard]] std::vector<PersonColumn> person_columns(const StatementLine& line, const std::string& relation);

}  // namespace tocsin::engine
