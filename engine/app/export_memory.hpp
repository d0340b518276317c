// What export detection counts over time, put back at a start from what is stored anyway: the reaches of the last hour
// or so, rows and sealed, and the findings that were still growing.
#pragma once

#include "engine/app/state.hpp"
#include "engine/detect/export.hpp"

namespace tocsin::engine {

// False if there was too much of it (storage::kMaxRecentPeople): then the oldest is not counted.
[[nodiscard]] Result<bool> recall_exports(const State& state, ExportDetector& exports);

}  // namespace tocsin::engine
