// Groups and their windows: entering, sliding, closing, forgetting.
#include <algorithm>
#include <bit>
#include <utility>

#include "rules/sigma/correlator_inner.hpp"

namespace tocsin::rules::sigma {
namespace {

bool temporal(CorrelationType type) noexcept { return type == CorrelationType::kTemporal || type == CorrelationType::kTemporalOrdered; }

std::uint64_t parts_hash(std::uint64_t identity, std::span<const std::string_view> parts) noexcept {
  std::uint64_t hash = identity;
  for (const std::string_view part : parts) hash = combine(hash, hash_of(part, identity));
  return hash;
}

bool is_key(std::string_view key, std::span<const std::string_view> parts) noexcept {
  std::string_view part;
  for (const std::string_view wanted : parts) {
    if (!next_part(key, part) || part != wanted) return false;
  }
  return key.empty();
}

}  // namespace

// --- the table of groups ---

std::uint32_t Correlator::Inner::group_of(std::uint32_t correlation, std::span<const std::string_view> wanted_parts) {
  const std::uint64_t hash = parts_hash(nodes[correlation].identity, wanted_parts);
  const std::size_t mask = table.size() - 1;
  for (std::size_t at = hash & mask; table[at] != 0; at = (at + 1) & mask) {
    const Group& group = groups[table[at] - 1];
    if (group.hash == hash && group.correlation == correlation && is_key(group.key, wanted_parts)) return table[at] - 1;
  }
  std::string key;
  for (const std::string_view part : wanted_parts) append_part(key, part);
  return make_group(correlation, std::move(key), hash);
}

std::uint32_t Correlator::Inner::make_group(std::uint32_t correlation, std::string key, std::uint64_t hash) {
  while (live_groups >= options.limits.groups && live_groups > 0 && items.empty()) evict_one();
  std::uint32_t index = 0;
  if (!free_groups.empty()) {
    index = free_groups.back();
    free_groups.pop_back();
  } else {
    index = static_cast<std::uint32_t>(groups.size());
    groups.emplace_back();
  }
  const CorrelationNode& node = nodes[correlation];
  Group& group = groups[index];
  const std::uint32_t generation = group.generation + 1;
  group = Group{};
  group.generation = generation;
  group.key = std::move(key);
  group.hash = hash;
  group.correlation = correlation;
  group.window = make_window(*node.compiled);
  if (node.evicted_until >= clock) group.under_until = node.evicted_until;
  ++live_groups;
  if (live_groups * 2 > table.size()) grow_table(table.size() * 2);
  link_group(index);
  return index;
}

void Correlator::Inner::link_group(std::uint32_t index) {
  const std::size_t mask = table.size() - 1;
  std::size_t at = groups[index].hash & mask;
  while (table[at] != 0) at = (at + 1) & mask;
  table[at] = index + 1;
}

void Correlator::Inner::unlink_group(std::uint32_t index) {
  const std::size_t mask = table.size() - 1;
  std::size_t at = groups[index].hash & mask;
  while (table[at] != index + 1) at = (at + 1) & mask;
  for (std::size_t next = (at + 1) & mask; table[next] != 0; next = (next + 1) & mask) {
    const std::size_t home = groups[table[next] - 1].hash & mask;
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    table[at] = table[next];
    at = next;
  }
  table[at] = 0;
}

void Correlator::Inner::grow_table(std::size_t slots) {
  std::vector<std::uint32_t> old(slots, 0);
  old.swap(table);
  for (const std::uint32_t entry : old) {
    if (entry == 0) continue;
    const std::size_t mask = table.size() - 1;
    std::size_t at = groups[entry - 1].hash & mask;
    while (table[at] != 0) at = (at + 1) & mask;
    table[at] = entry;
  }
}

void Correlator::Inner::forget(std::uint32_t index) {
  Group& group = groups[index];
  if (group.alerts) {
    for (LiveAlert& alert : *group.alerts) {
      if (alert.events != alert.told) tell(group, alert, CorrelationAlert::Change::kUpdated);
      release(alert);
    }
  }
  for (std::uint32_t i = 0; i < group.entries.size(); ++i) {
    const Entry& entry = group.entries[i];
    texts.drop(entry.place);
    texts.drop(entry.subjects);
    texts.drop(entry.carried);
  }
  live_entries -= group.entries.size();
  unlink_group(index);
  const std::uint32_t generation = group.generation + 1;
  group = Group{};
  group.generation = generation;
  free_groups.push_back(index);
  --live_groups;
}

// Gives up the group that would be over first, and remembers that groups of its correlation may lack a past.
void Correlator::Inner::evict_one() {
  while (!heap.empty()) {
    const Due due = heap.front();
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    Group& group = groups[due.group];
    if (group.generation != due.generation || group.due != due.time) continue;
    group.due = INT64_MAX;
    if (due_of(group) > due.time) {
      schedule(due.group);
      continue;
    }
    CorrelationNode& node = nodes[group.correlation];
    if (!group.entries.empty()) node.evicted_until = std::max(node.evicted_until, group.entries.back().time + node.timespan);
    node.evicted_until = std::max(node.evicted_until, group.under_until);
    counts.forgotten += group.entries.size() + 1;
    forget(due.group);
    return;
  }
}

// When there is something to do for the group: once the watermark has passed that time.
std::int64_t Correlator::Inner::due_of(const Group& group) const {
  const CorrelationNode& node = nodes[group.correlation];
  std::int64_t time = group.under_until;
  if (!node.compiled->whole_windows) {
    if (group.newest != INT64_MIN) time = std::max(time, group.newest + node.timespan);
  } else if (!group.entries.empty()) {
    time = group.entries.front().time + node.timespan;
  }
  return time == INT64_MIN ? INT64_MIN : time + node.delay;
}

void Correlator::Inner::schedule(std::uint32_t index) {
  Group& group = groups[index];
  const CorrelationNode& node = nodes[group.correlation];
  const std::int64_t due = due_of(group);
  // One that is due later than planned is looked at then, and planned anew.
  if (group.due != INT64_MAX && due >= group.due) return;
  group.due = due;
  heap.push_back(Due{due, group.hash, node.rank, index, group.generation});
  std::push_heap(heap.begin(), heap.end());
}

void Correlator::Inner::clear() {
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    if (groups[i].generation % 2 == 1) forget(i);
  }
  groups.clear();
  free_groups.clear();
  heap.clear();
  below.clear();
  sources.clear();
  last_source_newest = nullptr;
  newest = slowest = watermark = clock = INT64_MIN;
  for (CorrelationNode& node : nodes) node.evicted_until = INT64_MIN;
}

