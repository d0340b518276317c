// Findings first: what they count already is then not counted again.
#include "engine/app/export_memory.hpp"

#include <map>

#include "storage/alert_store.hpp"
#include "storage/exposure_recent.hpp"

namespace tocsin::engine {

Result<bool> recall_exports(const State& state, ExportDetector& exports) {
  struct Known {
    std::uint64_t people = 0;
    bool all = false;
  };
  std::map<std::string, Known> datasets;
  return state.db->read([&](storage::Reader& reader) -> Result<bool> {
    auto newest = storage::newest_reach(reader);
    if (!newest) return pass(std::move(newest));
    if (!*newest) return true;
    auto running = storage::AlertStore::findings_since(reader, ExportDetector::kLittleByLittle, **newest - exports.options().episode_gap);
    if (!running) return pass(std::move(running));
    for (const storage::KeptFinding& kept : *running) exports.resume(kept.finding, kept.evidence_kept);
    return storage::recent_reaches(reader, **newest - exports.options().window, [&](const storage::StoredReach& stored) {
      if (stored.actor.empty() || stored.dataset.empty()) return;
      const auto [known, is_new] = datasets.try_emplace(stored.dataset);
      if (const storage::People* people = state.registers->find(stored.dataset); is_new && people != nullptr) {
        known->second = {people->count({stored.last, stored.last}), people->registered() && !people->incomplete_since()};
      }
      Reach reach = reach_from(stored);
      reach.known = known->second.people;
      reach.known_all = known->second.all;
      exports.remember(reach, stored.last);
    });
  });
}

}  // namespace tocsin::engine
