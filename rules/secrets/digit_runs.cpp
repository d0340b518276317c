// One bit per byte, sixty-four at once; runs by shifting masks against themselves. SSE2 where there is such a thing,
// which on x86-64 is everywhere.
#include "rules/secrets/digit_runs.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kBlock = 64;

#if defined(__SSE2__)
inline DigitMasks masks_of(const char* bytes) {
  const __m128i zero = _mm_set1_epi8('0');
  const __m128i nine = _mm_set1_epi8(9);
  const __m128i a = _mm_set1_epi8('A');
  const __m128i z = _mm_set1_epi8('Z' - 'A');
  DigitMasks out;
  for (int part = 0; part < 4; ++part) {
    const __m128i data = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + part * 16));
    const __m128i digit = _mm_sub_epi8(data, zero);
    const __m128i capital = _mm_sub_epi8(data, a);
    const auto bits = [&](__m128i distance, __m128i width) {
      return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(distance, width), distance))));
    };
    out.digits |= bits(digit, nine) << (part * 16);
    out.capitals |= bits(capital, z) << (part * 16);
  }
  return out;
}
#else
DigitMasks masks_of(const char* bytes) {
  DigitMasks out;
  for (std::size_t i = 0; i < kBlock; ++i) {
    out.digits |= static_cast<std::uint64_t>(bytes[i] >= '0' && bytes[i] <= '9') << i;
    out.capitals |= static_cast<std::uint64_t>(bytes[i] >= 'A' && bytes[i] <= 'Z') << i;
  }
  return out;
}
#endif

DigitMasks load(std::string_view text, std::size_t block) {
  const std::size_t at = block * kBlock;
  if (at + kBlock <= text.size()) return masks_of(text.data() + at);
  if (at >= text.size()) return {};
  std::array<char, kBlock> rest{};
  std::memcpy(rest.data(), text.data() + at, text.size() - at);
  return masks_of(rest.data());
}

}  // namespace

DigitRuns::DigitRuns(std::string_view text) : text_(text) {
  following_ = load(text_, 0);
  advance();
}

// Goes on to the next block that has a start in it, or to the end. Everything in registers: this loop sees every byte.
void DigitRuns::advance() {
  DigitMasks following = following_;
  std::uint64_t before_digit = carried_digit_;
  std::uint64_t before_capitals = carried_capitals_;
  std::size_t block = block_;
  std::uint64_t found = 0;
  const std::size_t blocks = (text_.size() + kBlock - 1) / kBlock;
  const std::size_t whole = text_.size() / kBlock;
  const char* const bytes = text_.data();
  do {
    const std::uint64_t d = following.digits;
    const std::uint64_t capitals = following.capitals;
    ++block;
    following = block < whole ? masks_of(bytes + block * kBlock) : load(text_, block);
    const std::uint64_t f = following.digits;
    const auto ahead = [&](unsigned n) { return d >> n | f << (64 - n); };  // whether the byte n further on is a digit
    const std::uint64_t two = d & ~(d << 1 | before_digit) & ahead(1);
    // Four digits and three more, or two capitals in front; most blocks have neither.
    const std::uint64_t eight = two & ahead(2) & ahead(3) & ahead(5) & ahead(6) & ahead(7);
    found = two & (capitals << 1 | before_capitals >> 63) & (capitals << 2 | before_capitals >> 62);
    if (eight != 0) {
      found |= eight & ~ahead(4);                                                           // 1234 567…
      found |= eight & ahead(4) & ahead(8) & ahead(9) & ahead(10) & ahead(11) & ahead(12);  // thirteen
    }
    before_digit = d >> 63;
    before_capitals = capitals & (3ULL << 62);
  } while (found == 0 && block < blocks);
  following_ = following;
  carried_digit_ = before_digit;
  carried_capitals_ = before_capitals;
  block_ = block;
  base_ = (block - 1) * kBlock;
  found_ = found;
}

std::size_t count_byte(std::string_view text, char byte) noexcept {
  std::size_t count = 0;
  std::size_t i = 0;
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(byte);
  while (i + 16 <= text.size()) {
    // Equal bytes count as one each in sixteen counters of a byte, which are added up before they can run over.
    const std::size_t stop = std::min(text.size() - 15, i + 255 * 16);
    __m128i counters = _mm_setzero_si128();
    for (; i < stop; i += 16) {
      counters = _mm_sub_epi8(counters, _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i)), wanted));
    }
    const __m128i sums = _mm_sad_epu8(counters, _mm_setzero_si128());
    count += static_cast<std::size_t>(_mm_cvtsi128_si64(sums)) + static_cast<std::size_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
#endif
  for (; i < text.size(); ++i) count += text[i] == byte ? 1U : 0U;
  return count;
}

std::size_t DigitRuns::next() {
  while (found_ == 0) {
    if (block_ * kBlock >= text_.size()) return kNone;
    advance();
  }
  const auto bit = static_cast<std::size_t>(__builtin_ctzll(found_));
  found_ &= found_ - 1;
  return base_ + bit;
}

}  // namespace tocsin::rules::secrets
