// The people behind the pseudonyms: who was exposed, who saw a person, and what a pseudonym stands for. Asking for a
// person by id, or for the names behind pseudonyms, is an act: it needs a reason and is put on record first.
#pragma once

#include "engine/api/people_json.hpp"
#include "engine/api/router.hpp"
#include "rules/base/time.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxRevealed = kMaxPeoplePage;  // pseudonyms in one request
inline constexpr std::uint64_t kMaxWatchersPage = 1000;
inline constexpr std::size_t kMaxReason = 2000;              // bytes

// All must outlive the router. Without vault and ledger (both null) nobody can be named: a person is asked for by
// pseudonym, and nothing goes on record. That is for reading beside a running engine.
struct PeopleApi {
  storage::Database& database;
  const PeopleSource& people;
  const Clock& clock;
  storage::Vault* vault = nullptr;
  storage::Ledger* ledger = nullptr;
};

// GET /v1/exposed, POST /v1/who-saw, POST /v1/people/reveal; for analysts and managers (exposed: approvers, too).
void add_people_routes(Router& router, const PeopleApi& api);

}  // namespace tocsin::engine
