// From a hash to a few numbers. Filled once, then read by any number of threads. Different things may have the same
// hash: whoever asks must be able to bear a false hit.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tocsin::rules::sigma {

class Table {
 public:
  // Before finish().
  void add(std::uint64_t hash, std::uint32_t number) { building_.emplace_back(hash, number); }
  void finish() {
    std::sort(building_.begin(), building_.end());
    building_.erase(std::unique(building_.begin(), building_.end()), building_.end());
    std::size_t distinct = 0;
    for (std::size_t i = 0; i < building_.size(); ++i) distinct += i == 0 || building_[i].first != building_[i - 1].first ? 1U : 0U;
    slots_.assign(std::bit_ceil(distinct * 2 + 1), Slot{});
    mask_ = slots_.size() - 1;
    numbers_.reserve(building_.size());
    for (std::size_t i = 0; i < building_.size();) {
      const std::uint64_t hash = building_[i].first;
      Slot slot{hash, static_cast<std::uint32_t>(numbers_.size()), 0};
      for (; i < building_.size() && building_[i].first == hash; ++i) numbers_.push_back(building_[i].second);
      slot.count = static_cast<std::uint32_t>(numbers_.size()) - slot.first;
      std::size_t at = hash & mask_;
      while (slots_[at].count != 0) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
    std::vector<std::pair<std::uint64_t, std::uint32_t>>().swap(building_);
  }
  [[nodiscard]] bool empty() const noexcept { return numbers_.empty(); }
  [[nodiscard]] std::span<const std::uint32_t> find(std::uint64_t hash) const noexcept {
    const Slot* const slots = slots_.data();
    for (std::size_t at = hash & mask_; slots[at].count != 0; at = (at + 1) & mask_) {
      if (slots[at].hash == hash) return {numbers_.data() + slots[at].first, slots[at].count};
    }
    return {};
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  std::vector<std::pair<std::uint64_t, std::uint32_t>> building_;
  std::vector<Slot> slots_ = std::vector<Slot>(1);
  std::size_t mask_ = 0;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace tocsin::rules::sigma
