// The people behind the pseudonyms: who was exposed, who saw a person, and what a pseudonym stands for. Asking for a
// person by id, or for the names behind pseudonyms, is an act: it needs a reason and is put on record first.
#pragma once

#include "engine/api/router.hpp"
#include "rules/base/time.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxRevealed = 500;      // pseudonyms in one request
inline constexpr std::uint64_t kMaxPeoplePage = 1000;
inline constexpr std::size_t kMaxReason = 2000;       // bytes

// GET /v1/exposed, POST /v1/who-saw, POST /v1/people/reveal; for analysts and managers (exposed: approvers, too).
// All must outlive the router.
void add_people_routes(Router& router, storage::Database& database, storage::Vault& vault, storage::Ledger& ledger,
                       const Clock& clock);

}  // namespace tocsin::engine
