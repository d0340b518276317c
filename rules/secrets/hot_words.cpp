// Each of the first four letters is looked up by the low half of its byte, the first one also by the high half, in tables
// of sixteen with one bit per word: where all looks have a bit in common, that word may stand, and nearly always does.
#include "rules/secrets/hot_words.hpp"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kDeep = 4;  // letters looked at; a word of three takes any fourth byte

// Four times over, for the widest registers.
struct alignas(64) Table : std::array<std::uint8_t, 64> {};

constexpr std::uint8_t with(std::uint8_t bits, std::size_t word) { return static_cast<std::uint8_t>(bits | 1U << word); }

// By the low half of the byte.
constexpr std::array<Table, kDeep> kLow = [] {
  std::array<Table, kDeep> out{};
  for (std::size_t word = 0; word < kHotWords.size(); ++word) {
    for (std::size_t i = 0; i < kDeep; ++i) {
      for (std::size_t half = 0; half < 64; ++half) {
        const bool any = i >= kHotWords[word].size();
        if (any || (static_cast<unsigned char>(kHotWords[word][i]) & 15U) == half % 16) out[i][half] = with(out[i][half], word);
      }
    }
  }
  return out;
}();

// The words that take any fourth byte, one beyond ASCII too.
constexpr char kAnyFourth = [] {
  std::uint8_t out = 0;
  for (std::size_t word = 0; word < kHotWords.size(); ++word) out = kHotWords[word].size() < kDeep ? with(out, word) : out;
  return static_cast<char>(out);
}();

// By the high half of the first one; capitals have another.
constexpr Table kHigh = [] {
  Table out{};
  for (std::size_t word = 0; word < kHotWords.size(); ++word) {
    const unsigned high = static_cast<unsigned char>(kHotWords[word][0]) >> 4U;
    for (std::size_t half = 0; half < 64; ++half) {
      if (high == half % 16 || high - 2 == half % 16) out[half] = with(out[half], word);
    }
  }
  return out;
}();

// By the whole byte: nothing else passes.
constexpr std::array<std::array<std::uint8_t, 256>, kDeep> kWhole = [] {
  std::array<std::array<std::uint8_t, 256>, kDeep> out{};
  for (std::size_t word = 0; word < kHotWords.size(); ++word) {
    for (std::size_t i = 0; i < kDeep; ++i) {
      const bool any = i >= kHotWords[word].size();
      for (std::size_t byte = 0; byte < 256; ++byte) {
        if (any || byte == static_cast<unsigned char>(kHotWords[word][i]) || byte + 32 == static_cast<unsigned char>(kHotWords[word][i])) {
          out[i][byte] = with(out[i][byte], word);
        }
      }
    }
  }
  return out;
}();

// The words that stand at `bytes`, which has kDeep of them.
inline unsigned standing(const char* bytes) {
  const auto look = [&](std::size_t i) { return kWhole[i].data()[static_cast<unsigned char>(bytes[i])]; };
  return static_cast<unsigned>(look(0) & look(1) & look(2) & look(3));
}

// Behind the end stands nothing.
unsigned standing(std::string_view text, std::size_t at) {
  if (at + kDeep <= text.size()) return standing(text.data() + at);
  std::array<char, kDeep> bytes{};
  std::copy_n(text.data() + at, text.size() - at, bytes.data());
  return standing(bytes.data());
}

void plain(std::string_view text, std::vector<std::uint32_t>& out) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (standing(text, at) != 0) out.push_back(static_cast<std::uint32_t>(at));
  }
}

#if defined(__x86_64__)
// Those of the candidates that are none but words. `found` has a bit for each byte from `bytes` on, which is the text's `at`.
void take(std::uint64_t found, const char* bytes, std::size_t at, std::vector<std::uint32_t>& out) {
  for (; found != 0; found &= found - 1) {
    const auto place = static_cast<unsigned>(__builtin_ctzll(found));
    if (standing(bytes + place) != 0) out.push_back(static_cast<std::uint32_t>(at + place));
  }
}

// What is left at the end of a text, with zeros behind it.
struct Rest {
  alignas(64) std::array<char, 3 * 64> bytes{};
  std::size_t size;
  Rest(std::string_view text, std::size_t at) : size(text.size() - at) { std::copy_n(text.data() + at, size, bytes.data()); }
};

// One step: bytes from `at` on, and kDeep more behind them. A byte beyond ASCII looks up nothing, and the bits above its
// low half count for nothing.
[[gnu::target("ssse3"), gnu::always_inline]] inline __m128i looked_up_16(const Table& table, const char* at) {
  return _mm_shuffle_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(table.data())), _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

[[gnu::target("ssse3"), gnu::always_inline]] inline std::uint64_t step_16(const char* at) {
  const __m128i half = _mm_and_si128(_mm_srli_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), 4), _mm_set1_epi8(15));
  const __m128i high = _mm_shuffle_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(kHigh.data())), half);
  const __m128i first = _mm_and_si128(looked_up_16(kLow[0], at), looked_up_16(kLow[1], at + 1));
  const __m128i fourth = _mm_or_si128(looked_up_16(kLow[3], at + 3), _mm_set1_epi8(kAnyFourth));
  const __m128i second = _mm_and_si128(looked_up_16(kLow[2], at + 2), fourth);
  const __m128i none = _mm_cmpeq_epi8(_mm_and_si128(_mm_and_si128(first, second), high), _mm_setzero_si128());
  return ~static_cast<unsigned>(_mm_movemask_epi8(none)) & 0xffffU;
}

