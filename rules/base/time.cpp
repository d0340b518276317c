// RFC 3339 written by hand: the standard library of g++ 12 has neither a parser nor std::format.
#include "rules/base/time.hpp"

#include <cstdio>

namespace tocsin {
namespace {

// Reads exactly `digits` digits at `pos`; -1 if they are not there.
int digits_at(std::string_view s, std::size_t pos, std::size_t digits) noexcept {
  if (pos + digits > s.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = s[pos + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::string format_rfc3339(Time t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{t - day};
  const auto micros = static_cast<long>(clock.subseconds().count());
  char buffer[64];
  const int n = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02ld:%02ld:%02ld",
                              static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                              static_cast<unsigned>(date.day()), static_cast<long>(clock.hours().count()),
                              static_cast<long>(clock.minutes().count()),
                              static_cast<long>(clock.seconds().count()));
  std::string out(buffer, static_cast<std::size_t>(n));
  if (micros != 0) {
    const bool millis = micros % 1000 == 0;
    std::snprintf(buffer, sizeof buffer, millis ? ".%03ld" : ".%06ld", millis ? micros / 1000 : micros);
    out += buffer;
  }
  out += 'Z';
  return out;
}

std::optional<Time> parse_rfc3339(std::string_view s, bool assume_utc) noexcept {
  const int year = digits_at(s, 0, 4), month = digits_at(s, 5, 2), day = digits_at(s, 8, 2);
  const int hour = digits_at(s, 11, 2), minute = digits_at(s, 14, 2), second = digits_at(s, 17, 2);
  if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  if (s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':') return std::nullopt;
  if (s[10] != 'T' && s[10] != 't' && s[10] != ' ') return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;

  std::size_t pos = 19;
  std::int64_t micros = 0;
  if (pos < s.size() && (s[pos] == '.' || s[pos] == ',')) {
    std::int64_t unit = 100'000;
    std::size_t count = 0;
    for (++pos; pos < s.size() && s[pos] >= '0' && s[pos] <= '9'; ++pos, ++count, unit /= 10) {
      micros += (s[pos] - '0') * unit;
    }
    if (count == 0) return std::nullopt;
  }
  std::int64_t offset_minutes = 0;
  std::string_view zone = s.substr(pos);
  if (!zone.empty() && zone[0] == ' ') zone.remove_prefix(1);
  if (zone.empty()) {
    if (!assume_utc || pos != s.size()) return std::nullopt;
  } else if (zone == "Z" || zone == "z" || zone == "UTC" || zone == "GMT") {
  } else if (zone[0] == '+' || zone[0] == '-') {
    const int hours = digits_at(zone, 1, 2);
    int minutes = 0;
    if (zone.size() == 6 && zone[3] == ':') minutes = digits_at(zone, 4, 2);
    else if (zone.size() == 5) minutes = digits_at(zone, 3, 2);
    else if (zone.size() != 3) return std::nullopt;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    offset_minutes = (hours * 60 + minutes) * (zone[0] == '-' ? -1 : 1);
  } else {
    return std::nullopt;
  }
  const auto seconds = std::chrono::hours{hour} + std::chrono::minutes{minute} +
                       std::chrono::seconds{second} - std::chrono::minutes{offset_minutes};
  return Time{std::chrono::sys_days{date}} + seconds + Duration{micros};
}

Time SystemClock::now() const {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

}  // namespace tocsin
