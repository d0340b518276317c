// What harmless events are full of. A witness that an ordinary value holds makes its rule a candidate all day long;
// this small sample of ordinary values tells such witnesses from rare ones. It only chooses between sound witnesses:
// a poor sample costs time, never a match.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tocsin::rules::sigma {

[[nodiscard]] std::span<const std::string_view> ordinary_texts() noexcept;  // folded

enum class Where : unsigned char { kAnywhere, kFirst, kLast, kWhole };

// How many times ordinary values hold `text` (folded) at that place, up to kMostOrdinary.
inline constexpr std::size_t kMostOrdinary = 64;
[[nodiscard]] std::size_t ordinary(std::string_view text, Where where);

}  // namespace tocsin::rules::sigma
