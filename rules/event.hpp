// The record that a rule sees: a tree of values with a log source, and the raw text it came from.
//
// The tree is immutable and lives in an Arena; keys and strings are views into memory that the maker
// of the event keeps alive (the raw record, a parser's buffer, or the arena itself). Building one costs
// no allocation per value, which is what lets a decoder make one for each of hundreds of thousands of
// events a second. Not thread-safe to build; safe to read from any thread once built.
#pragma once

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
  constexpr Value() noexcept : kind_(Kind::kAbsent), int_(0) {}
  [[nodiscard]] static constexpr Value null() noexcept { Value v; v.kind_ = Kind::kNull; return v; }
  [[nodiscard]] static constexpr Value of(bool b) noexcept { Value v; v.kind_ = Kind::kBool; v.bool_ = b; return v; }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  [[nodiscard]] static constexpr Value of(T i) noexcept {
    Value v; v.kind_ = Kind::kInt; v.int_ = static_cast<std::int64_t>(i); return v;
  }
  [[nodiscard]] static constexpr Value of(double d) noexcept { Value v; v.kind_ = Kind::kDouble; v.double_ = d; return v; }
  [[nodiscard]] static constexpr Value of(std::string_view s) noexcept {
    Value v; v.kind_ = Kind::kString; v.size_ = s.size() & kSizes; v.text_ = s.data(); return v;
  }
  // Without this a literal would become a bool.
  [[nodiscard]] static constexpr Value of(const char* s) noexcept { return of(std::string_view(s)); }
  [[nodiscard]] static constexpr Value array(std::span<const Value> items) noexcept {
    Value v; v.kind_ = Kind::kArray; v.size_ = items.size() & kSizes; v.items_ = items.data(); return v;
  }
  [[nodiscard]] static constexpr Value object(std::span<const Field> fields) noexcept;

  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr bool present() const noexcept { return kind_ != Kind::kAbsent; }
  // Each accessor may be called only for its kind.
  [[nodiscard]] constexpr bool as_bool() const noexcept { return bool_; }
  [[nodiscard]] constexpr std::int64_t as_int() const noexcept { return int_; }
  [[nodiscard]] constexpr double as_double() const noexcept { return double_; }
  [[nodiscard]] constexpr std::string_view as_string() const noexcept { return {text_, size_}; }
  [[nodiscard]] constexpr std::span<const Value> items() const noexcept { return {items_, size_}; }
  [[nodiscard]] constexpr std::span<const Field> fields() const noexcept;

  // The member of that name (the first, if several); absent if this is no object or has no such member.
  [[nodiscard]] Value get(std::string_view key) const noexcept;

 private:
  static constexpr int kSizeBits = 56;
  static constexpr std::uint64_t kSizes = (std::uint64_t{1} << kSizeBits) - 1;
  Kind kind_;
  std::uint64_t size_ : kSizeBits = 0;  // shares a word with the kind, so that a value is two words
  union {
    bool bool_;
    std::int64_t int_;
    double double_;
    const char* text_;
    const Value* items_;
    const Field* fields_;
  };
};

struct Field {
  std::string_view key;
  Value value;
};

constexpr Value Value::object(std::span<const Field> fields) noexcept {
  Value v;
  v.kind_ = Kind::kObject;
  v.size_ = fields.size() & kSizes;
  v.fields_ = fields.data();
  return v;
}

constexpr std::span<const Field> Value::fields() const noexcept { return {fields_, size_}; }

inline Value Value::get(std::string_view key) const noexcept {
  if (kind_ != Kind::kObject) return {};
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
