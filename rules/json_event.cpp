// simdjson finds where every token of a text starts and checks its UTF-8 and quotes (its "stage 1", at several GB/s);
// one walk over those places makes our tree. simdjson's own second stage writes a tape with a copy of every string,
// from which a tree would have to be made in a third pass; here a string without escapes is a view into the one copy
// of the text, and only strings with escapes are written anew.
//
// The walk needs no bounds checks: after the last place stands the end of the text, where there is a blank, and a
// blank is not what any step expects.
#include "rules/json_event.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <simdjson.h>

namespace tocsin::rules {
namespace {

using Places = simdjson::internal::dom_parser_implementation;  // stage 1, for the machine's widest vectors

constexpr std::size_t kKeptBytes = 4 * 1024 * 1024;  // of a document whose buffers the thread keeps
constexpr std::size_t kKeptMembers = 64 * 1024;      // of the stacks, likewise

constexpr bool blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

// What may follow a number or a word.
constexpr std::array<bool, 256> kEnds = [] {
  std::array<bool, 256> table{};
  for (const char c : {' ', '\n', '\r', '\t', ',', ':', '[', ']', '{', '}'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
bool ends(char c) noexcept { return kEnds[static_cast<unsigned char>(c)]; }

// Members of the objects and arrays that are still open.
struct Stacks {
  std::vector<Field> fields;
  std::vector<Value> items;
};

class Walk {
 public:
  // `text` is followed by SIMDJSON_PADDING blanks.
  Walk(const Places& places, std::string_view text, Arena& arena, Stacks& stacks)
      : places_(places), text_(text.data()), end_(text.data() + text.size()), next_(places.structural_indexes.get()), arena_(arena), stacks_(stacks) {
    stacks_.fields.clear();
    stacks_.items.clear();
    seek_escape(text_);
  }

  simdjson::error_code document(Value& out) {
    // A document that is cut off is said to be that, however deep it had become.
    const char first = peek();
    const char last = text_[places_.structural_indexes[places_.n_structural_indexes - 1]];
    if ((first == '{' && last != '}') || (first == '[' && last != ']')) return simdjson::TAPE_ERROR;
    out = value();
    if (!out.present()) return error_;
    // Nothing may follow.
    return next_ == places_.structural_indexes.get() + places_.n_structural_indexes ? simdjson::SUCCESS : simdjson::TAPE_ERROR;
  }

 private:
  // What fails is absent, and error_ says why.
  Value failed(simdjson::error_code error) noexcept {
    error_ = error;
    return {};
  }
  [[nodiscard]] char peek() const noexcept { return text_[*next_]; }
  const char* take() noexcept { return text_ + *next_++; }
  void seek_escape(const char* from) noexcept {
    const void* found = std::memchr(from, '\\', static_cast<std::size_t>(end_ - from));
    escape_ = found != nullptr ? static_cast<const char*>(found) : end_;
  }

  Value value() {
    const char* const at = take();
    switch (*at) {
      case '"': {
        const std::string_view text = string(at);
        return text.data() != nullptr ? Value::of(text) : Value();
      }
      case '{': return object();
      case '[': return array();
      case 't': return word(at, "true", Value::of(true));
      case 'f': return word(at, "false", Value::of(false));
      case 'n': return word(at, "null", Value::null());
      case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': {
        const Value read = number(at);
        return read.present() ? read : failed(simdjson::NUMBER_ERROR);
      }
      default: return failed(simdjson::TAPE_ERROR);
    }
  }

  Value object() {
    if (peek() == '}') {
      ++next_;
      return Value::object({});
    }
    if (++depth_ >= kMaxJsonDepth) return failed(simdjson::DEPTH_ERROR);
    const std::size_t first = stacks_.fields.size();
    for (;;) {
      const char* const at = take();
      if (*at != '"') return failed(simdjson::TAPE_ERROR);
      const std::string_view key = string(at);
      if (key.data() == nullptr) return {};
      if (*take() != ':') return failed(simdjson::TAPE_ERROR);
      const Value member = value();
      if (!member.present()) return {};
      stacks_.fields.push_back(Field{key, member});
      const char after = *take();
      if (after == ',') continue;
      if (after != '}') return failed(simdjson::TAPE_ERROR);
      break;
    }
    --depth_;
    return Value::object(close(stacks_.fields, first));
  }

  Value array() {
    if (peek() == ']') {
      ++next_;
      return Value::array({});
    }
    if (++depth_ >= kMaxJsonDepth) return failed(simdjson::DEPTH_ERROR);
    const std::size_t first = stacks_.items.size();
    for (;;) {
      const Value item = value();
      if (!item.present()) return {};
      stacks_.items.push_back(item);
      const char after = *take();
      if (after == ',') continue;
      if (after != ']') return failed(simdjson::TAPE_ERROR);
      break;
    }
    --depth_;
    return Value::array(close(stacks_.items, first));
  }

  // Moves what lies on the stack from `first` on into the arena.
  template <class T>
  std::span<const T> close(std::vector<T>& stack, std::size_t first) {
    const std::size_t count = stack.size() - first;
    T* const kept = reinterpret_cast<T*>(arena_.allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_copy_n(stack.begin() + static_cast<std::ptrdiff_t>(first), count, kept);
    stack.erase(stack.begin() + static_cast<std::ptrdiff_t>(first), stack.end());
    return {kept, count};
  }

  // A string ends at the last character before the next place that is not blank. Without data: refused.
  std::string_view string(const char* quote) {
    const char* const begin = quote + 1;
    const char* close = text_ + *next_ - 1;
    while (blank(*close)) --close;
    if (close < begin || *close != '"') {
      error_ = simdjson::STRING_ERROR;
      return {};
    }
    if (close > escape_ && escape_ < begin) seek_escape(begin);
    if (close <= escape_) return {begin, static_cast<std::size_t>(close - begin)};
    // Texts only become shorter, so the rest of the document is room enough for all that follow.
    if (room_ == nullptr) {
      const auto left = static_cast<std::size_t>(end_ - begin);
      room_ = reinterpret_cast<std::uint8_t*>(arena_.allocate(left + simdjson::SIMDJSON_PADDING, 1));
    }
    std::uint8_t* const end = places_.parse_string(reinterpret_cast<const std::uint8_t*>(begin), room_);
    if (end == nullptr) {
      error_ = simdjson::STRING_ERROR;
      return {};
    }
    const std::string_view text(reinterpret_cast<const char*>(room_), static_cast<std::size_t>(end - room_));
    room_ = end;
    return text;
  }

  Value word(const char* at, std::string_view wanted, Value meant) {
    if (std::memcmp(at, wanted.data(), wanted.size()) != 0 || !ends(at[wanted.size()])) return failed(simdjson::TAPE_ERROR);
    return meant;
  }

  // RFC 8259: -? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?; absent if it is none, or too large.
  static Value number(const char* const first) {
    constexpr std::ptrdiff_t kSafeDigits = 18;  // of an integer that fits for sure
    const char* at = first;
    const bool negative = *at == '-';
    if (negative) ++at;
    const char* const digits = at;
    std::int64_t integer = 0;
    while (digit(*at)) {
      if (at - digits < kSafeDigits) integer = integer * 10 + (*at - '0');
      ++at;
    }
    if (at == digits || (*digits == '0' && at - digits > 1)) return {};
    if (ends(*at)) {
      if (at - digits <= kSafeDigits) {
        return Value::of(negative ? -integer : integer);
      }
      if (std::from_chars(first, at, integer).ec == std::errc()) return Value::of(integer);
      std::uint64_t large = 0;
      if (negative || std::from_chars(first, at, large).ec != std::errc()) return {};
      return Value::of(static_cast<double>(large));
    }
    if (*at == '.') {
      const char* const fraction = ++at;
      while (digit(*at)) ++at;
      if (at == fraction) return {};
    }
    bool tiny = false;
    if (*at == 'e' || *at == 'E') {
      ++at;
      tiny = *at == '-';
      if (*at == '+' || *at == '-') ++at;
      const char* const exponent = at;
      while (digit(*at)) ++at;
      if (at == exponent) return {};
    } else {
      tiny = *digits == '0';
    }
    if (!ends(*at)) return {};
    double real = 0;
    const auto read = std::from_chars(first, at, real);
    if (read.ec == std::errc::result_out_of_range) {
      // Too small is zero, too large is refused. A number with so many digits that its exponent does not tell which
      // it is does not come from any logger; it is refused too.
      if (!tiny) return {};
      real = negative ? -0.0 : 0.0;
    } else if (read.ec != std::errc()) {
      return {};
    }
    return Value::of(real);
  }

  const Places& places_;
  const char* text_;
  const char* end_;
  const std::uint32_t* next_;
  Arena& arena_;
  Stacks& stacks_;
  const char* escape_ = nullptr;   // the first backslash at or after the last place that asked
  std::uint8_t* room_ = nullptr;   // for strings with escapes
  std::size_t depth_ = 0;
  simdjson::error_code error_ = simdjson::SUCCESS;
};

// What a thread keeps between documents.
struct Workshop {
  std::unique_ptr<Places> places;
  Stacks stacks;

  simdjson::error_code make_room(std::size_t size) {
    if (places != nullptr && places->capacity() >= size) return simdjson::SUCCESS;
    const std::size_t room = std::max<std::size_t>(size, 16 * 1024);
    if (places != nullptr) return places->allocate(room, kMaxJsonDepth);
    return simdjson::get_active_implementation()->create_dom_parser_implementation(room, kMaxJsonDepth, places);
  }
  void leave() {
    if (places != nullptr && places->capacity() > kKeptBytes) places.reset();
    if (stacks.fields.capacity() + stacks.items.capacity() > kKeptMembers) stacks = Stacks{};
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
    char* const padded = reinterpret_cast<char*>(arena.allocate(text.size() + simdjson::SIMDJSON_PADDING, 1));
    if (!text.empty()) std::memcpy(padded, text.data(), text.size());
    std::memset(padded + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    error = shop.places->stage1(reinterpret_cast<const std::uint8_t*>(padded), text.size(), simdjson::stage1_mode::regular);
    if (error == simdjson::SUCCESS) {
      Value root;
      error = Walk(*shop.places, {padded, text.size()}, arena, shop.stacks).document(root);
      if (error == simdjson::SUCCESS) {
        shop.leave();
        return root;
      }
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
