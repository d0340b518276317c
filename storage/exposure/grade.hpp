// The two smallest words of exposure: a person's number, and how sure a reach is.
#pragma once

#include <cstdint>

namespace tocsin::storage {

using PersonNo = std::uint32_t;  // dense, per dataset, in the order of first sight; never reused

// How sure an exposure is, best first. The true set is always inside the reported one.
enum class Grade : std::uint8_t { kExact, kDerived, kBound, kUnknown };

}  // namespace tocsin::storage
