// The feed: tellers hand a message to every listener; a listener's handle keeps it on the list.
#include <algorithm>
#include <mutex>

#include "engine/api/router.hpp"

namespace tocsin::engine {
namespace {

using Listener = std::function<void(std::string, std::string)>;

// The lock is held while the listener runs: once the handle is gone, it will never be called again.
struct Subscription {
  std::mutex mutex;
  bool ended = false;  // guarded by mutex
  Listener listener;
};

struct Handle {
  explicit Handle(std::shared_ptr<Subscription> held) : subscription(std::move(held)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    const std::lock_guard lock(subscription->mutex);
    subscription->ended = true;
    subscription->listener = nullptr;
  }
  std::shared_ptr<Subscription> subscription;
};

}  // namespace

struct Feed::Impl {
  std::mutex mutex;
  std::vector<std::weak_ptr<Subscription>> subscriptions;  // guarded by mutex
};

Feed::Feed() : impl_(std::make_shared<Impl>()) {}
Feed::~Feed() = default;

void Feed::tell(std::string_view kind, std::string_view id) {
  std::vector<std::shared_ptr<Subscription>> current;
  {
    const std::lock_guard lock(impl_->mutex);
    std::erase_if(impl_->subscriptions, [](const auto& held) { return held.expired(); });
    current.reserve(impl_->subscriptions.size());
    for (const auto& held : impl_->subscriptions) {
      if (auto subscription = held.lock()) current.push_back(std::move(subscription));
    }
  }
  if (current.empty()) return;
  const std::string data = boost::json::serialize(boost::json::object{{"id", id}});
  for (const auto& subscription : current) {
    const std::lock_guard lock(subscription->mutex);
    if (!subscription->ended) subscription->listener(std::string(kind), data);
  }
}

std::shared_ptr<void> Feed::listen(Listener listener) {
  auto subscription = std::make_shared<Subscription>();
  subscription->listener = std::move(listener);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->subscriptions.push_back(subscription);
  }
  return std::make_shared<Handle>(std::move(subscription));
}

}  // namespace tocsin::engine
