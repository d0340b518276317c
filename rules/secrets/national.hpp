// National identity, tax and health numbers, each with its layout and check digits. Which number a field holds is said
// by its name (rules/packs/secrets/fields.toml, section [numbers]); here is decided how well a value fits.
// Sources and confidence of each: ops/docs/secrets-content.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tocsin::rules::secrets {

enum class Verdict : std::uint8_t {
  kNo,     // not laid out as that number
  kWrong,  // laid out as it, but the check digits do not hold
  kFits,   // laid out as it; the number has no check digits
  kHolds,  // the check digits hold
};

struct NationalKind {
  std::string_view name;   // "pl-pesel"
  std::string_view title;  // "Poland, PESEL"
  // Gets capitals and digits without separators, at most kMaxNational of them; '~' stands for Ñ, '&' for itself.
  Verdict (*check)(std::string_view);
};
inline constexpr std::size_t kMaxNational = 40;

[[nodiscard]] std::span<const NationalKind> european_numbers();
[[nodiscard]] std::span<const NationalKind> world_numbers();

// Without blanks, dots, dashes, slashes and plus signs, in capitals; empty if it holds anything else or is too long.
[[nodiscard]] std::string compact_number(std::string_view value);

// The kind of that name; nullptr if there is none.
[[nodiscard]] const NationalKind* national_kind(std::string_view name);

[[nodiscard]] inline Verdict check_national(const NationalKind& kind, std::string_view value) {
  const std::string compact = compact_number(value);
  return compact.empty() ? Verdict::kNo : kind.check(compact);
}

}  // namespace tocsin::rules::secrets
