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
  std::uint64_t hash = text.size() * 0x9e3779b97f4a7c15ULL;
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, std::min<std::size_t>(8, text.size() - i));
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
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
