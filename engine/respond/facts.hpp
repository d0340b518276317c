// The facts of an incident in three forms: rows in the store ("times.aware" → "\"2026-…\""), one nested JSON object
// for the API, and the part of it that is a facts document of rules/law.
//
//   { "encrypted": "no", "high_risk": "unknown",                                     ← answers: yes, no, unknown
//     "times": {"aware": "…"}, "people": {"at_least": 1, "at_most": 9}, "countries": {"DE": 4},
//     "countries_complete": true, "data": ["name"], "data_complete": true, "credentials_open": [],
//     "processing_context": {…}, "identification": {…},                              ← so far what the law sees
//     "scope": {"datasets": ["patient"], "actors": ["mallory"]},                     ← where from
//     "story": {"what": "…", "cause": "…", "consequences": "…", "measures": "…"} }   ← words for notice and report
//
// In the store and in the law's document the answers stand under "facts"; a patch may write them either way.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "engine/respond/counsel.hpp"
#include "rules/base/result.hpp"
#include "storage/incident_store.hpp"

namespace tocsin::engine {

inline constexpr std::size_t kMaxFactBytes = 20'000;  // of one value

// The nested object.
[[nodiscard]] boost::json::object facts_object(std::span<const storage::Fact> facts);
// The facts document of the law.
[[nodiscard]] std::string law_document(std::span<const storage::Fact> facts);

// A patch in the nested form as rows to write; nullopt as value = the fact is to be forgotten (JSON null).
// kInvalid names what is not known to the counsel, with what was perhaps meant; times that are no RFC 3339 or lie
// after `now`. Ill-formed law facts are found by assess().
using FactChanges = std::vector<std::pair<std::string, std::optional<std::string>>>;
[[nodiscard]] Result<FactChanges> read_fact_changes(const boost::json::object& patch, const Counsel& counsel, Time now);

// The value of a fact that is a text or a time.
[[nodiscard]] std::optional<std::string> fact_text(std::span<const storage::Fact> facts, std::string_view name);
[[nodiscard]] std::optional<Time> fact_time(std::span<const storage::Fact> facts, std::string_view name);

// The one place where law meets an incident: severity and duties for these facts.
[[nodiscard]] Result<Assessed> assess_incident(const Counsel& counsel, std::span<const storage::Fact> facts);

}  // namespace tocsin::engine
