// simdjson writes a tape; one walk over it makes our tree. All strings of a document, unescaped, are never longer
// than its text, so one allocation of that size holds them all.
#include "rules/json_event.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include <simdjson.h>

namespace tocsin::rules {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kKeptBytes = 4 * 1024 * 1024;  // of a document whose buffers the thread keeps
constexpr std::size_t kUncounted = 0xFFFFFF;         // simdjson's size() saturates here

class Builder {
 public:
  Builder(Arena& arena, std::size_t text_size)
      : arena_(arena), next_(reinterpret_cast<char*>(arena.allocate(text_size + 1, 1))) {}

  Value build(const dom::element& element) {
    switch (element.type()) {
      case dom::element_type::STRING: return Value::of(keep(element.get_string().value_unsafe()));
      case dom::element_type::INT64: return Value::of(element.get_int64().value_unsafe());
      case dom::element_type::UINT64: return Value::of(static_cast<double>(element.get_uint64().value_unsafe()));
      case dom::element_type::DOUBLE: return Value::of(element.get_double().value_unsafe());
      case dom::element_type::BOOL: return Value::of(element.get_bool().value_unsafe());
      case dom::element_type::ARRAY: return build_array(element.get_array().value_unsafe());
      case dom::element_type::OBJECT: return build_object(element.get_object().value_unsafe());
      case dom::element_type::NULL_VALUE: break;
    }
    return Value::null();
  }

 private:
  std::string_view keep(std::string_view text) {
    char* const at = next_;
    std::memcpy(at, text.data(), text.size());
    next_ += text.size();
    return {at, text.size()};
  }
  template <class Container>
  static std::size_t count(const Container& container) {
    const std::size_t size = container.size();
    if (size < kUncounted) return size;
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& item : container) ++n;
    return n;
  }
  Value build_array(const dom::array& array) {
    const auto items = arena_.make<Value>(count(array));
    std::size_t i = 0;
    for (const dom::element item : array) items[i++] = build(item);
    return Value::array(items);
  }
  Value build_object(const dom::object& object) {
    const auto fields = arena_.make<Field>(count(object));
    std::size_t i = 0;
    for (const dom::key_value_pair pair : object) {
      fields[i].key = keep(pair.key);
      fields[i].value = build(pair.value);
      ++i;
    }
    return Value::object(fields);
  }

  Arena& arena_;
  char* next_;
};

// A thread's parser and the padded copy of the text that simdjson asks for.
struct Workshop {
  dom::parser parser{kMaxJsonBytes};
  std::unique_ptr<char[]> padded;
  std::size_t room = 0;

  simdjson::error_code make_room(std::size_t size) {
    if (room < size + simdjson::SIMDJSON_PADDING) {
      room = std::max<std::size_t>(2 * size, 16 * 1024) + simdjson::SIMDJSON_PADDING;
      padded.reset(new char[room]);
    }
    if (parser.capacity() >= size && parser.max_depth() == kMaxJsonDepth) return simdjson::SUCCESS;
    return parser.allocate(std::max<std::size_t>(size, 16 * 1024), kMaxJsonDepth);
  }
  void leave() {
    if (room <= kKeptBytes) return;
    parser = dom::parser{kMaxJsonBytes};
    padded.reset();
    room = 0;
  }
};

}  // namespace

Result<Value> parse_json(std::string_view text, Arena& arena) {
  thread_local Workshop shop;
  if (text.size() >= kMaxJsonBytes) {
    return fail(Errc::kTooLarge, "the JSON document is larger than 1 GiB", {}, "split it into one event per line");
  }
  simdjson::error_code error = shop.make_room(text.size());
  if (error == simdjson::SUCCESS) {
    if (!text.empty()) std::memcpy(shop.padded.get(), text.data(), text.size());
    std::memset(shop.padded.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    dom::element root;
    error = shop.parser.parse(shop.padded.get(), text.size(), false).get(root);
    if (error == simdjson::SUCCESS) {
      const Value value = Builder(arena, text.size()).build(root);
      shop.leave();
      return value;
    }
  }
  shop.leave();
  switch (error) {
    case simdjson::EMPTY: return fail(Errc::kInvalid, "there is no JSON document, only blanks");
    case simdjson::DEPTH_ERROR:
      return fail(Errc::kTooLarge, "JSON is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return fail(Errc::kTooLarge, "there is not enough memory for this JSON document");
    case simdjson::UTF8_ERROR: return fail(Errc::kInvalid, "JSON text is not valid UTF-8");
    case simdjson::STRING_ERROR:
    case simdjson::UNCLOSED_STRING: return fail(Errc::kInvalid, "a JSON string is not closed or has a bad escape");
    case simdjson::NUMBER_ERROR: return fail(Errc::kInvalid, "a JSON number is malformed or too large");
    default: return fail(Errc::kInvalid, "text is not one complete JSON document");
  }
}

}  // namespace tocsin::rules
