// Case folding of text: Unicode simple folding (one code point to one code point), so that "?" in a pattern still
// stands for one character. ASCII takes a fast path of eight bytes at a time. Bytes that are not UTF-8 stay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::rules::sigma {

// A folded text is never longer than this many times its original.
inline constexpr std::size_t kFoldGrowth = 2;

// Writes the folded text to `out`, which has room for kFoldGrowth * text.size() bytes; returns its length.
std::size_t fold_into(std::string_view text, char* out) noexcept;

[[nodiscard]] std::string folded(std::string_view text);

// The length of the UTF-8 sequence at the front of `text` (not empty); 1 for a byte that starts none.
[[nodiscard]] std::size_t step(std::string_view text) noexcept;

}  // namespace tocsin::rules::sigma
