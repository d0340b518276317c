// Reads records of the journal once more for whom they reached: for segments of the exposure index that were lost.
#pragma once

#include "engine/app/state.hpp"
#include "engine/detect/pipeline.hpp"
#include "rules/base/result.hpp"
#include "storage/exposure_repair.hpp"
#include "storage/journal/journal.hpp"

namespace tocsin::engine {

// Hands all reaches of lost.first_seq() … lost.last_seq() to `keep`. What the log has taught of views and copies is that
// of now; sessions are learned from `warm_records` records before. `setup` needs datasets, exposure and sources only.
// Errors: kNotFound if the journal does not have these records any more; those of `keep`.
[[nodiscard]] Result<void> reread_reaches(const State& state, const storage::Journal& journal, PipelineSetup setup, std::uint64_t warm_records,
                                          const storage::LostSegments& lost, const storage::KeepLost& keep);

}  // namespace tocsin::engine
