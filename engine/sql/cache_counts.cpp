// Relaxed counters: they are only looked at.
#include "engine/sql/cache_counts.hpp"

#include <atomic>

#include "engine/sql/reading.hpp"

namespace tocsin::engine::sql {
namespace {

std::atomic<std::uint64_t> hits{0}, misses{0};

}  // namespace

void count_use(bool hit) noexcept { (hit ? hits : misses).fetch_add(1, std::memory_order_relaxed); }

CacheCounts cache_counts() noexcept {
  return {hits.load(std::memory_order_relaxed), misses.load(std::memory_order_relaxed)};
}

}  // namespace tocsin::engine::sql
