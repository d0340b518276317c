// Segments that are open, shared by everyone in the process who asks: a sealed file never changes, so whoever names
// it may use what another has opened. Bounded: those longest unused are closed first. Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "rules/base/result.hpp"
#include "storage/exposure/segment.hpp"

namespace tocsin::storage::exposure {

inline constexpr std::size_t kMaxOpenMemory = 256U << 20;  // of tables kept open; one question may need more for its time
inline constexpr std::size_t kMaxOpenFiles = 512;

// Errors: those of Segment::open.
[[nodiscard]] Result<std::shared_ptr<const Segment>> open_segment(const std::filesystem::path& file);
// Closes it for those who come later.
void forget_segment(const std::filesystem::path& file);
[[nodiscard]] std::size_t open_segments_memory();

}  // namespace tocsin::storage::exposure
