// Check digits, and the search for cards and IBANs.
#include "rules/secrets/numbers.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "rules/secrets/digit_runs.hpp"

namespace tocsin::rules::secrets {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }
int value_of(char c) { return c - '0'; }

bool all_digits(std::string_view s) { return std::all_of(s.begin(), s.end(), is_digit); }

int number(std::string_view digits) {
  int out = 0;
  for (const char c : digits) out = out * 10 + value_of(c);
  return out;
}

bool between(int value, int low, int high) { return value >= low && value <= high; }

// Sum of digit times weight.
int weighted(std::string_view digits, std::span<const int> weights) {
  int sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += value_of(digits[i]) * weights[i];
  return sum;
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

// ---- national identifiers; each gets the characters without separators, upper case

bool us_ssn(std::string_view s) {
  if (s.size() != 9 || !all_digits(s)) return false;
  const int area = number(s.substr(0, 3));
  if (area == 0 || area == 666 || area >= 900 || s.substr(3, 2) == "00" || s.substr(5) == "0000") return false;
  return s != "078051120" && s != "219099999" && s != "457555462";
}

// ISO 7064 mod 11,10
bool mod_11_10(std::string_view s) {
  int product = 10;
  for (std::size_t i = 0; i + 1 < s.size(); ++i) {
    int sum = (value_of(s[i]) + product) % 10;
    if (sum == 0) sum = 10;
    product = sum * 2 % 11;
  }
  return (11 - product) % 10 == value_of(s.back());
}

bool de_tax_id(std::string_view s) {
  if (s.size() != 11 || !all_digits(s) || s[0] == '0') return false;
  std::array<int, 10> counts{};
  for (std::size_t i = 0; i < 10; ++i) ++counts[static_cast<std::size_t>(value_of(s[i]))];
  const auto repeated = std::count_if(counts.begin(), counts.end(), [](int n) { return n > 1; });
  const bool right = repeated == 1 && *std::max_element(counts.begin(), counts.end()) <= 3;
  return right && mod_11_10(s);
}

bool hr_oib(std::string_view s) { return s.size() == 11 && all_digits(s) && mod_11_10(s); }

bool pl_pesel(std::string_view s) {
  static constexpr std::array<int, 10> kWeights = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3};
  if (s.size() != 11 || !all_digits(s)) return false;
  const int month = number(s.substr(2, 2)) % 20;
  return between(month, 1, 12) && between(number(s.substr(4, 2)), 1, 31) &&
         (10 - weighted(s, kWeights) % 10) % 10 == value_of(s[10]);
}

bool uk_nhs(std::string_view s) {
  static constexpr std::array<int, 9> kWeights = {10, 9, 8, 7, 6, 5, 4, 3, 2};
  if (s.size() != 10 || !all_digits(s)) return false;
  const int check = 11 - weighted(s, kWeights) % 11;
  return check != 10 && check % 11 == value_of(s[9]);
}

bool es_dni(std::string_view s) {
  if (s.size() != 9) return false;
  std::string digits(s.substr(0, 8));
  if (digits[0] >= 'X' && digits[0] <= 'Z') digits[0] = static_cast<char>('0' + (digits[0] - 'X'));
  return all_digits(digits) && s[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[number(digits) % 23];
}

bool it_codice_fiscale(std::string_view s) {
  static constexpr std::array<int, 26> kOdd = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  if (s.size() != 16 || !std::all_of(s.begin(), s.end(), [](char c) { return is_digit(c) || is_upper(c); })) return false;
  static constexpr std::string_view kShape = "LLLLLLDDLDDLDDDL";
  int sum = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const bool omocodia = std::string_view("LMNPQRSTUV").find(s[i]) != std::string_view::npos;
    if (kShape[i] == 'L' ? !is_upper(s[i]) : !is_digit(s[i]) && !omocodia) return false;
    if (i == 15) break;
    const int value = is_digit(s[i]) ? value_of(s[i]) : s[i] - 'A';
    sum += i % 2 == 0 ? kOdd[static_cast<std::size_t>(value)] : value;
  }
  return s[15] == 'A' + sum % 26;
}

bool nl_bsn(std::string_view s) {
  static constexpr std::array<int, 9> kWeights = {9, 8, 7, 6, 5, 4, 3, 2, -1};
  return s.size() == 9 && all_digits(s) && s != "000000000" && weighted(s, kWeights) % 11 == 0;
}

bool fr_nir(std::string_view s) {
  if (s.size() != 15) return false;
  std::string digits(s);
  if (digits[5] == 'A' && digits[6] == '\0') return false;
  // Corsica: 2A counts as 19, 2B as 18.
  if (digits[6] == 'A') digits.replace(5, 2, "19");
  if (digits[6] == 'B') digits.replace(5, 2, "18");
  if (!all_digits(digits)) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 13; ++i) value = value * 10 + static_cast<std::uint64_t>(value_of(digits[i]));
  return 97 - value % 97 == static_cast<std::uint64_t>(number(std::string_view(digits).substr(13)));
}

bool br_cpf(std::string_view s) {
  if (s.size() != 11 || !all_digits(s) || std::all_of(s.begin(), s.end(), [&](char c) { return c == s[0]; })) return false;
  const auto check = [&](std::size_t n) {
    int sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += value_of(s[i]) * static_cast<int>(n + 1 - i);
    const int digit = 11 - sum % 11;
    return (digit >= 10 ? 0 : digit) == value_of(s[n]);
  };
  return check(9) && check(10);
}

