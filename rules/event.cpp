// Values as text, and the arena's slow path.
#include "rules/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tocsin::rules {
namespace {

void write_string(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // start of the run that needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

}  // namespace

void write_json(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::kAbsent:
    case Kind::kNull: out += "null"; break;
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kDouble: {
      std::array<char, 32> buffer{};
      out += scalar_text(value, buffer);
      break;
    }
    case Kind::kString: write_string(value.as_string(), out); break;
    case Kind::kArray: {
      out += '[';
      bool first = true;
      for (const Value& item : value.items()) {
        if (!std::exchange(first, false)) out += ',';
        write_json(item, out);
      }
      out += ']';
      break;
    }
    case Kind::kObject: {
      out += '{';
      bool first = true;
      for (const Field& field : value.fields()) {
        if (!std::exchange(first, false)) out += ',';
        write_string(field.key, out);
        out += ':';
        write_json(field.value, out);
      }
      out += '}';
      break;
    }
  }
}

std::string_view scalar_text(const Value& value, std::span<char> buffer) noexcept {
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  switch (value.kind()) {
    case Kind::kString: return value.as_string();
    case Kind::kBool: return value.as_bool() ? "true" : "false";
    case Kind::kInt: return {begin, std::to_chars(begin, end, value.as_int()).ptr};
    case Kind::kDouble: return {begin, std::to_chars(begin, end, value.as_double()).ptr};
    default: return {};
  }
}

std::byte* Arena::allocate_in_next(std::size_t size) {
  if (block_ < blocks_.size()) ++block_;
  while (block_ < blocks_.size() && blocks_[block_].size < size) ++block_;
  if (block_ == blocks_.size()) {
    constexpr std::size_t kLargest = 1024 * 1024;  // of a block that no single request forces to be larger
    const std::size_t doubled = blocks_.empty() ? first_ : std::min(kLargest, blocks_.back().size * 2);
    Block block;
    block.size = std::max(size, doubled);
    block.bytes = std::unique_ptr<std::byte[]>(new std::byte[block.size]);  // aligned for any T we keep
    blocks_.push_back(std::move(block));
  }
  used_ = size;
  return blocks_[block_].bytes.get();
}

}  // namespace tocsin::rules
