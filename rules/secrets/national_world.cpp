// Numbers of countries outside Europe.
#include <array>
#include <string>

#include "rules/secrets/check_digits.hpp"
#include "rules/secrets/national.hpp"

namespace tocsin::rules::secrets {
namespace {

Verdict checked(bool holds) { return holds ? Verdict::kHolds : Verdict::kWrong; }

Verdict us_ssn(std::string_view s) {
  if (!digits(s, 9)) return Verdict::kNo;
  const int area = number(s.substr(0, 3));
  if (area == 0 || area == 666 || area >= 900 || s.substr(3, 2) == "00" || s.substr(5) == "0000") return Verdict::kNo;
  // Printed in advertisements.
  if (s == "078051120" || s == "219099999" || s == "457555462") return Verdict::kNo;
  return Verdict::kFits;
}

Verdict us_itin(std::string_view s) {
  if (!digits(s, 9) || s[0] != '9') return Verdict::kNo;
  const int group = number(s.substr(3, 2));
  if (group < 70 || group == 89 || group == 93) return Verdict::kNo;
  return Verdict::kFits;
}

Verdict ca_sin(std::string_view s) {
  if (!digits(s, 9) || s[0] == '0' || s[0] == '8') return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

Verdict br_cpf(std::string_view s) {
  if (!digits(s, 11) || same_throughout(s)) return Verdict::kNo;
  const auto check = [](int sum) { return (11 - sum % 11) % 11 % 10; };
  return checked(check(weighted(s, {10, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(s[9]) && check(weighted(s, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(s[10]));
}

Verdict ar_cuit(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  bool type = false;
  for (const std::string_view known : {"20", "23", "24", "27", "30", "33", "34", "50", "51", "55"}) type = type || s.starts_with(known);
  if (!type) return Verdict::kNo;
  constexpr std::string_view kCheck = "012345678990";
  return checked(kCheck[static_cast<std::size_t>(11 - weighted(s, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11)] == s[10]);
}

Verdict ar_dni(std::string_view s) {
  if (!digits(s, 7) && !digits(s, 8)) return Verdict::kNo;
  return Verdict::kFits;
}

Verdict cl_rut(std::string_view s) {
  if (s.size() == 8) {
    const std::string padded = "0" + std::string(s);
    return digits(padded.substr(0, 8), 8) ? checked("0123456789K"[(11 - weighted(padded, {3, 2, 7, 6, 5, 4, 3, 2}) % 11) % 11] == s[7]) : Verdict::kNo;
  }
  if (s.size() != 9 || !digits(s.substr(0, 8), 8) || (!is_decimal(s[8]) && s[8] != 'K')) return Verdict::kNo;
  return checked("0123456789K"[(11 - weighted(s, {3, 2, 7, 6, 5, 4, 3, 2}) % 11) % 11] == s[8]);
}

// Mexico: letters of the names, day of birth, then what tells people apart.
bool mexican_date(std::string_view yymmdd, int century) {
  return digits(yymmdd, 6) && date(century + number(yymmdd.substr(0, 2)), number(yymmdd.substr(2, 2)), number(yymmdd.substr(4, 2)));
}
bool mexican_letters(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return is_capital(c) || c == '&' || c == '~'; });
}

Verdict mx_curp(std::string_view s) {
  if (s.size() != 18 || !is_decimal(s[17]) || !mexican_letters(s.substr(0, 4)) || !mexican_letters(s.substr(11, 5))) return Verdict::kNo;
  const bool older = is_decimal(s[16]);
  if (!older && !is_capital(s[16])) return Verdict::kNo;
  if (!mexican_date(s.substr(4, 6), older ? 1900 : 2000) || (s[10] != 'H' && s[10] != 'M' && s[10] != 'X')) return Verdict::kNo;
  constexpr std::string_view kStates = "AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE";
  if (kStates.find(s.substr(11, 2)) == std::string_view::npos) return Verdict::kNo;
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ";
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    const auto value = kAlphabet.find(s[i] == '~' ? '&' : s[i]);
    if (value == std::string_view::npos) return Verdict::kNo;
    sum += static_cast<int>(value) * static_cast<int>(18 - i);
  }
  return checked((10 - sum % 10) % 10 == digit(s[17]));
}

// Mexico, RFC of persons: its last character checks the rest.
Verdict mx_rfc(std::string_view s) {
  if (s.size() != 13 || !mexican_letters(s.substr(0, 4)) || (!mexican_date(s.substr(4, 6), 1900) && !mexican_date(s.substr(4, 6), 2000))) return Verdict::kNo;
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ ~";
  // What tells people apart: no zeros, and a check that is a digit or A.
  if ((!is_decimal(s[12]) && s[12] != 'A') || s[10] == '0' || s[11] == '0' || s[10] > 'V' || s[11] > 'Z' || s[10] < '0' || s[11] < '0') return Verdict::kNo;
  int sum = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    const auto value = kAlphabet.find(s[i]);
    if (value == std::string_view::npos || s[i] == ' ') return Verdict::kNo;
    sum += static_cast<int>(value) * static_cast<int>(13 - i);
  }
  return checked(kAlphabet[static_cast<std::size_t>((11 - sum % 11) % 11)] == s[12]);
}

Verdict in_aadhaar(std::string_view s) {
  if (!digits(s, 12) || s[0] < '2' || std::equal(s.begin(), s.begin() + 6, s.rbegin())) return Verdict::kNo;
  return checked(verhoeff(s) == 0);
}

// India, PAN: five letters of which the fourth tells the holder's kind (P = person), four digits, a letter.
Verdict in_pan(std::string_view s) {
  if (s.size() != 10 || !digits(s.substr(5, 4), 4) || !is_capital(s[9]) || !std::all_of(s.begin(), s.begin() + 5, is_capital)) return Verdict::kNo;
  if (std::string_view("ABCFGHJKLPT").find(s[3]) == std::string_view::npos || s.substr(5, 4) == "0000") return Verdict::kNo;
  return Verdict::kFits;
}

Verdict cn_ric(std::string_view s) {
  if (s.size() != 18 || !digits(s.substr(0, 17), 17) || (!is_decimal(s[17]) && s[17] != 'X')) return Verdict::kNo;
  if (s[0] < '1' || s[0] > '8') return Verdict::kNo;
  const int year = number(s.substr(6, 4));
  if (year < 1850 || year > 2100 || !date(year, number(s.substr(10, 2)), number(s.substr(12, 2)))) return Verdict::kNo;
  return checked("10X98765432"[weighted(s, {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}) % 11] == s[17]);
}

Verdict jp_my_number(std::string_view s) {
  if (!digits(s, 12) || same_throughout(s)) return Verdict::kNo;
  const int rest = weighted(s, {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11;
  return checked((rest <= 1 ? 0 : 11 - rest) == digit(s[11]));
}

// Korea: numbers given out since October 2020 have no check digit, so a wrong one proves nothing.
Verdict kr_rrn(std::string_view s) {
  if (!digits(s, 13)) return Verdict::kNo;
  constexpr std::array<int, 10> kCenturies = {1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800};
  if (!date(kCenturies[static_cast<std::size_t>(digit(s[6]))] + number(s.substr(0, 2)), number(s.substr(2, 2)), number(s.substr(4, 2)))) return Verdict::kNo;
  if (number(s.substr(7, 2)) > 96) return Verdict::kNo;
  return checked((11 - weighted(s, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5}) % 11) % 10 == digit(s[12]));
}

Verdict au_tfn(std::string_view s) {
  if (digits(s, 8)) return checked(weighted(s, {10, 7, 8, 4, 6, 3, 5, 1}) % 11 == 0);
  if (!digits(s, 9)) return Verdict::kNo;
  return checked(weighted(s, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 == 0);
}

// Australia, Medicare: the ninth digit checks the first eight; the tenth counts cards, an eleventh names the person.
Verdict au_medicare(std::string_view s) {
  if ((!digits(s, 10) && !digits(s, 11)) || s[0] < '2' || s[0] > '6' || s[9] == '0') return Verdict::kNo;
  return checked(weighted(s, {1, 3, 7, 9, 1, 3, 7, 9}) % 10 == digit(s[8]));
}

Verdict nz_ird(std::string_view s) {
  if (!digits(s, 8) && !digits(s, 9)) return Verdict::kNo;
  const std::string padded = s.size() == 8 ? "0" + std::string(s) : std::string(s);
  const int value = number(padded.substr(0, 9));
  if (value <= 10'000'000 || value >= 150'000'000) return Verdict::kNo;
  int rest = weighted(padded, {3, 2, 7, 6, 5, 4, 3, 2}) % 11;
  int check = rest == 0 ? 0 : 11 - rest;
  if (check == 10) {
    rest = weighted(padded, {7, 4, 3, 2, 5, 2, 7, 6}) % 11;
    check = rest == 0 ? 0 : 11 - rest;
  }
  return checked(check == digit(padded[8]));
}

Verdict za_id(std::string_view s) {
  if (!digits(s, 13) || s[10] > '2') return Verdict::kNo;
  const int year = number(s.substr(0, 2));
  const int month = number(s.substr(2, 2));
  const int day = number(s.substr(4, 2));
  if (!date(1900 + year, month, day) && !date(2000 + year, month, day)) return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

Verdict il_id(std::string_view s) {
  if (s.empty() || s.size() > 9 || s.size() < 7 || !digits(s, s.size()) || number(s) == 0) return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

Verdict sg_nric(std::string_view s) {
  if (s.size() != 9 || !digits(s.substr(1, 7), 7) || !is_capital(s[8])) return Verdict::kNo;
  int sum = weighted(s.substr(1), {2, 7, 6, 5, 4, 3, 2});
  if (s[0] == 'T' || s[0] == 'G') sum += 4;
  if (s[0] == 'M') sum += 3;
  const auto rest = static_cast<std::size_t>(sum % 11);
  switch (s[0]) {
    case 'S':
    case 'T': return checked(s[8] == "JZIHGFEDCBA"[rest]);
    case 'F':
    case 'G': return checked(s[8] == "XWUTRQPNMLK"[rest]);
    case 'M': return checked(s[8] == "XWUTRQPNJLK"[rest]);
    default: return Verdict::kNo;
  }
}

Verdict th_pin(std::string_view s) {
  if (!digits(s, 13) || s[0] == '0' || s[0] == '9') return Verdict::kNo;
  return checked((11 - weighted(s, {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11) % 10 == digit(s[12]));
}

// Malaysia: day of birth, place of birth, serial; no check digit.
Verdict my_nric(std::string_view s) {
  if (!digits(s, 12)) return Verdict::kNo;
  const int year = number(s.substr(0, 2));
  const int month = number(s.substr(2, 2));
  const int day = number(s.substr(4, 2));
  if (!date(1900 + year, month, day) && !date(2000 + year, month, day)) return Verdict::kNo;
  const int place = number(s.substr(6, 2));
  if (place == 0 || (place >= 17 && place <= 20) || place == 65 || place == 69 || place == 70 || place == 73 || (place >= 80 && place <= 81) || (place >= 94 && place <= 97)) return Verdict::kNo;
  return Verdict::kFits;
}

// Indonesia, NIK: district, day of birth (women +40), serial; no check digit.
Verdict id_nik(std::string_view s) {
  if (!digits(s, 16) || s[0] == '0' || s.substr(12) == "0000") return Verdict::kNo;
  const int day = number(s.substr(6, 2)) % 40;
  const int year = number(s.substr(10, 2));
  if (number(s.substr(6, 2)) > 71 || (!date(1900 + year, number(s.substr(8, 2)), day) && !date(2000 + year, number(s.substr(8, 2)), day))) return Verdict::kNo;
  return Verdict::kFits;
}

Verdict tw_id(std::string_view s) {
  if (s.size() != 10 || !is_capital(s[0]) || !digits(s.substr(1), 9) || (s[1] != '1' && s[1] != '2' && s[1] != '8' && s[1] != '9')) return Verdict::kNo;
  constexpr std::array<int, 26> kAreas = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};
  const int area = kAreas[static_cast<std::size_t>(s[0] - 'A')];
  const int sum = area / 10 + area % 10 * 9 + weighted(s.substr(1), {8, 7, 6, 5, 4, 3, 2, 1, 1});
  return checked(sum % 10 == 0);
}

// Hong Kong: one or two letters, six digits, check (A stands for 10).
Verdict hk_id(std::string_view s) {
  if (s.size() != 8 && s.size() != 9) return Verdict::kNo;
  const std::size_t letters = s.size() - 7;
  if (!std::all_of(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(letters), is_capital) || !digits(s.substr(letters, 6), 6) || (!is_decimal(s.back()) && s.back() != 'A')) {
    return Verdict::kNo;
  }
  const std::string padded = letters == 1 ? " " + std::string(s) : std::string(s);
  int sum = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const char c = padded[i];
    sum += (c == ' ' ? 36 : is_decimal(c) ? digit(c) : c - 'A' + 10) * static_cast<int>(9 - i);
  }
  sum += s.back() == 'A' ? 10 : digit(s.back());
  return checked(sum % 11 == 0);
}

Verdict ec_ci(std::string_view s) {
  if (!digits(s, 10)) return Verdict::kNo;
  const int province = number(s.substr(0, 2));
  if (province < 1 || (province > 24 && province != 30 && province != 50) || s[2] > '6') return Verdict::kNo;
  int sum = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const int value = digit(s[i]) * (i % 2 == 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return checked(sum % 10 == 0);
}

// Peru, DNI: eight digits, and a check that is a digit or a letter.
Verdict pe_dni(std::string_view s) {
  if (s.size() != 9 || !digits(s.substr(0, 8), 8)) return digits(s, 8) ? Verdict::kFits : Verdict::kNo;
  if (!is_decimal(s[8]) && (s[8] < 'A' || s[8] > 'K')) return Verdict::kNo;
  const auto rest = static_cast<std::size_t>(weighted(s, {3, 2, 7, 6, 5, 4, 3, 2}) % 11);
  return checked(s[8] == "65432110987"[rest] || s[8] == "KJIHGFEDCBA"[rest]);
}

Verdict do_cedula(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  return checked(luhn_sum(s) == 0);
}

Verdict cr_cpf(std::string_view s) {
  if (digits(s, 9)) {
    const std::string padded = "0" + std::string(s);
    return padded[1] == '0' ? Verdict::kNo : Verdict::kFits;
  }
  if (!digits(s, 10) || s[0] != '0' || s[1] == '0') return Verdict::kNo;
  return Verdict::kFits;
}

Verdict co_nit(std::string_view s) {
  if (s.size() < 8 || s.size() > 16 || !digits(s, s.size())) return Verdict::kNo;
  constexpr std::array<int, 15> kWeights = {3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71};
  int sum = 0;
  for (std::size_t i = 0; i + 1 < s.size(); ++i) sum += digit(s[s.size() - 2 - i]) * kWeights[i];
  return checked("01987654321"[sum % 11] == s.back());
}

Verdict cu_ni(std::string_view s) {
  if (!digits(s, 11)) return Verdict::kNo;
  const int year = number(s.substr(0, 2)) + (s[6] == '9' ? 1800 : s[6] <= '5' ? 1900 : 2000);
  if (!date(year, number(s.substr(2, 2)), number(s.substr(4, 2)))) return Verdict::kNo;
  return Verdict::kFits;
}

Verdict pk_cnic(std::string_view s) {
  if (!digits(s, 13) || s[0] == '0' || s[0] > '7' || s[12] == '0') return Verdict::kNo;
  return Verdict::kFits;
}

Verdict ve_rif(std::string_view s) {
  if (s.size() != 10 || !digits(s.substr(1), 9)) return Verdict::kNo;
  int first = 0;
  switch (s[0]) {
    case 'V': first = 4; break;
    case 'E': first = 8; break;
    case 'J': first = 12; break;
    case 'P': first = 16; break;
    case 'G': first = 20; break;
    default: return Verdict::kNo;
  }
  return checked("00987654321"[(first + weighted(s.substr(1), {3, 2, 7, 6, 5, 4, 3, 2})) % 11] == s[9]);
}

}  // namespace

std::span<const NationalKind> world_numbers() {
  static constexpr auto kKinds = std::to_array<NationalKind>({
      {"ar-cuit", "Argentina, CUIT or CUIL", ar_cuit},
      {"ar-dni", "Argentina, DNI", ar_dni},
      {"au-medicare", "Australia, Medicare", au_medicare},
      {"au-tfn", "Australia, TFN", au_tfn},
      {"br-cpf", "Brazil, CPF", br_cpf},
      {"ca-sin", "Canada, SIN", ca_sin},
      {"cl-rut", "Chile, RUT", cl_rut},
      {"cn-ric", "China, resident identity", cn_ric},
      {"co-nit", "Colombia, NIT", co_nit},
      {"cr-cpf", "Costa Rica, cédula", cr_cpf},
      {"cu-ni", "Cuba, identity", cu_ni},
      {"do-cedula", "Dominican Republic, cédula", do_cedula},
      {"ec-ci", "Ecuador, cédula", ec_ci},
      {"hk-id", "Hong Kong, identity card", hk_id},
      {"id-nik", "Indonesia, NIK", id_nik},
      {"il-id", "Israel, identity", il_id},
      {"in-aadhaar", "India, Aadhaar", in_aadhaar},
      {"in-pan", "India, PAN", in_pan},
      {"jp-my-number", "Japan, My Number", jp_my_number},
      {"kr-rrn", "Korea, RRN", kr_rrn},
      {"mx-curp", "Mexico, CURP", mx_curp},
      {"mx-rfc", "Mexico, RFC", mx_rfc},
      {"my-nric", "Malaysia, NRIC", my_nric},
      {"nz-ird", "New Zealand, IRD", nz_ird},
      {"pe-dni", "Peru, DNI", pe_dni},
      {"pk-cnic", "Pakistan, CNIC", pk_cnic},
      {"sg-nric", "Singapore, NRIC or FIN", sg_nric},
      {"th-pin", "Thailand, identity", th_pin},
      {"tw-id", "Taiwan, identity", tw_id},
      {"us-itin", "United States, ITIN", us_itin},
      {"us-ssn", "United States, SSN", us_ssn},
      {"ve-rif", "Venezuela, RIF", ve_rif},
      {"za-id", "South Africa, identity", za_id},
  });
  return kKinds;
}

}  // namespace tocsin::rules::secrets
