// The ledger as the API shows it: state and entries for users, checkpoint and tiles for anybody (C2SP tlog-tiles).
#pragma once

#include <filesystem>

#include "engine/api/router.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/user_store.hpp"

namespace tocsin::engine {

inline constexpr std::uint64_t kMaxLedgerPage = 500;

// GET /v1/ledger, /v1/ledger/entries, /v1/ledger/proof/{index}, /ledger/checkpoint, /ledger/tile/{path...}. `dir` is
// where the ledger publishes. All must outlive the router.
void add_ledger_routes(Router& router, storage::Database& database, const storage::Ledger& ledger,
                       std::filesystem::path dir);

// What UserStore wants: each decision becomes an entry of the ledger.
[[nodiscard]] storage::UserStore::Recorder ledger_recorder(storage::Ledger& ledger);

}  // namespace tocsin::engine
