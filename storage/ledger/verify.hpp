// The whole record checked against itself: every byte of every ledger file, the database's copy, the signature.
// Reads only; works while an engine is writing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/ledger/merkle.hpp"
#include "storage/ledger/note.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

// One thing that is not as it must be. `file` is relative to the ledger's directory, or "database".
struct LedgerDamage {
  std::string file;
  std::optional<std::uint64_t> byte;   // offset of the first wrong byte in the file
  std::optional<std::uint64_t> entry;  // index of the entry concerned
  std::string what;

  [[nodiscard]] std::string text() const;  // "tile/entries/000.p/8, byte 117 (entry 3): the entry was changed"
};

struct LedgerVerdict {
  std::uint64_t size = 0;  // of the signed checkpoint
  Hash root{};
  std::string origin;
  std::uint64_t files = 0;  // files read in full
  std::uint64_t bytes = 0;
  bool with_database = false;
  std::vector<LedgerDamage> damage;  // empty = all well; at most kMaxDamage
  static constexpr std::size_t kMaxDamage = 100;
  [[nodiscard]] bool well() const noexcept { return damage.empty(); }
};

struct VerifyOptions {
  std::optional<VerifierKey> key;        // known from elsewhere; else the one in the ledger's directory
  std::optional<std::string> checkpoint; // a signed checkpoint kept elsewhere: must be a prefix of this record
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // in entries
};

// Checks the ledger in `dir`, and `db` (of the same data directory) if it is given. What is wrong comes back as
// damage; an error is only what keeps from looking (kNotFound: no ledger there; kIo).
[[nodiscard]] Result<LedgerVerdict> verify_ledger(const std::filesystem::path& dir, Database* db,
                                                  const VerifyOptions& options);

}  // namespace tocsin::storage