// --- entries ---

void Correlator::Inner::enter(Group& group, const Entry& entry) {
  if (group.sketch) group.sketch->enter(entry.value, entry.time);
  else if (group.window) sigma::enter(*group.window, entry);
}

void Correlator::Inner::leave(Group& group, const Entry& entry) {
  if (!group.sketch && group.window) sigma::leave(*group.window, entry);
}

// Takes in the event that begins at `at`, and moves `at` behind it.
void Correlator::Inner::enter_event_at(Group& group, std::uint32_t& at) {
  const std::int64_t time = group.entries[at].time;
  std::uint64_t inputs = 0;
  do {
    inputs |= std::uint64_t{1} << group.entries[at].input;
    ++at;
  } while (at < group.entries.size() && (group.entries[at].flags & Entry::kContinues) != 0);
  std::get<OrderedChain>(*group.window).enter(time, inputs);
}

void Correlator::Inner::pop_oldest(Group& group, bool lost) {
  const CorrelationNode& node = nodes[group.correlation];
  const Entry entry = group.entries.front();
  const bool whole = node.compiled->whole_windows;
  const bool inside = whole ? group.edge > 0 : group.edge == 0;
  if (inside && node.compiled->rule->type != CorrelationType::kTemporalOrdered) leave(group, entry);
  if (group.edge > 0) --group.edge;
  if (lost) {
    ++counts.forgotten;
    group.lost = std::max(group.lost, entry.time);
    if (!group.sketch) group.under_until = std::max(group.under_until, entry.time + node.timespan);
    // The rest of a torn event stands for all of it.
    if (group.entries.size() > 1) group.entries[1].flags &= static_cast<std::uint8_t>(~Entry::kContinues);
  }
  texts.drop(entry.place);
  texts.drop(entry.subjects);
  texts.drop(entry.carried);
  group.entries.pop_front();
  --live_entries;
}

// Drops what no window can reach any more, not even that of an event that comes as late as it may.
void Correlator::Inner::prune(Group& group) {
  const CorrelationNode& node = nodes[group.correlation];
  if (clock == INT64_MIN) return;
  const std::int64_t oldest = clock - node.delay - node.timespan;
  while (!group.entries.empty() && group.entries.front().time < oldest) pop_oldest(group, false);
}

