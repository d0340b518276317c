// Facts in; severity and duties out. A pure function: the same facts and the same pack give the same answer, so
// "what did we know at 14:03" is a matter of giving it the facts of 14:03.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/law/facts.hpp"
#include "rules/law/pack.hpp"

namespace tocsin::rules::law {

// A duty, answered for one incident.
struct Duty {
  const Row* row = nullptr;  // lives as long as the Pack
  Tri applies = Tri::kUnknown;
  std::string why;           // one or two sentences for a person

  // Facts that are unknown and could still change the answer, in the order of the row; and the smallest set of
  // them whose answers alone could settle it. Also names anchors ("time of aware") whose time is missing.
  std::vector<std::string> unknown_facts;
  std::vector<std::string> decisive_facts;

  std::string exemption;     // id of the exemption that holds; empty = none
  std::string instead;       // what is due in place of the duty, where an exemption says so

  std::string anchor;        // the anchor that started the clock; empty = its time is not known
  std::optional<Time> anchored_at;
  std::optional<Time> due;   // aim at this: the anchor plus the limit, to the microsecond (the earliest reading)
  std::optional<Time> limit; // the last moment by the law's own counting; never earlier than `due`
};

enum class Band : std::uint8_t { kLow, kMedium, kHigh, kVeryHigh };
[[nodiscard]] std::string_view name(Band band) noexcept;  // "low", "medium", "high", "very high"

// ENISA's score in quarters: q = DPC·EI4 + circumstances; low < 8, medium < 12, high < 16. Unknown facts make it
// an interval. It is one input beside the legal test, not the legal test.
struct Severity {
  int dpc_least = 1, dpc_most = 1;   // data processing context, 1 to 4
  int ei4_least = 1, ei4_most = 1;   // ease of identification in quarters
  int circumstances_least = 0, circumstances_most = 0;  // in quarters
  int least = 1, most = 1;           // the score in quarters
  Band band = Band::kLow;            // of what is established
  Band could_reach = Band::kLow;     // if every unknown fact turned out badly
  bool over_100_people = false;      // flags beside the score
  Tri unintelligible = Tri::kUnknown;
  std::vector<std::string> reasons;
  std::vector<std::string> unknown_facts;
};

// The plain formula, for callers that have the components: dpc 1..4, ei4 1..4, addends in quarters.
[[nodiscard]] constexpr int severity_quarters(int dpc, int ei4, int c4, int i4, int a4, int m4) noexcept {
  return dpc * ei4 + c4 + i4 + a4 + m4;
}
[[nodiscard]] constexpr Band severity_band(int quarters) noexcept {
  return quarters < 8 ? Band::kLow : quarters < 12 ? Band::kMedium : quarters < 16 ? Band::kHigh : Band::kVeryHigh;
}

struct Assessment {
  Severity severity;
  std::vector<Duty> duties;  // one per row of the pack, in its order: no regime is dropped in silence

  // The earliest `due` of the duties that apply or may apply.
  [[nodiscard]] std::optional<Time> earliest_due() const;
};

[[nodiscard]] Assessment assess(const Facts& facts, const Pack& pack);

// The two ends of a limit that starts at `anchor`: what to aim at, and the law's own last moment.
struct Ends {
  Time due;
  Time limit;
};
[[nodiscard]] Ends ends(Time anchor, const Limit& limit) noexcept;

}  // namespace tocsin::rules::law
