// Which states may follow which: the life of an alert and of an incident as two tables.
//
//   alert      new ⇄ acknowledged → false_positive | closed | incident; false_positive and closed → new (reopened)
//   incident   suspected → confirmed ⇄ contained ⇄ recovered → closed; suspected → dismissed;
//              closed → confirmed and dismissed → suspected (reopened)
#pragma once

#include "storage/alert_store.hpp"
#include "storage/incident_store.hpp"

namespace tocsin::engine {

// What a person may do by triage. Becoming an incident is a decision of its own (Respond::promote), and what
// belongs to an incident follows the incident.
[[nodiscard]] bool may_follow(storage::AlertState from, storage::AlertState to) noexcept;
[[nodiscard]] bool may_follow(storage::IncidentState from, storage::IncidentState to) noexcept;

// The states that may follow, in words for an error message: "contained or closed".
[[nodiscard]] std::string followers(storage::IncidentState from);
[[nodiscard]] std::string followers(storage::AlertState from);

}  // namespace tocsin::engine
