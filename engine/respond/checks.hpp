// Small checks that all decisions share. Used inside respond only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

// Words from a person, trimmed: kInvalid if they are required and missing, kTooLarge beyond `limit` bytes.
[[nodiscard]] inline Result<std::string> words(std::string_view text, std::string_view what, std::size_t limit,
                                               bool required) {
  const std::string_view trimmed = trim(text);
  if (required && trimmed.empty()) {
    return fail(Errc::kInvalid, "a " + std::string(what) + " is required", std::string(what), "say it in a sentence");
  }
  if (trimmed.size() > limit) {
    return fail(Errc::kTooLarge, "the " + std::string(what) + " is longer than " + std::to_string(limit) + " bytes",
                std::string(what), "shorten it");
  }
  return std::string(trimmed);
}

// kConflict unless the person saw the newest version.
[[nodiscard]] inline Result<void> same_version(std::optional<std::int64_t> seen, std::int64_t current,
                                               std::string_view what) {
  if (!seen || *seen == current) return {};
  return fail(Errc::kConflict, "somebody else changed this " + std::string(what) + " in the meantime", "",
              "load it again, then decide");
}

[[nodiscard]] inline tl::unexpected<Error> missing(std::string_view what, std::int64_t id) {
  return fail(Errc::kNotFound, "there is no " + std::string(what) + " " + std::to_string(id));
}

// "1 task", "3 tasks".
[[nodiscard]] inline std::string counted(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

}  // namespace tocsin::engine
