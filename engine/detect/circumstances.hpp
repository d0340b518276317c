// When and from where is ordinary: office hours, and the organisation's own networks.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

// Days of the week and a stretch of each, in a fixed offset from UTC.
struct OfficeHours {
  unsigned days = 0;       // bit 0 = Monday; 0 = no hours are known, every moment is ordinary
  int from = 0, to = 24 * 60;  // minutes of the day; `to` outside
  int offset = 0;          // minutes east of UTC

  // "Mon-Fri 07:00-19:00", "Mon,Wed,Sat 08:30-12:00 +02:00". kInvalid otherwise.
  [[nodiscard]] static Result<OfficeHours> parse(std::string_view text);
  [[nodiscard]] bool hold(Time time) const noexcept;
};

// Addresses of IPv4 and IPv6 networks ("10.0.0.0/8", "2001:db8::/32", a plain address).
class Networks {
 public:
  // kInvalid for what is no network.
  [[nodiscard]] Result<void> add(std::string_view network);
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  // False for an address outside all of them; true for text that is no address (a local socket, nothing known).
  [[nodiscard]] bool hold(std::string_view address) const;

 private:
  struct Network {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 0;
  };
  std::vector<Network> list_;
};

}  // namespace tocsin::engine
