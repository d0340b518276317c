// Time as a value: microseconds since 1970 in UTC. Nothing below engine/app reads a clock; whoever
// needs "now" is given a Clock or a Time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

[[nodiscard]] constexpr std::int64_t to_micros(Time t) noexcept { return t.time_since_epoch().count(); }
[[nodiscard]] constexpr Time from_micros(std::int64_t us) noexcept { return Time{Duration{us}}; }

// RFC 3339 in UTC: "2026-11-23T14:55:50.158Z". Fraction digits: none, 3 or 6, the fewest that are exact.
[[nodiscard]] std::string format_rfc3339(Time t);

// Reads RFC 3339 (section 5.6), with 'T' or a blank between date and time, any number of fraction
// digits (cut at microseconds), and 'Z', "UTC", "GMT" or a numeric offset ("+01:00", "+0100", "+01").
// A text without a zone is read as UTC only if `assume_utc`. Nothing else is accepted.
[[nodiscard]] std::optional<Time> parse_rfc3339(std::string_view text, bool assume_utc = false) noexcept;

// The source of "now". Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

// The machine's clock. Only engine/app and tests make one.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
};

// A clock that stands still until it is moved; for tests and replays.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time t) : now_(t) {}
  [[nodiscard]] Time now() const override { return now_; }
  void set(Time t) { now_ = t; }
  void advance(Duration d) { now_ += d; }

 private:
  Time now_;
};

}  // namespace tocsin
