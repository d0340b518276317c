// Judges national numbers in bulk, for the comparison with python3-stdnum: reads "kind TAB value" lines from standard
// input, writes '1' (accepted) or '0' for each to standard output. "--kinds" prints the kinds instead.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "rules/secrets/national.hpp"
#include "rules/secrets/numbers.hpp"

int main(int argc, char** argv) {
  using namespace tocsin::rules::secrets;
  if (argc > 1 && std::string_view(argv[1]) == "--kinds") {
    for (const auto& kinds : {european_numbers(), world_numbers()}) {
      for (const auto& kind : kinds) std::printf("%s\t%s\n", std::string(kind.name).c_str(), std::string(kind.title).c_str());
    }
    return 0;
  }
  std::string text;
  std::array<char, 1 << 16> chunk{};
  for (std::size_t got = 0; (got = std::fread(chunk.data(), 1, chunk.size(), stdin)) > 0;) text.append(chunk.data(), got);
  std::string out;
  std::string_view last;
  const NationalKind* kind = nullptr;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return 2;
    const std::string_view name = line.substr(0, tab);
    const std::string_view value = line.substr(tab + 1);
    if (name == "card" || name == "iban") {
      const std::string plain = compact_number(value);
      out += (name == "card" ? luhn(plain) : is_iban(plain)) ? '1' : '0';
      continue;
    }
    if (name != last) {
      kind = national_kind(name);
      if (kind == nullptr) return 3;
      last = kind->name;
    }
    const Verdict verdict = check_national(*kind, value);
    out += verdict == Verdict::kHolds || verdict == Verdict::kFits ? '1' : '0';
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}