void Correlator::Inner::add(std::uint32_t index, const Occurrence& occurrence, std::span<Item> fresh) {
  Group& group = groups[index];
  const CorrelationNode& node = nodes[group.correlation];
  const bool whole = node.compiled->whole_windows;
  if (!whole) prune(group);
  std::uint32_t at = group.entries.after(occurrence.time);
  bool same_event = false;
  if (at > 0 && occurrence.known_place) {
    const Entry& last = group.entries[at - 1];
    same_event = last.time == occurrence.time && last.place == occurrence.place && last.line == occurrence.line && last.seq == occurrence.seq &&
                 (last.flags & Entry::kFromBelow) == 0;
  }
  if (same_event) {
    if (!temporal(node.compiled->rule->type)) return;
    // Only the rules that it was not known to match.
    const auto known = [&](const Item& item) {
      for (std::uint32_t i = at; i-- > 0;) {
        if (group.entries[i].input == item.feed->input) return true;
        if ((group.entries[i].flags & Entry::kContinues) == 0) break;
      }
      return false;
    };
    fresh = fresh.first(static_cast<std::size_t>(std::remove_if(fresh.begin(), fresh.end(), known) - fresh.begin()));
    if (fresh.empty()) return;
  }
  const std::size_t cap = std::max<std::size_t>(1, options.limits.entries_per_group);
  if (fresh.size() > cap) {
    counts.forgotten += fresh.size() - cap;
    group.under_until = std::max(group.under_until, occurrence.time + node.timespan);
    fresh = fresh.first(cap);
  }
  if (group.entries.size() + fresh.size() > cap) {
    while (group.entries.size() + fresh.size() > cap) {
      // What the newest window does not hold is only there for events that come late. Beyond that it is estimated, or lost.
      if (group.edge == 0 && node.compiled->rule->type == CorrelationType::kValueCount && !whole && !group.sketch) start_estimating(group);
      pop_oldest(group, true);
      if (at > 0) --at;
    }
  }
  ++additions;
  const std::string carried = node.carried.empty() ? std::string() : carry(*fresh.front().feed);
  Entry entry;
  entry.time = occurrence.time;
  entry.line = occurrence.line;
  entry.seq = occurrence.seq;
  entry.place = occurrence.place;
  entry.subjects = occurrence.subjects;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    entry.input = fresh[i].feed->input;
    entry.value = fresh[i].value;
    entry.flags = static_cast<std::uint8_t>(fresh[i].flags | (i > 0 || same_event ? Entry::kContinues : 0) | (occurrence.from_below ? Entry::kFromBelow : 0));
    entry.carried = carried.empty() ? 0 : texts.keep(carried);
    texts.keep(entry.place);
    texts.keep(entry.subjects);
    group.entries.insert(at + static_cast<std::uint32_t>(i), entry);
  }
  live_entries += fresh.size();
  if (whole) return schedule(index);
  add_sliding(index, at, static_cast<std::uint32_t>(fresh.size()), same_event);
  schedule(index);
}

// --- sliding windows ---

std::uint32_t Correlator::Inner::alert_at(const Group& group, std::uint32_t last) const {
  const std::int64_t time = group.entries[last].time;
  for (std::uint32_t i = last + 1; i-- > 0 && group.entries[i].time == time;) {
    if (group.entries[i].alert != 0) return group.entries[i].alert;
  }
  return 0;
}

Correlator::Inner::Verdict Correlator::Inner::judge(Group& group, std::int64_t end, std::uint32_t count) {
  const CompiledCorrelation& compiled = *nodes[group.correlation].compiled;
  Verdict verdict;
  if (group.sketch) {
    verdict.value = group.sketch->estimate(end);
    verdict.estimated = true;
  } else {
    switch (compiled.rule->type) {
      case CorrelationType::kEventCount: verdict.value = count; break;
      case CorrelationType::kValueCount: verdict.value = static_cast<double>(std::get<Distinct>(*group.window).size()); break;
      case CorrelationType::kTemporal: {
        const std::uint64_t seen = std::get<Seen>(*group.window).mask();
        verdict.value = std::popcount(seen);
        if (!compiled.expression.empty()) {
          verdict.holds = holds(compiled.expression, seen);
          return verdict;
        }
        break;
      }
      case CorrelationType::kTemporalOrdered: verdict.value = static_cast<double>(std::get<OrderedChain>(*group.window).reached(end)); break;
      case CorrelationType::kValueSum: verdict.value = std::get<Sums>(*group.window).sum(); break;
      case CorrelationType::kValueAvg: {
        const Sums& sums = std::get<Sums>(*group.window);
        if (sums.count() == 0) return verdict;
        verdict.value = sums.sum() / static_cast<double>(sums.count());
        break;
      }
      case CorrelationType::kValuePercentile:
      case CorrelationType::kValueMedian: {
        const SortedNumbers& sorted = std::get<SortedNumbers>(*group.window);
        if (sorted.size() == 0) return verdict;
        verdict.value = sorted.percentile(compiled.rule->type == CorrelationType::kValueMedian ? 50 : compiled.rule->percentile);
        break;
      }
    }
  }
  verdict.holds = holds(compiled.bounds, verdict.value);
  return verdict;
}

