// Hashes for looking up, never for keeping: fast, of good spread, and not the same from version to version.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "rules/sigma/scalar.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::uint64_t kHashOdd = 0x9E3779B97F4A7C15ULL;

inline std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
inline std::uint32_t load_half(const char* at) noexcept {
  std::uint32_t half = 0;
  std::memcpy(&half, at, sizeof half);
  return half;
}

inline std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t h = text.size() * kHashOdd;
  const char* at = text.data();
  std::size_t left = text.size();
  const auto mix = [&h](std::uint64_t word) {
    h = (h ^ word) * kHashOdd;
    h ^= h >> 32;
  };
  if (left >= 8) {
    // Whole words, the last of which may overlap the one before.
    const char* const last = at + left - 8;
    for (; at < last; at += 8) mix(load_word(at));
    mix(load_word(last));
  } else if (left >= 4) {
    mix(static_cast<std::uint64_t>(load_half(at)) << 32 | load_half(at + left - 4));
  } else if (left > 0) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])); };
    mix(byte(0) << 16 | byte(left / 2) << 8 | byte(left - 1));
  }
  return h ^ h >> 29;
}

inline std::uint64_t hash_of(const Number& number) noexcept {
  const double real = number.real == 0 ? 0.0 : number.real;  // -0 equals 0
  const auto bits = std::bit_cast<std::uint64_t>(real) * kHashOdd;
  return bits ^ bits >> 31;
}

}  // namespace tocsin::rules::sigma
