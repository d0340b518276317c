// The memory of keys seen lately, one per thread. It holds names of fields, never values.
#include <algorithm>
#include <array>

#include "rules/secrets/key_hash.hpp"
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

}  // namespace

Key Vocabulary::recall(std::string_view key) const {
  if (key.size() > Remembered::kMaxText) return classify(key);
  thread_local std::array<Remembered, kRemembered> memory;
  const std::uint64_t hash = key_hash(key);
  Remembered& place = memory[hash % kRemembered];
  if (place.vocabulary == id_ && place.hash == hash && place.size == key.size() && same_key(place.text.data(), key.data(), key.size())) return place.key;
  place.vocabulary = id_;
  place.hash = hash;
  place.size = static_cast<std::uint32_t>(key.size());
  std::copy(key.begin(), key.end(), place.text.begin());
  place.key = classify(key);
  return place.key;
}

}  // namespace tocsin::rules::secrets
