// Any beginning of a stream: a known format, or a reason why not.
#include <cstdint>
#include <cstdlib>

#include "engine/intake/decoder.hpp"
#include "engine/intake/recognise.hpp"

using namespace tocsin::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto found = recognise({reinterpret_cast<const char*>(data), size});
  if (found ? !is_known_format(found->format) : found.error().message.empty()) std::abort();
  return 0;
}
