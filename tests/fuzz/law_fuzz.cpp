// Any bytes as a law pack, a facts document and a playbook; what loads is assessed.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "rules/law/assess.hpp"
#include "rules/law/playbook.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tocsin::rules::law;
  constexpr std::size_t kMax = 64 << 10;
  if (size > kMax) return 0;
  static const Pack built_in = load_built_in().value();
  const Source source{"fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size)};
  (void)load_playbook(source);
  const auto facts = read_facts(source.text, source.name);
  if (facts) {
    const Assessment a = assess(*facts, built_in);
    if (a.duties.size() != built_in.rows.size() || a.severity.least > a.severity.most) std::abort();
    for (const auto& duty : a.duties) {
      if (duty.why.empty() || (duty.applies == Tri::kUnknown && duty.unknown_facts.empty())) std::abort();
    }
  }
  const auto pack = load({&source, 1});
  if (pack) {
    for (const auto& duty : assess(facts ? *facts : Facts{}, *pack).duties) {
      if (duty.why.empty()) std::abort();
    }
  }
  return 0;
}
