// nginx's and Apache's "combined" and "common" log lines, taken apart.
#pragma once

#include <optional>
#include <string_view>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

// The parts as they stand in the line, escapes not undone. "-" is empty.
struct CombinedLine {
  std::string_view vhost;     // where the line has it before the address ("www.example.org:443")
  std::string_view address;
  std::string_view user;
  Time time{};
  std::string_view request;
  int status = 0;
  std::string_view bytes;     // digits, or empty for "-"
  std::string_view referer;
  std::string_view agent;
  std::string_view forwarded; // the field in quotes behind the user agent, where many formats have X-Forwarded-For
};

// kInvalid, saying what is wrong where. Other fields after the user agent are allowed and not read.
[[nodiscard]] Result<CombinedLine> parse_combined(std::string_view line);

}  // namespace tocsin::engine
