// JSON read by simdjson's own DOM, value by value: slow, obviously right, and what parse_json must agree with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::rules {

struct JsonVerdict {
  std::optional<std::string> text;  // as write_json writes it; nothing if the document is refused
  Errc code = Errc::kInternal;      // why it is
};

[[nodiscard]] JsonVerdict oracle_json(std::string_view text);

}  // namespace tocsin::rules
