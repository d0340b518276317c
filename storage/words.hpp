// A list of words as one text in a column: parted by U+001F, which no name of a column holds.
#pragma once

#include <string>
#include <vector>

#include "rules/base/text.hpp"

namespace tocsin::storage {

[[nodiscard]] inline std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "\x1f") + word;
  return out;
}

[[nodiscard]] inline std::vector<std::string> separated(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const std::string_view part : split(text, '\x1f')) out.emplace_back(part);
  return out;
}

}  // namespace tocsin::storage
