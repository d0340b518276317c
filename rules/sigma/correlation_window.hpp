// What the entries of one window add up to, kept up to date as entries come and go at either end: counts of distinct
// values, of rules seen, sums, sorted values. An entry costs O(1), in sorted values O(log n) and a short move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "rules/sigma/correlation.hpp"
#include "rules/sigma/correlation_hash.hpp"
#include "rules/sigma/correlation_memory.hpp"

namespace tocsin::rules::sigma {

// How often each of some values (by hash) is there: open addressing, closing the gap on deletion.
class Distinct {
 public:
  void enter(std::uint64_t hash);
  void leave(std::uint64_t hash);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t count = 0;  // 0 = empty
  };
  void resize(std::size_t slots);
  std::vector<Slot> slots_;  // a power of two
  std::size_t size_ = 0;
};

// The number of distinct values in a sliding window, estimated in fixed memory: HyperLogLog whose registers remember
// every maximum that may still count once older ones have left the window (Chabchoub and Hébrail, "Sliding
// HyperLogLog", 2010). Standard error about 2.3 %; what has just left the window may count for 1/128 of it longer.
class SlidingSketch {
 public:
  explicit SlidingSketch(std::int64_t timespan) : timespan_(timespan), registers_(kRegisters) {}
  void enter(std::uint64_t hash, std::int64_t time);
  [[nodiscard]] double estimate(std::int64_t newest);
  [[nodiscard]] std::size_t bytes() const noexcept;

  struct Maximum {
    std::int64_t time = 0;
    std::uint8_t rank = 0;
  };
  [[nodiscard]] const std::vector<std::vector<Maximum>>& registers() const noexcept { return registers_; }
  void set_registers(std::vector<std::vector<Maximum>> registers);
  static constexpr std::size_t kRegisters = 2048;

 private:
  void tally(std::size_t index) noexcept;
  std::int64_t timespan_;
  std::int64_t swept_ = INT64_MIN;                // time of the last sweep
  std::vector<std::vector<Maximum>> registers_;   // oldest first, ranks falling
  std::vector<std::uint8_t> shown_ = std::vector<std::uint8_t>(kRegisters, 0);
  double harmonic_ = kRegisters;                  // sum of 2^-rank
  std::size_t zeros_ = kRegisters;
};

// Which inputs are there.
class Seen {
 public:
  explicit Seen(std::size_t inputs) : counts_(inputs, 0) {}
  void enter(std::uint16_t input) noexcept {
    if (counts_[input]++ == 0) mask_ |= std::uint64_t{1} << input;
  }
  void leave(std::uint16_t input) noexcept {
    if (--counts_[input] == 0) mask_ &= ~(std::uint64_t{1} << input);
  }
  [[nodiscard]] std::uint64_t mask() const noexcept { return mask_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return counts_.capacity() * sizeof(std::uint32_t); }

 private:
  std::vector<std::uint32_t> counts_;
  std::uint64_t mask_ = 0;
};

// Integers add up exactly; fractions with a correction term, and anew from the window when as many have left as are there.
class Sums {
 public:
  void enter(const Entry& entry) noexcept;
  void leave(const Entry& entry) noexcept;
  [[nodiscard]] bool stale() const noexcept { return left_ > kPatience + fractions_; }
  void begin_again() noexcept;  // then enter() every fraction once more, by enter_fraction()
  void enter_fraction(const Entry& entry) noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double sum() const noexcept { return static_cast<double>(integers_) + (fraction_ + correction_); }

 private:
  static constexpr std::uint64_t kPatience = 64;
  void add(double value) noexcept;
  Wide integers_ = 0;
  double fraction_ = 0;
  double correction_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t fractions_ = 0;
  std::uint64_t left_ = 0;  // fractions that have left since the last new beginning
};

// Numbers in order, in blocks small enough to move.
class SortedNumbers {
 public:
  void enter(double value);
  void leave(double value);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Linear interpolation at rank percentile/100 · (n - 1). Not to be asked of nothing.
  [[nodiscard]] double percentile(double percentile) const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  static constexpr std::size_t kBlock = 256;
  [[nodiscard]] std::size_t block_of(double value) const noexcept;
  [[nodiscard]] double at(std::size_t rank) const noexcept;
  std::vector<std::vector<double>> blocks_;  // none is empty
  std::size_t size_ = 0;
};

// For rules in order: start[k] is the latest time at which a chain can have begun that has reached rule k. Events of
// one time may stand in any order among themselves, but no event fills two places (a matching decides who fills which).
class OrderedChain {
 public:
  static constexpr std::int64_t kNever = INT64_MIN;
  OrderedChain(std::size_t inputs, std::int64_t timespan) : timespan_(timespan), before_(inputs, kNever), start_(inputs, kNever) {}
  void clear() noexcept;
  // The entries of one event at `time`, which is not before the last one's. `event` are the bits of its inputs.
  void enter(std::int64_t time, std::uint64_t event);
  // How many rules, from the first on, a chain within [now - timespan, now] has reached.
  [[nodiscard]] std::size_t reached(std::int64_t now) const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept { return (before_.capacity() + start_.capacity()) * 8 + several_.capacity() * 16; }

 private:
  void settle();
  void settle_with_matching();
  std::int64_t timespan_;
  std::int64_t time_ = kNever;           // of the events being gathered
  std::uint64_t single_ = 0;             // inputs that an event of that time matches, and it alone
  std::vector<std::pair<std::uint64_t, std::uint32_t>> several_;  // events of that time that match several, and how many
  std::vector<std::int64_t> before_;     // start[] without the events of that time
  std::vector<std::int64_t> start_;
};

inline constexpr std::size_t kMaxMixedEvents = 64;  // kinds of events of one time that match several rules of an order

// The one of these that a type of correlation needs. An event_count needs none: its window is counted in the ring.
using Window = std::variant<Distinct, Seen, Sums, SortedNumbers, OrderedChain>;
[[nodiscard]] std::unique_ptr<Window> make_window(const CompiledCorrelation& correlation);
void enter(Window& window, const Entry& entry);
void leave(Window& window, const Entry& entry);
[[nodiscard]] std::size_t bytes(const Window& window) noexcept;

[[nodiscard]] double number_in(const Entry& entry) noexcept;

}  // namespace tocsin::rules::sigma
