// Work for the thread that detects, which alone owns the registers: a handler hands it over and waits, the detector does it
// between two batches of records.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "rules/base/result.hpp"

namespace tocsin::engine {

// Thread-safe, except that do_waiting() is for one thread.
class Errands {
 public:
  static constexpr std::size_t kMaxWaiting = 8;
  using Work = std::function<Result<void>()>;

  // Waits until the work is done and gives what it gave. Errors: kBusy (kMaxWaiting others wait), kUnavailable (closed
  // before it was begun).
  [[nodiscard]] Result<void> run(Work work);
  // Does what waits, in order.
  void do_waiting();
  // Nothing is begun any more; those who wait are told.
  void close();

 private:
  struct Errand {
    Work work;
    bool done = false;
    Result<void> outcome;
  };
  std::mutex mutex_;
  std::condition_variable done_;
  std::deque<std::shared_ptr<Errand>> waiting_;  // guarded by mutex_
  bool closed_ = false;                          // guarded by mutex_
};

}  // namespace tocsin::engine
