// From an event to the groups it belongs to; and time.
#include "rules/sigma/correlator.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

#include "rules/sigma/correlator_inner.hpp"
#include "rules/sigma/scalar.hpp"

namespace tocsin::rules::sigma {
namespace {

// So far from the ends of the number range that adding all timespans of a chain cannot leave it.
constexpr std::int64_t kFarthest = std::int64_t{1} << 60;

std::int64_t micros(Time time) noexcept { return std::clamp(to_micros(time), -kFarthest, kFarthest); }
std::int64_t micros(Duration duration) noexcept { return std::clamp<std::int64_t>(duration.count(), 0, kFarthest); }

bool temporal(CorrelationType type) noexcept { return type == CorrelationType::kTemporal || type == CorrelationType::kTemporalOrdered; }

}  // namespace

Correlator::Inner::Inner(std::shared_ptr<const Engine> with, const Options& how) : engine(std::move(with)), options(how), table(64, 0) { plan(); }

// --- the set of rules ---

std::uint32_t Correlator::Inner::field(const std::string& name, const Rule* rule) {
  std::vector<Place> all = {Place{name, {}}};
  if (rule != nullptr) all = places(rule->product, rule->category, rule->service, name);
  std::string key = name;
  for (const Place& place : all) key += "\n" + place.name + "\n" + place.member;
  const auto [at, is_new] = field_numbers.try_emplace(std::move(key), static_cast<std::uint32_t>(fields.size()));
  if (is_new) fields.emplace_back(name, all);
  return at->second;
}

void Correlator::Inner::plan() {
  const std::vector<CompiledCorrelation>& all = engine->correlations();
  nodes.assign(all.size(), {});
  feeds.assign(engine->rules().size(), {});
  std::set<std::uint64_t> identities;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    CorrelationNode& node = nodes[i];
    node.compiled = &all[i];
    node.timespan = micros(all[i].rule->timespan);
    node.identity = hash_of(all[i].fingerprint, 1);
    while (!identities.insert(node.identity).second) node.identity = combine(node.identity, 1);  // the same definition twice
  }
  // Each after what it refers to; there are no circles.
  std::vector<std::uint32_t> order;
  std::vector<std::size_t> waits(all.size(), 0);
  std::vector<std::vector<std::uint32_t>> above(all.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    for (const auto& input : all[i].inputs) {
      if (!input.correlation) continue;
      ++waits[i];
      above[input.index].push_back(i);
    }
    if (waits[i] == 0) order.push_back(i);
  }
  for (std::size_t at = 0; at < order.size(); ++at) {
    CorrelationNode& node = nodes[order[at]];
    node.rank = static_cast<std::uint32_t>(at);
    for (const auto& input : node.compiled->inputs) {
      if (!input.correlation) continue;
      const CorrelationNode& lower = nodes[input.index];
      // A whole window that began at t speaks once the watermark is later than t + timespan, and its match may lie at t.
      node.delay = std::max(node.delay, std::min(kFarthest, lower.delay + (lower.compiled->whole_windows ? lower.timespan + 1 : 0)));
    }
    for (const std::uint32_t next : above[order[at]]) {
      if (--waits[next] == 0) order.push_back(next);
    }
  }
  // From above downwards, so that each knows what those above want of it.
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    CorrelationNode& node = nodes[*at];
    const Correlation& rule = *node.compiled->rule;
    for (std::uint16_t i = 0; i < node.compiled->inputs.size(); ++i) {
      const auto& input = node.compiled->inputs[i];
      const Rule* const matched = input.correlation ? nullptr : engine->rules()[input.index].rule.get();
      const auto named = [&](const std::string& name) {
        for (const Alias& alias : rule.aliases) {
          if (alias.name != name) continue;
          for (const Alias::Field& one : alias.fields) {
            if (one.rule == rule.rules[i]) return field(one.field, matched);
          }
        }
        return field(name, matched);
      };
      Feed feed;
      feed.correlation = *at;
      feed.input = i;
      for (const std::string& name : rule.group_by) feed.group.push_back(named(name));
      for (const std::string& name : rule.fields) feed.values.push_back(named(name));
      for (const std::string& name : node.carried) feed.carried.push_back(field(name, matched));
      if (input.correlation) {
        std::vector<std::string>& carried = nodes[input.index].carried;
        for (const auto* wants : {&feed.group, &feed.values, &feed.carried}) {
          for (const std::uint32_t number : *wants) carried.push_back(fields[number].name());
        }
        std::sort(carried.begin(), carried.end());
        carried.erase(std::unique(carried.begin(), carried.end()), carried.end());
        nodes[input.index].above.push_back(std::move(feed));
      } else {
        feeds[input.index].push_back(std::move(feed));
      }
    }
  }
  looked.assign(fields.size(), {});
}

