// The sums and sets behind windows.
#include "rules/sigma/correlation_window.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tocsin::rules::sigma {

// --- distinct values, exactly ---

void Distinct::enter(std::uint64_t hash) {
  if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? 4 : slots_.size() * 2);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].count != 0 && slots_[at].hash != hash) at = (at + 1) & mask;
  if (slots_[at].count++ != 0) return;
  slots_[at].hash = hash;
  ++size_;
}

void Distinct::leave(std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].hash != hash || slots_[at].count == 0) at = (at + 1) & mask;
  if (--slots_[at].count != 0) return;
  for (std::size_t next = (at + 1) & mask; slots_[next].count != 0; next = (next + 1) & mask) {
    const std::size_t home = slots_[next].hash & mask;
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    slots_[at] = slots_[next];
    at = next;
  }
  slots_[at].count = 0;
  --size_;
  constexpr std::size_t kSmall = 16;
  if (slots_.size() > kSmall && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
}

void Distinct::resize(std::size_t count) {
  std::vector<Slot> slots(count);
  const std::size_t mask = count - 1;
  for (const Slot& slot : slots_) {
    if (slot.count == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots[at].count != 0) at = (at + 1) & mask;
    slots[at] = slot;
  }
  slots_.swap(slots);
}

// --- distinct values, estimated ---

void SlidingSketch::enter(std::uint64_t hash, std::int64_t time) {
  const std::uint64_t mixed = mix(hash ^ 0x2545F4914F6CDD1DULL, 0x9E3779B97F4A7C15ULL);
  const std::size_t index = mixed & (kRegisters - 1);
  const std::uint64_t rest = mixed / kRegisters;
  constexpr int kRestBits = 64 - 11;
  const auto rank = static_cast<std::uint8_t>(rest == 0 ? kRestBits + 1 : std::countr_zero(rest) + 1);
  std::vector<Maximum>& list = registers_[index];
  auto at = list.end();
  while (at != list.begin() && (at - 1)->time > time) --at;
  if (at != list.end() && at->rank >= rank) return;  // a newer one is as large
  auto first = at;
  while (first != list.begin() && (first - 1)->rank <= rank) --first;
  at = list.erase(first, at);
  list.insert(at, Maximum{time, rank});
  while (list.size() > 1 && list.front().time < list.back().time - timespan_) list.erase(list.begin());
  tally(index);
}

void SlidingSketch::tally(std::size_t index) noexcept {
  const std::uint8_t rank = registers_[index].empty() ? std::uint8_t{0} : registers_[index].front().rank;
  harmonic_ += std::ldexp(1.0, -rank) - std::ldexp(1.0, -shown_[index]);
  if (shown_[index] == 0 && rank != 0) --zeros_;
  if (shown_[index] != 0 && rank == 0) ++zeros_;
  shown_[index] = rank;
}

double SlidingSketch::estimate(std::int64_t newest) {
  constexpr std::int64_t kSweeps = 128;
  if (swept_ == INT64_MIN || newest - swept_ > timespan_ / kSweeps) {
    swept_ = newest;
    for (std::size_t i = 0; i < kRegisters; ++i) {
      std::vector<Maximum>& list = registers_[i];
      std::size_t gone = 0;
      while (gone < list.size() && list[gone].time < newest - timespan_) ++gone;
      if (gone == 0) continue;
      list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(gone));
      tally(i);
    }
  }
  constexpr double kCount = kRegisters;
  const double alpha = 0.7213 / (1 + 1.079 / kCount);
  const double raw = alpha * kCount * kCount / harmonic_;
  if (raw <= 2.5 * kCount && zeros_ > 0) return std::round(kCount * std::log(kCount / static_cast<double>(zeros_)));
  return std::round(raw);
}

void SlidingSketch::set_registers(std::vector<std::vector<Maximum>> registers) {
  registers_ = std::move(registers);
  registers_.resize(kRegisters);
  for (std::size_t i = 0; i < kRegisters; ++i) tally(i);
}

std::size_t SlidingSketch::bytes() const noexcept {
  std::size_t sum = sizeof(*this) + kRegisters * (sizeof(registers_[0]) + 1);
  for (const auto& list : registers_) sum += list.capacity() * sizeof(Maximum);
  return sum;
}

// --- sums ---

double number_in(const Entry& entry) noexcept {
  return (entry.flags & Entry::kInteger) != 0 ? static_cast<double>(std::bit_cast<std::int64_t>(entry.value)) : std::bit_cast<double>(entry.value);
}

