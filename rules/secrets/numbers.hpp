// Personal numbers: payment cards, IBAN, national identifiers, each with its check digits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {

[[nodiscard]] bool luhn(std::string_view digits) noexcept;
// 12 to 19 digits without separators, with the prefix and length of a card scheme and a right Luhn digit.
[[nodiscard]] bool is_card(std::string_view digits) noexcept;
// Without blanks, upper case; the length of its country and mod 97 = 1.
[[nodiscard]] bool is_iban(std::string_view text) noexcept;

// What a named number proves about itself. A check digit that does not hold lowers the tier, it does not silence: a
// field that says what it holds is believed, and numbers are mistyped.
struct NumberFacts {
  Tier tier = Tier::kPattern;
  std::string note;  // "Poland, PESEL", "Poland, PESEL, check digit does not hold"
};
// `which` is a name of rules/packs/secrets/fields.toml, section [numbers]; nullopt = not laid out as that number.
[[nodiscard]] std::optional<NumberFacts> inspect_number(std::string_view which, std::string_view value);

// How well `value` fits the named kind of number (names as in rules/packs/secrets/fields.toml, section [numbers]);
// nullopt = not at all, or its check digits do not hold. Blanks, dots, dashes and slashes in it are ignored.
[[nodiscard]] std::optional<Tier> check_national_id(std::string_view number, std::string_view value);

// Why the digits at [start, end), which pass as a card's, are not taken for one: the name of their field, or no word
// near them that speaks of cards. Empty = they are.
[[nodiscard]] std::string_view why_no_card(std::string_view text, std::size_t start, std::size_t end);

struct NumberFound {
  bool iban = false;  // else a card
  std::size_t start = 0;
  std::size_t end = 0;
};
// Cards and IBANs anywhere in the text: digits in groups with single blanks or dashes between, not touching other
// letters or digits. One pass.
void find_numbers(std::string_view text, std::vector<NumberFound>& out);

}  // namespace tocsin::rules::secrets
