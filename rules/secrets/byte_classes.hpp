// Sixteen bytes at once: which of them belong to names, as a mask with one bit per byte. Without SSE2 there is none of
// this, and the callers go byte by byte.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tocsin::rules::secrets {

// [A-Za-z0-9_.-]
constexpr bool is_name_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

#if defined(__SSE2__)

inline __m128i bytes_between(__m128i bytes, char first, char last) {
  const __m128i distance = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(static_cast<char>(last - first))), distance);
}

// The same of all sixteen.
inline __m128i name_bytes(__m128i bytes) {
  const __m128i letters = bytes_between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
  const __m128i digits = bytes_between(bytes, '0', '9');
  const __m128i signs = _mm_or_si128(bytes_between(bytes, '-', '.'), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
  return _mm_or_si128(_mm_or_si128(letters, digits), signs);
}

inline __m128i sixteen(const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
inline unsigned mask_of(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }
#endif

}  // namespace tocsin::rules::secrets
