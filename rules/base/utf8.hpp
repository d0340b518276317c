// UTF-8, one code point at a time, by the table of RFC 3629 section 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin {

// Bytes of the well-formed sequence at the front of `text` (not empty), its code point in `code`; 0 if there is none:
// a stray or missing continuation byte, an overlong form, a surrogate, or past U+10FFFF.
[[nodiscard]] inline std::size_t decode_utf8(std::string_view text, std::uint32_t& code) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = at(0);
  if (lead < 0x80) {
    code = lead;
    return 1;
  }
  const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < n) return 0;
  code = lead & (0x7FU >> n);
  for (std::size_t i = 1; i < n; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return 0;
    code = code << 6 | (at(i) & 0x3FU);
  }
  if (n == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) return 0;
  if (n == 4 && (code < 0x10000 || code > 0x10FFFF)) return 0;
  return n;
}

}  // namespace tocsin
