// One bit per byte, sixty-four at once; runs by shifting masks against themselves. The masks are made some blocks ahead,
// in the widest registers that the machine has.
#include "rules/secrets/digit_runs.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kBlock = 64;

void plain(const char* bytes, std::size_t blocks, DigitMasks* out) {
  for (; blocks > 0; --blocks, bytes += kBlock, ++out) {
    *out = {};
    for (std::size_t i = 0; i < kBlock; ++i) {
      out->digits |= static_cast<std::uint64_t>(bytes[i] >= '0' && bytes[i] <= '9') << i;
      out->capitals |= static_cast<std::uint64_t>(bytes[i] >= 'A' && bytes[i] <= 'Z') << i;
    }
  }
}

#if defined(__x86_64__)
inline std::uint64_t below_16(__m128i distance, char width) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(width)), distance)));
}

void by_16(const char* bytes, std::size_t blocks, DigitMasks* out) {
  for (; blocks > 0; --blocks, bytes += kBlock, ++out) {
    DigitMasks masks;
    for (int part = 0; part < 4; ++part) {
      const __m128i data = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + part * 16));
      masks.digits |= below_16(_mm_sub_epi8(data, _mm_set1_epi8('0')), 9) << (part * 16);
      masks.capitals |= below_16(_mm_sub_epi8(data, _mm_set1_epi8('A')), 'Z' - 'A') << (part * 16);
    }
    *out = masks;
  }
}

[[gnu::target("avx2"), gnu::always_inline]] inline std::uint64_t below_32(__m256i distance, char width) {
  return static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(distance, _mm256_set1_epi8(width)), distance)));
}

[[gnu::target("avx2")]] void by_32(const char* bytes, std::size_t blocks, DigitMasks* out) {
  for (; blocks > 0; --blocks, bytes += kBlock, ++out) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32));
    const __m256i zero = _mm256_set1_epi8('0');
    const __m256i a = _mm256_set1_epi8('A');
    out->digits = below_32(_mm256_sub_epi8(first, zero), 9) | below_32(_mm256_sub_epi8(second, zero), 9) << 32;
    out->capitals = below_32(_mm256_sub_epi8(first, a), 'Z' - 'A') | below_32(_mm256_sub_epi8(second, a), 'Z' - 'A') << 32;
  }
}

[[gnu::target("avx512bw")]] void by_64(const char* bytes, std::size_t blocks, DigitMasks* out) {
  for (; blocks > 0; --blocks, bytes += kBlock, ++out) {
    const __m512i data = _mm512_loadu_si512(bytes);
    out->digits = _mm512_cmple_epu8_mask(_mm512_sub_epi8(data, _mm512_set1_epi8('0')), _mm512_set1_epi8(9));
    out->capitals = _mm512_cmple_epu8_mask(_mm512_sub_epi8(data, _mm512_set1_epi8('A')), _mm512_set1_epi8('Z' - 'A'));
  }
}
#endif

struct Makers {
  std::array<DigitMaker, 4> all{plain};
  std::size_t count = 1;
  Makers() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    all[count++] = by_16;
    if (__builtin_cpu_supports("avx2")) all[count++] = by_32;
    if (__builtin_cpu_supports("avx512bw")) all[count++] = by_64;
#endif
  }
};
const Makers kMakers;

}  // namespace

std::span<const DigitMaker> digit_makers() { return {kMakers.all.data(), kMakers.count}; }

DigitRuns::DigitRuns(std::string_view text) : text_(text) {
  fill(0);
  advance();
}

// The masks of the blocks from `block` on.
void DigitRuns::fill(std::size_t block) {
  const std::size_t whole = text_.size() / kBlock;
  const std::size_t blocks = block < whole ? std::min(kAhead, whole - block) : 0;
  kMakers.all[kMakers.count - 1](text_.data() + block * kBlock, blocks, ahead_.data());
  ahead_from_ = block;
  ahead_until_ = block + blocks;
  if (blocks == kAhead) return;
  // The last one, of which nothing may be left.
  std::array<char, kBlock> rest{};
  const std::size_t at = std::min(text_.size(), ahead_until_ * kBlock);
  std::memcpy(rest.data(), text_.data() + at, text_.size() - at);
  kMakers.all[kMakers.count - 1](rest.data(), 1, &ahead_[blocks]);
  ++ahead_until_;
}

// Goes on to the next block that has a start in it, or to the end. Everything in registers: this loop sees every byte.
void DigitRuns::advance() {
  if (block_ >= ahead_until_) fill(block_);
  DigitMasks following = ahead_[block_ - ahead_from_];
  std::uint64_t before_digit = carried_digit_;
  std::uint64_t before_capitals = carried_capitals_;
  std::size_t block = block_;
  std::uint64_t found = 0;
  const std::size_t blocks = (text_.size() + kBlock - 1) / kBlock;
  do {
    const std::uint64_t d = following.digits;
    const std::uint64_t capitals = following.capitals;
    ++block;
    if (block >= ahead_until_) fill(block);
    following = ahead_.data()[block - ahead_from_];
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
  carried_digit_ = before_digit;
  carried_capitals_ = before_capitals;
  block_ = block;
  base_ = (block - 1) * kBlock;
  found_ = found;
}

void find_bytes(std::string_view text, char byte, std::vector<std::uint32_t>& out) {
  std::size_t at = 0;
#if defined(__x86_64__)
  const __m128i wanted = _mm_set1_epi8(byte);
  for (; at + kBlock <= text.size(); at += kBlock) {
    const auto equal = [&](std::size_t part) { return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at + part * 16)), wanted); };
    const __m128i any = _mm_or_si128(_mm_or_si128(equal(0), equal(1)), _mm_or_si128(equal(2), equal(3)));
    if (_mm_movemask_epi8(any) == 0) continue;
    for (std::size_t part = 0; part < 4; ++part) {
      for (auto found = static_cast<unsigned>(_mm_movemask_epi8(equal(part))); found != 0; found &= found - 1) {
        out.push_back(static_cast<std::uint32_t>(at + part * 16 + static_cast<unsigned>(__builtin_ctz(found))));
      }
    }
  }
#endif
  for (; at < text.size(); ++at) {
    if (text[at] == byte) out.push_back(static_cast<std::uint32_t>(at));
  }
}

std::size_t count_byte(std::string_view text, char byte) noexcept {
  std::size_t count = 0;
  std::size_t i = 0;
#if defined(__x86_64__)
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
