// Who asked, where proxies stand before the server that wrote the log.
//
// Anybody may send a header, so only what trusted proxies have added is believed: the list is read from its right end, where
// the nearest proxy wrote, and the first address that is no trusted proxy's is the client's.
#pragma once

#include <string>
#include <string_view>

#include "engine/access/networks.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxForwardedHops = 64;  // looked at, from the right

// `peer`: the address that the server saw. `header`: X-Forwarded-For ("203.0.113.7, 10.0.0.2"), Forwarded of RFC 7239
// ("for=203.0.113.7;proto=https, for=\"[2001:db8::1]:443\"") or X-Real-IP, as it was logged. The peer itself if it is no
// trusted proxy; the last trusted proxy if what stands before it is no address ("unknown", "_hidden", nothing).
[[nodiscard]] std::string client_behind(const Networks& proxies, std::string_view peer, std::string_view header);

}  // namespace tocsin::engine
