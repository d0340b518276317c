// What a window remembers of one match, in 56 bytes, and the two containers that hold such entries: a ring per group,
// and one table of texts that entries share (places, subjects, values carried to a correlation above).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::sigma {

// One match in one group. An event that brings several values, or that several rules of a temporal correlation match,
// makes several entries side by side; all but the first say kContinues.
struct Entry {
  enum Flag : std::uint8_t {
    kContinues = 1,  // of the same event as the entry before it
    kInteger = 2,    // value holds an integer, not a double
    kFromBelow = 4,  // the match of a correlation: place is the evidence of its alert (correlation_evidence.hpp)
  };
  std::int64_t time = 0;  // microseconds
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
  std::uint64_t value = 0;      // hash of a counted value, or the bits of a number
  std::uint32_t place = 0;      // texts; 0 = none
  std::uint32_t subjects = 0;
  std::uint32_t carried = 0;
  std::uint32_t alert = 0;      // number of the alert that the window ending here belongs to; 0 = none
  std::uint16_t input = 0;      // which of the correlation's rules
  std::uint8_t flags = 0;
};
static_assert(sizeof(Entry) == 56);

// Entries in order of time; cheap at both ends. Its capacity is a power of two and shrinks again.
class EntryRing {
 public:
  EntryRing() noexcept = default;
  EntryRing(EntryRing&& other) noexcept;
  EntryRing& operator=(EntryRing&& other) noexcept;
  ~EntryRing() { delete[] data_; }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Entry& operator[](std::uint32_t i) noexcept { return data_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] const Entry& operator[](std::uint32_t i) const noexcept { return data_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] const Entry& front() const noexcept { return (*this)[0]; }
  [[nodiscard]] const Entry& back() const noexcept { return (*this)[size_ - 1]; }
  // The first entry that is later than `time`; size() if there is none.
  [[nodiscard]] std::uint32_t after(std::int64_t time) const noexcept;

  void insert(std::uint32_t at, const Entry& entry);
  void push_back(const Entry& entry) {
    if (size_ == capacity_) resize(capacity_ == 0 ? 1 : capacity_ * 2);
    ++size_;
    (*this)[size_ - 1] = entry;
  }
  void pop_front();
  [[nodiscard]] std::size_t bytes() const noexcept { return capacity_ * sizeof(Entry); }

 private:
  void resize(std::uint32_t capacity);
  Entry* data_ = nullptr;
  std::uint32_t capacity_ = 0;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

// TextStore that are kept once, counted by those who use them. Number 0 is the empty text and is never counted.
class TextStore {
 public:
  TextStore();
  [[nodiscard]] std::uint32_t keep(std::string_view text);  // a use more
  void keep(std::uint32_t number) noexcept {
    if (number != 0) ++items_[number].uses;
  }
  void drop(std::uint32_t number);
  [[nodiscard]] std::string_view operator[](std::uint32_t number) const noexcept { return items_[number].text; }
  [[nodiscard]] std::uint32_t numbers() const noexcept { return static_cast<std::uint32_t>(items_.size()); }
  [[nodiscard]] bool used(std::uint32_t number) const noexcept { return items_[number].uses > 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Item {
    std::string text;
    std::uint64_t hash = 0;
    std::uint32_t uses = 0;
  };
  void grow();
  void place(std::uint32_t number) noexcept;
  std::vector<Item> items_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> slots_;  // number, 0 = empty; size is a power of two
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
};

// Several texts in one: each with its length before it.
void append_part(std::string& list, std::string_view part);
// Takes the next text off the front; false at the end (or where the list is broken).
[[nodiscard]] bool next_part(std::string_view& list, std::string_view& part) noexcept;

}  // namespace tocsin::rules::sigma
