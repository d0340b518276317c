// What the values of a register's column look like, and how two values compare where the column's type is not known:
// as numbers, as dates, as text. The answer is what *may* be: every doubt (a collation, a time zone, a type that
// prints alike) leaves more than one possibility, and a condition then neither includes nor excludes anybody.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::storage {

// What a register holds for an empty text, where it tells that from none ("" = no value, NULL): a quoted empty field.
inline constexpr std::string_view kEmptyText = "\"\"";

// How a value may stand to another; none of the three: the comparison is NULL and never holds.
struct Order {
  bool less = false, equal = false, greater = false;
  [[nodiscard]] static Order any() { return {true, true, true}; }
};

// Which forms all values of a column have. A form that holds for each value may be the column's type.
struct ValueShape {
  bool any = false;  // a value has been seen
  bool integers = true, numbers = true, dates = true, moments = true, booleans = true, uuids = true;
  void see(std::string_view value);
  // Its type leaves no empty text: an empty field of a register then surely is NULL.
  [[nodiscard]] bool typed() const { return any && (numbers || moments || booleans || uuids); }
};

// A constant of a statement.
struct Literal {
  std::string_view text;
  bool number = false;   // written without quotes: the column is some kind of number
  bool boolean = false;  // true or false
};

[[nodiscard]] bool is_iso_date(std::string_view text);  // YYYY-MM-DD

// How `value` of a column with this shape may compare with `literal`. "" is a field without a value: surely NULL if
// `empty_is_null`, else perhaps an empty text.
[[nodiscard]] Order compare(std::string_view value, const Literal& literal, const ValueShape& shape, bool empty_is_null);

// Whether `value` may be (`holds`) and may not be (`fails`) LIKE `pattern` (%, _, \). `fold`: ILIKE.
struct Verdict {
  bool holds = true, fails = true;
};
[[nodiscard]] Verdict like(std::string_view value, std::string_view pattern, bool fold);

}  // namespace tocsin::storage
