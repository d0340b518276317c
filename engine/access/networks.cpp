// IPv4 addresses are kept as IPv6 ones (::ffff:a.b.c.d), so that one comparison serves both.
#include "engine/access/networks.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

std::optional<std::array<std::uint8_t, 16>> address_of(std::string_view text) {
  std::array<std::uint8_t, 16> out{};
  if (text.size() > 64 || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string zero_ended(text);
  if (inet_pton(AF_INET6, zero_ended.c_str(), out.data()) == 1) return out;
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, zero_ended.c_str(), four.data()) != 1) return std::nullopt;
  out.fill(0);
  out[10] = out[11] = 0xFF;
  std::memcpy(out.data() + 12, four.data(), 4);
  return out;
}

std::optional<int> number(std::string_view text) {
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

bool Networks::is_address(std::string_view text) { return address_of(text).has_value(); }

Result<void> Networks::add(std::string_view network) {
  const std::size_t slash = network.find('/');
  const auto address = address_of(network.substr(0, slash));
  const bool four = network.substr(0, slash).find(':') == std::string_view::npos;
  std::optional<int> bits = four ? 32 : 128;
  if (slash != std::string_view::npos) bits = number(network.substr(slash + 1));
  if (!address || !bits || *bits < 0 || *bits > (four ? 32 : 128)) {
    return fail(Errc::kInvalid, "'" + printable(network, 60) + "' is no network: write 10.0.0.0/8 or 2001:db8::/32");
  }
  list_.push_back({*address, static_cast<unsigned>(four ? *bits + 96 : *bits)});
  return {};
}

bool Networks::hold(std::string_view address) const {
  const auto bytes = address_of(address);
  if (!bytes) return true;
  for (const Network& n : list_) {
    const std::size_t whole = n.bits / 8, rest = n.bits % 8;
    if (std::memcmp(bytes->data(), n.bytes.data(), whole) != 0) continue;
    if (rest == 0 || (((*bytes)[whole] ^ n.bytes[whole]) >> (8 - rest)) == 0) return true;
  }
  return false;
}

}  // namespace tocsin::engine
