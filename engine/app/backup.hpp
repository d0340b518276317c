// A data directory in one file and back: an ordinary tar archive (POSIX ustar) with the SHA-256 of every file in
// it as its last member, so that `tar` and `sha256sum -c` can do without us. Page: ops/docs/formats/backup.md.
//
// Works beside a running engine. The parts are taken in the order in which they lead to each other: ledger (as
// far as its checkpoint), database, journal, keys. What a later part has more than an earlier one is what the
// engine's own start makes good: unpublished entries, an unfinished batch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

struct BackupOptions {
  std::filesystem::path data;
  std::filesystem::path keys;   // empty = data/keys
  bool with_keys = false;       // also the keys: then whoever has the file can read everything in it
  bool replace = false;         // an existing file
  std::function<void(std::uint64_t bytes)> progress;
};

struct BackupSummary {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of their contents
};

// Writes the archive (mode 0600); it appears under its name only when it is complete and synced. Errors:
// kNotFound (no data there), kConflict (the file exists), kTooLarge (disk full), kIo.
[[nodiscard]] Result<BackupSummary> write_backup(const BackupOptions& options, const std::filesystem::path& file, Time now);

// Unpacks an archive into `data`, which must be absent or empty. Nothing appears there unless every file has the
// sum that the archive says. Errors: kConflict, kCorrupt (naming the member), kIo.
[[nodiscard]] Result<BackupSummary> restore_backup(const std::filesystem::path& file, const std::filesystem::path& data,
                                                   const std::function<void(std::uint64_t bytes)>& progress);

}  // namespace tocsin::engine
