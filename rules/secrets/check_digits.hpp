// Arithmetic that many check digits share: weighted sums, Luhn, Verhoeff, ISO 7064, calendar dates. All functions take
// digits that the caller has already recognised as such.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace tocsin::rules::secrets {

inline bool is_decimal(char c) { return c >= '0' && c <= '9'; }
inline bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
inline int digit(char c) { return c - '0'; }

inline bool digits(std::string_view s, std::size_t count) { return s.size() == count && std::all_of(s.begin(), s.end(), is_decimal); }

inline int number(std::string_view text) {
  int out = 0;
  for (const char c : text) out = out * 10 + digit(c);
  return out;
}
inline std::uint64_t long_number(std::string_view text) {
  std::uint64_t out = 0;
  for (const char c : text) out = out * 10 + static_cast<std::uint64_t>(digit(c));
  return out;
}

template <std::size_t N>
int weighted(std::string_view text, const int (&weights)[N]) {
  int sum = 0;
  for (std::size_t i = 0; i < N; ++i) sum += digit(text[i]) * weights[i];
  return sum;
}

inline bool same_throughout(std::string_view s) { return std::all_of(s.begin(), s.end(), [&](char c) { return c == s[0]; }); }

inline bool leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
inline bool date(int year, int month, int day) {
  constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= kDays[static_cast<std::size_t>(month)] + (month == 2 && leap(year) ? 1 : 0);
}

// Sum that is 0 modulo 10 when the last digit is right.
inline int luhn_sum(std::string_view s) {
  int sum = 0;
  bool second = false;
  for (auto it = s.rbegin(); it != s.rend(); ++it, second = !second) {
    const int value = second ? digit(*it) * 2 : digit(*it);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10;
}

// ISO 7064 mod 11,10; true if the last digit is right.
inline bool mod_11_10(std::string_view s) {
  int product = 10;
  for (std::size_t i = 0; i + 1 < s.size(); ++i) {
    const int sum = (digit(s[i]) + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (11 - product) % 10 == digit(s.back());
}

// Verhoeff over the dihedral group of order 10; 0 when the last digit is right. J. Verhoeff, 1969.
inline int verhoeff(std::string_view s) {
  constexpr std::array<int, 10> kOnce = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  const auto multiply = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : (a + b - 5) % 5 + 5;
    return b < 5 ? (a - 5 - b + 5) % 5 + 5 : (a - b + 5) % 5;
  };
  int check = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    int value = digit(s[s.size() - 1 - i]);
    for (std::size_t times = i % 8; times > 0; --times) value = kOnce[static_cast<std::size_t>(value)];
    check = multiply(check, value);
  }
  return check;
}

}  // namespace tocsin::rules::secrets
