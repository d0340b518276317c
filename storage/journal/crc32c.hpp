// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): the processor's instruction where there is one.
#pragma once

#include <cstdint>
#include <string_view>

namespace tocsin::storage {

// The checksum of `bytes`; `before` is the checksum of what stands in front of them (0 = nothing).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) noexcept;

// The two ways of it, which must agree (the tests hold them to it).
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t before = 0) noexcept;
[[nodiscard]] bool crc32c_has_instruction() noexcept;
[[nodiscard]] std::uint32_t crc32c_by_instruction(std::string_view bytes, std::uint32_t before = 0) noexcept;

}  // namespace tocsin::storage
