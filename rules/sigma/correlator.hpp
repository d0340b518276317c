// Runs the correlations of an engine over a stream of events, in event time.
//
//   Correlator correlator(engine, {});
//   for (each event) {
//     engine->match(event, matches);
//     correlator.see({event, time, matches, place, subjects}, alerts);
//   }
//   correlator.finish(alerts);   // only where the stream really ends (a file): every open window is judged
//
// Windows are closed intervals of the rule's timespan that slide with the events; an event may come late by up to
// Options::lateness and is then put where it belongs, and the windows that it falls into are judged again. What comes
// later still is counted, and the groups it belongs to are marked "under-counted".
//
// A condition that more events can only fulfil (gt, gte, "a and b") is judged for the window that ends at each event,
// when the event comes. One that a larger window may break (lt, lte, eq, neq, "a and not b") is judged when the window
// is over: when the watermark has passed its end; and of overlapping windows only those that are not part of a larger
// one count, so that ten events are never "fewer than five" on their way to ten. A window without events is not judged.
//
// One alert is raised when a group begins to meet the condition; while it goes on meeting it the same alert is updated
// (when it rests on a quarter more events than when it was last told, and when it ends), and after it has fallen below,
// or nothing has come for a timespan, a new one may be raised.
//
// The watermark is the newest time of the slowest source, less the lateness; a source that is behind the others by more
// than Options::idle does not hold it up. Times must not lie in the future of who calls: one event of next year would
// make all others late.
//
// What counts: an event counts once in each correlation and group, however many of the rules it matches and even if it
// is seen twice in a row (raw and normalised) with the same place. A group-by field that is an array puts the event
// into the group of each member; a counted array counts each member. Text is compared as it is: 1 and "1" are the same.
// An alert of a correlation feeds the correlations above it as one match at the time of its last event; their fields
// come from its group-by, else from that event.
//
// Belongs to one thread. Bounded by Limits: what is left out marks its group, and statistics() counts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "rules/event.hpp"
#include "rules/sigma/correlation.hpp"
#include "rules/sigma/engine.hpp"

namespace tocsin::rules::sigma {

// Where an event is to be found again. The correlator only keeps it; what the numbers mean is the caller's affair.
struct EventPlace {
  std::string_view source;
  std::string_view file;
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
};

struct Observation {
  const Event& event;
  Time time;                               // the event's own
  std::span<const Match> matches;          // of the correlator's engine, silent ones included
  EventPlace place;
  std::span<const std::string_view> subjects = {};  // the people that the event is about, as the caller names them
};

// An event that an alert rests on.
struct EvidenceEvent {
  std::string source;
  std::string file;
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
  Time time{};
  const Description* rule = nullptr;  // the rule that it matched
};

struct CorrelationAlert {
  static constexpr std::size_t kMaxEvents = 1000;     // listed: the newest when it is raised, then as they come; event_count goes on
  static constexpr std::size_t kMaxSubjects = 10000;  // listed; subject_count goes on counting
  enum class Change : std::uint8_t { kRaised, kUpdated };

  const Correlation* rule = nullptr;
  std::uint32_t index = 0;  // of the correlation in the engine
  Change change = Change::kRaised;
  std::string id;           // 32 hex digits, the same for all changes of one alert and for every replay of its events
  std::vector<std::pair<std::string, std::string>> group;  // group-by field and its value, in the order of group-by
  double value = 0;         // what the condition was held against: count, distinct values, sum …
  Time first{};             // of the events that it rests on
  Time last{};
  std::vector<EvidenceEvent> events;  // oldest first
  std::uint64_t event_count = 0;
  std::vector<std::string> subjects;  // distinct, sorted
  std::uint64_t subject_count = 0;  // an estimate where it is more than are listed
  bool under_counted = false;  // a limit or a late event left something out: the truth may be more
  bool estimated = false;      // the number of distinct values is an estimate (HyperLogLog)
};

class Correlator {
 public:
  struct Limits {
    std::size_t groups = 1'000'000;           // all correlations together; the stalest is forgotten first
    std::size_t entries_per_group = 100'000;  // matches within one window
    std::size_t entries = 10'000'000;         // all groups together
    std::size_t exact_values_per_group = 100'000;  // distinct values before estimating (conditions of gt and gte only)
    std::size_t listed = 1'000'000;           // events held by alerts that may still grow
  };
  struct Options {
    Duration lateness = std::chrono::minutes(5);
    Duration idle = std::chrono::hours(1);
    Limits limits;
    bool silent_too = false;  // give out alerts of correlations that only feed others
    std::uint64_t seed = 0x70C51AULL;  // of the hash that tells counted values apart; a secret one cannot be played against
  };
  struct Statistics {
    std::uint64_t groups = 0;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;           // memory of the windows: what was asked of the allocator, without its own cost
    std::uint64_t too_late = 0;        // events below the watermark that a correlation wanted
    std::uint64_t without_group = 0;   // matches that lack a group-by field; they are not counted
    std::uint64_t without_value = 0;   // matches that lack the field counted or summed
    std::uint64_t forgotten = 0;       // groups and entries given up for a limit
  };

  Correlator(std::shared_ptr<const Engine> engine, Options options);
  ~Correlator();
  Correlator(Correlator&&) noexcept;
  Correlator& operator=(Correlator&&) noexcept;

  // Appends what the event changes. Events without a match still move time on.
  void see(const Observation& observation, std::vector<CorrelationAlert>& out);
  // Moves time on without an event: `newest` is a time that the sources have reached.
  void advance(Time newest, std::vector<CorrelationAlert>& out);
  // The stream is at its end: judges every window that is still open. Afterwards the correlator is as new.
  void finish(std::vector<CorrelationAlert>& out);

  // Goes over to another set of rules, by way of save() and restore(). Windows of correlations whose fingerprint is in both live on; others are dropped.
  void adopt(std::shared_ptr<const Engine> engine);

  // The windows as bytes (ops/docs/formats/correlation-state.md), and back. restore() takes over what belongs to
  // correlations of the present engine. Errors: kCorrupt, kUnsupported version; the correlator is then empty.
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Result<void> restore(std::string_view bytes);

  // Looks at every group for the bytes; the rest is at hand.
  [[nodiscard]] Statistics statistics() const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace tocsin::rules::sigma