// --- time ---

void Correlator::Inner::reach(std::string_view source, std::int64_t time) {
  if (last_source_newest == nullptr || last_source != source) {
    auto at = sources.find(std::string(source));
    if (at == sources.end()) {
      if (sources.size() >= kMaxSources) {
        sources.erase(std::min_element(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
      }
      at = sources.emplace(std::string(source), INT64_MIN).first;
    }
    last_source = source;
    last_source_newest = &at->second;  // stays where it is until the map loses it
  }
  if (time <= *last_source_newest) return;
  const bool was_slowest = *last_source_newest <= slowest;
  *last_source_newest = time;
  newest = std::max(newest, time);
  if (sources.size() == 1) slowest = newest;
  else if (was_slowest || newest - slowest > micros(options.idle)) {
    slowest = newest;
    for (const auto& [name, reached] : sources) {
      if (newest - reached <= micros(options.idle)) slowest = std::min(slowest, reached);
    }
  }
  move_watermark();
}

void Correlator::Inner::move_watermark() {
  const std::int64_t reached = slowest - micros(options.lateness);
  if (slowest == INT64_MIN || reached <= watermark) return;
  watermark = reached;
  run_until(watermark);
}

void Correlator::Inner::run_until(std::int64_t until) {
  while (!heap.empty() && heap.front().time < until) {
    const Due due = heap.front();
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    Group& group = groups[due.group];
    if (group.generation != due.generation || group.due != due.time) continue;  // scheduled anew since
    clock = std::max(clock, due.time + 1);
    group.due = INT64_MAX;
    if (nodes[group.correlation].compiled->whole_windows) close_windows(due.group, clock - nodes[group.correlation].delay);
    if (due_of(group) < clock) forget(due.group);
    else schedule(due.group);
    feed_above();
  }
  clock = std::max(clock, until);
}

void Correlator::Inner::finish() {
  run_until(INT64_MAX);
  clear();
}

// --- what feeds ---

void Correlator::Inner::see(const Observation& observation) {
  const std::int64_t time = micros(observation.time);
  reach(observation.place.source, time);
  wanted.clear();
  for (const Match& match : observation.matches) {
    if (match.index >= feeds.size()) continue;
    for (const Feed& one : feeds[match.index]) wanted.push_back(&one);
  }
  if (wanted.empty()) return;
  ++sightings;
  arena.reset();
  values.clear();
  root = &observation.event.root;
  from_lower = nullptr;
  const bool too_late = time < watermark;
  if (too_late) ++counts.too_late;

  Occurrence occurrence;
  occurrence.time = time;
  occurrence.line = observation.place.line;
  occurrence.seq = observation.place.seq;
  occurrence.known_place = occurrence.line != 0 || occurrence.seq != 0;
  if (last_place == 0 || last_place_source != observation.place.source || last_place_file != observation.place.file) {
    last_place_source = observation.place.source;
    last_place_file = observation.place.file;
    std::string place;
    append_part(place, observation.place.source.substr(0, kMaxPlaceText));
    append_part(place, observation.place.file.substr(0, kMaxPlaceText));
    texts.drop(last_place);
    last_place = texts.keep(place);
  }
  occurrence.place = last_place;
  if (!observation.subjects.empty() && !too_late) {
    std::string subjects;
    std::size_t listed = 0;
    for (const std::string_view subject : observation.subjects) {
      if (listed++ < CorrelationAlert::kMaxSubjects) append_part(subjects, subject.substr(0, FieldPath::kMaxText));
    }
    occurrence.subjects = texts.keep(subjects);
  }
  feed(wanted, occurrence, too_late);
  texts.drop(occurrence.subjects);
  feed_above();
}

// Those that belong to one correlation are taken together: one event counts once, whichever of its rules it matches.
void Correlator::Inner::feed(std::span<const Feed* const> all, const Occurrence& occurrence, bool too_late) {
  std::vector<const Feed*> sorted;
  if (!std::is_sorted(all.begin(), all.end(), [](const Feed* a, const Feed* b) { return a->correlation < b->correlation; })) {
    sorted.assign(all.begin(), all.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const Feed* a, const Feed* b) { return a->correlation < b->correlation; });
    all = sorted;
  }
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first;
    items.clear();
    while (last < all.size() && all[last]->correlation == all[first]->correlation) gather(*all[last++], occurrence, too_late);
    // In order of their keys, not of their places in memory, so that a restart changes nothing.
    const auto by_group = [&](const Item& a, const Item& b) { return a.group != b.group && groups[a.group].key < groups[b.group].key; };
    if (!std::is_sorted(items.begin(), items.end(), by_group)) std::stable_sort(items.begin(), items.end(), by_group);
    for (std::size_t at = 0; at < items.size();) {
      std::size_t end = at;
      while (end < items.size() && items[end].group == items[at].group) ++end;
      add(items[at].group, occurrence, std::span<Item>(items).subspan(at, end - at));
      at = end;
    }
    first = last;
  }
  while (live_entries > options.limits.entries && live_groups > 1 && !heap.empty()) evict_one();
}

