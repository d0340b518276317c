// Any bytes as a record: hits lie inside it, and no long secret survives redaction at its place.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rules/secrets/scanner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::rules::secrets;
  static const Scanner scanner = Scanner::load({}, Options{}).value().scanner;
  const std::string_view record(reinterpret_cast<const char*>(data), size);
  std::vector<Hit> hits;
  std::vector<Drop> drops;
  scanner.scan(record, hits, &drops);
  std::vector<Hit> without_explanation;
  scanner.scan(record, without_explanation);
  if (hits.size() != without_explanation.size()) std::abort();
  for (const auto& hit : hits) {
    if (hit.start >= hit.end || hit.end > size) std::abort();
    if (hit.preview.empty() || hit.rule.empty()) std::abort();
  }
  for (const auto& drop : drops) {
    if (drop.start > drop.end || drop.end > size) std::abort();
  }
  (void)redact(record, hits);
  return 0;
}
