// Nothing here may stop detection: what fails is told, and tried again later.
#include "engine/app/exposure_keeper.hpp"

#include <algorithm>

#include "storage/exposure_segments.hpp"
#include "storage/progress_store.hpp"

namespace tocsin::engine {

void ExposureKeeper::start(Time now, std::uint64_t oldest, const ReadAgain& read_again) {
  if (auto tidied = storage::tidy_segments(db_, now, true); !tidied) tell_.alarm("exposure index: " + tidied.error().text());
  auto lost = db_.read([](storage::Reader& reader) { return storage::lost_segments(reader); });
  if (!lost) {
    tell_.alarm("exposure index: " + lost.error().text());
    return;
  }
  std::uint64_t damaged = 0;
  for (const storage::LostSegments& group : *lost) {
    for (const Error& error : group.errors) tell_.alarm("exposure index: " + error.text());
    if (!repair(group, now, oldest, read_again)) damaged += group.parts.size();
  }
  damaged_ = damaged;
  waiting_ = storage::SealOptions().at_least;  // look once whether rows have been left from before
}

bool ExposureKeeper::repair(const storage::LostSegments& lost, Time now, std::uint64_t oldest, const ReadAgain& read_again) {
  // What reading them again would find is settled by these, but for what the log teaches meanwhile of views.
  std::string same = "week " + std::to_string(now.time_since_epoch() / std::chrono::hours(24 * 7)) + ", from " + std::to_string(oldest) + ", segments";
  for (const storage::LostSegments::Part& part : lost.parts) same += " " + std::to_string(part.id);
  const std::string note = "exposure-repair " + std::to_string(lost.slice);
  auto before = db_.read([&](storage::Reader& reader) { return storage::ProgressStore::note(reader, note); });
  std::string why;
  if (before && *before == same) why = "reading the journal again fell short before, and would again";
  Result<storage::Repaired> repaired = storage::Repaired{};
  if (why.empty()) {
    repaired = storage::repair_segments(db_, lost, now, [&](const storage::KeepLost& keep) {
      auto read = read_again(lost, keep);
      if (!read) why = read.error().text();
      return read;
    });
  }
  const std::string what = std::to_string(lost.accesses()) + " accesses from " + format_rfc3339(lost.from) + " to " + format_rfc3339(lost.to);
  if (repaired && repaired->whole) {
    tell_.note("exposure index: " + what + " were made again from the journal");
    return true;
  }
  if (!repaired) {
    why = repaired.error().text();
  } else if (why.empty()) {
    why = "reading the journal again gives " + std::to_string(repaired->found) + "; people may have been erased since";
    auto kept = db_.write([&](storage::Transaction& tx) { return storage::ProgressStore::set_note(tx, note, same); });
    if (!kept) tell_.alarm("exposure index: " + kept.error().text());
  }
  tell_.alarm("exposure index: " + what + " cannot be made again from the journal (" + why +
              "); answers about that time say that people may be missing: restore the file from a backup");
  return false;
}

void ExposureKeeper::stored(std::size_t reaches) {
  waiting_ += reaches;
  if (waiting_ < storage::SealOptions().at_least) return;
  waiting_ = 0;
  auto up_to = db_.read([&](storage::Reader& reader) -> Result<std::uint64_t> {
    auto processed = storage::ProgressStore::processed(reader);
    if (!processed) return pass(std::move(processed));
    auto windows = storage::ProgressStore::snapshot(reader, storage::ProgressStore::kWindows);
    if (!windows) return pass(std::move(windows));
    const std::uint64_t read_again = *processed > warm_records_ ? *processed - warm_records_ : 0;
    return *windows ? std::min<std::uint64_t>(read_again, (*windows)->seq) : read_again;
  });
  if (!up_to) {
    tell_.alarm("exposure index: " + up_to.error().text());
    return;
  }
  storage::SealOptions options;
  options.up_to_seq = *up_to;
  auto sealed = storage::seal_reaches(db_, options);
  if (!sealed) {
    tell_.alarm("exposure index: reaches stay unsealed: " + sealed.error().text());
  } else if (sealed->reaches > 0) {
    tell_.note("exposure index: " + std::to_string(sealed->reaches) + " reaches sealed, " + std::to_string(sealed->accesses) + " accesses in " +
               std::to_string(sealed->bytes) + " bytes");
  }
}

void ExposureKeeper::tend(Time now) {
  if (keep_days_ > 0) {
    auto dropped = storage::drop_exposure(db_, now - std::chrono::hours(24) * static_cast<int>(keep_days_), now);
    if (!dropped) tell_.alarm("exposure index: " + dropped.error().text());
    else if (*dropped > 0) tell_.note("exposure index: " + std::to_string(*dropped) + " accesses older than " + std::to_string(keep_days_) + " days dropped");
  }
  auto merged = storage::merge_segments(db_, now);
  if (!merged) {
    tell_.alarm("exposure index: " + merged.error().text());
  } else if (merged->merged > 0) {
    tell_.note("exposure index: " + std::to_string(merged->merged) + " segments merged, " + std::to_string(merged->bytes_before) + " to " +
               std::to_string(merged->bytes_after) + " bytes");
  }
  if (auto tidied = storage::tidy_segments(db_, now, false); !tidied) tell_.alarm("exposure index: " + tidied.error().text());
}

void ExposureKeeper::verify() {
  auto errors = db_.read([](storage::Reader& reader) { return storage::verify_segments(reader); });
  if (!errors) {
    tell_.alarm("exposure index: " + errors.error().text());
    return;
  }
  damaged_ = errors->size();
  for (const Error& error : *errors) tell_.alarm("exposure index: " + error.text() + "; the next start makes it again from the journal, or restore the file from a backup");
}

}  // namespace tocsin::engine