// The values of a field, looked up once for each event.
void Correlator::Inner::look(std::uint32_t number) {
  Looked& state = looked[number];
  if (state.at == sightings) return;
  state.at = sightings;
  state.first = static_cast<std::uint32_t>(values.size());
  state.complete = true;
  if (root != nullptr) {
    state.complete = fields[number].collect(*root, arena, values);
  } else {
    const std::string& name = fields[number].name();
    const std::vector<std::string>& group_by = nodes[from_lower->correlation].compiled->rule->group_by;
    std::string_view rest = from_lower->key;
    std::string_view part;
    bool found = false;
    for (const std::string& own : group_by) {
      if (!next_part(rest, part)) break;
      if (own != name || found) continue;
      found = true;
      values.push_back(part);
    }
    rest = from_lower->carried;
    std::string_view list;
    while (!found && next_part(rest, part) && next_part(rest, list)) {
      if (part != name) continue;
      found = true;
      while (next_part(list, part)) values.push_back(part);
    }
  }
  state.count = static_cast<std::uint32_t>(values.size()) - state.first;
}

// Turns one match into items: one for each group it belongs to and each value it brings.
void Correlator::Inner::gather(const Feed& feed, const Occurrence& occurrence, bool too_late) {
  const CorrelationNode& node = nodes[feed.correlation];
  const CorrelationType type = node.compiled->rule->type;
  bool complete = true;
  for (const std::uint32_t number : feed.group) {
    look(number);
    complete = complete && looked[number].complete;
    if (looked[number].count == 0) {
      ++counts.without_group;
      return;
    }
  }
  brought.clear();
  if (!feed.values.empty()) {
    complete = gather_values(feed, type) && complete;
    if (brought.empty()) {
      ++counts.without_value;
      return;
    }
  } else {
    brought.push_back({});
  }
  std::array<std::uint32_t, kMaxGroupFields> at{};
  parts.resize(feed.group.size());
  for (std::size_t combination = 0;; ++combination) {
    if (combination == kMaxCombinations || items.size() >= kMaxItems) {
      ++counts.forgotten;
      break;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = values[looked[feed.group[i]].first + at[i]];
    const std::uint32_t index = group_of(feed.correlation, parts);
    Group& group = groups[index];
    if (too_late || !complete || occurrence.under) {
      group.under_until = std::max(group.under_until, occurrence.time + node.timespan);
      schedule(index);
    }
    const bool done = !temporal(type) && std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.group == index; });
    if (!too_late && !done) {
      for (const Item& number : brought) items.push_back({index, number.flags, &feed, number.value});
    }
    // The next combination, as an odometer turns.
    std::size_t wheel = 0;
    while (wheel < parts.size() && ++at[wheel] == looked[feed.group[wheel]].count) at[wheel++] = 0;
    if (wheel == parts.size()) break;
  }
}

// Fills `numbers` with one item for each value or tuple; false if there were too many.
bool Correlator::Inner::gather_values(const Feed& feed, CorrelationType type) {
  bool complete = true;
  for (const std::uint32_t number : feed.values) {
    look(number);
    complete = complete && looked[number].complete;
    if (looked[number].count == 0) return complete;
  }
  if (type != CorrelationType::kValueCount) {
    const Looked& found = looked[feed.values.front()];
    for (std::uint32_t i = 0; i < found.count; ++i) {
      const auto number = parse_number(values[found.first + i]);
      if (!number || !std::isfinite(number->real)) continue;
      brought.push_back(number->exact ? Item{0, Entry::kInteger, nullptr, std::bit_cast<std::uint64_t>(number->integer)}
                                      : Item{0, 0, nullptr, std::bit_cast<std::uint64_t>(number->real)});
    }
    return complete;
  }
  std::array<std::uint32_t, kMaxGroupFields> at{};
  for (;;) {
    if (brought.size() == FieldPath::kMaxValues) return false;
    std::uint64_t hash = options.seed;
    for (std::size_t i = 0; i < feed.values.size(); ++i) hash = combine(hash, hash_of(values[looked[feed.values[i]].first + at[i]], options.seed));
    brought.push_back({0, 0, nullptr, hash});
    std::size_t wheel = 0;
    while (wheel < feed.values.size() && ++at[wheel] == looked[feed.values[wheel]].count) at[wheel++] = 0;
    if (wheel == feed.values.size()) return complete;
  }
}

