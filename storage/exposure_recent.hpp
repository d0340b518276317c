// Whom actors reached lately, reach by reach: for what detection counts over time and must still know after a restart.
#pragma once

#include <cstddef>
#include <functional>

#include "rules/base/result.hpp"
#include "storage/exposure_store.hpp"

namespace tocsin::storage {

inline constexpr std::size_t kMaxRecentPeople = 2'000'000;  // of all reaches told together

// The newest time that reaches tell: of the newest rows. nullopt if there are none.
[[nodiscard]] Result<std::optional<Time>> newest_reach(Reader& reader);

// Calls `each` for every reach that began at `from` or later, in no particular order: rows as they are; from the sealed
// index those of fewer than exposure::kWide people, without key and place, and those of one actor, dataset, second and
// attribute as one. False if there were more people than kMaxRecentPeople: then the oldest segments are left out.
using EachRecent = std::function<void(const StoredReach&)>;
[[nodiscard]] Result<bool> recent_reaches(Reader& reader, Time from, const EachRecent& each);

}  // namespace tocsin::storage
