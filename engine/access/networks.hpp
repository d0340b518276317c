// Which addresses belong to whom: the organisation's own networks, the proxies that are trusted.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"

namespace tocsin::engine {

// Addresses of IPv4 and IPv6 networks ("10.0.0.0/8", "2001:db8::/32", a plain address).
class Networks {
 public:
  // kInvalid for what is no network.
  [[nodiscard]] Result<void> add(std::string_view network);
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  // False for an address outside all of them; true for text that is no address (a local socket, nothing known).
  [[nodiscard]] bool hold(std::string_view address) const;
  // IPv4 or IPv6, without port or zone.
  [[nodiscard]] static bool is_address(std::string_view text);

 private:
  struct Network {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 0;
  };
  std::vector<Network> list_;
};

}  // namespace tocsin::engine
