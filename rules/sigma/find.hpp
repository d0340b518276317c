// Where a short text holds another. libc's memmem prepares a table for each call, which costs more than the search
// itself in texts of a hundred bytes; here sixteen positions at a time are compared by first and last byte.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin::rules::sigma {

// The first place of `needle` (not empty) in `text` at or after `from`, or npos.
inline std::size_t find_in(std::string_view text, std::string_view needle, std::size_t from) noexcept {
  typedef unsigned char Bytes __attribute__((vector_size(16)));
  constexpr std::size_t kWide = sizeof(Bytes);
  constexpr std::size_t kNone = std::string_view::npos;
  if (text.size() < needle.size() || from > text.size() - needle.size()) return kNone;
  const char* const begin = text.data();
  const std::size_t last = text.size() - needle.size();  // the last place it could be
  const std::size_t size = needle.size();
  const auto holds = [&](std::size_t at) { return size <= 2 || std::memcmp(begin + at + 1, needle.data() + 1, size - 2) == 0; };
  const char first = needle.front();
  const char final = needle.back();
  std::size_t at = from;
  if (last - from + 1 >= kWide) {
    const Bytes firsts = Bytes{} + static_cast<unsigned char>(first);
    const Bytes finals = Bytes{} + static_cast<unsigned char>(final);
    for (;;) {
      Bytes head, tail;
      std::memcpy(&head, begin + at, kWide);
      std::memcpy(&tail, begin + at + size - 1, kWide);
      const auto same = (head == firsts) & (tail == finals);
      std::uint64_t half[2];
      std::memcpy(half, &same, kWide);
      if ((half[0] | half[1]) != 0) {
        for (std::size_t i = 0; i < kWide; ++i) {
          if (begin[at + i] == first && begin[at + i + size - 1] == final && holds(at + i)) return at + i;
        }
      }
      if (at == last + 1 - kWide) return kNone;
      at = at + kWide <= last + 1 - kWide ? at + kWide : last + 1 - kWide;  // the last step may overlap
    }
  }
  for (; at <= last; ++at) {
    if (begin[at] == first && begin[at + size - 1] == final && holds(at)) return at;
  }
  return kNone;
}

}  // namespace tocsin::rules::sigma
