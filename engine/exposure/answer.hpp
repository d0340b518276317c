// A query that gives rows to the client, and whom those rows can have been about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/exposure/evaluate.hpp"
#include "engine/exposure/reader_state.hpp"

namespace tocsin::engine {

struct QueryRun {
  const sql::Query& query;
  Parameters parameters;
  storage::Span when;
  std::string way;
  std::string key;
  std::optional<std::uint64_t> rows;       // exactly that many rows left
  std::optional<std::uint64_t> most_rows;  // at most that many
  bool jumped = false;                     // a cursor that was moved: they are not its first ones
  Time first{};
  bool failed = false;
  std::string place;
  std::vector<Origin> also;
  bool several = false;  // one of several statements of a message: which one is not known
};

// Reports the people of every dataset that the query reached.
void answer(StatementLine& line, QueryRun& run);

// Where only the relation (if any) and the row count are known: everyone in it.
void by_relation(StatementLine& line, const std::string& why);

}  // namespace tocsin::engine
