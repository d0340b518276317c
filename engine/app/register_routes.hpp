// What changes who is known: importing a register, applying changes to it, erasing a person. The handlers behind `tocsin
// register` and `tocsin forget`, for a data directory that is free as for an engine that runs on it.
//
//   POST /v1/local/registers/{dataset}/import     one line of JSON (the options), then the rows: CSV or NDJSON
//   POST /v1/local/registers/{dataset}/changes    one line of JSON, then the changes, one JSON object a line
//   POST /v1/local/registers/{dataset}/watermark  {"since", "query"} → {"after"}: how far the last import by this query came
//   POST /v1/local/registers/{dataset}/erase      {"subject", "reason"} → {"pseudonym"}
//   GET  /v1/local/registers                      {"done", "total"}: bytes of the import that runs
#pragma once

#include <functional>
#include <memory>

#include "engine/api/router.hpp"
#include "rules/base/time.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/people.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxRegisterUpload = 1UL << 30;  // bytes of rows or changes in one request

struct RegisterDesk {
  using Work = std::function<Result<void>(storage::Registers&)>;
  storage::Database& db;
  storage::Vault& vault;
  storage::Ledger& ledger;
  std::shared_ptr<const storage::Keys> keys;
  const Clock& clock;
  // Runs the work where the registers may be changed, and waits for it. Only with `loaded` need they hold everybody.
  std::function<Result<void>(bool loaded, const Work&)> alone;
  // What was learned could not be stored: true = try again (a pause lies behind us), false = give up.
  std::function<bool(const Error&)> again;
};

// The references MUST outlive the router. The data's families of register and progress MUST be migrated.
void add_register_routes(Router& router, RegisterDesk desk);

}  // namespace tocsin::engine
