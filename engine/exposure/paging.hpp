// A page of a list in the order of keys: ORDER BY key LIMIT n OFFSET m, keyset paging, FETCH n from such a cursor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/exposure/answer.hpp"
#include "engine/exposure/evaluate.hpp"

namespace tocsin::engine {

// The people who can be on the page that `run` asked for; `people` are those whom its conditions leave ("all": everyone).
// nullopt if it is no page, or its order or conditions do not tell who is on it: then `why` says so, if it is one.
// `source` is the only table of `query` whose rows come, the register's own with the key `key`.
[[nodiscard]] std::optional<PeopleSet> page(StatementLine& line, const QueryRun& run, const sql::Query& query, EvaluationInput& input, int source,
                                            const PersonColumn& key, const PeopleSet& people, std::string& why);

}  // namespace tocsin::engine
