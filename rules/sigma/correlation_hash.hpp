// The 64-bit hash of the correlator's tables: folded 128-bit products, eight bytes at a time, from a seed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin::rules::sigma {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

[[nodiscard]] inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const UnsignedWide product = static_cast<UnsignedWide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

[[nodiscard]] inline std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept {
  constexpr std::uint64_t kA = 0xA0761D6478BD642FULL;
  constexpr std::uint64_t kB = 0xE7037ED1A0B428DBULL;
  std::uint64_t h = seed ^ kA;
  const char* at = text.data();
  std::size_t left = text.size();
  while (left >= 16) {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, at, 8);
    std::memcpy(&b, at + 8, 8);
    h = mix(a ^ kB, b ^ h);
    at += 16;
    left -= 16;
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {
    std::memcpy(&a, at, 8);
    at += 8;
    left -= 8;
    if (left > 0) std::memcpy(&b, at, left);
  } else if (left > 0) {
    std::memcpy(&a, at, left);
  }
  return mix(kB ^ text.size(), mix(a ^ kB, b ^ h));
}

[[nodiscard]] inline std::uint64_t combine(std::uint64_t h, std::uint64_t next) noexcept {
  return mix(h ^ 0x8EBC6AF09C88C6E3ULL, next ^ 0x589965CC75374CC3ULL);
}

}  // namespace tocsin::rules::sigma
