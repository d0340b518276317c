// Any bytes as a rule file: an error with a place, or rules that scan without harm.
#include <cstdint>
#include <string>

#include "rules/secrets/scanner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::rules::secrets;
  constexpr std::size_t kMax = 64 << 10;
  if (size > kMax) return 0;
  const RuleFile file{"fuzz.toml", std::string(reinterpret_cast<const char*>(data), size)};
  Options options;
  options.own_pack = false;
  auto loaded = Scanner::load({&file, 1}, options);
  if (!loaded) return 0;
  std::vector<Hit> hits;
  std::vector<Drop> drops;
  loaded->scanner.scan("key = 'aB3dE6gH9jK2' token=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\nk=abc", hits, &drops);
  loaded->scanner.scan(file.text, loaded->scanner.place("a/b.php"), hits, &drops);
  return 0;
}
