// The tables, and their reading aloud.
#include "engine/respond/states.hpp"

#include <utility>

namespace tocsin::engine {
namespace {

using storage::AlertState;
using storage::IncidentState;

constexpr std::pair<AlertState, AlertState> kAlertSteps[] = {
    {AlertState::kNew, AlertState::kAcknowledged},      {AlertState::kNew, AlertState::kFalsePositive},
    {AlertState::kNew, AlertState::kClosed},            {AlertState::kAcknowledged, AlertState::kNew},
    {AlertState::kAcknowledged, AlertState::kFalsePositive}, {AlertState::kAcknowledged, AlertState::kClosed},
    {AlertState::kFalsePositive, AlertState::kNew},     {AlertState::kClosed, AlertState::kNew}};

constexpr std::pair<IncidentState, IncidentState> kIncidentSteps[] = {
    {IncidentState::kSuspected, IncidentState::kConfirmed}, {IncidentState::kSuspected, IncidentState::kDismissed},
    {IncidentState::kConfirmed, IncidentState::kContained}, {IncidentState::kContained, IncidentState::kRecovered},
    {IncidentState::kContained, IncidentState::kConfirmed}, {IncidentState::kRecovered, IncidentState::kContained},
    {IncidentState::kRecovered, IncidentState::kClosed},    {IncidentState::kClosed, IncidentState::kConfirmed},
    {IncidentState::kDismissed, IncidentState::kSuspected}};

template <class State, std::size_t N>
bool listed(const std::pair<State, State> (&steps)[N], State from, State to) noexcept {
  for (const auto& [a, b] : steps) {
    if (a == from && b == to) return true;
  }
  return false;
}

template <class State, std::size_t N>
std::string after(const std::pair<State, State> (&steps)[N], State from) {
  std::string out;
  for (const auto& [a, b] : steps) {
    if (a != from) continue;
    if (!out.empty()) out += " or ";
    out += storage::name(b);
  }
  return out;
}

}  // namespace

bool may_follow(AlertState from, AlertState to) noexcept { return listed(kAlertSteps, from, to); }
bool may_follow(IncidentState from, IncidentState to) noexcept { return listed(kIncidentSteps, from, to); }
std::string followers(IncidentState from) { return after(kIncidentSteps, from); }
std::string followers(AlertState from) { return after(kAlertSteps, from); }

}  // namespace tocsin::engine
