// Each form of a value is parsed strictly; what does not parse leaves every order possible.
#include "storage/value_shape.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "rules/base/text.hpp"
#include "storage/people.hpp"

namespace tocsin::storage {
namespace {

constexpr std::size_t kMaxNumber = 400;  // characters; longer ones are text

bool digit(char c) { return c >= '0' && c <= '9'; }
bool digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), digit); }
bool ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// A decimal number as its digits: `whole` without leading zeros, `fraction` without trailing ones.
struct Decimal {
  bool minus = false;
  std::string whole, fraction;
  [[nodiscard]] bool zero() const { return whole.empty() && fraction.empty(); }
};

std::optional<Decimal> decimal(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > kMaxNumber) return std::nullopt;
  Decimal out;
  if (text[0] == '-' || text[0] == '+') {
    out.minus = text[0] == '-';
    text.remove_prefix(1);
  }
  int exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = text.substr(e + 1);
    const bool down = power.starts_with('-');
    if (down || power.starts_with('+')) power.remove_prefix(1);
    if (!digits(power) || power.size() > 3) return std::nullopt;
    exponent = std::atoi(std::string(power).c_str()) * (down ? -1 : 1);
    text = text.substr(0, e);
  }
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if ((!whole.empty() && !digits(whole)) || (!fraction.empty() && !digits(fraction)) || (whole.empty() && fraction.empty())) return std::nullopt;
  out.whole = whole;
  out.fraction = fraction;
  for (; exponent > 0; --exponent) {
    out.whole += out.fraction.empty() ? '0' : out.fraction.front();
    if (!out.fraction.empty()) out.fraction.erase(0, 1);
  }
  for (; exponent < 0; ++exponent) {
    out.fraction.insert(out.fraction.begin(), out.whole.empty() ? '0' : out.whole.back());
    if (!out.whole.empty()) out.whole.pop_back();
  }
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size()));
  out.fraction.erase(out.fraction.find_last_not_of('0') + 1);
  if (out.zero()) out.minus = false;
  return out;
}

int sign_of(int comparison) { return comparison < 0 ? -1 : comparison > 0 ? 1 : 0; }

int compare_numbers(const Decimal& a, const Decimal& b) {
  if (a.minus != b.minus) return a.minus ? -1 : 1;
  int out = a.whole.size() != b.whole.size() ? (a.whole.size() < b.whole.size() ? -1 : 1) : sign_of(a.whole.compare(b.whole));
  if (out == 0) out = sign_of(a.fraction.compare(b.fraction));
  return a.minus ? -out : out;
}

Order exactly(int comparison) { return {comparison < 0, comparison == 0, comparison > 0}; }

Order numbers(const Decimal& a, const Decimal& b) {
  // A float is printed shorter than it is: whatever is nearly equal may be less, equal or greater.
  constexpr std::size_t kExactDigits = 15;
  if (!a.fraction.empty() || a.whole.size() > kExactDigits) {
    const auto value = [](const Decimal& d) {
      return std::strtod(((d.minus ? "-" : "") + (d.whole.empty() ? "0" : d.whole) + "." + d.fraction + "0").c_str(), nullptr);
    };
    const double x = value(a), y = value(b), scale = std::max(x < 0 ? -x : x, y < 0 ? -y : y);
    const double apart = x < y ? y - x : x - y;
    if (!(apart > scale * 1e-6)) return Order::any();
  }
  return exactly(compare_numbers(a, b));
}

// A date, with a time of day or without.
struct Moment {
  std::int64_t day = 0;
  bool time = false;
};

