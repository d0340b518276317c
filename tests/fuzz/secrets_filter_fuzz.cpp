// Any bytes as a filter expression: a message, or an expression that is evaluated without harm.
#include <cstdint>
#include <string_view>

#include "rules/secrets/filter_expr.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::rules::secrets;
  static const auto tokens = std::make_shared<const TokenMeasure>(TokenMeasure::read("YWI= 0\nYWJhYg== 1\n", "horse\n").value());
  const auto parsed = FilterExpr::parse({reinterpret_cast<const char*>(data), size}, tokens);
  if (!parsed) return 0;
  FilterInput input;
  input.record = "first\nkey = Abc123 near\nlast";
  input.secret = input.record.substr(12, 6);
  input.match = input.record.substr(6, 12);
  input.line = input.record.substr(6, 17);
  input.match_start = input.line_start = 6;
  input.match_end = 18;
  input.line_end = 23;
  (void)parsed->holds(input);
  return 0;
}
