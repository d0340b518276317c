// Cards, IBANs, the search for both, and the door to the national numbers.
#include "rules/secrets/numbers.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "rules/secrets/check_digits.hpp"
#include "rules/secrets/digit_runs.hpp"
#include "rules/secrets/national.hpp"

namespace tocsin::rules::secrets {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }

bool all_digits(std::string_view s) { return std::all_of(s.begin(), s.end(), is_digit); }

bool between(int value, int low, int high) { return value >= low && value <= high; }

bool same_digits(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [&](char c) { return c == s[0]; });
}

struct Iban {
  char country[3];
  std::uint8_t length;
};
constexpr std::array<Iban, 86> kIbans = {{
    {"NO", 15}, {"BE", 16}, {"DK", 18}, {"FI", 18}, {"FO", 18}, {"GL", 18}, {"NL", 18}, {"SD", 18}, {"MK", 19}, {"SI", 19},
    {"AT", 20}, {"BA", 20}, {"EE", 20}, {"KZ", 20}, {"LT", 20}, {"LU", 20}, {"XK", 20}, {"CH", 21}, {"HR", 21}, {"LI", 21},
    {"LV", 21}, {"BG", 22}, {"BH", 22}, {"CR", 22}, {"DE", 22}, {"GB", 22}, {"GE", 22}, {"IE", 22}, {"ME", 22}, {"RS", 22},
    {"VA", 22}, {"AE", 23}, {"GI", 23}, {"IL", 23}, {"IQ", 23}, {"TL", 23}, {"AD", 24}, {"CZ", 24}, {"ES", 24}, {"MD", 24},
    {"PK", 24}, {"RO", 24}, {"SA", 24}, {"SE", 24}, {"SK", 24}, {"TN", 24}, {"VG", 24}, {"LY", 25}, {"PT", 25}, {"ST", 25},
    {"IS", 26}, {"TR", 26}, {"BI", 27}, {"DJ", 27}, {"FR", 27}, {"GR", 27}, {"IT", 27}, {"MC", 27}, {"MR", 27}, {"SM", 27},
    {"AL", 28}, {"AZ", 28}, {"BY", 28}, {"CY", 28}, {"DO", 28}, {"GT", 28}, {"HU", 28}, {"LB", 28}, {"PL", 28}, {"SV", 28},
    {"BR", 29}, {"EG", 29}, {"PS", 29}, {"QA", 29}, {"UA", 29}, {"JO", 30}, {"KW", 30}, {"MU", 30}, {"MT", 31}, {"SC", 31},
    {"LC", 32}, {"RU", 33}, {"MN", 20}, {"NI", 28}, {"SO", 23}, {"OM", 23},
}};

std::size_t iban_length(char a, char b) {
  for (const auto& entry : kIbans) {
    if (entry.country[0] == a && entry.country[1] == b) return entry.length;
  }
  return 0;
}

}  // namespace

bool luhn(std::string_view digits) noexcept { return luhn_sum(digits) == 0; }

bool is_card(std::string_view s) noexcept {
  const std::size_t n = s.size();
  if (n < 13 || n > 19) return false;
  const int two = number(s.substr(0, 2));
  const int three = number(s.substr(0, 3));
  const int four = number(s.substr(0, 4));
  bool scheme = false;
  if (s[0] == '4') scheme = n == 13 || n == 16 || n == 19;                                     // Visa
  if (between(two, 51, 55) || between(four, 2221, 2720)) scheme = n == 16;                     // Mastercard
  if (two == 34 || two == 37) scheme = n == 15;                                                // Amex
  if (four == 6011 || between(three, 644, 649) || two == 65) scheme = n >= 16;                 // Discover
  if (between(three, 300, 305) || two == 36 || two == 38 || two == 39) scheme = n >= 14;       // Diners
  if (between(four, 3528, 3589)) scheme = n >= 16;                                             // JCB
  if (two == 62) scheme = n >= 16;                                                             // UnionPay
  if (between(four, 2200, 2204)) scheme = n >= 16;                                             // Mir
  return scheme && luhn(s) && !std::all_of(s.begin(), s.end(), [&](char c) { return c == s[0]; });
}

