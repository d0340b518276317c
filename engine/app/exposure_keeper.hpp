// Looks after the index of exposure while the engine runs: seals reaches as they gather, merges small segments, drops
// what is too old, and tells aloud of segments that are damaged.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/exposure_repair.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::engine {

class ExposureKeeper {
 public:
  struct Tell {
    std::function<void(const std::string&)> note, alarm;
  };
  // `keep_days` 0 = for ever. `db` MUST outlive this.
  // A restart reads the newest `warm_records` records again, and with them their reaches: those stay rows, and so do
  // those since the windows of correlations were last kept.
  ExposureKeeper(storage::Database& db, std::uint32_t keep_days, std::uint64_t warm_records, Tell tell)
      : db_(db), keep_days_(keep_days), warm_records_(warm_records), tell_(std::move(tell)) {}

  // Before detection starts: removes what a crash left behind, holds every segment against its checksums, and makes those
  // that are damaged or gone again from what `read_again` finds in the journal (exposure_repair.hpp).
  // Where reading all of it again fell short (people were erased since), that is remembered, and not tried at every start:
  // only in another week, when the journal begins elsewhere than at `oldest`, or when other segments are lost with them.
  using ReadAgain = std::function<Result<void>(const storage::LostSegments&, const storage::KeepLost&)>;
  void start(Time now, std::uint64_t oldest, const ReadAgain& read_again);
  // After `reaches` more were stored, in the thread that stores them: seals when it is time.
  void stored(std::size_t reaches);
  // From time to time, in another thread: one merge if there is one to do; retention and tidying.
  void tend(Time now);
  // Every block of every segment; once a day is enough.
  void verify();

  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

 private:
  bool repair(const storage::LostSegments& lost, Time now, std::uint64_t oldest, const ReadAgain& read_again);

  storage::Database& db_;
  std::uint32_t keep_days_;
  std::uint64_t warm_records_;
  Tell tell_;
  std::size_t waiting_ = 0;  // rows stored since the last sealing; belongs to the storing thread
  std::atomic<std::uint64_t> damaged_{0};
};

}  // namespace tocsin::engine