void Sums::add(double value) noexcept {
  const double sum = fraction_ + value;
  correction_ += std::abs(fraction_) >= std::abs(value) ? (fraction_ - sum) + value : (value - sum) + fraction_;
  fraction_ = sum;
}

void Sums::enter(const Entry& entry) noexcept {
  ++count_;
  if ((entry.flags & Entry::kInteger) != 0) {
    integers_ += std::bit_cast<std::int64_t>(entry.value);
  } else {
    ++fractions_;
    add(std::bit_cast<double>(entry.value));
  }
}

void Sums::leave(const Entry& entry) noexcept {
  --count_;
  if ((entry.flags & Entry::kInteger) != 0) {
    integers_ -= std::bit_cast<std::int64_t>(entry.value);
    return;
  }
  ++left_;
  if (--fractions_ == 0) begin_again();
  else add(-std::bit_cast<double>(entry.value));
}

void Sums::begin_again() noexcept {
  fraction_ = 0;
  correction_ = 0;
  left_ = 0;
}

void Sums::enter_fraction(const Entry& entry) noexcept {
  if ((entry.flags & Entry::kInteger) == 0) add(std::bit_cast<double>(entry.value));
}

// --- sorted numbers ---

// The block that `value` belongs into: the last that begins with no more than it.
std::size_t SortedNumbers::block_of(double value) const noexcept {
  const auto at = std::upper_bound(blocks_.begin(), blocks_.end(), value, [](double v, const std::vector<double>& block) { return v < block.front(); });
  return at == blocks_.begin() ? 0 : static_cast<std::size_t>(at - blocks_.begin()) - 1;
}

void SortedNumbers::enter(double value) {
  ++size_;
  if (blocks_.empty()) {
    blocks_.push_back({value});
    return;
  }
  const std::size_t index = block_of(value);
  std::vector<double>& block = blocks_[index];
  block.insert(std::upper_bound(block.begin(), block.end(), value), value);
  if (block.size() < kBlock) return;
  std::vector<double> upper(block.begin() + kBlock / 2, block.end());
  block.resize(kBlock / 2);
  blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(upper));
}

void SortedNumbers::leave(double value) {
  // Equal numbers may fill several blocks; any one of them will do, and the last block's front is found first.
  const std::size_t index = block_of(value);
  std::vector<double>& block = blocks_[index];
  const auto at = std::lower_bound(block.begin(), block.end(), value);
  block.erase(at);
  --size_;
  if (block.empty()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index));
}

double SortedNumbers::at(std::size_t rank) const noexcept {
  for (const std::vector<double>& block : blocks_) {
    if (rank < block.size()) return block[rank];
    rank -= block.size();
  }
  return 0;
}

double SortedNumbers::percentile(double percentile) const noexcept {
  const double rank = percentile * static_cast<double>(size_ - 1) / 100;
  const auto low = static_cast<std::size_t>(std::floor(rank));
  const double below = at(low);
  const double part = rank - std::floor(rank);
  if (part == 0 || low + 1 >= size_) return below;
  return below + (at(low + 1) - below) * part;
}

std::size_t SortedNumbers::bytes() const noexcept {
  std::size_t sum = blocks_.capacity() * sizeof(blocks_[0]);
  for (const auto& block : blocks_) sum += block.capacity() * sizeof(double);
  return sum;
}

// --- rules in order ---

void OrderedChain::clear() noexcept {
  time_ = kNever;
  single_ = 0;
  several_.clear();
  std::fill(before_.begin(), before_.end(), kNever);
  std::fill(start_.begin(), start_.end(), kNever);
}

void OrderedChain::enter(std::int64_t time, std::uint64_t event) {
  if (time != time_) {
    before_ = start_;
    time_ = time;
    single_ = 0;
    several_.clear();
  }
  if (std::has_single_bit(event)) {
    single_ |= event;
  } else {
    const auto known = std::find_if(several_.begin(), several_.end(), [&](const auto& kind) { return kind.first == event; });
    if (known != several_.end()) ++known->second;
    else if (several_.size() < kMaxMixedEvents) several_.emplace_back(event, 1);
  }
  settle();
}

void OrderedChain::settle() {
  if (!several_.empty()) return settle_with_matching();
  // Each place has events of its own, so a chain may take several steps at this one time.
  for (std::size_t k = 0; k < start_.size(); ++k) {
    if ((single_ >> k & 1U) == 0) continue;
    const std::int64_t candidate = k == 0 ? time_ : start_[k - 1];
    if (candidate != kNever && candidate >= time_ - timespan_) start_[k] = std::max(before_[k], candidate);
  }
}