bool is_iban(std::string_view s) noexcept {
  if (s.size() < 15 || s.size() > 34 || iban_length(s[0], s[1]) != s.size()) return false;
  int rest = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[(i + 4) % s.size()];
    if (is_digit(c)) {
      rest = (rest * 10 + digit(c)) % 97;
    } else if (is_upper(c)) {
      rest = (rest * 100 + (c - 'A' + 10)) % 97;
    } else {
      return false;
    }
  }
  return rest == 1;
}

const NationalKind* national_kind(std::string_view name) {
  for (const auto& kinds : {european_numbers(), world_numbers()}) {
    for (const auto& kind : kinds) {
      if (kind.name == name) return &kind;
    }
  }
  return nullptr;
}

std::string compact_number(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == ' ' || c == '.' || c == '-' || c == '/' || c == '+') continue;
    const std::string_view rest = value.substr(i, 2);
    if (rest == "Ñ" || rest == "ñ") {
      out += '~';
      ++i;
    } else if (is_alnum(c) || c == '&') {
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    } else {
      return {};
    }
    if (out.size() > kMaxNational) return {};
  }
  return out;
}

namespace {

// "id_number" does not say of which country. Then only those count that carry a date or letters besides their check
// digits, or two of them: a number that came by chance passes for hardly any.
constexpr std::string_view kAnyProven = "any";
constexpr std::array<std::string_view, 20> kProven = {
    "za-id", "cn-ric", "pl-pesel", "bg-egn", "ro-cnp", "cz-rc", "ee-ik", "lt-asmens", "fi-hetu", "se-personnummer",
    "no-fnr", "it-codice-fiscale", "fr-nir", "es-dni", "mx-curp", "si-emso", "tr-tckn", "br-cpf", "sg-nric", "tw-id"};

}  // namespace

std::optional<NumberFacts> inspect_number(std::string_view which, std::string_view value) {
  const std::string plain = compact_number(value);
  if (plain.empty()) return std::nullopt;
  constexpr const char* kWrongDigit = ", check digit does not hold";
  if (which == "payment-card" || which == "iban") {
    const bool card = which == "payment-card";
    const bool layout = card ? all_digits(plain) && plain.size() >= 13 && plain.size() <= 19 && !same_digits(plain)
                             : plain.size() >= 15 && iban_length(plain[0], plain[1]) == plain.size() && is_digit(plain[2]) && is_digit(plain[3]);
    if (!layout) return std::nullopt;
    const bool holds = card ? is_card(plain) : is_iban(plain);
    return NumberFacts{holds ? Tier::kVerified : Tier::kPattern, std::string(card ? "card number" : "IBAN") + (holds ? "" : kWrongDigit)};
  }
  if (which == "passport") {
    // Every country has its own; what they share is six to nine letters and digits, most of them digits.
    const auto digits = static_cast<std::size_t>(std::count_if(plain.begin(), plain.end(), is_digit));
    const bool fits = plain.size() >= 6 && plain.size() <= 9 && digits >= 4 && !same_digits(plain);
    return fits ? std::optional(NumberFacts{Tier::kPattern, "passport number"}) : std::nullopt;
  }
  if (which == kAnyProven) {
    for (const std::string_view kind : kProven) {
      auto facts = inspect_number(kind, value);
      if (facts && facts->tier == Tier::kVerified) return facts;
    }
    return std::nullopt;
  }
  const auto bar = which.find('|');
  if (bar != std::string_view::npos) {
    // Several countries use the name: the kind that proves most.
    auto first = inspect_number(which.substr(0, bar), value);
    auto others = inspect_number(which.substr(bar + 1), value);
    return !others || (first && first->tier <= others->tier) ? first : others;
  }
  const NationalKind* kind = national_kind(which);
  if (kind == nullptr) return std::nullopt;
  switch (kind->check(plain)) {
    case Verdict::kNo: return std::nullopt;
    case Verdict::kHolds: return NumberFacts{Tier::kVerified, std::string(kind->title)};
    case Verdict::kFits: return NumberFacts{Tier::kStructure, std::string(kind->title)};
    case Verdict::kWrong:
      if (same_digits(plain)) return std::nullopt;
      return NumberFacts{Tier::kPattern, std::string(kind->title) + kWrongDigit};
  }
  return std::nullopt;
}

