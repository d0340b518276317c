// The single accesses behind an answer, as evidence: which actor reached which person at which second, and what the
// log said of it. Where query.hpp adds up, this tells one by one; so callers ask it about a page of people, not about all.
#pragma once

#include <functional>
#include <string_view>

#include "rules/base/result.hpp"
#include "storage/exposure/query.hpp"

namespace tocsin::storage::exposure {

// Belongs to the segment that is being read: copy what is to be kept.
struct SealedAccess {
  PersonNo person = 0;
  std::string_view actor;
  Second first = 0;
  const Attribute* attribute = nullptr;
};
using EachAccess = std::function<void(const SealedAccess&)>;

// Every access of `question` (with its dataset) to one of `wanted`, in no particular order.
[[nodiscard]] Result<void> accesses_of(const Segment& segment, const Question& question, const PersonSet& wanted, const EachAccess& each);

// Every access to one person by an actor whom `by` accepts, in no particular order; by the postings.
[[nodiscard]] Result<void> accesses_to(const Segment& segment, std::string_view dataset, PersonNo person, Seconds window,
                                       const std::function<bool(std::string_view actor)>& by, const EachAccess& each);

}  // namespace tocsin::storage::exposure
