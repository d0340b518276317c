// The correlator's state and the steps that change it. Inside the folder only; correlator.hpp is what others see.
//
// Two ways to judge, by CompiledCorrelation::whole_windows:
//   sliding   the window that ends at each entry is judged when the entry comes. A late entry takes the window back to
//             its time and forward again, judging every window that it falls into.
//   whole     a window that a larger one could contradict is judged when nothing can come into it any more. Of all
//             windows [t, t + timespan] that begin at an entry, those count that are not part of another one, so what
//             is judged does not depend on the order of arrival.
//
// One heap holds for every group when something is due: closing its first window, or forgetting it. What is due is done
// in order of event time and lower correlations first, however far the watermark jumps; so a correlation has always
// heard everything from below before its own windows close.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rules/sigma/correlation_field.hpp"
#include "rules/sigma/correlation_memory.hpp"
#include "rules/sigma/correlation_window.hpp"
#include "rules/sigma/correlator.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kMaxCombinations = 1024;  // groups that one event can belong to in one correlation
inline constexpr std::size_t kMaxItems = 20000;        // entries that one event can make in one correlation, about
inline constexpr std::size_t kMaxSources = 4096;       // whose times are followed one by one
inline constexpr std::size_t kMaxPlaceText = 4096;     // bytes kept of a source's or file's name

// An alert that may still grow.
struct LiveAlert {
  std::uint32_t number = 0;     // within its group
  std::string id;
  std::int64_t from = 0;        // it rests on every entry of [from, to]
  std::int64_t to = 0;
  std::int64_t first = INT64_MAX;  // of its events
  std::int64_t last = INT64_MIN;
  std::uint64_t events = 0;
  std::uint64_t told = 0;       // events when it was last told
  std::size_t older = 0;        // while it is made: events that are not listed, as newer ones are
  double value = 0;
  std::uint64_t added_in = 0;   // the addition whose entries it has taken in last
  bool under = false;
  bool estimated = false;
  std::vector<Entry> listed;    // each a use of its texts; at most CorrelationAlert::kMaxEvents
  std::unordered_set<std::string> subjects;
  std::unique_ptr<SlidingSketch> more_subjects;  // once there are more than are listed
};

struct Group {
  std::string key;              // the values of group-by, as parts
  std::uint64_t hash = 0;
  std::uint32_t correlation = 0;
  std::uint32_t generation = 0; // even = free
  EntryRing entries;
  std::uint32_t edge = 0;       // sliding: first entry of the newest window; whole: first entry not in the window yet
  std::uint32_t alerts_made = 0;
  std::uint32_t newest_alert = 0;    // of the window that ends at `newest`; whole: of the last one judged
  std::uint32_t previous_alert = 0;  // of the window before that
  std::int64_t newest = INT64_MIN;   // sliding: time of the last entry; whole: end of the last window judged
  std::int64_t previous = INT64_MIN;
  std::int64_t under_until = INT64_MIN;  // something is missing from windows up to here
  std::int64_t lost = INT64_MIN;         // time of the newest entry given up for the limit
  std::int64_t due = INT64_MAX;          // when it is to be looked at, as planned in the heap
  std::unique_ptr<Window> window;
  std::unique_ptr<SlidingSketch> sketch;  // in place of the window, while there are too many values
  std::unique_ptr<std::vector<LiveAlert>> alerts;
};

// How matches of one rule, or alerts of one correlation, feed a correlation: fields are numbers in Inner::fields.
struct Feed {
  std::uint32_t correlation = 0;
  std::uint16_t input = 0;
  std::vector<std::uint32_t> group;
  std::vector<std::uint32_t> values;
  std::vector<std::uint32_t> carried;  // what correlations above want of the event, as in CorrelationNode::carried
};

struct CorrelationNode {
  const CompiledCorrelation* compiled = nullptr;
  std::int64_t timespan = 0;
  std::int64_t delay = 0;       // how long after the watermark something from below may still come
  std::uint32_t rank = 0;       // lower correlations first
  std::uint64_t identity = 0;   // of its fingerprint
  std::int64_t evicted_until = INT64_MIN;  // groups made before this may have lost a past
  std::vector<std::string> carried;        // fields that correlations above want of its events
  std::vector<Feed> above;
};

struct Correlator::Inner {
  Inner(std::shared_ptr<const Engine> with, const Options& how);

  // --- the set of rules ---
  void plan();
  // The number of a field; of events that a rule matched, or (nullptr) of alerts from below.
  [[nodiscard]] std::uint32_t field(const std::string& name, const Rule* rule);

  // --- time ---
  void reach(std::string_view source, std::int64_t time);
  void move_watermark();
  void run_until(std::int64_t watermark);
  void finish();
  void clear();

  // --- what feeds ---
  struct Occurrence {
    std::int64_t time = 0;
    std::uint64_t line = 0;
    std::uint64_t seq = 0;
    std::uint32_t place = 0;     // texts; the occurrence holds a use
    std::uint32_t subjects = 0;
    bool known_place = false;    // two sightings of the same place are the same event
    bool from_below = false;
    bool under = false;          // an alert from below that is under-counted
  };
  struct Item {
    std::uint32_t group = 0;
    std::uint8_t flags = 0;
    const Feed* feed = nullptr;
    std::uint64_t value = 0;
  };
  void see(const Observation& observation);
  void feed(std::span<const Feed* const> feeds, const Occurrence& occurrence, bool too_late);
  void gather(const Feed& feed, const Occurrence& occurrence, bool too_late);
  [[nodiscard]] bool gather_values(const Feed& feed, CorrelationType type);
  void look(std::uint32_t field);
  [[nodiscard]] std::uint32_t group_of(std::uint32_t correlation, std::span<const std::string_view> parts);
  [[nodiscard]] std::string carry(const Feed& feed);
  void feed_above();