std::optional<Tier> check_national_id(std::string_view which, std::string_view value) {
  const NationalKind* kind = national_kind(which);
  if (kind == nullptr) return std::nullopt;
  const Verdict verdict = check_national(*kind, value);
  if (verdict == Verdict::kHolds) return Tier::kVerified;
  return verdict == Verdict::kFits ? std::optional(Tier::kStructure) : std::nullopt;
}

namespace {

// The digits of a run that may have single blanks or dashes between groups as cards have them: fours and a rest of at most
// six, or 4-6-5 and 4-6-4. 0 for other groups: "6259 4506726096835" are two numbers. Sets `end`.
std::size_t gather(std::string_view text, std::size_t start, std::array<char, 20>& digits, std::size_t& end) {
  std::size_t count = 0;
  std::size_t i = start;
  end = start;
  char separator = '\0';
  std::size_t group = 0, groups = 0;
  bool fours = true;  // all that are closed
  while (i < text.size()) {
    if (is_digit(text[i])) {
      if (count == digits.size()) return count + 1;  // too long for a card
      digits[count++] = text[i++];
      ++group;
      end = i;
      continue;
    }
    const bool separates = (text[i] == ' ' || text[i] == '-') && i + 1 < text.size() && is_digit(text[i + 1]);
    if (!separates || group < 3 || (separator != '\0' && text[i] != separator)) break;
    ++groups;
    const bool middle_six = groups == 2 && group == 6;
    if (group != 4 && !middle_six) return 0;
    if (!fours) return 0;  // something behind 4-6-5
    fours = group == 4;
    separator = text[i++];
    group = 0;
  }
  if (groups > 0 && (group > 6 || (!fours && group != 4 && group != 5))) return 0;
  return count;
}

bool touches(std::string_view text, std::size_t start, std::size_t end) {
  const auto joins = [](char c) { return is_alnum(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; };
  if (start > 0 && (joins(text[start - 1]) || text[start - 1] == '.' || text[start - 1] == '-')) return true;
  if (end >= text.size()) return false;
  if (joins(text[end])) return true;
  return (text[end] == '.' || text[end] == '-') && end + 1 < text.size() && is_alnum(text[end + 1]);
}

void try_iban(std::string_view text, std::size_t start, std::vector<NumberFound>& out, std::size_t& next) {
  const std::size_t length = iban_length(text[start], text[start + 1]);
  if (length == 0 || (start > 0 && (is_alnum(text[start - 1]) || text[start - 1] == '_'))) return;
  std::array<char, 34> compact{};
  std::size_t count = 0;
  std::size_t i = start;
  while (i < text.size() && count < length) {
    if (text[i] == ' ' && count > 0 && count % 4 == 0 && i + 1 < text.size() && text[i + 1] != ' ') {
      ++i;
      continue;
    }
    if (!is_digit(text[i]) && !is_upper(text[i])) return;
    compact[count++] = text[i++];
  }
  if (count != length || (i < text.size() && (is_alnum(text[i]) || text[i] == '_'))) return;
  if (!is_iban(std::string_view(compact.data(), length))) return;
  out.push_back({true, start, i});
  next = i;
}

}  // namespace

void find_numbers(std::string_view text, std::vector<NumberFound>& out) {
  const std::size_t n = text.size();
  DigitRuns runs(text);
  std::size_t taken = 0;  // up to here the text is a number already
  for (std::size_t i = runs.next(); i != DigitRuns::kNone; i = runs.next()) {
    if (i < taken) continue;
    std::size_t next = i;
    while (next < n && is_digit(text[next])) ++next;
    const std::size_t run = next - i;
    if (i >= 2 && run >= 2 && is_upper(text[i - 1]) && is_upper(text[i - 2])) try_iban(text, i - 2, out, next);
    const bool grouped = run == 4 && next + 1 < n && (text[next] == ' ' || text[next] == '-') && is_digit(text[next + 1]);
    if ((run >= 13 && run <= 19) || grouped) {
      std::array<char, 20> digits{};
      std::size_t end = 0;
      const std::size_t count = gather(text, i, digits, end);
      if (count >= 13 && count <= 19 && !touches(text, i, end) && is_card(std::string_view(digits.data(), count))) {
        out.push_back({false, i, end});
        next = std::max(next, end);
      }
    }
    taken = next;
  }
}

}  // namespace tocsin::rules::secrets