void Correlator::Inner::add_sliding(std::uint32_t index, std::uint32_t at, std::uint32_t count, bool same_event) {
  Group& group = groups[index];
  const CorrelationNode& node = nodes[group.correlation];
  const std::int64_t time = group.entries[at].time;
  const bool ordered = node.compiled->rule->type == CorrelationType::kTemporalOrdered;
  const bool newest_window = at + count == group.entries.size();
  if (!newest_window && !group.sketch) return slide_back_and_forth(index, at, count);
  if (ordered && same_event) return slide_back_and_forth(index, at, count);

  if (group.newest != time && newest_window) {
    group.previous = group.newest;
    group.previous_alert = group.newest_alert;
    group.newest = time;
    group.newest_alert = 0;
  }
  if (!newest_window && at < group.edge) group.edge += count;  // a late value, estimated: older than the window
  if (ordered) {
    for (std::uint32_t i = at; i < at + count;) enter_event_at(group, i);
  } else {
    for (std::uint32_t i = at; i < at + count; ++i) enter(group, group.entries[i]);
    while (group.entries[group.edge].time < group.newest - node.timespan) leave(group, group.entries[group.edge++]);
    if (auto* sums = group.window ? std::get_if<Sums>(group.window.get()) : nullptr; sums != nullptr && sums->stale()) {
      sums->begin_again();
      for (std::uint32_t i = group.edge; i < group.entries.size(); ++i) sums->enter_fraction(group.entries[i]);
    }
    if (const auto* distinct = group.window ? std::get_if<Distinct>(group.window.get()) : nullptr;
        distinct != nullptr && !group.sketch && distinct->size() > options.limits.exact_values_per_group) {
      start_estimating(group);
    } else if (group.sketch) {
      maybe_stop_estimating(group);
    }
  }
  const Verdict verdict = judge(group, group.newest, group.entries.size() - group.edge);
  const bool under = group.newest <= group.under_until;
  if (!verdict.holds) {
    if (group.previous_alert != 0 && group.newest_alert == 0) fell(index, group.previous_alert);
    return;
  }
  std::uint32_t alert = group.newest_alert;
  if (alert == 0 && group.previous_alert != 0 && group.newest - group.previous <= node.timespan) alert = group.previous_alert;
  if (alert != 0) {
    go_on(index, alert, group.newest - node.timespan, group.newest, time, at, count, verdict, under);
    tell_if_grown(index, alert);
  } else {
    raise(index, group.newest - node.timespan, group.newest, group.entries.size() - 1, verdict, under);
    alert = group.alerts_made;
  }
  group.newest_alert = alert;
  group.entries[group.entries.size() - 1].alert = alert;
}