  // --- groups ---
  [[nodiscard]] std::uint32_t make_group(std::uint32_t correlation, std::string key, std::uint64_t hash);
  void forget(std::uint32_t index);
  void evict_one();
  void schedule(std::uint32_t index);
  [[nodiscard]] std::int64_t due_of(const Group& group) const;
  void link_group(std::uint32_t index);
  void unlink_group(std::uint32_t index);
  void grow_table(std::size_t slots);

  // --- windows ---
  struct Verdict {
    bool holds = false;
    bool estimated = false;
    double value = 0;
  };
  void add(std::uint32_t index, const Occurrence& occurrence, std::span<Item> items);
  void add_sliding(std::uint32_t index, std::uint32_t at, std::uint32_t count, bool same_event);
  void slide_back_and_forth(std::uint32_t index, std::uint32_t at, std::uint32_t count);
  void close_windows(std::uint32_t index, std::int64_t until);
  void prune(Group& group);
  void pop_oldest(Group& group, bool lost);
  void enter(Group& group, const Entry& entry);
  void leave(Group& group, const Entry& entry);
  void enter_event_at(Group& group, std::uint32_t& at);  // temporal_ordered: all entries of one event
  void start_estimating(Group& group);
  void maybe_stop_estimating(Group& group);
  [[nodiscard]] Verdict judge(Group& group, std::int64_t end, std::uint32_t count);
  [[nodiscard]] std::uint32_t alert_at(const Group& group, std::uint32_t last) const;

  // --- alerts ---
  void raise(std::uint32_t index, std::int64_t from, std::int64_t to, std::uint32_t last, const Verdict& verdict, bool under);
  void go_on(std::uint32_t index, std::uint32_t number, std::int64_t from, std::int64_t to, std::int64_t added_time, std::uint32_t added, std::uint32_t count,
             const Verdict& verdict, bool under);
  void tell_if_grown(std::uint32_t index, std::uint32_t number);
  void fell(std::uint32_t index, std::uint32_t number);
  void rest_on(Group& group, LiveAlert& alert, std::int64_t from, std::int64_t to);
  void rest_on(LiveAlert& alert, const Entry& entry);
  void tell(const Group& group, LiveAlert& alert, CorrelationAlert::Change change);
  void release(LiveAlert& alert);
  [[nodiscard]] LiveAlert* find_alert(Group& group, std::uint32_t number);
  [[nodiscard]] CorrelationAlert describe(const Group& group, const LiveAlert& alert) const;
  void list_evidence(const CorrelationNode& node, const Entry& entry, CorrelationAlert& out) const;

  // --- state ---
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Result<void> restore(std::string_view bytes);
  [[nodiscard]] bool read_state(std::string_view payload);
  [[nodiscard]] bool take_over(std::uint32_t correlation, Group&& read, const std::vector<std::uint32_t>& numbers);

  std::shared_ptr<const Engine> engine;
  Options options;
  std::vector<CorrelationNode> nodes;
  std::vector<std::vector<Feed>> feeds;       // by rule
  std::vector<FieldPath> fields;
  std::unordered_map<std::string, std::uint32_t> field_numbers;

  std::unordered_map<std::string, std::int64_t> sources;  // newest time of each
  std::string last_source;
  std::int64_t* last_source_newest = nullptr;
  std::int64_t newest = INT64_MIN;
  std::int64_t slowest = INT64_MIN;  // the newest time of the slowest source that counts
  std::int64_t watermark = INT64_MIN;
  std::int64_t clock = INT64_MIN;    // how far what is due has been done; the watermark, except while catching up

  std::deque<Group> groups;
  std::vector<std::uint32_t> free_groups;
  std::vector<std::uint32_t> table;  // group + 1, 0 = empty
  std::size_t live_groups = 0;
  std::uint64_t live_entries = 0;
  std::uint64_t listed_entries = 0;  // held by alerts
  TextStore texts;
  std::uint32_t last_place = 0;      // texts; holds a use
  std::string last_place_source;
  std::string last_place_file;

  struct Due {
    std::int64_t time;
    std::uint64_t hash;
    std::uint32_t rank;
    std::uint32_t group;
    std::uint32_t generation;
    friend bool operator<(const Due& a, const Due& b) {  // a heap's top is the greatest: the earliest
      if (a.time != b.time) return a.time > b.time;
      if (a.rank != b.rank) return a.rank > b.rank;
      return a.hash > b.hash;
    }
  };
  std::vector<Due> heap;
  Statistics counts;  // those that only grow

  // What an alert of a lower correlation tells those above it.
  struct FromBelow {
    std::uint32_t correlation = 0;
    std::string key;
    std::string carried;
    std::string evidence;
    std::string subjects;
    std::int64_t time = 0;
    bool under = false;
  };
  std::vector<FromBelow> below;

  // Scratch of one see().
  std::vector<CorrelationAlert>* sink = nullptr;
  const Value* root = nullptr;       // what fields are looked up in, or …
  const FromBelow* from_lower = nullptr;   // … the alert that carries them
  Arena arena{16 * 1024};
  struct Looked {
    std::uint64_t at = 0;             // see number
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool complete = true;
  };
  std::vector<Looked> looked;         // by field
  std::uint64_t sightings = 0;
  std::uint64_t additions = 0;
  std::vector<std::string_view> values;
  std::vector<const Feed*> wanted;
  std::vector<Item> items;
  std::vector<std::string_view> parts;
  std::vector<Item> brought;
  std::vector<std::uint32_t> touched;  // alerts, of one late addition
};

}  // namespace tocsin::rules::sigma
