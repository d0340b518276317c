// The record that a rule sees: a tree of values with a log source, and the raw text it came from.
//
// The tree is immutable and lives in an Arena; keys and strings are views into memory that the maker
// of the event keeps alive (the raw record, a parser's buffer, or the arena itself). Building one costs
// no allocation per value, which is what lets a decoder make one for each of hundreds of thousands of
// events a second. Not thread-safe to build; safe to read from any thread once built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <span>
#include <string_view>

namespace tocsin::rules {

struct Field;

enum class Kind : std::uint8_t { kAbsent, kNull, kBool, kInt, kDouble, kString, kArray, kObject };

// One value of an event. Copying copies the view, never what it shows.
class Value {
 public:
  constexpr Value() noexcept : kind_(Kind::kAbsent), int_(0) {}
  [[nodiscard]] static constexpr Value null() noexcept { Value v; v.kind_ = Kind::kNull; return v; }
  [[nodiscard]] static constexpr Value of(bool b) noexcept { Value v; v.kind_ = Kind::kBool; v.bool_ = b; return v; }
  [[nodiscard]] static constexpr Value of(std::int64_t i) noexcept { Value v; v.kind_ = Kind::kInt; v.int_ = i; return v; }
  [[nodiscard]] static constexpr Value of(double d) noexcept { Value v; v.kind_ = Kind::kDouble; v.double_ = d; return v; }
  [[nodiscard]] static constexpr Value of(std::string_view s) noexcept {
    Value v; v.kind_ = Kind::kString; v.size_ = s.size(); v.text_ = s.data(); return v;
  }
  [[nodiscard]] static constexpr Value array(std::span<const Value> items) noexcept {
    Value v; v.kind_ = Kind::kArray; v.size_ = items.size(); v.items_ = items.data(); return v;
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
  [[nodiscard]] constexpr std::span<const Field> fields() const noexcept { return {fields_, size_}; }

  // The member of that name (the first, if several); absent if this is no object or has no such member.
  [[nodiscard]] Value get(std::string_view key) const noexcept;

 private:
  Kind kind_;
  std::size_t size_ = 0;
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
  v.size_ = fields.size();
  v.fields_ = fields.data();
  return v;
}

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

// Memory for the values of one event or one batch. reset() keeps the memory and forgets the content.
class Arena {
 public:
  explicit Arena(std::size_t first_block = 64 * 1024) : first_(first_block), memory_(first_) {}

  template <class T>
  [[nodiscard]] std::span<T> make(std::size_t count) {
    if (count == 0) return {};
    void* at = memory_.allocate(count * sizeof(T), alignof(T));
    T* first = static_cast<T*>(at);
    for (std::size_t i = 0; i < count; ++i) new (first + i) T();
    return {first, count};
  }
  // A copy of `text` that lives as long as the arena's content.
  [[nodiscard]] std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* at = static_cast<char*>(memory_.allocate(text.size(), 1));
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }
  void reset() { memory_.release(); }

 private:
  std::size_t first_;
  std::pmr::monotonic_buffer_resource memory_;
};

}  // namespace tocsin::rules
