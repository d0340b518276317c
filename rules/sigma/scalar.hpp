// Values that are not plain text: numbers, addresses and networks, dates. Each reads the text of a log as strictly
// as Sigma's comparison needs, and never fails loudly: what is not a number or an address just does not match.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rules/event.hpp"

namespace tocsin::rules::sigma {

// An integer kept exact, or a real. Comparisons between the two are by value: 1 = 1.0.
struct Number {
  bool exact = true;
  std::int64_t integer = 0;
  double real = 0;  // set for both
};
[[nodiscard]] bool equal(const Number& a, const Number& b) noexcept;
[[nodiscard]] bool less(const Number& a, const Number& b) noexcept;

// The whole of `text` as a decimal number: sign, digits, fraction, exponent; no blanks, no hex, no "inf".
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept;
// The number that a value of an event is, or whose text it is.
[[nodiscard]] std::optional<Number> number_of(const Value& value) noexcept;

// An address; IPv4 in the first four bytes. IPv4-mapped IPv6 is IPv4.
struct Address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};
};
// Accepts a port ("10.0.0.1:443", "[::1]:443") and a zone ("fe80::1%eth0"), which are dropped.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text) noexcept;

struct Network {
  Address address;
  int prefix = 0;
  [[nodiscard]] bool contains(const Address& other) const noexcept;
};
// "10.0.0.0/8", "fe80::/10", or a lone address. Host bits that are set, and anything else, give nullopt.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text) noexcept;

enum class TimePart : std::uint8_t { kMinute, kHour, kDay, kWeek, kMonth, kYear };
// A part of a date in RFC 3339 (without a zone: UTC), in UTC; week is the ISO week.
[[nodiscard]] std::optional<std::int64_t> time_part(std::string_view text, TimePart part) noexcept;

}  // namespace tocsin::rules::sigma
