// One count for the caches of both languages, of all threads.
#pragma once

namespace tocsin::engine::sql {

void count_use(bool hit) noexcept;

}  // namespace tocsin::engine::sql