// What correlations above want of the present event, as parts: name, values, name, values …
std::string Correlator::Inner::carry(const Feed& feed) {
  std::string carried;
  for (const std::uint32_t number : feed.carried) {
    look(number);
    std::string list;
    for (std::uint32_t i = 0; i < looked[number].count; ++i) append_part(list, values[looked[number].first + i]);
    append_part(carried, fields[number].name());
    append_part(carried, list);
  }
  return carried;
}

// Alerts of lower correlations become matches; those may raise alerts that feed others again.
void Correlator::Inner::feed_above() {
  for (std::size_t i = 0; i < below.size(); ++i) {
    const FromBelow from = std::move(below[i]);
    ++sightings;
    values.clear();
    root = nullptr;
    from_lower = &from;
    Occurrence occurrence;
    occurrence.time = from.time;
    occurrence.from_below = true;
    occurrence.under = from.under;
    occurrence.place = texts.keep(from.evidence);
    occurrence.subjects = texts.keep(from.subjects);
    wanted.clear();
    for (const Feed& one : nodes[from.correlation].above) wanted.push_back(&one);
    const std::vector<const Feed*> all = wanted;
    feed(all, occurrence, false);
    texts.drop(occurrence.place);
    texts.drop(occurrence.subjects);
    from_lower = nullptr;
  }
  below.clear();
}

// --- the public face ---

Correlator::Correlator(std::shared_ptr<const Engine> engine, Options options) : inner_(std::make_unique<Inner>(std::move(engine), options)) {}
Correlator::~Correlator() = default;
Correlator::Correlator(Correlator&&) noexcept = default;
Correlator& Correlator::operator=(Correlator&&) noexcept = default;

void Correlator::see(const Observation& observation, std::vector<CorrelationAlert>& out) {
  inner_->sink = &out;
  inner_->see(observation);
}

void Correlator::advance(Time newest, std::vector<CorrelationAlert>& out) {
  inner_->sink = &out;
  const std::int64_t time = micros(newest);
  for (auto& [name, reached] : inner_->sources) reached = std::max(reached, time);
  inner_->newest = std::max(inner_->newest, time);
  inner_->slowest = std::max(inner_->slowest, time);
  inner_->move_watermark();
}

void Correlator::finish(std::vector<CorrelationAlert>& out) {
  inner_->sink = &out;
  inner_->finish();
}

void Correlator::adopt(std::shared_ptr<const Engine> engine) {
  const std::string state = inner_->save();
  const Statistics counts = inner_->counts;
  auto next = std::make_unique<Inner>(std::move(engine), inner_->options);
  // What was written a moment ago can be read; if it could not, empty windows are the honest state.
  if (auto restored = next->restore(state); !restored) next->clear();
  next->counts = counts;
  inner_ = std::move(next);
}

std::string Correlator::save() const { return inner_->save(); }

Result<void> Correlator::restore(std::string_view bytes) { return inner_->restore(bytes); }

Correlator::Statistics Correlator::statistics() const {
  const Inner& inner = *inner_;
  Statistics out = inner.counts;
  out.groups = inner.live_groups;
  out.entries = inner.live_entries;
  out.bytes = inner.table.capacity() * sizeof(inner.table[0]) + inner.heap.capacity() * sizeof(inner.heap[0]) + inner.texts.bytes() +
              inner.groups.size() * sizeof(Group);
  for (const Group& group : inner.groups) {
    out.bytes += group.entries.bytes();
    if (group.key.capacity() > std::string().capacity()) out.bytes += group.key.capacity() + 1;
    if (group.window) out.bytes += bytes(*group.window);
    if (group.sketch) out.bytes += group.sketch->bytes();
    if (!group.alerts) continue;
    for (const LiveAlert& alert : *group.alerts) {
      out.bytes += sizeof(alert) + alert.id.capacity() + alert.listed.capacity() * sizeof(Entry);
      for (const std::string& subject : alert.subjects) out.bytes += subject.capacity() + sizeof(subject) + 2 * sizeof(void*);
      if (alert.more_subjects) out.bytes += alert.more_subjects->bytes();
    }
  }
  return out;
}

}  // namespace tocsin::rules::sigma
