// A ring, and a hash table with linear probing whose deletions close the gap.
#include "rules/sigma/correlation_memory.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "rules/sigma/correlation_hash.hpp"

namespace tocsin::rules::sigma {

EntryRing::EntryRing(EntryRing&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)), head_(std::exchange(other.head_, 0)),
      size_(std::exchange(other.size_, 0)) {}

EntryRing& EntryRing::operator=(EntryRing&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(head_, other.head_);
  std::swap(size_, other.size_);
  return *this;
}

std::uint32_t EntryRing::after(std::int64_t time) const noexcept {
  if (size_ == 0 || back().time <= time) return size_;  // nearly always
  std::uint32_t low = 0;
  std::uint32_t high = size_ - 1;  // the answer is in [low, high]
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if ((*this)[middle].time <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

void EntryRing::insert(std::uint32_t at, const Entry& entry) {
  push_back(entry);
  for (std::uint32_t i = size_ - 1; i > at; --i) (*this)[i] = (*this)[i - 1];
  (*this)[at] = entry;
}

void EntryRing::pop_front() {
  head_ = (head_ + 1) & (capacity_ - 1);
  --size_;
  constexpr std::uint32_t kSmall = 4;  // not worth giving back
  if (capacity_ > kSmall && size_ < capacity_ / 4) resize(capacity_ / 2);
}

void EntryRing::resize(std::uint32_t capacity) {
  auto* const grown = new Entry[capacity];
  for (std::uint32_t i = 0; i < size_; ++i) grown[i] = (*this)[i];
  delete[] data_;
  data_ = grown;
  capacity_ = capacity;
  head_ = 0;
}

namespace {
constexpr std::uint64_t kTextSeed = 0x6C62272E07BB0142ULL;
constexpr std::size_t kTextCost = sizeof(std::string) + 24;
}  // namespace

TextStore::TextStore() : items_(1), slots_(16, 0) {}

std::uint32_t TextStore::keep(std::string_view text) {
  if (text.empty()) return 0;
  const std::uint64_t hash = hash_of(text, kTextSeed);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
    Item& item = items_[slots_[at]];
    if (item.hash != hash || item.text != text) continue;
    ++item.uses;
    return slots_[at];
  }
  std::uint32_t number = 0;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else {
    number = static_cast<std::uint32_t>(items_.size());
    items_.emplace_back();
  }
  Item& item = items_[number];
  item.text = text;
  item.hash = hash;
  item.uses = 1;
  bytes_ += item.text.capacity() + kTextCost;
  if (++used_ * 2 > slots_.size()) grow();
  else place(number);
  return number;
}

void TextStore::drop(std::uint32_t number) {
  if (number == 0 || --items_[number].uses > 0) return;
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = items_[number].hash & mask;
  while (slots_[at] != number) at = (at + 1) & mask;
  // Whatever was pushed on by the one that goes moves up.
  for (std::size_t next = (at + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    const std::size_t home = items_[slots_[next]].hash & mask;
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    slots_[at] = slots_[next];
    at = next;
  }
  slots_[at] = 0;
  --used_;
  bytes_ -= items_[number].text.capacity() + kTextCost;
  items_[number].text = std::string();
  free_.push_back(number);
}

void TextStore::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (std::uint32_t number = 1; number < items_.size(); ++number) {
    if (items_[number].uses > 0) place(number);
  }
}

void TextStore::place(std::uint32_t number) noexcept {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = items_[number].hash & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = number;
}

void append_part(std::string& list, std::string_view part) {
  const auto size = static_cast<std::uint32_t>(part.size());
  if (size < 255) {
    list += static_cast<char>(size);
  } else {
    char bytes[5] = {static_cast<char>(255)};
    std::memcpy(bytes + 1, &size, 4);
    list.append(bytes, 5);
  }
  list += part;
}

bool next_part(std::string_view& list, std::string_view& part) noexcept {
  if (list.empty()) return false;
  std::size_t size = static_cast<unsigned char>(list[0]);
  std::size_t at = 1;
  if (size == 255) {
    if (list.size() < 5) return false;
    std::uint32_t wide = 0;
    std::memcpy(&wide, list.data() + 1, 4);
    size = wide;
    at = 5;
  }
  if (list.size() - at < size) return false;
  part = list.substr(at, size);
  list.remove_prefix(at + size);
  return true;
}

}  // namespace tocsin::rules::sigma
