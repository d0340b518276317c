// The front for what changes a register: `tocsin register` and `tocsin forget`.
#pragma once

#include <filesystem>

#include "engine/app/front.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

// `clock` MUST outlive it. With `create`, data and keys that are missing are made. Errors as PeopleDesk::open; kUnavailable
// if an engine runs on the data and cannot be asked.
[[nodiscard]] Result<Front> register_front(const std::filesystem::path& data, const std::filesystem::path& keys, bool create, const Clock& clock);

}  // namespace tocsin::engine
