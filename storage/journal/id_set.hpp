// A set of 16-byte event ids: open addressing, no allocation per id. Two generations of it make the bounded
// window in which a repeated event is recognised.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "rules/base/time.hpp"

namespace tocsin::storage {

class IdSet {
 public:
  using Id = std::array<std::uint8_t, 16>;

  // False if it was there already. The zero id MUST NOT be inserted: it means "none".
  bool insert(const Id& id) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow();
    const std::size_t at = find(id);
    if (slots_[at] == id) return false;
    slots_[at] = id;
    ++count_;
    return true;
  }
  [[nodiscard]] bool contains(const Id& id) const { return count_ != 0 && slots_[find(id)] == id; }
  void erase(const Id& id) {
    if (count_ == 0) return;
    std::size_t hole = find(id);
    if (slots_[hole] != id) return;
    --count_;
    // Close the gap: move back whatever could not be found across it.
    for (std::size_t at = next(hole);; at = next(at)) {
      if (slots_[at] == kNone) break;
      const std::size_t home = home_of(slots_[at]);
      const bool reachable = hole <= at ? (home > hole && home <= at) : (home > hole || home <= at);
      if (reachable) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = kNone;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  void clear() {
    slots_.clear();
    slots_.shrink_to_fit();
    count_ = 0;
  }

 private:
  static constexpr Id kNone{};

  [[nodiscard]] std::size_t home_of(const Id& id) const noexcept {
    std::uint64_t low = 0, high = 0;
    std::memcpy(&low, id.data(), 8);
    std::memcpy(&high, id.data() + 8, 8);
    std::uint64_t mixed = (low ^ (high * 0x9E3779B97F4A7C15ULL)) * 0xBF58476D1CE4E5B9ULL;
    mixed ^= mixed >> 32;
    return static_cast<std::size_t>(mixed) & (slots_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }
  [[nodiscard]] std::size_t find(const Id& id) const noexcept {
    std::size_t at = home_of(id);
    while (slots_[at] != kNone && slots_[at] != id) at = next(at);
    return at;
  }
  void grow() {
    std::vector<Id> old(slots_.empty() ? 1024 : slots_.size() * 2, kNone);
    old.swap(slots_);
    for (const Id& id : old) {
      if (id != kNone) slots_[find(id)] = id;
    }
  }

  std::vector<Id> slots_;  // a power of two, at most three quarters full
  std::size_t count_ = 0;
};

// What was seen lately: ids go to the young generation; when that is full or old, it becomes the old one and
// what was old is forgotten.
class SeenIds {
 public:
  SeenIds(std::size_t most, Duration window) : per_generation_(most / 2 < 1 ? 1 : most / 2), window_(window) {}

  [[nodiscard]] bool contains(const IdSet::Id& id) const { return young_.contains(id) || old_.contains(id); }
  // False if it was seen. `now` is the arrival time of the event.
  bool insert(const IdSet::Id& id, Time now) {
    if (contains(id)) return false;
    if (young_.size() == 0) since_ = now;
    if (young_.size() >= per_generation_ || now - since_ > window_) {
      std::swap(old_, young_);
      young_.clear();
      since_ = now;
    }
    return young_.insert(id);
  }
  // Forgets an id whose event was not stored after all.
  void erase(const IdSet::Id& id) {
    young_.erase(id);
    old_.erase(id);
  }
  [[nodiscard]] std::size_t size() const noexcept { return young_.size() + old_.size(); }
  [[nodiscard]] std::size_t per_generation() const noexcept { return per_generation_; }

 private:
  std::size_t per_generation_;
  Duration window_;
  Time since_{};
  IdSet young_, old_;
};

}  // namespace tocsin::storage
