// Text that comes from strangers: UTF-8 repair, terminal-safe printing, ASCII case, trimming, splitting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;  // RFC 3629: no surrogates, no overlong forms

// The text with each byte that is not UTF-8 replaced by U+FFFD. Valid text is returned unchanged.
[[nodiscard]] std::string to_utf8(std::string_view text);

// The text made safe for a terminal, a log line or a page: control characters (C0, C1), bidirectional
// overrides and bad UTF-8 become visible escapes; cut to `limit` bytes with "…" at a character border.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 4096);

[[nodiscard]] std::string to_lower(std::string_view text);  // ASCII only
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;  // ASCII only
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;  // blanks, tabs, CR, LF
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// The candidate with the fewest edits from `word` if that is at most 2, else empty: "did you mean".
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace tocsin
