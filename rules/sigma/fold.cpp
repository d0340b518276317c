// The table is generated from the Unicode database and holds runs, not characters.
#include "rules/sigma/fold.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "rules/base/utf8.hpp"

namespace tocsin::rules::sigma {
namespace {

struct Run {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t stride;
  std::int32_t delta;
};

constexpr Run kRuns[] = {
#include "rules/sigma/fold_table.inc"
};

std::uint32_t fold_code(std::uint32_t code) noexcept {
  const Run* run = std::upper_bound(std::begin(kRuns), std::end(kRuns), code,
                                    [](std::uint32_t c, const Run& r) { return c < r.first; });
  // A run of stride 2 may enclose another that starts later, so look back as far as it could reach.
  for (int back = 0; back < 4 && run != std::begin(kRuns); ++back) {
    --run;
    if (code <= run->last && (code - run->first) % run->stride == 0) {
      return static_cast<std::uint32_t>(static_cast<std::int32_t>(code) + run->delta);
    }
  }
  return code;
}

std::size_t encode(std::uint32_t code, char* out) noexcept {
  const auto put = [&](std::size_t i, std::uint32_t byte) { out[i] = static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(0, code);
    return 1;
  }
  if (code < 0x800) {
    put(0, 0xC0 | code >> 6);
    put(1, 0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    put(0, 0xE0 | code >> 12);
    put(1, 0x80 | (code >> 6 & 0x3F));
    put(2, 0x80 | (code & 0x3F));
    return 3;
  }
  put(0, 0xF0 | code >> 18);
  put(1, 0x80 | (code >> 12 & 0x3F));
  put(2, 0x80 | (code >> 6 & 0x3F));
  put(3, 0x80 | (code & 0x3F));
  return 4;
}

constexpr std::uint64_t kEach = 0x0101010101010101ULL;

// Lower-cases eight ASCII bytes: bit 7 of a byte is set below where the byte lies in 'A'..'Z', and becomes 0x20.
constexpr std::uint64_t lower8(std::uint64_t word) noexcept {
  const std::uint64_t from_a = word + kEach * (0x80 - 'A');
  const std::uint64_t past_z = word + kEach * (0x80 - 'Z' - 1);
  return word | ((from_a & ~past_z & (kEach * 0x80)) >> 2);
}

}  // namespace

std::size_t fold_into(std::string_view text, char* out) noexcept {
  char* const begin = out;
  std::size_t i = 0;
  while (i < text.size()) {
    while (text.size() - i >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i, 8);
      if ((word & (kEach * 0x80)) != 0) break;
      word = lower8(word);
      std::memcpy(out, &word, 8);
      out += 8;
      i += 8;
    }
    if (i == text.size()) break;
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x80) {
      *out++ = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      ++i;
      continue;
    }
    std::uint32_t code = 0;
    const std::size_t n = decode_utf8(text.substr(i), code);
    if (n == 0) {
      *out++ = c;
      ++i;
    } else {
      out += encode(fold_code(code), out);
      i += n;
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::string folded(std::string_view text) {
  std::string out(text.size() * kFoldGrowth, '\0');
  out.resize(fold_into(text, out.data()));
  return out;
}

std::size_t step(std::string_view text) noexcept {
  std::uint32_t code = 0;
  const std::size_t n = decode_utf8(text, code);
  return n == 0 ? 1 : n;
}

}  // namespace tocsin::rules::sigma
