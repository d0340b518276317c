// Token buckets by name: how often something may be tried. Bounded: at most kMaxNames are remembered, and a full
// bucket is forgotten first, since a new one is full as well. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "rules/base/time.hpp"

namespace tocsin::engine {

class RateLimiter {
 public:
  static constexpr std::size_t kMaxNames = 20'000;
  // `burst` tries at once, then one per `refill`.
  RateLimiter(double burst, Duration refill) : burst_(burst), refill_(refill) {}
  // Takes one; false if none is left.
  [[nodiscard]] bool take(const std::string& name, Time now);
  // Gives one back: the try was a success.
  void give_back(const std::string& name);
  // How long until take() can succeed.
  [[nodiscard]] Duration wait(const std::string& name, Time now) const;

 private:
  struct Bucket {
    double tokens;
    Time filled;
  };
  [[nodiscard]] double level(const Bucket& bucket, Time now) const;
  double burst_;
  Duration refill_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace tocsin::engine
