// What a proxy has added stands, whatever a client wrote before it. The input is a header of the client's.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/intake/forwarded.hpp"

namespace {

using namespace tocsin::engine;

void demand(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string header(reinterpret_cast<const char*>(data), size);
  static const Networks proxies = [] {
    Networks out;
    demand(out.add("10.0.0.0/8").has_value() && out.add("2001:db8:aa::/48").has_value());
    return out;
  }();
  const std::string client = client_behind(proxies, "10.0.0.1", header);
  demand(Networks::is_address(client));
  demand(client_behind(proxies, "203.0.113.9", header) == "203.0.113.9");
  for (const char* added : {"203.0.113.7", "for=203.0.113.7;proto=https", "203.0.113.7, 10.0.0.2"}) {
    demand(client_behind(proxies, "10.0.0.1", header + ", " + added) == "203.0.113.7");
  }
  // A proxy that does not know hides all that stands before it.
  demand(client_behind(proxies, "10.0.0.1", header + ", unknown") == "10.0.0.1");
  return 0;
}
