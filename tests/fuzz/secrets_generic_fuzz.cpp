// The hand-made matcher of the generic key and the needles against RE2, on any bytes: the same findings with short cuts
// and without.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "rules/secrets/scanner.hpp"

namespace {

using namespace tocsin::rules::secrets;

Scanner loaded(bool short_cuts) {
  static const RuleFile file{
      "f.toml",
      "[[rules]]\nid='generic-api-key'\nregex='''(?i)[\\w.-]{0,50}?(?:access|auth|(?-i:[Aa]pi|API)|credential|creds|key|passw(?:or)?d|secret|token)"
      "(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}([\\w.=-]{10,150}|[a-z0-9][a-z0-9+/]{11,}={0,3})"
      "(?:[\\x60'\"\\s;]|\\\\[nr]|$)'''\nkeywords=['access','auth','api','credential','creds','key','passwd','password','secret','token']\nentropy=2.5\n"
      "[[rules]]\nid='jwt'\nregex='''\\b(ey[a-zA-Z0-9]{17,}\\.ey[a-zA-Z0-9\\/\\\\_-]{17,}\\.)'''\nkeywords=['ey']\n"
      "[[rules]]\nid='sk'\nregex='''SK[0-9a-fA-F]{32}'''\nkeywords=['sk']\n"};
  Options options;
  options.own_pack = false;
  options.short_cuts = short_cuts;
  return Scanner::load({&file, 1}, options).value().scanner;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scanner fast = loaded(true);
  static const Scanner slow = loaded(false);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto run = [&](const Scanner& scanner) {
    std::vector<Hit> hits;
    scanner.scan(text, hits);
    std::vector<std::tuple<std::string, std::size_t, std::size_t>> out;
    for (const auto& hit : hits) out.emplace_back(hit.rule, hit.start, hit.end);
    std::sort(out.begin(), out.end());
    return out;
  };
  if (run(fast) != run(slow)) std::abort();
  return 0;
}
