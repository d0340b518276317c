// Buckets fill by the time that passed since they were last touched; nothing runs in between.
#include "engine/api/rate.hpp"

#include <algorithm>

namespace tocsin::engine {

double RateLimiter::level(const Bucket& bucket, Time now) const {
  const auto passed = std::max<Duration>(now - bucket.filled, Duration{0});
  return std::min(burst_, bucket.tokens + static_cast<double>(passed.count()) / static_cast<double>(refill_.count()));
}

bool RateLimiter::take(const std::string& name, Time now) {
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMaxNames && !buckets_.contains(name)) {
    std::erase_if(buckets_, [&](const auto& item) { return level(item.second, now) >= burst_; });
    // All of them in use: somebody tries many names. Nobody new may try until the first have refilled.
    if (buckets_.size() >= kMaxNames) return false;
  }
  auto [it, fresh] = buckets_.try_emplace(name, Bucket{burst_, now});
  Bucket& bucket = it->second;
  bucket.tokens = level(bucket, now);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void RateLimiter::give_back(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto it = buckets_.find(name);
  if (it != buckets_.end()) it->second.tokens = std::min(burst_, it->second.tokens + 1);
}

Duration RateLimiter::wait(const std::string& name, Time now) const {
  const std::lock_guard lock(mutex_);
  const auto it = buckets_.find(name);
  if (it == buckets_.end()) return Duration{0};
  const double missing = 1 - level(it->second, now);
  return missing <= 0 ? Duration{0} : Duration{static_cast<std::int64_t>(missing * static_cast<double>(refill_.count()))};
}

}  // namespace tocsin::engine