[[gnu::target("ssse3")]] void by_16(std::string_view text, std::vector<std::uint32_t>& out) {
  std::size_t at = 0;
  for (; at + 16 + kDeep <= text.size(); at += 16) {
    if (const auto found = step_16(text.data() + at); found != 0) take(found, text.data() + at, at, out);
  }
  const Rest rest(text, at);
  for (std::size_t i = 0; i < rest.size; i += 16) take(step_16(rest.bytes.data() + i), rest.bytes.data() + i, at + i, out);
}

[[gnu::target("avx2"), gnu::always_inline]] inline __m256i looked_up_32(const Table& table, const char* at) {
  return _mm256_shuffle_epi8(_mm256_load_si256(reinterpret_cast<const __m256i*>(table.data())), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

[[gnu::target("avx2"), gnu::always_inline]] inline std::uint64_t step_32(const char* at) {
  const __m256i half = _mm256_and_si256(_mm256_srli_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)), 4), _mm256_set1_epi8(15));
  const __m256i high = _mm256_shuffle_epi8(_mm256_load_si256(reinterpret_cast<const __m256i*>(kHigh.data())), half);
  const __m256i first = _mm256_and_si256(looked_up_32(kLow[0], at), looked_up_32(kLow[1], at + 1));
  const __m256i fourth = _mm256_or_si256(looked_up_32(kLow[3], at + 3), _mm256_set1_epi8(kAnyFourth));
  const __m256i second = _mm256_and_si256(looked_up_32(kLow[2], at + 2), fourth);
  const __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_and_si256(first, second), high), _mm256_setzero_si256());
  return ~static_cast<unsigned>(_mm256_movemask_epi8(none));
}

[[gnu::target("avx2")]] void by_32(std::string_view text, std::vector<std::uint32_t>& out) {
  std::size_t at = 0;
  for (; at + 32 + kDeep <= text.size(); at += 32) {
    if (const auto found = step_32(text.data() + at); found != 0) take(found, text.data() + at, at, out);
  }
  const Rest rest(text, at);
  for (std::size_t i = 0; i < rest.size; i += 32) take(step_32(rest.bytes.data() + i), rest.bytes.data() + i, at + i, out);
}

[[gnu::target("avx512bw"), gnu::always_inline]] inline __m512i looked_up_64(const Table& table, const char* at) {
  return _mm512_shuffle_epi8(_mm512_load_si512(table.data()), _mm512_loadu_si512(at));
}

[[gnu::target("avx512bw"), gnu::always_inline]] inline std::uint64_t step_64(const char* at) {
  const __m512i half = _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(at), 4), _mm512_set1_epi8(15));
  const __m512i high = _mm512_shuffle_epi8(_mm512_load_si512(kHigh.data()), half);
  const __m512i first = _mm512_and_si512(looked_up_64(kLow[0], at), looked_up_64(kLow[1], at + 1));
  const __m512i fourth = _mm512_or_si512(looked_up_64(kLow[3], at + 3), _mm512_set1_epi8(kAnyFourth));
  const __m512i second = _mm512_and_si512(looked_up_64(kLow[2], at + 2), fourth);
  return _mm512_test_epi8_mask(_mm512_and_si512(first, second), high);
}

[[gnu::target("avx512bw")]] void by_64(std::string_view text, std::vector<std::uint32_t>& out) {
  std::size_t at = 0;
  for (; at + 64 + kDeep <= text.size(); at += 64) {
    if (const auto found = step_64(text.data() + at); found != 0) take(found, text.data() + at, at, out);
  }
  const Rest rest(text, at);
  for (std::size_t i = 0; i < rest.size; i += 64) take(step_64(rest.bytes.data() + i), rest.bytes.data() + i, at + i, out);
}
#endif

struct Finders {
  std::array<HotWordFinder, 4> all{plain};
  std::size_t count = 1;
  Finders() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("ssse3")) all[count++] = by_16;
    if (__builtin_cpu_supports("avx2")) all[count++] = by_32;
    if (__builtin_cpu_supports("avx512bw")) all[count++] = by_64;
#endif
  }
};
const Finders kFinders;

}  // namespace

std::size_t hot_word_at(std::string_view text, std::size_t at) noexcept {
  const unsigned words = standing(text, at);
  return words == 0 ? kNoHotWord : static_cast<std::size_t>(__builtin_ctz(words));
}

std::span<const HotWordFinder> hot_word_finders() { return {kFinders.all.data(), kFinders.count}; }

void find_hot_words(std::string_view text, std::vector<std::uint32_t>& out) { kFinders.all[kFinders.count - 1](text, out); }

}  // namespace tocsin::rules::secrets
