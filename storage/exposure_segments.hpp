// The life of the index's segments in a data directory: rows are sealed into them, small ones are merged, old ones
// dropped. The database says which files count, so each step is one transaction: a crash leaves the step done or not
// done, and at worst a file that nobody names, which tidy_segments removes.
//
//   DATA/tocsin.db                          exposure_segment: which files count
//   DATA/exposure/exp-0000000000000001.tes  …
//
// Sealing, merging and dropping are for the process that owns the database, one at a time per kind; reading is for
// all, also for another process beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/exposure/query.hpp"
#include "storage/exposure_store.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage {

struct SealOptions {
  std::size_t at_least = 20'000;  // rows that can be sealed; fewer are left alone
  std::size_t at_most = 200'000;  // rows at once: bounds memory
  std::uint64_t up_to_seq = INT64_MAX;  // rows of later records stay: a restart still asks for them (ExposureStore::since)
  std::size_t leave = 5'000;      // the newest rows stay: a later line of the log may still replace them
};

struct SealReport {
  std::uint64_t reaches = 0, accesses = 0, segments = 0, bytes = 0;
};

// Moves rows into the index. Only rows that came through the journal and can no longer change: not whole datasets,
// not cursors, not unknowns. Answers are the same before and after, to the second.
[[nodiscard]] Result<SealReport> seal_reaches(Database& db, const SealOptions& options = {});

inline constexpr std::size_t kMergeFrom = 8;  // segments of about one size in one slice

// Merges the small segments of one slice, if there are enough of them; `merged` 0 = nothing to do.
struct MergeReport {
  std::uint64_t merged = 0, accesses = 0, bytes_before = 0, bytes_after = 0;
};
[[nodiscard]] Result<MergeReport> merge_segments(Database& db, Time now, std::size_t from = kMergeFrom);

// Forgets what ended before `before`: whole segments, and rows. The number of accesses and rows dropped.
[[nodiscard]] Result<std::uint64_t> drop_exposure(Database& db, Time before, Time now);

// Removes files that no longer count: those replaced an hour ago or more, and, with `at_start`, those that a crash
// left behind. Returns how many.
[[nodiscard]] Result<std::uint64_t> tidy_segments(Database& db, Time now, bool at_start);

// The open segments that can hold something in this window; what cannot be opened goes to `damage`.
[[nodiscard]] Result<exposure::Segments> segments_for(Reader& reader, exposure::Seconds window, exposure::Damage& damage);

// Names of all files that count, within the data directory ("exposure/exp-….tes"); for backups.
[[nodiscard]] Result<std::vector<std::string>> segment_files(Reader& reader);
[[nodiscard]] bool is_segment_file(std::string_view name);

// For exposure_repair: where a segment lies; whether a reach can be sealed; and that a segment counts no more.
[[nodiscard]] std::filesystem::path segment_path(const Reader& reader, std::int64_t id);
[[nodiscard]] std::filesystem::path segment_path(const Database& db, std::int64_t id);
[[nodiscard]] bool is_sealable(const StoredReach& reach);
[[nodiscard]] Result<void> retire_segment(Transaction& tx, std::int64_t id, Time now);

// Reads every block of every segment. One error for each that is damaged or gone.
[[nodiscard]] Result<std::vector<Error>> verify_segments(Reader& reader);

}  // namespace tocsin::storage
