// One finding for what goes on: the same rule, actor and dataset again within an hour is more evidence for the
// finding that is there, not another finding.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/finding.hpp"

namespace tocsin::engine {

// Belongs to one thread. Bounded: the longest idle episode is forgotten first (its finding stays as it is).
class Episodes {
 public:
  static constexpr std::size_t kMaxEpisodes = 50'000;
  explicit Episodes(Duration gap) : gap_(gap) {}

  // Completes `finding` (whose one evidence is the new one) for the episode of `key`: its id, count and first
  // time are those of the episode. `evidence_key` names the evidence for the id of a new episode.
  void join(std::string_view key, std::string_view evidence_key, storage::Finding& finding);

 private:
  struct Episode {
    std::string key;
    std::string id;
    Time first{}, last{};
    std::uint64_t count = 0;
  };
  Duration gap_;
  std::list<Episode> order_;  // most recently joined first
  std::unordered_map<std::string_view, std::list<Episode>::iterator> by_key_;
};

}  // namespace tocsin::engine
