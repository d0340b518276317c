// How values compare in MySQL and MariaDB where neither the column's type nor its collation is known. Their collations
// know no case and mostly no accents, some take i for j and y, or u for v and w; their texts become numbers beside a
// number, their numbers texts beside LIKE. As in value_shape.hpp the answer is what *may* be.
//
// Sources: MariaDB's documentation of "Type Conversion", "Character Set and Collation", "LIKE", "ENUM" and "YEAR"; the
// collations are those of 10.11 (Roman takes I for J and U for V, Lithuanian I for Y, Estonian V for W).
// Not allowed for: an ENUM whose every label is a number, beside a number without quotes (it compares places in the list).
#pragma once

#include <string>
#include <string_view>

#include "storage/value_shape.hpp"

namespace tocsin::storage {

// What texts that any collation may find equal have in common: letters without case, i for j and y, u for v and w, no
// blanks at the end. It says so of plain texts only: ASCII, and no form of a time or an address.
[[nodiscard]] std::string mysql_fold(std::string_view text);
[[nodiscard]] bool mysql_plain(std::string_view text);
// Whether a constant in quotes can equal no plain text but those with its fold (digits may be the place of an ENUM's label).
[[nodiscard]] bool mysql_equals_by_fold(std::string_view constant);

// As compare(), in MySQL.
[[nodiscard]] Order compare_mysql(std::string_view value, const Literal& literal, const ValueShape& shape, bool empty_is_null);

// As like(), in MySQL. `shape` is of the column.
[[nodiscard]] Verdict like_mysql(std::string_view value, std::string_view pattern, const ValueShape& shape);

}  // namespace tocsin::storage
