// A comma always divides two hops, whatever quotes stand around it: no address holds one, and a quote that a client left open
// must not swallow what a proxy wrote behind it.
#include "engine/intake/forwarded.hpp"

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

// "203.0.113.7", "203.0.113.7:4711", "[2001:db8::1]:4711", "2001:db8::1", perhaps in quotes; empty if it is no address.
std::string_view address_in(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = trim(text.substr(1, text.size() - 2));
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {};
    text = text.substr(1, end - 1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    text = text.substr(0, colon);
  }
  return Networks::is_address(text) ? text : std::string_view{};
}

// The address of one hop: of Forwarded its `for`.
std::string_view hop_in(std::string_view element) {
  if (element.find('=') == std::string_view::npos) return address_in(element);
  for (const std::string_view pair : split(element, ';')) {
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && iequals(trim(pair.substr(0, equals)), "for")) return address_in(pair.substr(equals + 1));
  }
  return {};
}

}  // namespace

std::string client_behind(const Networks& proxies, std::string_view peer, std::string_view header) {
  const auto trusted = [&](std::string_view address) { return Networks::is_address(address) && proxies.hold(address); };
  std::string_view client = peer;
  if (!trusted(client)) return std::string(client);
  for (std::size_t hop = 0; hop < kMaxForwardedHops && !header.empty(); ++hop) {
    const std::size_t comma = header.rfind(',');
    const std::string_view address = hop_in(comma == std::string_view::npos ? header : header.substr(comma + 1));
    if (address.empty()) break;
    client = address;
    if (!trusted(client) || comma == std::string_view::npos) break;
    header = header.substr(0, comma);
  }
  return std::string(client);
}

}  // namespace tocsin::engine