std::int64_t days_of(int y, int m, int d) {  // since 0000-03-01
  y -= m <= 2 ? 1 : 0;
  return 365LL * y + y / 4 - y / 100 + y / 400 + (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
}

std::optional<Moment> moment(std::string_view text) {
  if (text.size() < 10 || !digits(text.substr(0, 4)) || text[4] != '-' || !digits(text.substr(5, 2)) || text[7] != '-' || !digits(text.substr(8, 2))) {
    return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t size) { return std::atoi(std::string(text.substr(at, size)).c_str()); };
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  Moment out{days_of(year, month, day), false};
  std::string_view rest = text.substr(10);
  if (rest.empty()) return out;
  out.time = true;
  if ((rest[0] != ' ' && rest[0] != 'T') || rest.size() < 6 || !digits(rest.substr(1, 2)) || rest[3] != ':' || !digits(rest.substr(4, 2))) return std::nullopt;
  if (rest.find_first_not_of("0123456789:.+-Z", 6) != std::string_view::npos) return std::nullopt;  // "BC", a zone's name
  return out;
}

Order moments(const Moment& a, const Moment& b) {
  if (!a.time && !b.time) return exactly(a.day < b.day ? -1 : a.day > b.day ? 1 : 0);
  // Two times, perhaps of different zones: only what is days apart has one order.
  if (a.day + 2 < b.day) return exactly(-1);
  if (a.day > b.day + 2) return exactly(1);
  return Order::any();
}

std::optional<bool> truth(std::string_view text) {
  const std::string word = to_lower(trim(text));
  for (const std::string_view yes : {"t", "true", "y", "yes", "on", "1"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"f", "false", "n", "no", "off", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

std::optional<std::string> uuid(std::string_view text) {
  std::string out;
  for (const char c : trim(text)) {
    if (c == '-' || c == '{' || c == '}') continue;
    const char low = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!digit(low) && !(low >= 'a' && low <= 'f')) return std::nullopt;
    out += low;
  }
  if (out.size() != 32) return std::nullopt;
  return out;
}

// Letters without case; whatever is not ASCII may be equal to any other such letter.
std::string loosely(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      if (byte >= 0xC0) out += '\x80';  // one mark a letter
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

Order texts(std::string_view value, std::string_view literal) {
  if (value == literal) return {false, true, false};
  Order out{true, false, true};  // which of both depends on the collation
  if (digits(value) && digits(literal)) {
    out = value < literal ? Order{true, false, false} : Order{false, false, true};
  }
  out.equal = comparable(value) == comparable(literal) || (!(ascii(value) && ascii(literal)) && loosely(trim(value)) == loosely(trim(literal)));
  return out;
}

void add(Order& to, const Order& more) {
  to.less = to.less || more.less;
  to.equal = to.equal || more.equal;
  to.greater = to.greater || more.greater;
}

bool match(std::string_view value, std::string_view pattern) {
  // Greedy with one point of return: the newest % takes one letter more each time.
  std::size_t v = 0, p = 0, star = std::string_view::npos, from = 0;
  while (v < value.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      from = v;
    } else if (p < pattern.size() && pattern[p] == '_') {
      ++p;
      ++v;
      while (v < value.size() && (static_cast<unsigned char>(value[v]) & 0xC0) == 0x80) ++v;  // the rest of the letter
    } else if (p < pattern.size() && value[v] == pattern[p + (escaped ? 1 : 0)]) {
      p += escaped ? 2 : 1;
      ++v;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      v = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace

bool is_iso_date(std::string_view text) { return text.size() == 10 && moment(text).has_value(); }

void ValueShape::see(std::string_view value) {
  if (value.empty()) return;
  any = true;
  if (numbers) {
    const auto number = decimal(value);
    numbers = number.has_value();
    integers = integers && numbers && digits(value.substr(value[0] == '-' && value.size() > 1 ? 1 : 0)) && value.size() <= 16;
  }
  integers = integers && numbers;
  if (moments) {
    const auto m = moment(value);
    moments = m.has_value();
    dates = dates && moments && !m->time;
  }
  dates = dates && moments;
  booleans = booleans && truth(value).has_value();
  uuids = uuids && uuid(value).has_value();
}

Order compare(std::string_view value, const Literal& literal, const ValueShape& shape, bool empty_is_null) {
  if (value.empty() && empty_is_null) return {};
  if (!shape.any) return Order::any();
  if (value.empty()) {  // NULL, or an empty text where the type allows one
    return shape.typed() ? Order{} : texts(value, literal.text);
  }
  if (value == kEmptyText && !literal.number && !literal.boolean) {
    Order out = texts("", literal.text);
    add(out, texts(value, literal.text));
    return out;
  }
  if (literal.number) {
    const auto a = decimal(value), b = decimal(literal.text);
    return a && b ? numbers(*a, *b) : Order::any();
  }
  if (literal.boolean) {
    const auto a = truth(value), b = truth(literal.text);
    if (!a || !b) return Order::any();
    return exactly(*a == *b ? 0 : *a ? 1 : -1);
  }
  // In quotes: it becomes what the column is, and each form that all its values have may be that.
  Order out;
  bool dated = false;
  if (shape.numbers) {
    const auto a = decimal(value), b = decimal(literal.text);
    if (!a || !b) return Order::any();
    add(out, numbers(*a, *b));
  }
  if (shape.moments) {
    const auto a = moment(value), b = moment(trim(literal.text));
    if (!a || !b) return Order::any();
    add(out, moments(*a, *b));
    dated = !a->time && !b->time;
  }
  if (shape.booleans) {
    const auto a = truth(value), b = truth(literal.text);
    if (!a || !b) return Order::any();
    add(out, exactly(*a == *b ? 0 : *a ? 1 : -1));
  }
  if (shape.uuids) {
    const auto a = uuid(value), b = uuid(literal.text);
    if (!a || !b) return Order::any();
    add(out, exactly(sign_of(a->compare(*b))));
  }
  if (!dated) add(out, texts(value, literal.text));  // as text, dates of that form have the same order
  return out;
}

Verdict like(std::string_view value, std::string_view pattern, bool fold) {
  constexpr std::size_t kMaxPattern = 200, kMaxSpaces = 32;
  if (pattern.size() > kMaxPattern || pattern.ends_with('\\')) return {};
  // A char(n) has blanks at its end that a register may have lost; they matter where the pattern can take them.
  const auto takes = static_cast<std::size_t>(std::count_if(pattern.begin(), pattern.end(), [](char c) { return c == '_' || c == ' '; }));
  if (takes > kMaxSpaces) return {};
  const bool plain = ascii(value) && ascii(pattern);
  Verdict out{false, false};
  const std::string_view bare = value.substr(0, value.find_last_not_of(' ') + 1);
  for (std::size_t blanks = 0; blanks <= takes; ++blanks) {
    const std::string padded = std::string(bare) + std::string(blanks, ' ');
    out.holds = out.holds || match(loosely(padded), loosely(pattern)) || match(padded, pattern);
  }
  // citext and ILIKE know no case; without them a match is one letter by letter.
  out.holds = out.holds || match(value, pattern);
  out.fails = !(match(value, pattern) && (!fold || plain) && (pattern.ends_with('%') || value == bare));
  return out;
}

}  // namespace tocsin::storage
