// One data directory, open for writing: the database with all its families, the keys, the vault, the ledger and the
// registers in memory. Shared by serve and replay; closing it is destroying it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "engine/app/config.hpp"
#include "engine/detect/pipeline.hpp"
#include "engine/respond/respond.hpp"
#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/journal/journal.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/exposure_store.hpp"
#include "storage/people.hpp"
#include "storage/progress_store.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::engine {

struct State {
  std::filesystem::path dir;
  std::unique_ptr<storage::Database> db;
  std::shared_ptr<const storage::Keys> keys;
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::Ledger> ledger;
  std::unique_ptr<storage::Registers> registers;

  // Makes what is missing. Errors: kUnavailable (another process has it), kCorrupt, kIo.
  // `origin` names the ledger if this is its first start; afterwards the stored name stands. `tell`: of open_data_folder.
  [[nodiscard]] static Result<std::unique_ptr<State>> open(const std::filesystem::path& dir, const std::filesystem::path& keys_dir,
                                                           const std::string& origin, const std::function<void(const std::string&)>& tell = {});
};

// The ledger's name: the public address without its scheme ("tocsin.example.org/ledger"), or empty for the default.
[[nodiscard]] std::string ledger_origin(const Config& config);

// Imports the registers that the configuration names, if their files have changed since the last time. A register
// that cannot be read is an error; bad lines in it are told through `tell` and skipped.
[[nodiscard]] Result<void> import_registers(State& state, const Config& config, Time now,
                                            const std::function<void(const std::string&)>& tell);

// What detection remembers beyond its effects, as bytes that outlast a restart. Empty = not to be kept this time.
struct Memory {
  std::string windows;  // of correlations
  std::string learned;  // by the reader of exposure, of sessions and relations
  std::string log_readers;  // of logs in which secrets stand, and of who read them
  [[nodiscard]] bool empty() const noexcept { return windows.empty() && learned.empty() && log_readers.empty(); }
};

// Stores what detection made of a batch, with the progress, in one transaction: registers, reaches, findings, and
// `memory`, as it is behind the last of these records.
[[nodiscard]] Result<void> keep(State& state, Respond& respond, const Effects& effects, storage::Seq processed, Time now,
                                const Memory& memory = {});

// What the reader of exposure had learned by some record, unsealed; nullopt = nothing was kept.
[[nodiscard]] Result<std::optional<storage::ProgressStore::Snapshot>> kept_learned(const State& state);

// A reach as it is stored.
[[nodiscard]] storage::StoredReach stored_form(const Reach& reach);

// A reach as it was stored, as far as detection asks for it again: actor, dataset, people, how many and how sure.
[[nodiscard]] Reach reach_from(const storage::StoredReach& stored);

// The pipeline's setup from the configuration: rules (of a RuleBook), scanner, datasets, sources. What is doubtful is
// told through `tell`, one line each.
[[nodiscard]] Result<PipelineSetup> make_setup(const Config& config, std::shared_ptr<const rules::sigma::Engine> rules,
                                               std::shared_ptr<const storage::Keys> keys,
                                               const std::function<void(const std::string&)>& tell);

[[nodiscard]] DatasetMap dataset_map(const Config& config);

}  // namespace tocsin::engine
