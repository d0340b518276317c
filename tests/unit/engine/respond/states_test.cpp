// Both state machines, every pair of states: what is not listed here is refused.
#include "engine/respond/states.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tocsin::engine {
namespace {

using storage::AlertState;
using storage::IncidentState;

TEST(States, OfAnAlert) {
  const std::set<std::string> allowed = {
      "new>acknowledged",           "new>false_positive",    "new>closed",          "acknowledged>new",
      "acknowledged>false_positive", "acknowledged>closed",  "false_positive>new",  "closed>new"};
  std::set<std::string> found;
  for (int a = 0; a <= static_cast<int>(AlertState::kClosed); ++a) {
    for (int b = 0; b <= static_cast<int>(AlertState::kClosed); ++b) {
      const auto from = static_cast<AlertState>(a);
      const auto to = static_cast<AlertState>(b);
      if (may_follow(from, to)) found.insert(std::string(name(from)) + ">" + std::string(name(to)));
    }
  }
  EXPECT_EQ(found, allowed);
}

TEST(States, OfAnIncident) {
  const std::set<std::string> allowed = {
      "suspected>confirmed", "suspected>dismissed", "confirmed>contained", "contained>recovered",
      "contained>confirmed", "recovered>contained", "recovered>closed",    "closed>confirmed",
      "dismissed>suspected"};
  std::set<std::string> found;
  for (int a = 0; a <= static_cast<int>(IncidentState::kDismissed); ++a) {
    for (int b = 0; b <= static_cast<int>(IncidentState::kDismissed); ++b) {
      const auto from = static_cast<IncidentState>(a);
      const auto to = static_cast<IncidentState>(b);
      if (may_follow(from, to)) found.insert(std::string(name(from)) + ">" + std::string(name(to)));
    }
  }
  EXPECT_EQ(found, allowed);
}

TEST(States, EveryNameIsReadBack) {
  for (int i = 0; i <= static_cast<int>(AlertState::kClosed); ++i) {
    EXPECT_EQ(storage::alert_state_from(name(static_cast<AlertState>(i))), static_cast<AlertState>(i));
  }
  for (int i = 0; i <= static_cast<int>(IncidentState::kDismissed); ++i) {
    EXPECT_EQ(storage::incident_state_from(name(static_cast<IncidentState>(i))), static_cast<IncidentState>(i));
  }
  EXPECT_FALSE(storage::alert_state_from("open"));
  EXPECT_FALSE(storage::incident_state_from(""));
}

}  // namespace
}  // namespace tocsin::engine
