// The front of a line of PostgreSQL's plain log: log_line_prefix, then "LOG:  ". What a client may choose (its
// application's name, its user's) stands in the front too, so a line that can be read in two ways is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"

namespace tocsin::engine {

// One line. Views belong to it; "" is what the prefix does not have, or "[unknown]".
struct PgLine {
  std::string_view time, user, database, application, host, port, process, session, start, line, tag, state;
  std::string_view severity;  // "LOG", "ERROR", "STATEMENT", …
  std::string_view message;   // from behind "LOG:  " to the end, with the tabs of its further lines
};

class PgPrefix {
 public:
  // kInvalid: an escape that PostgreSQL does not know, no time (%m, %t or %n), no process or session (%p or %c), or too long.
  [[nodiscard]] static Result<PgPrefix> of(std::string_view log_line_prefix);

  // nullopt: the line does not begin so. kInvalid: it can be read in more than one way.
  [[nodiscard]] Result<std::optional<PgLine>> parse(std::string_view line) const;

 private:
  struct Part {
    char escape = 0;      // 0: `text`
    std::string text;
    int width = 0;        // %-10u is padded to ten
  };
  struct Search;
  std::vector<Part> parts_;
};

// The line by the first of the common prefixes that fits it.
[[nodiscard]] std::optional<PgLine> parse_common_prefix(std::string_view line);
[[nodiscard]] Result<std::optional<PgLine>> read_common_prefix(std::string_view line);

}  // namespace tocsin::engine
