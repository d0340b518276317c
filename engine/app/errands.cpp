// An errand is shared by the one who waits and the one who works, so neither outlives what it needs.
#include "engine/app/errands.hpp"

#include <utility>

namespace tocsin::engine {

Result<void> Errands::run(Work work) {
  auto errand = std::make_shared<Errand>();
  errand->work = std::move(work);
  std::unique_lock lock(mutex_);
  if (closed_) return fail(Errc::kUnavailable, "the engine is stopping", {}, "repeat the command");
  if (waiting_.size() >= kMaxWaiting) return fail(Errc::kBusy, "too many changes of registers wait", {}, "try again later");
  waiting_.push_back(errand);
  done_.wait(lock, [&] { return errand->done; });
  return std::move(errand->outcome);
}

void Errands::do_waiting() {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    const std::shared_ptr<Errand> errand = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    Result<void> outcome;
    try {
      outcome = errand->work();
    } catch (const std::exception&) {  // no memory: the detector goes on, and the asker is told
      outcome = fail(Errc::kInternal, "the work failed");
    }
    lock.lock();
    errand->outcome = std::move(outcome);
    errand->done = true;
    done_.notify_all();
  }
}

void Errands::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& errand : waiting_) {
    errand->outcome = fail(Errc::kUnavailable, "the engine is stopping", {}, "repeat the command");
    errand->done = true;
  }
  waiting_.clear();
  done_.notify_all();
}

}  // namespace tocsin::engine
