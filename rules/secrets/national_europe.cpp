// Numbers of European countries.
#include <array>
#include <string>

#include "rules/secrets/check_digits.hpp"
#include "rules/secrets/national.hpp"

namespace tocsin::rules::secrets {
namespace {

Verdict checked(bool holds) { return holds ? Verdict::kHolds : Verdict::kWrong; }

// Austria: four digits of which the last is the check, then the day of birth; months 13 to 15 where a day is full.
Verdict at_svnr(std::string_view s) {
  if (!digits(s, 10) || s[0] == '0') return Verdict::kNo;
  const int check = weighted(s, {3, 7, 9, 0, 5, 8, 4, 2, 1, 6}) % 11;
  return checked(check == digit(s[3]));
}

Verdict at_tin(std::string_view s) {
  if (!digits(s, 9)) return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

Verdict be_nn(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  const int month = number(s.substr(2, 2)) % 20;  // bis numbers add 20 or 40
  const int day = number(s.substr(4, 2));
  if (number(s.substr(2, 2)) > 52 || month > 12 || day > 31) return Verdict::kNo;
  const std::uint64_t value = long_number(s.substr(0, 9));
  const auto check = static_cast<std::uint64_t>(number(s.substr(9)));
  return checked(97 - value % 97 == check || 97 - (2'000'000'000ULL + value) % 97 == check);
}

Verdict bg_egn(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  int month = number(s.substr(2, 2));
  int year = 1900 + number(s.substr(0, 2));
  if (month > 40) {
    year += 100;
    month -= 40;
  } else if (month > 20) {
    year -= 100;
    month -= 20;
  }
  if (!date(year, month, number(s.substr(4, 2)))) return Verdict::kNo;
  return checked(weighted(s, {2, 4, 8, 5, 10, 9, 7, 3, 6}) % 11 % 10 == digit(s[9]));
}

Verdict bg_lnch(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  return checked(weighted(s, {21, 19, 17, 13, 11, 9, 7, 3, 1}) % 10 == digit(s[9]));
}

Verdict ch_ahv(std::string_view s) {
  if (!digits(s, 13) || !s.starts_with("756")) return Verdict::kNo;
  return checked(weighted(s, {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1}) % 10 == 0);
}

// Czechia and Slovakia: before 1954 nine digits without a check; women's months +50, and +20 or +70 since 2004.
Verdict cz_rc(std::string_view s) {
  if (!digits(s, 10) && !digits(s, 9)) return Verdict::kNo;
  int year = 1900 + number(s.substr(0, 2));
  const int month = number(s.substr(2, 2)) % 50 % 20;
  if (s.size() == 9) {
    if (year >= 1980) year -= 100;
    if (year > 1953) return Verdict::kNo;
  } else if (year < 1954) {
    year += 100;
  }
  if (!date(year, month, number(s.substr(4, 2)))) return Verdict::kNo;
  if (s.size() == 9) return Verdict::kFits;
  const int rest = static_cast<int>(long_number(s.substr(0, 9)) % 11);
  return checked((year < 1985 ? rest % 10 : rest) == digit(s[9]));  // before 1985 a rest of 10 was written 0
}

Verdict de_tax_id(std::string_view s) {
  if (!digits(s, 11) || s[0] == '0') return Verdict::kNo;
  std::array<int, 10> counts{};
  for (std::size_t i = 0; i < 10; ++i) ++counts[static_cast<std::size_t>(digit(s[i]))];
  const auto repeated = std::count_if(counts.begin(), counts.end(), [](int n) { return n > 1; });
  if (repeated != 1 || *std::max_element(counts.begin(), counts.end()) > 3) return Verdict::kNo;
  return checked(mod_11_10(s));
}

// Germany, pension insurance: area, day of birth, first letter of the name, serial, check.
Verdict de_rvnr(std::string_view s) {
  if (s.size() != 12 || !is_capital(s[8])) return Verdict::kNo;
  std::string all(s.substr(0, 8));
  const int letter = s[8] - 'A' + 1;
  all += static_cast<char>('0' + letter / 10);
  all += static_cast<char>('0' + letter % 10);
  all += s.substr(9);
  if (!digits(all, 13) || number(s.substr(4, 2)) > 12 || number(s.substr(2, 2)) > 81) return Verdict::kNo;
  constexpr std::array<int, 12> kWeights = {2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) {
    const int product = digit(all[i]) * kWeights[i];
    sum += product / 10 + product % 10;
  }
  return checked(sum % 10 == digit(all[12]));
}

// Denmark: the modulus-11 check holds for numbers given out before 2007 only.
Verdict dk_cpr(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  int year = number(s.substr(4, 2));
  const char century = s[6];
  if (century >= '5' && century <= '8' && year >= 58) {
    year += 1800;
  } else if (century <= '3' || ((century == '4' || century == '9') && year >= 37)) {
    year += 1900;
  } else {
    year += 2000;
  }
  if (!date(year, number(s.substr(2, 2)), number(s.substr(0, 2)))) return Verdict::kNo;
  return Verdict::kFits;
}

// Estonia and Lithuania share layout and check.
bool baltic_check(std::string_view s) {
  int check = weighted(s, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1}) % 11;
  if (check == 10) check = weighted(s, {3, 4, 5, 6, 7, 8, 9, 1, 2, 3}) % 11 % 10;
  return check == digit(s[10]);
}
bool baltic_date(std::string_view s) {
  if (s[0] < '1' || s[0] > '8') return false;
  return date(1800 + (s[0] - '1') / 2 * 100 + number(s.substr(1, 2)), number(s.substr(3, 2)), number(s.substr(5, 2)));
}
Verdict ee_ik(std::string_view s) {
  if (!digits(s, 11) || !baltic_date(s)) return Verdict::kNo;
  return checked(baltic_check(s));
}
Verdict lt_asmens(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  if (s[0] != '9' && !baltic_date(s)) return Verdict::kNo;  // 9: without a day of birth
  return checked(baltic_check(s));
}

Verdict es_dni(std::string_view s) {
  if (s.size() != 9 || !is_capital(s[8])) return Verdict::kNo;
  std::string plain(s.substr(0, 8));
  if (plain[0] >= 'X' && plain[0] <= 'Z') plain[0] = static_cast<char>('0' + (plain[0] - 'X'));  // NIE of foreigners
  if (!digits(plain, 8)) return Verdict::kNo;
  return checked(s[8] == "TRWAGMYFPDXBNJZSQVHLCKE"[number(plain) % 23]);
}

// Finland: ddmmyy, a sign for the century that separators may have taken, three digits, check.
Verdict fi_hetu(std::string_view s) {
  std::string plain(s);
  if (plain.size() == 11) {
    if (std::string_view("ABCDEFUVWXY").find(plain[6]) == std::string_view::npos) return Verdict::kNo;
    plain.erase(6, 1);
  }
  if (plain.size() != 10 || !digits(std::string_view(plain).substr(0, 9), 9)) return Verdict::kNo;
  const std::string_view p = plain;
  // Without the sign the century is open; a leap day is then good enough.
  if (!date(2000, number(p.substr(2, 2)), number(p.substr(0, 2))) || number(p.substr(6, 3)) < 2) return Verdict::kNo;
  constexpr std::string_view kCheck = "0123456789ABCDEFHJKLMNPRSTUVWXY";
  if (kCheck.find(p[9]) == std::string_view::npos) return Verdict::kNo;
  return checked(p[9] == kCheck[long_number(p.substr(0, 9)) % 31]);
}

Verdict fr_nir(std::string_view s) {
  if (s.size() != 15) return Verdict::kNo;
  std::string plain(s);
  // Corsica: 2A counts as 19, 2B as 18.
  if (plain[5] == '2' && plain[6] == 'A') plain.replace(5, 2, "19");
  if (plain[5] == '2' && plain[6] == 'B') plain.replace(5, 2, "18");
  if (!digits(plain, 15) || plain[0] == '0') return Verdict::kNo;
  return checked(97 - long_number(std::string_view(plain).substr(0, 13)) % 97 == long_number(std::string_view(plain).substr(13)));
}

Verdict fr_nif(std::string_view s) {
  if (!digits(s, 13) || s[0] > '3') return Verdict::kNo;
  return checked(long_number(s.substr(0, 10)) % 511 == long_number(s.substr(10)));
}

Verdict gr_amka(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  const int year = number(s.substr(4, 2));
  // The century is not written.
  if (!date(1900 + year, number(s.substr(2, 2)), number(s.substr(0, 2))) && !date(2000 + year, number(s.substr(2, 2)), number(s.substr(0, 2)))) return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

// Greece, tax number
Verdict gr_afm(std::string_view s) {
  if (!digits(s, 9) || same_throughout(s)) return Verdict::kNo;
  return checked(weighted(s, {256, 128, 64, 32, 16, 8, 4, 2}) % 11 % 10 == digit(s[8]));
}

Verdict hr_oib(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  return checked(mod_11_10(s));
}

// Hungary: tax identifier of persons; social insurance.
Verdict hu_adoazonosito(std::string_view s) {
  if (!digits(s, 10) || s[0] != '8') return Verdict::kNo;
  return checked(weighted(s, {1, 2, 3, 4, 5, 6, 7, 8, 9}) % 11 == digit(s[9]));
}
Verdict hu_taj(std::string_view s) {
  if (!digits(s, 9) || same_throughout(s)) return Verdict::kNo;
  return checked(weighted(s, {3, 7, 3, 7, 3, 7, 3, 7}) % 10 == digit(s[8]));
}

Verdict ie_pps(std::string_view s) {
  if (s.size() < 8 || s.size() > 9 || !digits(s.substr(0, 7), 7) || s[7] > 'W' || !is_capital(s[7])) return Verdict::kNo;
  int sum = weighted(s, {8, 7, 6, 5, 4, 3, 2});
  if (s.size() == 9) {
    const char second = s[8];
    if (std::string_view("AHWTX").find(second) == std::string_view::npos) return Verdict::kNo;
    if (second == 'A' || second == 'H') sum += 9 * (second - 'A' + 1);  // since 2013
  }
  return checked(s[7] == "WABCDEFGHIJKLMNOPQRSTUV"[sum % 23]);
}

Verdict is_kennitala(std::string_view s) {
  if (!digits(s, 10) || (s[9] != '9' && s[9] != '0' && s[9] != '8')) return Verdict::kNo;
  int day = number(s.substr(0, 2));
  if (day > 40) day -= 40;  // companies
  const int century = s[9] == '0' ? 2000 : s[9] == '9' ? 1900 : 1800;
  if (!date(century + number(s.substr(4, 2)), number(s.substr(2, 2)), day)) return Verdict::kNo;
  return checked((weighted(s, {3, 2, 7, 6, 5, 4, 3, 2}) + digit(s[8])) % 11 == 0);
}

Verdict it_codice_fiscale(std::string_view s) {
  static constexpr std::array<int, 26> kOdd = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  static constexpr std::string_view kShape = "LLLLLLDDMDDLDDDL";
  constexpr std::string_view kAltered = "LMNPQRSTUV";  // letters that stand for digits where two people share a code
  if (s.size() != 16) return Verdict::kNo;
  int sum = 0;
  std::string plain(s);
  for (std::size_t i = 0; i < 16; ++i) {
    const auto altered = kAltered.find(s[i]);
    if (kShape[i] == 'M' && std::string_view("ABCDEHLMPRST").find(s[i]) == std::string_view::npos) return Verdict::kNo;
    if (kShape[i] == 'L' && !is_capital(s[i])) return Verdict::kNo;
    if (kShape[i] == 'D') {
      if (!is_decimal(s[i]) && altered == std::string_view::npos) return Verdict::kNo;
      if (altered != std::string_view::npos) plain[i] = static_cast<char>('0' + altered);
    }
    if (i == 15) break;
    const int value = is_decimal(s[i]) ? digit(s[i]) : s[i] - 'A';
    sum += i % 2 == 0 ? kOdd[static_cast<std::size_t>(value)] : value;
  }
  const std::string_view p = plain;
  const int month = static_cast<int>(std::string_view("ABCDEHLMPRST").find(p[8])) + 1;
  const int day = number(p.substr(9, 2)) % 40;  // women add 40
  const int year = number(p.substr(6, 2));
  if (number(p.substr(9, 2)) > 71 || (!date(1900 + year, month, day) && !date(2000 + year, month, day))) return Verdict::kNo;
  return checked(s[15] == 'A' + sum % 26);
}

// Luxembourg: day of birth, serial, a Luhn digit over the first eleven and a Verhoeff digit over the same.
Verdict lu_matricule(std::string_view s) {
  if (!digits(s, 13) || !date(number(s.substr(0, 4)), number(s.substr(4, 2)), number(s.substr(6, 2)))) return Verdict::kNo;
  const std::string second = std::string(s.substr(0, 11)) + s[12];
  return checked(luhn_sum(s.substr(0, 12)) == 0 && verhoeff(second) == 0);
}

// Latvia: ddmmyy, century, serial, check; or, since 2017, 32 and nine more digits.
Verdict lv_pk(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  if (!s.starts_with("32")) {
    if (s[6] > '2' || !date(1800 + 100 * digit(s[6]) + number(s.substr(4, 2)), number(s.substr(2, 2)), number(s.substr(0, 2)))) return Verdict::kNo;
  }
  const int check = 1 + weighted(s, {10, 5, 8, 4, 2, 1, 6, 3, 7, 9});
  return checked(check % 11 % 10 == digit(s[10]));
}

// Malta: one to seven digits and a letter.
Verdict mt_id(std::string_view s) {
  if (s.size() != 8 || !digits(s.substr(0, 7), 7) || std::string_view("MGAPLHBZ").find(s[7]) == std::string_view::npos) return Verdict::kNo;
  return Verdict::kFits;
}

Verdict nl_bsn(std::string_view s) {
  if (!digits(s, 9) || s == "000000000") return Verdict::kNo;
  return checked(weighted(s, {9, 8, 7, 6, 5, 4, 3, 2, -1}) % 11 == 0);
}

Verdict no_fnr(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  int day = number(s.substr(0, 2));
  if (day > 40) day -= 40;  // D number
  int month = number(s.substr(2, 2));
  if (month > 40) month -= 40;  // help number
  const int serial = number(s.substr(6, 3));
  int year = number(s.substr(4, 2));
  if (serial < 500) {
    year += 1900;
  } else if (serial < 750 && year >= 54) {
    year += 1800;
  } else if (year < 40) {
    year += 2000;
  } else if (serial >= 900) {
    year += 1900;
  } else {
    return Verdict::kNo;
  }
  if (!date(year, month, day)) return Verdict::kNo;
  const int first = (11 - weighted(s, {3, 7, 6, 1, 8, 9, 4, 5, 2}) % 11) % 11;
  const int second = (11 - weighted(s, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11) % 11;
  return checked(first == digit(s[9]) && second == digit(s[10]));
}

Verdict pl_pesel(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  const int coded = number(s.substr(2, 2));
  constexpr std::array<int, 5> kCenturies = {1900, 2000, 2100, 2200, 1800};
  const int year = kCenturies[static_cast<std::size_t>(coded / 20)] + number(s.substr(0, 2));
  if (!date(year, coded % 20, number(s.substr(4, 2)))) return Verdict::kNo;
  return checked((10 - weighted(s, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3}) % 10) % 10 == digit(s[10]));
}

Verdict pt_nif(std::string_view s) {
  if (!digits(s, 9) || s[0] == '0') return Verdict::kNo;
  return checked((11 - weighted(s, {9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 11 % 10 == digit(s[8]));
}

// Portugal, citizen card: nine digits, two letters or digits, check; Luhn where A counts ten.
Verdict pt_cc(std::string_view s) {
  if (s.size() != 12 || !digits(s.substr(0, 9), 9) || !is_decimal(s[11]) || s[9] == '&' || s[10] == '&') return Verdict::kNo;
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    int value = is_decimal(s[i]) ? digit(s[i]) : s[i] - 'A' + 10;
    if (i % 2 == 0) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    sum += value;
  }
  return checked(sum % 10 == 0);
}

Verdict ro_cnp(std::string_view s) {
  if (!digits(s, 13) || s[0] == '0') return Verdict::kNo;
  constexpr std::array<int, 10> kCenturies = {0, 1900, 1900, 1800, 1800, 2000, 2000, 1900, 1900, 1900};
  const int year = kCenturies[static_cast<std::size_t>(digit(s[0]))] + number(s.substr(1, 2));
  if (!date(year, number(s.substr(3, 2)), number(s.substr(5, 2)))) return Verdict::kNo;
  const int county = number(s.substr(7, 2));
  if (!(county >= 1 && county <= 48) && county != 51 && county != 52 && county != 70 && county != 80) return Verdict::kNo;
  const int check = weighted(s, {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9}) % 11;
  return checked((check == 10 ? 1 : check) == digit(s[12]));
}

Verdict se_personnummer(std::string_view s) {
  if (s.size() == 12) s.remove_prefix(2);
  if (!digits(s, 10)) return Verdict::kNo;
  const int day = number(s.substr(4, 2)) % 60;  // coordination numbers add 60
  const int year = number(s.substr(0, 2));
  if (!date(1900 + year, number(s.substr(2, 2)), day) && !date(2000 + year, number(s.substr(2, 2)), day)) return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

// Slovenia's EMŠO, and the JMBG of the other successors of Yugoslavia.
Verdict si_emso(std::string_view s) {
  if (!digits(s, 13)) return Verdict::kNo;
  const int year = number(s.substr(4, 3));
  if (!date(year < 800 ? 2000 + year : 1000 + year, number(s.substr(2, 2)), number(s.substr(0, 2)))) return Verdict::kNo;
  const int check = (11 - weighted(s, {7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11) % 11;
  return checked(check % 10 == digit(s[12]));
}

Verdict ua_rntrc(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  const int sum = weighted(s, {-1, 5, 7, 9, 4, 6, 10, 5, 7});
  return checked((sum % 11 + 11) % 11 % 10 == digit(s[9]));
}

Verdict ru_inn(std::string_view s) {
  if (!digits(s, 12)) return Verdict::kNo;
  const bool first = weighted(s, {7, 2, 4, 10, 3, 5, 9, 4, 6, 8}) % 11 % 10 == digit(s[10]);
  const bool second = weighted(s, {3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}) % 11 % 10 == digit(s[11]);
  return checked(first && second);
}

Verdict ru_snils(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  const int check = weighted(s, {9, 8, 7, 6, 5, 4, 3, 2, 1}) % 101 % 100;
  return checked(check == number(s.substr(9)));
}

Verdict tr_tckn(std::string_view s) {
  if (!digits(s, 11) || s[0] == '0') return Verdict::kNo;
  const int tenth = (weighted(s, {7, -1, 7, -1, 7, -1, 7, -1, 7}) % 10 + 10) % 10;
  const int eleventh = (weighted(s, {1, 1, 1, 1, 1, 1, 1, 1, 1}) + tenth) % 10;
  return checked(tenth == digit(s[9]) && eleventh == digit(s[10]));
}

Verdict uk_nhs(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  const int check = (11 - weighted(s, {10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 11;
  return checked(check == digit(s[9]));
}

// United Kingdom, national insurance: prefixes that were never given out are left out; no check digit.
Verdict uk_nino(std::string_view s) {
  if (s.size() != 9 || !is_capital(s[0]) || !is_capital(s[1]) || !digits(s.substr(2, 6), 6) || s[8] < 'A' || s[8] > 'D') return Verdict::kNo;
  constexpr std::string_view kNever = "DFIQUV";
  if (kNever.find(s[0]) != std::string_view::npos || kNever.find(s[1]) != std::string_view::npos || s[1] == 'O') return Verdict::kNo;
  for (const std::string_view prefix : {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}) {
    if (s.starts_with(prefix)) return Verdict::kNo;
  }
  return Verdict::kFits;
}

Verdict uk_utr(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  const int sum = weighted(s.substr(1), {6, 7, 8, 9, 10, 5, 4, 3, 2});
  return checked("21987654321"[sum % 11] == s[0]);
}

}  // namespace

std::span<const NationalKind> european_numbers() {
  static constexpr auto kKinds = std::to_array<NationalKind>({
      {"at-svnr", "Austria, social insurance", at_svnr},
      {"at-tin", "Austria, tax number", at_tin},
      {"be-nn", "Belgium, national register", be_nn},
      {"bg-egn", "Bulgaria, EGN", bg_egn},
      {"bg-lnch", "Bulgaria, foreigners", bg_lnch},
      {"ch-ahv", "Switzerland, AHV/AVS", ch_ahv},
      {"cz-rc", "Czechia and Slovakia, rodné číslo", cz_rc},
      {"de-rvnr", "Germany, pension insurance", de_rvnr},
      {"de-tax-id", "Germany, tax id", de_tax_id},
      {"dk-cpr", "Denmark, CPR", dk_cpr},
      {"ee-ik", "Estonia, isikukood", ee_ik},
      {"es-dni", "Spain, DNI or NIE", es_dni},
      {"fi-hetu", "Finland, HETU", fi_hetu},
      {"fr-nif", "France, tax number", fr_nif},
      {"fr-nir", "France, NIR", fr_nir},
      {"gr-afm", "Greece, AFM", gr_afm},
      {"gr-amka", "Greece, AMKA", gr_amka},
      {"hr-oib", "Croatia, OIB", hr_oib},
      {"hu-ado", "Hungary, tax identifier", hu_adoazonosito},
      {"hu-taj", "Hungary, social insurance", hu_taj},
      {"ie-pps", "Ireland, PPS", ie_pps},
      {"is-kennitala", "Iceland, kennitala", is_kennitala},
      {"it-codice-fiscale", "Italy, codice fiscale", it_codice_fiscale},
      {"lt-asmens", "Lithuania, asmens kodas", lt_asmens},
      {"lu-matricule", "Luxembourg, matricule", lu_matricule},
      {"lv-pk", "Latvia, personas kods", lv_pk},
      {"mt-id", "Malta, identity card", mt_id},
      {"nl-bsn", "Netherlands, BSN", nl_bsn},
      {"no-fnr", "Norway, fødselsnummer", no_fnr},
      {"pl-pesel", "Poland, PESEL", pl_pesel},
      {"pt-cc", "Portugal, citizen card", pt_cc},
      {"pt-nif", "Portugal, NIF", pt_nif},
      {"ro-cnp", "Romania, CNP", ro_cnp},
      {"ru-inn", "Russia, INN of persons", ru_inn},
      {"ru-snils", "Russia, SNILS", ru_snils},
      {"se-personnummer", "Sweden, personnummer", se_personnummer},
      {"si-emso", "Slovenia EMŠO, JMBG", si_emso},
      {"tr-tckn", "Turkey, TCKN", tr_tckn},
      {"ua-rntrc", "Ukraine, RNTRC", ua_rntrc},
      {"uk-nhs", "United Kingdom, NHS", uk_nhs},
      {"uk-nino", "United Kingdom, national insurance", uk_nino},
      {"uk-utr", "United Kingdom, UTR", uk_utr},
  });
  return kKinds;
}

}  // namespace tocsin::rules::secrets
