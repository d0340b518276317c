// A regex in RE2's syntax as a tree, for questions about the texts that it can match: which literal must stand in
// them, what must follow it, and (in tests) what a matching text looks like. RE2 does the matching; this only reads.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tocsin::rules::secrets {

struct RegexTree {
  enum class Kind : std::uint8_t {
    kClass,   // one character out of `bytes` (ASCII); `wide` if characters beyond ASCII are in it too
    kConcat,  // `parts` one after the other; none = the empty text
    kAlt,     // one of `parts`
    kRepeat,  // parts[0], `min` to `max` times
    kWordEdge,  // \b
    kBegin,   // ^, \A: the text begins here
    kEnd,     // $, \z: it ends here
    kEmpty,   // \B: matches no bytes
  };
  static constexpr int kUnbounded = -1;

  Kind kind = Kind::kConcat;
  std::bitset<128> bytes;
  bool wide = false;    // kClass: a character beyond ASCII may stand here
  bool folded = false;  // kClass: `wide` only by case folding (the Kelvin sign for k, the long s for s)
  int min = 0;
  int max = 0;
  std::vector<RegexTree> parts;
};

// nullopt: the pattern uses something that is not read here (RE2 may well accept it), or is nested too deeply.
inline constexpr int kMaxRegexDepth = 200;
[[nodiscard]] std::optional<RegexTree> read_regex(std::string_view pattern);

}  // namespace tocsin::rules::secrets
