// People and the evidence about them as JSON, for every answer that shows them: exposed, who-saw, alerts, incidents.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "engine/api/router.hpp"
#include "engine/respond/frozen.hpp"
#include "engine/respond/people.hpp"
#include "rules/base/result.hpp"
#include "storage/exposure_events.hpp"

namespace tocsin::engine {

inline constexpr std::uint64_t kMaxPeoplePage = 5'000;   // people in one answer
inline constexpr std::uint64_t kMaxEventsEach = 200;     // events of one person or actor in one answer
inline constexpr std::uint64_t kMaxEventsPage = 20'000;  // events in one answer

// Which page of people is asked for: `offset`, `limit` (default 100) and `events` (of each, default none) of the query.
struct PeoplePage {
  std::size_t offset = 0, limit = 0, events = 0;
};
[[nodiscard]] Result<PeoplePage> people_page_of(const Request& request);

// Texts that are safe to show: valid UTF-8.
[[nodiscard]] boost::json::array safe_texts(std::span<const std::string> texts);
[[nodiscard]] boost::json::value number_or_null(const std::optional<std::uint64_t>& number);

// One access as evidence; see schema Access of openapi.yaml.
[[nodiscard]] boost::json::object access_json(const storage::AccessEvent& event);
// {"total", "certain", "items"}.
[[nodiscard]] boost::json::object access_list_json(const storage::AccessList& list);

// Numbers in short, without the list of people.
[[nodiscard]] boost::json::object people_json(const PeopleSummary& people);
// A page of people, each with the newest `events` accesses of these scopes (0 = none are looked up).
[[nodiscard]] Result<boost::json::array> people_items(storage::Reader& reader, std::span<const storage::Scope> scopes,
                                                      std::span<const PersonReached> people, std::size_t events);

// What is frozen, and what has come since; null if nothing is.
[[nodiscard]] boost::json::value frozen_json(const FrozenPeople::State& state);

}  // namespace tocsin::engine
