// Every decoder on any bytes: the first byte chooses the format, the rest is one record. What comes out must be
// JSON-writable and valid UTF-8, and a refused record must leave no access behind.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "engine/intake/access_json.hpp"
#include "engine/intake/decoder.hpp"
#include "rules/base/text.hpp"

using namespace tocsin;
using namespace tocsin::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

Decoder& decoder_of(std::string_view format) {
  static std::map<std::string, std::unique_ptr<Decoder>, std::less<>> all;
  auto& slot = all[std::string(format)];
  if (!slot) {
    DecoderOptions options;
    options.routes = {"/patients/{patient}"};
    slot = std::move(*make_decoder(format, options));
  }
  return *slot;
}

void demand(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto formats = known_formats();
  const std::string_view format = formats[data[0] % formats.size()];
  const std::string record(reinterpret_cast<const char*>(data) + 1, size - 1);
  rules::Arena arena;
  std::vector<Decoded> out;
  Origin origin;
  const auto done = decoder_of(format).decode(record, origin, arena, out);
  demand(done.has_value() || out.empty());
  for (const Decoded& one : out) {
    std::string text;
    write_access(one.access, text);
    demand(is_utf8(text));
    demand(one.raw == record);
  }
  static_cast<void>(record_id(format, record, nullptr));
  return 0;
}
