// The CSV that PostgreSQL writes: fields between commas, quoted where needed, a quote inside doubled. Used for
// csvlog lines, for the payload of a pgaudit message within them, and for the parameters within that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::engine {

// One field as it stands in the text. `text` is without the outer quotes, inner quotes still doubled.
struct CsvField {
  std::string_view text;
  bool quoted = false;
  bool doubled = false;  // holds a doubled quote
  // The field's value. `scratch` is used where quotes have to be undone; the view then shows it.
  [[nodiscard]] std::string_view value(std::string& scratch) const;
};

// The fields of one record; false if its quotes are not well-formed. At most `most` fields are read: the last
// one then holds the rest as it is. Line breaks in unquoted fields are ordinary bytes.
[[nodiscard]] bool split_csv(std::string_view record, std::vector<CsvField>& out,
                             std::size_t most = static_cast<std::size_t>(-1));

// As many bytes as it takes to say whether a csvlog record begins: "2026-11-23 14:55:50.158 ".
inline constexpr std::size_t kCsvLogStart = 24;

// Whether a csvlog record begins at the front of `text`: a time as PostgreSQL's %m prints it.
[[nodiscard]] bool begins_csvlog(std::string_view text) noexcept;

// Where, after the first line break, a line begins like a csvlog record; npos if none does. Without `whole` a
// line is only judged when kCsvLogStart bytes of it are there.
[[nodiscard]] std::size_t csvlog_beginning(std::string_view text, bool whole) noexcept;

}  // namespace tocsin::engine
