// Reaches as rows: what has not been sealed into the index yet, and what never will be (whole datasets, cursors that
// may still grow). Shared by the files of ExposureStore.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/exposure_store.hpp"
#include "storage/words.hpp"

namespace tocsin::storage::exposure {

struct ReachRow {
  std::int64_t id = 0;
  StoredReach reach;
  bool wide = false;  // its people are not in reach_person
};

// The columns that row_from reads, in its order.
inline constexpr std::string_view kReachColumns =
    "id, key, source, file, line, seq, first, last, known_from, actor, account, role, session, application, client_ip, "
    "dataset, grade, whole, wide, at_least, at_most, row_count, way, reason, fields, people";
[[nodiscard]] ReachRow row_from(const Columns& columns);

// `order` begins with a blank: " ORDER BY …" or nothing.
[[nodiscard]] Result<std::vector<ReachRow>> select_rows(Reader& reader, const ExposureFilter& filter, std::string_view order);

}  // namespace tocsin::storage::exposure
