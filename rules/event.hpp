// The record that a rule sees: a tree of values with a log source, and the raw text it came from.
//
// The tree is immutable and lives in an Arena; keys and strings are views into memory that the maker
// of the event keeps alive (the raw record, a parser's buffer, or the arena itself). Building one costs
// no allocation per value, which is what lets a decoder make one for each of hundreds of thousands of
// events a second. Not thread-safe to build; safe to read from any thread once built.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tocsin::rules {

struct Field;

enum class Kind : std::uint8_t { kAbsent, kNull, kBool, kInt, kDouble, kString, kArray, kObject };

// One value of an event. Copying copies the view, never what it shows.
class Value {
 public:
  constexpr Value() noexcept : Value(Kind::kAbsent, 0, 0) {}
  [[nodiscard]] static constexpr Value null() noexcept { return {Kind::kNull, 0, 0}; }
  [[nodiscard]] static constexpr Value of(bool b) noexcept { return {Kind::kBool, 0, b ? 1U : 0U}; }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  [[nodiscard]] static constexpr Value of(T i) noexcept {
    return {Kind::kInt, 0, static_cast<std::uint64_t>(static_cast<std::int64_t>(i))};
  }
  [[nodiscard]] static constexpr Value of(double d) noexcept { return {Kind::kDouble, 0, std::bit_cast<std::uint64_t>(d)}; }
  [[nodiscard]] static Value of(std::string_view s) noexcept { return {Kind::kString, s.size(), std::bit_cast<std::uint64_t>(s.data())}; }
  // Without this a literal would become a bool.
  [[nodiscard]] static Value of(const char* s) noexcept { return of(std::string_view(s)); }
  [[nodiscard]] static Value array(std::span<const Value> items) noexcept { return {Kind::kArray, items.size(), std::bit_cast<std::uint64_t>(items.data())}; }
  [[nodiscard]] static Value object(std::span<const Field> fields) noexcept;

  [[nodiscard]] constexpr Kind kind() const noexcept { return static_cast<Kind>(head_ & 0xFF); }
  [[nodiscard]] constexpr bool present() const noexcept { return kind() != Kind::kAbsent; }
  // Each accessor may be called only for its kind.
  [[nodiscard]] constexpr bool as_bool() const noexcept { return word_ != 0; }
  [[nodiscard]] constexpr std::int64_t as_int() const noexcept { return static_cast<std::int64_t>(word_); }
  [[nodiscard]] constexpr double as_double() const noexcept { return std::bit_cast<double>(word_); }
  [[nodiscard]] std::string_view as_string() const noexcept { return {std::bit_cast<const char*>(word_), size()}; }
  [[nodiscard]] std::span<const Value> items() const noexcept { return {std::bit_cast<const Value*>(word_), size()}; }
  [[nodiscard]] std::span<const Field> fields() const noexcept;

  // The member of that name (the first, if several); absent if this is no object or has no such member.
  [[nodiscard]] Value get(std::string_view key) const noexcept;

 private:
  constexpr Value(Kind kind, std::size_t size, std::uint64_t word) noexcept
      : head_(static_cast<std::uint64_t>(kind) | static_cast<std::uint64_t>(size) << 8), word_(word) {}
  [[nodiscard]] constexpr std::size_t size() const noexcept { return head_ >> 8; }

  // Two plain words, and no union, so that compilers keep a value in registers.
  std::uint64_t head_;  // the kind, and the size above it
  std::uint64_t word_;  // the bool, the integer, the bits of the double, or where the text, items or fields are
};
static_assert(sizeof(void*) == sizeof(std::uint64_t));

struct Field {
  std::string_view key;
  Value value;
};

inline Value Value::object(std::span<const Field> fields) noexcept { return {Kind::kObject, fields.size(), std::bit_cast<std::uint64_t>(fields.data())}; }
inline std::span<const Field> Value::fields() const noexcept { return {std::bit_cast<const Field*>(word_), size()}; }

inline Value Value::get(std::string_view key) const noexcept {
  if (kind() != Kind::kObject) return {};
  for (const Field& field : fields()) {
    if (field.key == key) return field.value;
  }
  return {};
}

// Where an event comes from, in Sigma's words (specification 2.1.0, "logsource"). Empty = not known.
struct LogSource {
  std::string_view product;
  std::string_view category;
  std::string_view service;
};

struct Event {
  LogSource source;
  Value root;            // an object, or absent for plain text
  std::string_view raw;  // the record as it arrived; what keyword searches see where root is absent
};

// Appends `value` as compact JSON (RFC 8259), members in their order, strings escaped as little as JSON
// allows, absent as null. This is the text that string patterns of a rule see where a field holds an object.
void write_json(const Value& value, std::string& out);

// The text of a scalar as string patterns see it: "1", "1.5" (the shortest that reads back), "true"; a string as
// it is. Empty for anything else. `buffer` backs the text of numbers and needs 32 bytes.
[[nodiscard]] std::string_view scalar_text(const Value& value, std::span<char> buffer) noexcept;

// Memory for the values of one event or one batch. reset() forgets the content and keeps the memory, up to
// kKeep bytes, so that the next batch allocates nothing. Not thread-safe.
class Arena {
 public:
  static constexpr std::size_t kKeep = 4 * 1024 * 1024;

  explicit Arena(std::size_t first_block = 64 * 1024) : first_(first_block < 64 ? 64 : first_block) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) noexcept = default;
  Arena& operator=(Arena&&) noexcept = default;

  // `count` value-initialised Ts. Their destructors never run.
  template <class T>
  [[nodiscard]] std::span<T> make(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* first = reinterpret_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < count; ++i) new (first + i) T();
    return {first, count};
  }
  // A copy of `text` that lives as long as the arena's content.
  [[nodiscard]] std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* at = reinterpret_cast<char*>(allocate(text.size(), 1));
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  // `size` bytes, not initialised.
  [[nodiscard]] std::byte* allocate(std::size_t size, std::size_t alignment) {
    const std::size_t at = (used_ + alignment - 1) & ~(alignment - 1);
    if (block_ < blocks_.size() && at + size <= blocks_[block_].size && at + size >= at) {
      used_ = at + size;
      return blocks_[block_].bytes.get() + at;
    }
    return allocate_in_next(size);
  }
  void reset() noexcept {
    std::size_t kept = 0;
    std::size_t count = 0;
    while (count < blocks_.size() && kept + blocks_[count].size <= kKeep) kept += blocks_[count++].size;
    blocks_.resize(count);
    block_ = 0;
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };
  [[nodiscard]] std::byte* allocate_in_next(std::size_t size);

  std::size_t first_;
  std::vector<Block> blocks_;
  std::size_t block_ = 0;  // the one being filled; == blocks_.size() only while there is none
  std::size_t used_ = 0;   // of that block
};

}  // namespace tocsin::rules
