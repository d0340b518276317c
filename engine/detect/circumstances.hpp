// When is ordinary: office hours.
#pragma once

#include <string>
#include <string_view>

#include "engine/access/networks.hpp"
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
  // The moment as the office's clock shows it: "Monday 03:00 (UTC+01:00)".
  [[nodiscard]] std::string clock(Time time) const;

 private:
  struct Local;
  [[nodiscard]] Local local(Time time) const noexcept;
};

}  // namespace tocsin::engine
