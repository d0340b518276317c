// The request target as it came over the wire: path and query, percent-decoded once and strictly, so that no
// two readers of the same bytes can see different paths (RFC 3986; reliability.md section 9, threat 18).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxTarget = 8 * 1024;
inline constexpr std::size_t kMaxQueryParts = 64;

struct Target {
  std::string path;
  std::map<std::string, std::string> query;
};

// Reads "/v1/alerts?state=new". kInvalid: not starting with '/', bytes outside the visible ASCII range, a
// broken escape, an escaped '/', '\' or control character, text that is not UTF-8, an empty, "." or ".." part
// of the path, a query key given twice. kTooLarge: longer than kMaxTarget, more than kMaxQueryParts.
[[nodiscard]] Result<Target> parse_target(std::string_view raw);

// Decodes %XX; with `plus_is_blank` also '+'. nullopt if an escape is broken.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank = false);
// Encodes all but RFC 3986's unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);

// The value of one cookie in a Cookie header; empty if it is absent or given twice.
[[nodiscard]] std::string cookie(std::string_view header, std::string_view name);

}  // namespace tocsin::engine