bool in_aadhaar(std::string_view s) {
  static constexpr std::array<std::array<int, 10>, 10> kD = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
      {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7}, {4, 0, 1, 2, 3, 9, 5, 6, 7, 8},
      {5, 9, 8, 7, 6, 0, 4, 3, 2, 1}, {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
      {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}}};
  static constexpr std::array<std::array<int, 10>, 8> kP = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
      {5, 8, 0, 3, 7, 9, 6, 1, 4, 2}, {8, 9, 1, 6, 0, 4, 3, 5, 2, 7}, {9, 4, 5, 3, 1, 2, 6, 8, 7, 0},
      {4, 2, 8, 6, 5, 7, 3, 9, 0, 1}, {2, 7, 9, 3, 8, 0, 6, 4, 1, 5}, {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}}};
  if (s.size() != 12 || !all_digits(s) || s[0] < '2' || std::equal(s.begin(), s.begin() + 6, s.rbegin())) return false;
  int check = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    check = kD[static_cast<std::size_t>(check)][static_cast<std::size_t>(kP[i % 8][static_cast<std::size_t>(value_of(s[11 - i]))])];
  }
  return check == 0;
}

bool se_personnummer(std::string_view s) {
  if (s.size() == 12) s.remove_prefix(2);
  if (s.size() != 10 || !all_digits(s)) return false;
  const int day = number(s.substr(4, 2)) % 60;  // coordination numbers add 60
  return between(number(s.substr(2, 2)), 1, 12) && between(day, 1, 31) && luhn(s);
}

bool be_nn(std::string_view s) {
  if (s.size() != 11 || !all_digits(s)) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) value = value * 10 + static_cast<std::uint64_t>(value_of(s[i]));
  const auto check = static_cast<std::uint64_t>(number(s.substr(9)));
  return 97 - value % 97 == check || 97 - (2'000'000'000ULL + value) % 97 == check;
}

bool ch_ahv(std::string_view s) {
  if (s.size() != 13 || !all_digits(s) || !s.starts_with("756")) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 13; ++i) sum += value_of(s[i]) * (i % 2 == 0 ? 1 : 3);
  return sum % 10 == 0;
}

bool fi_hetu(std::string_view s) {
  // The century sign may be '-' or '+', which the caller strips: ddmmyy nnn c.
  if (s.size() == 11 && is_upper(s[6])) {
    return all_digits(s.substr(0, 6)) && all_digits(s.substr(7, 3)) &&
           s[10] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[(number(s.substr(0, 6)) * 1000LL + number(s.substr(7, 3))) % 31];
  }
  return s.size() == 10 && all_digits(s.substr(0, 9)) &&
         s[9] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(s.substr(0, 9)) % 31];
}

struct National {
  std::string_view name;
  bool (*check)(std::string_view);
  Tier tier;  // of a number that passes: with check digits it is verified
};
constexpr std::array<National, 15> kNational = {{
    {"us-ssn", us_ssn, Tier::kStructure}, {"de-tax-id", de_tax_id, Tier::kVerified}, {"hr-oib", hr_oib, Tier::kVerified},
    {"pl-pesel", pl_pesel, Tier::kVerified}, {"uk-nhs", uk_nhs, Tier::kVerified}, {"es-dni", es_dni, Tier::kVerified},
    {"it-codice-fiscale", it_codice_fiscale, Tier::kVerified}, {"nl-bsn", nl_bsn, Tier::kVerified},
    {"fr-nir", fr_nir, Tier::kVerified}, {"br-cpf", br_cpf, Tier::kVerified}, {"in-aadhaar", in_aadhaar, Tier::kVerified},
    {"se-personnummer", se_personnummer, Tier::kVerified}, {"be-nn", be_nn, Tier::kVerified},
    {"ch-ahv", ch_ahv, Tier::kVerified}, {"fi-hetu", fi_hetu, Tier::kVerified},
}};

}  // namespace

bool luhn(std::string_view digits) noexcept {
  int sum = 0;
  bool second = false;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    int value = value_of(*it);
    if (second) value = value > 4 ? value * 2 - 9 : value * 2;
    sum += value;
    second = !second;
  }
  return sum % 10 == 0;
}

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
      rest = (rest * 10 + value_of(c)) % 97;
    } else if (is_upper(c)) {
      rest = (rest * 100 + (c - 'A' + 10)) % 97;
    } else {
      return false;
    }
  }
  return rest == 1;
}

std::optional<Tier> check_national_id(std::string_view which, std::string_view value) {
  std::string plain;
  for (const char c : value) {
    if (c == ' ' || c == '.' || c == '-' || c == '/' || c == '+') continue;
    if (!is_alnum(c) || plain.size() > 40) return std::nullopt;
    plain += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  for (const auto& entry : kNational) {
    if (entry.name == which) return entry.check(plain) ? std::optional(entry.tier) : std::nullopt;
  }
  return std::nullopt;
}

namespace {

// The digits of a run that may have single blanks or dashes between groups of at least three; sets `end`.
std::size_t gather(std::string_view text, std::size_t start, std::array<char, 20>& digits, std::size_t& end) {
  std::size_t count = 0;
  std::size_t i = start;
  end = start;
  char separator = '\0';
  std::size_t group = 0;
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
    separator = text[i++];
    group = 0;
  }
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
