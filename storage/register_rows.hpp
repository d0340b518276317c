// The rows of a register, whatever they are written in:
//   CSV (RFC 4180): a header line, fields between commas, quoted where needed, quoted fields may hold line breaks
//   NDJSON: one object a line; the members of the first are the columns
// An absent value is an empty field; an empty text is kEmptyText ("" in CSV and JSON).
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::storage {

class RegisterRows {
 public:
  enum class Outcome { kRecord, kEnd, kBad };
  virtual ~RegisterRows() = default;

  // The names of the columns; called once, first.
  virtual Outcome columns(std::vector<std::string>& names, std::string& problem) = 0;
  // A value for each column, or so many as the record has. kBad: the record is unusable (`problem` says why, without
  // its content); reading goes on after it.
  virtual Outcome next(std::vector<std::string>& fields, std::string& problem) = 0;

  [[nodiscard]] std::uint64_t first_line() const { return first_line_; }  // of the last record, from 1
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }            // read so far

 protected:
  std::uint64_t line_ = 0, first_line_ = 0, bytes_ = 0;
};

// NDJSON if the first byte that is not blank is '{', else CSV. A byte order mark is passed over. `in` must outlive it.
[[nodiscard]] std::unique_ptr<RegisterRows> register_rows(std::istream& in);

}  // namespace tocsin::storage
