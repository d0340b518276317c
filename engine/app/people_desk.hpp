// What the commands about people share: one data directory with register, vault and ledger, opened without the
// rest of the engine.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::engine {

struct PeopleDesk {
  std::unique_ptr<storage::Database> db;
  std::shared_ptr<const storage::Keys> keys;  // null if opened for pseudonyms only
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::Ledger> ledger;

  // Opens for naming people: exclusive, because each naming goes into the ledger. With `create`, makes what is
  // missing. Error kUnavailable with a remedy while an engine runs on the directory.
  [[nodiscard]] static Result<PeopleDesk> open(const std::filesystem::path& data, const std::filesystem::path& keys,
                                               bool create);
  // Opens for questions that name nobody; works beside a running engine and needs no key.
  [[nodiscard]] static Result<PeopleDesk> open_pseudonyms(const std::filesystem::path& data);
};

// A time given on the command line: RFC 3339; without a zone it is UTC; a date alone is its beginning.
[[nodiscard]] Result<std::optional<Time>> time_option(const std::string& text, const char* option);

// Who acts, for the ledger: the login name of the person at the terminal is not known to Tocsin's users.
inline constexpr const char* kCommandLine = "command-line";

}  // namespace tocsin::engine
