// A JSON document must be read, or refused, as simdjson's DOM does it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/json_event.hpp"
#include "tests/oracle/json_oracle.hpp"

using namespace tocsin::rules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const JsonVerdict wanted = oracle_json(text);
  Arena arena(64);
  const auto value = parse_json(text, arena);
  bool agree = value.has_value() == wanted.text.has_value();
  if (agree && value) {
    std::string out;
    write_json(*value, out);
    agree = out == *wanted.text;
  } else if (agree) {
    agree = value.error().code == wanted.code;
  }
  if (!agree) {
    std::fprintf(stderr, "simdjson's DOM says otherwise\n");
    std::abort();
  }
  return 0;
}
