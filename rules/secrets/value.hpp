// What a value is: a placeholder, a masked or bound one, a digest, an identifier; and how it is written: percent
// escapes, JSON escapes, base64.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

// %XX and, in a query, '+'. Ill-formed escapes stay as they are.
[[nodiscard]] std::string decode_percent(std::string_view text);
// \" \\ \/ \n \t \uXXXX (and surrogate pairs), at one level. Ill-formed escapes stay as they are.
[[nodiscard]] std::string decode_json(std::string_view text);
// Standard or URL alphabet, padding optional; nullopt if it is not base64 of printable text.
[[nodiscard]] std::optional<std::string> decode_base64_text(std::string_view text);

// Why `value` is no secret, in words: "bound parameter", "masked", "variable", "placeholder word"; nullopt = it may
// be one. `key` is the naming word of the field.
[[nodiscard]] std::optional<std::string_view> placeholder(std::string_view value, std::string_view key, const Vocabulary& words);

// Is an unquoted value code or a column rather than a secret: request.form["password"], self.password, old.password,
// new_password? `next` is the character behind it.
[[nodiscard]] bool is_expression(std::string_view value, char next, const Vocabulary& words);
// "/run/secrets/db": at least two parts, in lower case.
[[nodiscard]] bool is_path(std::string_view value) noexcept;
[[nodiscard]] bool is_date(std::string_view value) noexcept;   // 2026-11-20, with or without a time
[[nodiscard]] bool has_high(std::string_view value) noexcept;  // bytes beyond ASCII

// The name of the digest that `value` is laid out as ("bcrypt", "sha512-crypt", "postgres md5"); empty = none.
[[nodiscard]] std::string_view digest_form(std::string_view value);

[[nodiscard]] bool is_alnum(std::string_view value) noexcept;   // letters and digits of ASCII only, or empty
[[nodiscard]] bool is_uuid(std::string_view value) noexcept;
[[nodiscard]] bool is_hex(std::string_view value) noexcept;     // not empty, hex digits only
[[nodiscard]] bool is_digits(std::string_view value) noexcept;  // not empty, digits only

// Counts of the characters in a value.
struct Mix {
  std::size_t lower = 0, upper = 0, digit = 0, other = 0, blank = 0;
};
[[nodiscard]] Mix mix(std::string_view value) noexcept;

}  // namespace tocsin::rules::secrets
