// Text inside text: what a value may be wrapped in, beyond the escapes that its shape tells of.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tocsin::rules::secrets {

inline constexpr std::size_t kMaxUnpacked = 16 << 10;  // bytes taken from one gzip; the rest is not looked at

// Pairs of hex digits that are printable text; nullopt if they are not.
[[nodiscard]] std::optional<std::string> decode_hex_text(std::string_view text);

// gzip in base64 (it begins with "H4sI"), unpacked up to kMaxUnpacked; nullopt if it is neither, or not printable text.
[[nodiscard]] std::optional<std::string> decode_gzip_text(std::string_view base64);

}  // namespace tocsin::rules::secrets
