// The registers stay as they are: they have seen all this. So a person who was erased since does not come back, and
// the repair then says that not all of it did.
#include "engine/app/exposure_reread.hpp"

#include <algorithm>

namespace tocsin::engine {

namespace {

constexpr std::size_t kBatch = 2'000;  // records whose reaches are handed over together

}  // namespace

Result<void> reread_reaches(const State& state, const storage::Journal& journal, PipelineSetup setup, std::uint64_t warm_records,
                            const storage::LostSegments& lost, const storage::KeepLost& keep) {
  const storage::Seq first = lost.first_seq(), last = lost.last_seq(), oldest = journal.oldest();
  if (oldest > first) return fail(Errc::kNotFound, "the journal begins with event " + std::to_string(oldest));
  Pipeline pipeline(std::move(setup), *state.registers);
  if (auto learned = kept_learned(state); learned && *learned && pipeline.restore_learned((*learned)->bytes)) pipeline.forget_sessions();
  auto cursor = journal.read_from(std::max(oldest, first > warm_records ? first - warm_records : 1));
  storage::JournalRecord record;
  Effects effects;
  std::size_t count = 0;
  const auto hand_over = [&]() -> Result<void> {
    std::vector<storage::StoredReach> reaches;
    reaches.reserve(effects.reaches.size());
    for (const Reach& reach : effects.reaches) reaches.push_back(stored_form(reach));
    effects.clear();
    count = 0;
    return keep(reaches);
  };
  while (cursor->position() <= last) {
    auto more = cursor->next(record);
    if (!more) return pass(std::move(more));
    if (!*more || record.seq > last) break;
    Incoming in;
    in.source = record.source;
    in.file = record.file;
    in.line = record.line;
    in.seq = record.seq;
    in.arrived = record.arrived;
    in.payload = record.payload;
    if (record.seq < first) {
      pipeline.warm(in, {}, {});
      continue;
    }
    pipeline.reread(in, effects);
    if (++count < kBatch) continue;
    if (auto done = hand_over(); !done) return done;
  }
  return hand_over();
}

}  // namespace tocsin::engine
