// A least-recently-used table of what is going on.
#include "engine/detect/episodes.hpp"

#include <algorithm>

namespace tocsin::engine {

void Episodes::join(std::string_view key, std::string_view evidence_key, storage::Finding& finding) {
  auto at = by_key_.find(key);
  if (at != by_key_.end() && finding.time - at->second->last > gap_) {
    order_.erase(at->second);
    by_key_.erase(at);
    at = by_key_.end();
  }
  if (at == by_key_.end()) {
    if (order_.size() >= kMaxEpisodes) {
      by_key_.erase(order_.back().key);
      order_.pop_back();
    }
    Episode episode;
    episode.key = key;
    episode.id = storage::finding_id(finding.rule, evidence_key);
    episode.first = episode.last = finding.time;
    order_.push_front(std::move(episode));
    at = by_key_.emplace(order_.front().key, order_.begin()).first;
  } else {
    order_.splice(order_.begin(), order_, at->second);
  }
  Episode& episode = *at->second;
  episode.first = std::min(episode.first, finding.time);
  episode.last = std::max(episode.last, finding.time);
  ++episode.count;
  finding.id = episode.id;
  finding.time = episode.first;
  finding.last = episode.last;
  finding.evidence_count = episode.count;
}

}  // namespace tocsin::engine
