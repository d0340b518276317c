// From the outbox to the channel: issue (a ledger entry for each notice), reserve, hand over, note what is known. A
// thread of its own.
//
// What is promised: a message is handed to the transport at most once unless a person asks for it again. A crash
// between reserving and noting leaves "reserved"; at the next start the channel is asked. The mailbox knows; SMTP
// cannot know, so the delivery becomes "unknown" and a person decides. Nothing is ever resent in silence.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "notifier/channel/channel.hpp"
#include "notifier/dispatch/notices.hpp"

namespace tocsin::notifier {

struct DispatchOptions {
  std::string from;
  std::string from_name;
  std::uint32_t per_minute = 0;   // 0 = as fast as the channel takes them
  std::size_t batch = 200;        // reserved at once where the channel can be asked; 1 where it cannot
  int most_attempts = 8;          // after it, failed
};

class Dispatcher {
 public:
  Dispatcher(storage::Database& db, storage::Ledger& ledger, storage::Vault& vault, Notices& notices, std::unique_ptr<Channel> channel,
             const Clock& clock, DispatchOptions options, std::function<void(std::int64_t notice)> on_change);
  ~Dispatcher();  // stops
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Settles what a crash left reserved. Call once, before start().
  [[nodiscard]] Result<void> recover();
  void start();
  void stop();
  // There may be something to do: looks at once instead of at the next tick. Thread-safe.
  void wake();

  // One round in the calling thread: up to one batch. Returns how many messages were handed to the channel.
  [[nodiscard]] Result<std::size_t> run_once();

  // Why nothing is being sent, for a person; empty if all is well. Thread-safe.
  [[nodiscard]] std::string trouble() const;

 private:
  void loop();
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] Result<void> keep(std::span<const storage::Delivery> deliveries);
  void hand_over(storage::Delivery& delivery, const storage::Notice& notice, Time now);

  storage::Database& db_;
  storage::Ledger& ledger_;
  storage::Vault& vault_;
  Notices& notices_;
  std::unique_ptr<Channel> channel_;
  const Clock& clock_;
  DispatchOptions options_;
  std::function<void(std::int64_t)> on_change_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;   // guarded by mutex_
  bool woken_ = false;      // guarded by mutex_
  std::string trouble_;     // guarded by mutex_
  Time not_before_{};       // of the rate, or after trouble; dispatcher's thread only
  std::thread thread_;
};

}  // namespace tocsin::notifier
