// Bytes as text and the one unkeyed hash: hex, base64 (RFC 4648 section 4, with padding), SHA-256.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin {

using Sha256 = std::array<std::uint8_t, 32>;

// SHA-256 (FIPS 180-4) by OpenSSL, which uses the machine's instructions for it.
[[nodiscard]] Sha256 sha256(std::string_view data);

[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_hex(const Sha256& hash);
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);  // either case, even length

[[nodiscard]] std::string to_base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);  // padding required

// The bytes of anything trivially laid out, as a view; valid while `object` lives.
template <class T>
[[nodiscard]] std::string_view bytes_of(const T& object) noexcept {
  return {reinterpret_cast<const char*>(object.data()), object.size() * sizeof(*object.data())};
}

}  // namespace tocsin