// The entries [at, at + count) have been put among later ones: the window goes back to where it ended before them, and
// comes forward again over them.
void Correlator::Inner::slide_back_and_forth(std::uint32_t index, std::uint32_t at, std::uint32_t count) {
  Group& group = groups[index];
  const CorrelationNode& node = nodes[group.correlation];
  EntryRing& entries = group.entries;
  const std::int64_t time = entries[at].time;
  auto* const chain = group.window ? std::get_if<OrderedChain>(group.window.get()) : nullptr;
  std::uint32_t begin = at;  // of the entries of that time
  while (begin > 0 && entries[begin - 1].time == time) --begin;
  std::uint32_t next = at;
  if (chain != nullptr) {
    chain->clear();
    next = entries.after(time - node.timespan - 1);
    while (next < begin) enter_event_at(group, next);
  } else {
    // Where the newest window begins behind the new entries, it has nothing before them to keep.
    const std::uint32_t behind = std::max(group.edge, at) + count;
    for (std::uint32_t i = entries.size(); i > behind; --i) leave(group, entries[i - 1]);
    group.edge = std::min(group.edge, at);
    while (group.edge > 0 && entries[group.edge - 1].time >= time - node.timespan) enter(group, entries[--group.edge]);
  }
  touched.clear();
  std::int64_t previous = begin > 0 ? entries[begin - 1].time : INT64_MIN;
  std::uint32_t previous_alert = begin > 0 ? alert_at(group, begin - 1) : 0;
  while (next < entries.size()) {
    const std::int64_t end = entries[next].time;
    if (chain != nullptr) {
      while (next < entries.size() && entries[next].time == end) enter_event_at(group, next);
    } else {
      while (next < entries.size() && entries[next].time == end) enter(group, entries[next++]);
      while (entries[group.edge].time < end - node.timespan) leave(group, entries[group.edge++]);
    }
    std::uint32_t alert = alert_at(group, next - 1);
    if (end <= time + node.timespan) {
      const Verdict verdict = judge(group, end, next - group.edge);
      const bool under = end <= group.under_until;
      if (verdict.holds) {
        if (alert == 0 && previous_alert != 0 && end - previous <= node.timespan) alert = previous_alert;
        if (alert == 0 && next < entries.size() && entries[next].time - end <= node.timespan) {
          std::uint32_t last = next;  // the rising edge may only have moved forward
          while (last + 1 < entries.size() && entries[last + 1].time == entries[next].time) ++last;
          alert = alert_at(group, last);
        }
        if (alert != 0) {
          go_on(index, alert, end - node.timespan, end, time, at, count, verdict, under);
          if (touched.empty() || touched.back() != alert) touched.push_back(alert);
        } else {
          raise(index, end - node.timespan, end, next - 1, verdict, under);
          alert = group.alerts_made;
        }
        entries[next - 1].alert = alert;
      }
    }
    previous = end;
    previous_alert = alert;
  }
  for (const std::uint32_t number : touched) tell_if_grown(index, number);
  // What the next event in order will look back at.
  group.newest = entries.back().time;
  group.newest_alert = alert_at(group, entries.size() - 1);
  std::uint32_t first = entries.size() - 1;
  while (first > 0 && entries[first - 1].time == group.newest) --first;
  if (first > 0) {
    group.previous = entries[first - 1].time;
    group.previous_alert = alert_at(group, first - 1);
  }
}

// --- estimating ---

void Correlator::Inner::start_estimating(Group& group) {
  group.sketch = std::make_unique<SlidingSketch>(nodes[group.correlation].timespan);
  for (std::uint32_t i = 0; i < group.entries.size(); ++i) group.sketch->enter(group.entries[i].value, group.entries[i].time);
  *group.window = Distinct();
}

// Back to counting once every entry of the window is at hand again and they are few enough.
void Correlator::Inner::maybe_stop_estimating(Group& group) {
  const CorrelationNode& node = nodes[group.correlation];
  const bool whole = group.newest - node.timespan > group.lost;
  const std::uint32_t count = group.entries.size() - group.edge;
  if (!whole || count > options.limits.exact_values_per_group / 2 || count > options.limits.entries_per_group / 2) return;
  group.sketch.reset();
  *group.window = Distinct();
  for (std::uint32_t i = group.edge; i < group.entries.size(); ++i) enter(group, group.entries[i]);
}

// --- whole windows ---

void Correlator::Inner::close_windows(std::uint32_t index, std::int64_t until) {
  Group& group = groups[index];
  const CorrelationNode& node = nodes[group.correlation];
  EntryRing& entries = group.entries;
  while (!entries.empty() && entries.front().time + node.timespan < until) {
    const std::int64_t begin = entries.front().time;
    while (group.edge < entries.size() && entries[group.edge].time <= begin + node.timespan) enter(group, entries[group.edge++]);
    const std::int64_t last = entries[group.edge - 1].time;
    if (last > group.newest || group.newest == INT64_MIN) {  // else it is part of the one before
      const Verdict verdict = judge(group, last, group.edge);
      const bool under = begin <= group.under_until;
      if (!verdict.holds) {
        if (group.newest_alert != 0) fell(index, group.newest_alert);
        group.newest_alert = 0;
      } else if (group.newest_alert != 0 && begin <= group.newest) {
        go_on(index, group.newest_alert, begin, last, last, 0, 0, verdict, under);
        tell_if_grown(index, group.newest_alert);
      } else {
        if (group.newest_alert != 0) fell(index, group.newest_alert);
        raise(index, begin, last, group.edge - 1, verdict, under);
        group.newest_alert = group.alerts_made;
      }
      group.newest = last;
    }
    while (!entries.empty() && entries.front().time == begin) pop_oldest(group, false);
    if (auto* sums = group.window ? std::get_if<Sums>(group.window.get()) : nullptr; sums != nullptr && sums->stale()) {
      sums->begin_again();
      for (std::uint32_t i = 0; i < group.edge; ++i) sums->enter_fraction(entries[i]);
    }
  }
}

}  // namespace tocsin::rules::sigma
