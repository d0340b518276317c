// Events for the Sigma bench, made up but true to form: what a company's CloudTrail trail and its Sysmon process starts
// hold on an ordinary day, and one event in a hundred that a rule looks for.
#pragma once

#include <string>
#include <vector>

namespace tocsin::bench {

[[nodiscard]] std::vector<std::string> cloudtrail_events(int count);  // about 1.3 kB each
[[nodiscard]] std::vector<std::string> access_events(int count);      // normalised
[[nodiscard]] std::vector<std::string> windows_events(int count);     // about 700 bytes each, flat

}  // namespace tocsin::bench
