// A quick hash and a quick comparison for the memories of keys seen lately.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tocsin::rules::secrets {

[[nodiscard]] inline std::uint64_t key_hash(std::string_view text) {
  const char* const bytes = text.data();
  const std::size_t size = text.size();
  const auto load = [&](std::size_t at, auto word) {
    std::memcpy(&word, bytes + at, sizeof word);
    return static_cast<std::uint64_t>(word);
  };
  std::uint64_t hash = size * 0x9e3779b97f4a7c15ULL;
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
  };
  // Words of eight, the last one reaching back over bytes already taken.
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) mix(load(i, std::uint64_t{}));
    mix(load(size - 8, std::uint64_t{}));
  } else if (size >= 4) {
    mix(load(0, std::uint32_t{}) << 32 | load(size - 4, std::uint32_t{}));
  } else {
    for (std::size_t i = 0; i < size; ++i) mix(static_cast<unsigned char>(bytes[i]));
  }
  return hash;
}

// Compares as the hash reads: words of eight, the last one reaching back.
[[nodiscard]] inline bool same_key(const char* a, const char* b, std::size_t size) {
  if (size < 8) return std::memcmp(a, b, size) == 0;
  const auto differ = [&](std::size_t at) {
    std::uint64_t left = 0;
    std::uint64_t right = 0;
    std::memcpy(&left, a + at, sizeof left);
    std::memcpy(&right, b + at, sizeof right);
    return left ^ right;
  };
  std::uint64_t bits = differ(size - 8);
  for (std::size_t i = 0; i + 8 < size; i += 8) bits |= differ(i);
  return bits == 0;
}

}  // namespace tocsin::rules::secrets