namespace {

// Whether the places first..last can be filled by different events of one time: augmenting paths, one place after another.
class Filling {
 public:
  Filling(std::uint64_t single, const std::vector<std::pair<std::uint64_t, std::uint32_t>>& several) {
    for (std::uint64_t rest = single; rest != 0; rest &= rest - 1) events_.push_back(rest & (~rest + 1));
    for (const auto& [event, count] : several) {
      const auto useful = std::min<std::uint32_t>(count, static_cast<std::uint32_t>(std::popcount(event)));
      for (std::uint32_t i = 0; i < useful; ++i) events_.push_back(event);
    }
  }
  void clear() { filled_by_.assign(events_.size(), -1); }
  bool add(std::size_t place) {
    tried_.assign(events_.size(), false);
    return fill(place);
  }

 private:
  bool fill(std::size_t place) {
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (tried_[i] || (events_[i] >> place & 1U) == 0) continue;
      tried_[i] = true;
      if (filled_by_[i] >= 0 && !fill(static_cast<std::size_t>(filled_by_[i]))) continue;
      filled_by_[i] = static_cast<int>(place);
      return true;
    }
    return false;
  }
  std::vector<std::uint64_t> events_;
  std::vector<int> filled_by_;
  std::vector<bool> tried_;
};

}  // namespace

void OrderedChain::settle_with_matching() {
  Filling filling(single_, several_);
  for (std::size_t k = 0; k < start_.size(); ++k) {
    start_[k] = before_[k];
    filling.clear();
    // The chain takes the places first..k at this time. The earlier it has to take up, the later it may have begun.
    for (std::size_t first = k;; --first) {
      if (!filling.add(first)) break;
      const std::int64_t candidate = first == 0 ? time_ : before_[first - 1];
      if (candidate != kNever && candidate >= time_ - timespan_) start_[k] = std::max(start_[k], candidate);
      if (first == 0) break;
    }
  }
}

std::size_t OrderedChain::reached(std::int64_t now) const noexcept {
  std::size_t reached = 0;
  while (reached < start_.size() && start_[reached] != kNever && start_[reached] >= now - timespan_) ++reached;
  return reached;
}

// --- one of them ---

std::unique_ptr<Window> make_window(const CompiledCorrelation& correlation) {
  switch (correlation.rule->type) {
    case CorrelationType::kEventCount: return nullptr;
    case CorrelationType::kValueCount: return std::make_unique<Window>(Distinct());
    case CorrelationType::kTemporal: return std::make_unique<Window>(Seen(correlation.inputs.size()));
    case CorrelationType::kTemporalOrdered: return std::make_unique<Window>(OrderedChain(correlation.inputs.size(), correlation.rule->timespan.count()));
    case CorrelationType::kValueSum:
    case CorrelationType::kValueAvg: return std::make_unique<Window>(Sums());
    case CorrelationType::kValuePercentile:
    case CorrelationType::kValueMedian: return std::make_unique<Window>(SortedNumbers());
  }
  return nullptr;
}

void enter(Window& window, const Entry& entry) {
  if (auto* distinct = std::get_if<Distinct>(&window)) distinct->enter(entry.value);
  else if (auto* seen = std::get_if<Seen>(&window)) seen->enter(entry.input);
  else if (auto* sums = std::get_if<Sums>(&window)) sums->enter(entry);
  else if (auto* sorted = std::get_if<SortedNumbers>(&window)) sorted->enter(number_in(entry));
}

void leave(Window& window, const Entry& entry) {
  if (auto* distinct = std::get_if<Distinct>(&window)) distinct->leave(entry.value);
  else if (auto* seen = std::get_if<Seen>(&window)) seen->leave(entry.input);
  else if (auto* sums = std::get_if<Sums>(&window)) sums->leave(entry);
  else if (auto* sorted = std::get_if<SortedNumbers>(&window)) sorted->leave(number_in(entry));
}

std::size_t bytes(const Window& window) noexcept {
  const std::size_t inner = std::visit([](const auto& one) -> std::size_t {
    if constexpr (requires { one.bytes(); }) return one.bytes();
    else return 0;
  }, window);
  return sizeof(Window) + inner;
}

}  // namespace tocsin::rules::sigma
