// Work is handed over, done in order on one thread, and nobody waits for ever.
#include "engine/app/errands.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tocsin::engine {
namespace {

// Runs what waits until told to end.
class Worker {
 public:
  explicit Worker(Errands& errands) : errands_(errands), thread_([this] {
    while (!over_) {
      errands_.do_waiting();
      std::this_thread::yield();
    }
  }) {}
  ~Worker() {
    over_ = true;
    thread_.join();
  }
  std::thread::id id() const { return thread_.get_id(); }

 private:
  Errands& errands_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

TEST(Errands, AreDoneByTheOneWhoWorksAndTheirOutcomeComesBack) {
  Errands errands;
  const Worker worker(errands);
  std::thread::id by;
  EXPECT_TRUE(errands.run([&]() -> Result<void> { by = std::this_thread::get_id(); return {}; }));
  EXPECT_EQ(by, worker.id());
  auto failed = errands.run([]() -> Result<void> { return fail(Errc::kNotFound, "no such register"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "no such register");
  auto thrown = errands.run([]() -> Result<void> { throw std::runtime_error("secret"); });
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code, Errc::kInternal);
  EXPECT_EQ(thrown.error().message.find("secret"), std::string::npos);
}

TEST(Errands, OfManyAreAllDoneAndOneAtATime) {
  Errands errands;
  const Worker worker(errands);
  int inside = 0, most = 0, done = 0;  // of the worker's thread only
  std::vector<std::thread> askers;
  for (std::size_t i = 0; i < Errands::kMaxWaiting; ++i) {
    askers.emplace_back([&] {
      EXPECT_TRUE(errands.run([&]() -> Result<void> {
        most = std::max(most, ++inside);
        ++done;
        --inside;
        return {};
      }));
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(done, static_cast<int>(Errands::kMaxWaiting));
}

TEST(Errands, MoreThanMayWaitAreRefusedAndThoseWhoWaitAreToldOfTheEnd) {
  Errands errands;  // nobody works
  std::atomic<int> told{0}, busy{0};
  std::vector<std::thread> askers;
  for (std::size_t i = 0; i < Errands::kMaxWaiting + 1; ++i) {
    askers.emplace_back([&] {
      auto done = errands.run([]() -> Result<void> { return {}; });
      ASSERT_FALSE(done);
      if (done.error().code == Errc::kBusy) ++busy;
      if (done.error().code == Errc::kUnavailable) ++told;
    });
  }
  while (busy == 0) std::this_thread::yield();
  errands.close();
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(busy, 1);
  EXPECT_EQ(told, static_cast<int>(Errands::kMaxWaiting));
  auto late = errands.run([]() -> Result<void> { return {}; });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace tocsin::engine
