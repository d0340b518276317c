// What the decoders of JSON formats share: the record as a value tree, and members as text and numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"
#include "rules/event.hpp"

namespace tocsin::engine {

// The record's object. Bytes that are not UTF-8 are repaired first. kInvalid if it is no JSON object.
[[nodiscard]] Result<rules::Value> parse_record(std::string_view record, rules::Arena& arena);

// The values of top-level members of a record, looked up without reading the rest: strings as they are, numbers as
// digits, "" for what is absent or anything else. False if the record does not even begin as a JSON object; it may
// be malformed further on. `names` and `values` have the same size, at most 4.
[[nodiscard]] bool peek_members(std::string_view record, std::span<const std::string_view> names,
                                std::span<std::string> values);

// The text of a string; empty for anything else.
[[nodiscard]] inline std::string_view text_of(const rules::Value& value) noexcept {
  return value.kind() == rules::Kind::kString ? value.as_string() : std::string_view{};
}

// A whole number ≥ 0, also from a double without fraction or from digits in a string.
[[nodiscard]] std::optional<std::uint64_t> count_of(const rules::Value& value) noexcept;

// A scalar as text: "42", "true"; empty for null, arrays and objects.
[[nodiscard]] std::string scalar_of(const rules::Value& value);

// The member at a dotted path: "user.name", "items.0.id". A member whose name holds the dots wins.
[[nodiscard]] rules::Value at_path(const rules::Value& root, std::string_view path) noexcept;

}  // namespace tocsin::engine
