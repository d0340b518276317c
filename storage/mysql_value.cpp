// Every reading of the column that its values allow adds what may be; only what no reading allows is excluded.
#include "storage/mysql_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace tocsin::storage {
namespace {

bool plain(char c) { return c >= ' ' && c <= '~'; }

char fold(char c) {
  if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (c == 'j' || c == 'y') return 'i';
  return c == 'v' || c == 'w' ? 'u' : c;
}

std::optional<double> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.-") != std::string_view::npos) return std::nullopt;
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool ascii(std::string_view text) { return std::all_of(text.begin(), text.end(), plain); }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void add(Order& to, const Order& more) {
  to.less = to.less || more.less;
  to.equal = to.equal || more.equal;
  to.greater = to.greater || more.greater;
}

// As numbers. A FLOAT keeps six digits and some; a YEAR takes two digits for four, and '0' for 2000.
Order numbers(std::string_view value, std::string_view literal, bool quoted) {
  const auto a = number(value), b = number(literal);
  if (!a || !b) return Order::any();
  if (std::abs(*b) < 100 && *a >= 1901 && *a <= 2155) return Order::any();
  if (quoted && *b == 0) return Order::any();
  if (*a == *b && static_cast<double>(static_cast<float>(*a)) == *a) return {false, true, false};
  const double apart = std::abs(*a - *b), size = std::max(std::abs(*a), std::abs(*b));
  constexpr double kFloat = 1e-5;
  if (apart <= kFloat * size) return Order::any();
  return *a < *b ? Order{true, false, false} : Order{false, false, true};
}

// The ends of two texts, some of whose letters are not plain: what comes before the first such letter (but for the one
// that it may be an accent of) and behind the last must agree.
bool ends_agree(std::string_view a, std::string_view b) {
  const auto first = [](std::string_view t) {
    const auto at = static_cast<std::size_t>(std::find_if_not(t.begin(), t.end(), plain) - t.begin());
    return at == t.size() || at == 0 ? at : at - 1;
  };
  const auto last = [](std::string_view t) { return static_cast<std::size_t>(std::find_if_not(t.rbegin(), t.rend(), plain) - t.rbegin()); };
  const std::size_t head = std::min(first(a), first(b)), tail = std::min(last(a), last(b));
  const auto same = [](char x, char y) { return fold(x) == fold(y); };
  return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(head), b.begin(), same) &&
         std::equal(a.rbegin(), a.rbegin() + static_cast<std::ptrdiff_t>(tail), b.rbegin(), same);
}

std::string_view without_blanks(std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); }

// A time, an address of the INET types: written in more ways than one.
bool written_otherwise(std::string_view text) {
  return text.find_first_of(":.") != std::string_view::npos && text.find_first_not_of("0123456789abcdefABCDEF:.-") == std::string_view::npos;
}

// As texts. Which of two that are not equal comes first is the collation's.
Order texts(std::string_view value, std::string_view literal) {
  if (value == literal && ascii(value)) return {false, true, false};
  Order out{true, false, true};
  out.equal = ascii(value) && ascii(literal) ? mysql_fold(value) == mysql_fold(literal)
                                                          : ends_agree(without_blanks(value), without_blanks(literal));
  return out;
}

std::string bare_uuid(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '-' && c != '{' && c != '}') out += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

}  // namespace

bool mysql_plain(std::string_view text) { return ascii(text) && !written_otherwise(text); }

bool mysql_equals_by_fold(std::string_view constant) { return mysql_plain(constant) && !all_digits(constant); }

std::string mysql_fold(std::string_view text) {
  std::string out(without_blanks(text));
  std::transform(out.begin(), out.end(), out.begin(), fold);
  return out;
}

Order compare_mysql(std::string_view value, const Literal& literal, const ValueShape& shape, bool empty_is_null) {
  if (value.empty() && empty_is_null) return {};
  if (!shape.any) return Order::any();
  if (literal.boolean) {  // WHERE active: is it zero?
    const auto a = shape.numbers && literal.text == "true" ? number(value) : std::nullopt;
    if (!a) return Order::any();
    return *a == 0 ? Order{true, false, false} : Order{false, true, false};
  }
  if (value.empty()) return shape.typed() ? Order{} : Order::any();
  if (literal.number) return shape.numbers && value != kEmptyText ? numbers(value, literal.text, false) : Order::any();
  if (value == kEmptyText) value = "";
  if (shape.numbers) {  // or digits in a text
    if (!number(literal.text)) return Order::any();
    Order out = numbers(value, literal.text, true);
    add(out, texts(value, literal.text));
    return out;
  }
  if (shape.moments) {
    if (!shape.dates || !is_iso_date(value) || !is_iso_date(literal.text)) return Order::any();
    const int order = value.compare(literal.text);
    return {order < 0, order == 0, order > 0};
  }
  if (shape.uuids) return {true, bare_uuid(value) == bare_uuid(literal.text), true};
  if (!mysql_equals_by_fold(literal.text) && ascii(literal.text)) return Order::any();
  if (written_otherwise(value)) return Order::any();
  return texts(value, literal.text);
}

Verdict like_mysql(std::string_view value, std::string_view pattern, const ValueShape& shape) {
  if (value == kEmptyText || (shape.numbers && !shape.integers) || !ascii(value) || !ascii(pattern)) return {};
  std::string loose_value(value), loose_pattern(pattern);
  std::transform(loose_value.begin(), loose_value.end(), loose_value.begin(), fold);
  std::transform(loose_pattern.begin(), loose_pattern.end(), loose_pattern.begin(), fold);
  return {like(loose_value, loose_pattern, true).holds, like(value, pattern, false).fails};
}

}  // namespace tocsin::storage
