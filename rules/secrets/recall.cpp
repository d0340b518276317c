// The memory of keys seen lately, one per thread. It holds names of fields, never values.
#include <algorithm>
#include <array>
#include <cstring>

#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {
namespace {

// One place for each key's hash; a newer key takes the place of an older one.
struct Remembered {
  static constexpr std::size_t kMaxText = 40;
  std::uint64_t vocabulary = 0;  // 0 = empty
  std::uint64_t hash = 0;
  std::uint32_t size = 0;
  std::array<char, kMaxText> text{};
  Key key;
};
constexpr std::size_t kRemembered = 512;

std::uint64_t hash_of(std::string_view text) {
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

}  // namespace

Key Vocabulary::recall(std::string_view key) const {
  if (key.size() > Remembered::kMaxText) return classify(key);
  thread_local std::array<Remembered, kRemembered> memory;
  const std::uint64_t hash = hash_of(key);
  Remembered& place = memory[hash % kRemembered];
  if (place.vocabulary == id_ && place.hash == hash && std::string_view(place.text.data(), place.size) == key) return place.key;
  place.vocabulary = id_;
  place.hash = hash;
  place.size = static_cast<std::uint32_t>(key.size());
  std::copy(key.begin(), key.end(), place.text.begin());
  place.key = classify(key);
  return place.key;
}

}  // namespace tocsin::rules::secrets
