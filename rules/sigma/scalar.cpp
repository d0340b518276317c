// Numbers, addresses and dates in the text of logs.
#include "rules/sigma/scalar.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

#include "rules/base/time.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// Compares an integer with a real without rounding either: -1, 0, 1.
int compare(std::int64_t integer, double real) noexcept {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (real >= kLimit) return -1;
  if (real < -kLimit) return 1;
  const double whole = std::floor(real);
  const auto truncated = static_cast<std::int64_t>(whole);
  if (integer != truncated) return integer < truncated ? -1 : 1;
  return real > whole ? -1 : 0;
}

int compare(const Number& a, const Number& b) noexcept {
  if (a.exact && b.exact) return a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0;
  if (a.exact) return compare(a.integer, b.real);
  if (b.exact) return -compare(b.integer, a.real);
  return a.real < b.real ? -1 : a.real > b.real ? 1 : 0;
}

std::optional<Address> parse_plain_address(std::string_view text) noexcept {
  char buffer[64];
  if (text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  Address address;
  if (text.find(':') == std::string_view::npos) {
    if (::inet_pton(AF_INET, buffer, address.bytes.data()) != 1) return std::nullopt;
    return address;
  }
  if (::inet_pton(AF_INET6, buffer, address.bytes.data()) != 1) return std::nullopt;
  address.v6 = true;
  return address;
}

// IPv4-mapped IPv6 as IPv4.
Address reduced(const Address& address) noexcept {
  if (!address.v6 || !std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin())) return address;
  Address v4;
  std::copy_n(address.bytes.begin() + 12, 4, v4.bytes.begin());
  return v4;
}

}  // namespace

bool equal(const Number& a, const Number& b) noexcept { return compare(a, b) == 0; }
bool less(const Number& a, const Number& b) noexcept { return compare(a, b) < 0; }

std::optional<Number> parse_number(std::string_view text) noexcept {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  if (text.empty()) return std::nullopt;
  const char first = text[text[0] == '-' && text.size() > 1 ? 1 : 0];
  if (first != '.' && (first < '0' || first > '9')) return std::nullopt;
  const char* const end = text.data() + text.size();
  Number number;
  const auto integer = std::from_chars(text.data(), end, number.integer);
  if (integer.ec == std::errc() && integer.ptr == end) {
    number.real = static_cast<double>(number.integer);
    return number;
  }
  number.exact = false;
  const auto real = std::from_chars(text.data(), end, number.real);
  if (real.ec != std::errc() || real.ptr != end) return std::nullopt;
  return number;
}

std::optional<Number> number_of(const Value& value) noexcept {
  Number number;
  switch (value.kind()) {
    case Kind::kInt:
      number.integer = value.as_int();
      number.real = static_cast<double>(number.integer);
      return number;
    case Kind::kDouble:
      number.exact = false;
      number.real = value.as_double();
      return number;
    case Kind::kString: return parse_number(value.as_string());
    default: return std::nullopt;
  }
}

std::optional<Address> parse_address(std::string_view text) noexcept {
  if (text.empty() || text.size() > 80) return std::nullopt;
  if (text[0] == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
    text = text.substr(1, close - 1);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  } else {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
      const std::string_view port = text.substr(colon + 1);
      if (port.empty() || port.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
      text = text.substr(0, colon);
    }
  }
  const std::size_t zone = text.find('%');
  if (zone != std::string_view::npos && text.find(':') < zone) text = text.substr(0, zone);
  const auto address = parse_plain_address(text);
  if (!address) return std::nullopt;
  return reduced(*address);
}

bool Network::contains(const Address& other) const noexcept {
  if (other.v6 != address.v6) return false;
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole), other.bytes.begin())) return false;
  const int rest = prefix % 8;
  return rest == 0 || (address.bytes[whole] >> (8 - rest)) == (other.bytes[whole] >> (8 - rest));
}

std::optional<Network> parse_network(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  const auto address = parse_plain_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network;
  network.address = *address;
  const int bits = address->v6 ? 128 : 32;
  network.prefix = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const char* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, network.prefix);
    if (parsed.ec != std::errc() || parsed.ptr != end || network.prefix < 0 || network.prefix > bits) return std::nullopt;
  }
  for (int bit = network.prefix; bit < bits; ++bit) {
    if ((address->bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  if (address->v6 && network.prefix >= 96) {
    const Address v4 = reduced(*address);
    if (!v4.v6) {
      network.address = v4;
      network.prefix -= 96;
    }
  }
  return network;
}

std::optional<std::int64_t> time_part(std::string_view text, TimePart part) noexcept {
  const auto time = parse_rfc3339(text, true);
  if (!time) return std::nullopt;
  using namespace std::chrono;
  const auto day = floor<days>(*time);
  const year_month_day date(day);
  const auto since_midnight = floor<minutes>(*time - day).count();
  switch (part) {
    case TimePart::kMinute: return since_midnight % 60;
    case TimePart::kHour: return since_midnight / 60;
    case TimePart::kDay: return static_cast<std::int64_t>(static_cast<unsigned>(date.day()));
    case TimePart::kMonth: return static_cast<std::int64_t>(static_cast<unsigned>(date.month()));
    case TimePart::kYear: return static_cast<std::int64_t>(static_cast<int>(date.year()));
    case TimePart::kWeek: {
      // The ISO week is that of its Thursday, counted from the first Thursday of that year.
      const auto monday_based = (weekday(day).iso_encoding() - 1);
      const auto thursday = day - days(static_cast<int>(monday_based)) + days(3);
      const year_month_day in_year(thursday);
      const sys_days first = in_year.year() / January / 1;
      return (thursday - first).count() / 7 + 1;
    }
  }
  return std::nullopt;
}

}  // namespace tocsin::rules::sigma
