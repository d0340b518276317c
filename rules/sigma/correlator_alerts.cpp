// Alerts: what they rest on, when they are told, and what they hand to correlations above.
#include <algorithm>
#include <cstring>
#include <utility>

#include "rules/base/bytes.hpp"
#include "rules/sigma/correlator_inner.hpp"

namespace tocsin::rules::sigma {
namespace {

// The evidence that an alert hands upwards, as parts: a head, then for each event its rule, source, file and numbers.
struct EvidenceHead {
  std::uint64_t events = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};
struct EvidenceNumbers {
  std::int64_t time = 0;
  std::uint64_t line = 0;
  std::uint64_t seq = 0;
};

template <class T>
std::string_view raw(const T& value) noexcept { return {reinterpret_cast<const char*>(&value), sizeof(T)}; }
template <class T>
bool read_raw(std::string_view part, T& value) noexcept {
  if (part.size() != sizeof(T)) return false;
  std::memcpy(&value, part.data(), sizeof(T));
  return true;
}

std::string write_evidence(const CorrelationAlert& alert) {
  std::string out;
  append_part(out, raw(EvidenceHead{alert.event_count, to_micros(alert.first), to_micros(alert.last)}));
  for (const EvidenceEvent& event : alert.events) {
    append_part(out, event.rule == nullptr ? std::string_view() : std::string_view(event.rule->key()));
    append_part(out, event.source);
    append_part(out, event.file);
    append_part(out, raw(EvidenceNumbers{to_micros(event.time), event.line, event.seq}));
  }
  return out;
}

EvidenceHead head_of(std::string_view evidence) noexcept {
  EvidenceHead head;
  std::string_view part;
  if (!next_part(evidence, part) || !read_raw(part, head)) return {};
  return head;
}

// The rule of that key below a correlation.
const Description* rule_below(const Engine& engine, const CompiledCorrelation& correlation, std::string_view key) {
  for (const auto& input : correlation.inputs) {
    if (input.correlation) {
      if (const auto* found = rule_below(engine, engine.correlations()[input.index], key); found != nullptr) return found;
    } else if (const Rule& rule = *engine.rules()[input.index].rule; rule.key() == key) {
      return &rule;
    }
  }
  return nullptr;
}

}  // namespace

LiveAlert* Correlator::Inner::find_alert(Group& group, std::uint32_t number) {
  if (!group.alerts) return nullptr;
  for (std::size_t i = group.alerts->size(); i-- > 0;) {
    if ((*group.alerts)[i].number == number) return &(*group.alerts)[i];
  }
  return nullptr;
}

void Correlator::Inner::rest_on(LiveAlert& alert, const Entry& entry) {
  if ((entry.flags & Entry::kContinues) != 0) return;
  EvidenceHead head{1, entry.time, entry.time};
  if ((entry.flags & Entry::kFromBelow) != 0) head = head_of(texts[entry.place]);
  alert.events += head.events;
  const bool older = alert.older > 0;  // of a window that holds more than can be listed; the newest tell more
  if (older) --alert.older;
  alert.first = std::min(alert.first, head.first);
  alert.last = std::max(alert.last, head.last);
  if (!older && alert.listed.size() < CorrelationAlert::kMaxEvents && listed_entries < options.limits.listed) {
    alert.listed.push_back(entry);
    texts.keep(entry.place);
    texts.keep(entry.subjects);
    ++listed_entries;
  }
  std::string_view rest = texts[entry.subjects];
  std::string_view subject;
  while (next_part(rest, subject)) {
    if (alert.subjects.size() < CorrelationAlert::kMaxSubjects) {
      alert.subjects.emplace(subject);
      continue;
    }
    if (!alert.more_subjects) {
      alert.more_subjects = std::make_unique<SlidingSketch>(INT64_MAX / 4);
      for (const std::string& known : alert.subjects) alert.more_subjects->enter(hash_of(known, options.seed), 0);
    }
    alert.more_subjects->enter(hash_of(subject, options.seed), 0);
  }
}

void Correlator::Inner::rest_on(Group& group, LiveAlert& alert, std::int64_t from, std::int64_t to) {
  for (std::uint32_t i = group.entries.after(from - 1); i < group.entries.size() && group.entries[i].time <= to; ++i) rest_on(alert, group.entries[i]);
}

void Correlator::Inner::release(LiveAlert& alert) {
  for (const Entry& entry : alert.listed) {
    texts.drop(entry.place);
    texts.drop(entry.subjects);
  }
  listed_entries -= alert.listed.size();
  alert.listed.clear();
}

void Correlator::Inner::raise(std::uint32_t index, std::int64_t from, std::int64_t to, std::uint32_t last, const Verdict& verdict, bool under) {
  Group& group = groups[index];
  const CorrelationNode& node = nodes[group.correlation];
  if (!group.alerts) group.alerts = std::make_unique<std::vector<LiveAlert>>();
  // Those that nothing can touch any more.
  const std::int64_t oldest = clock == INT64_MIN ? INT64_MIN : clock - node.delay - node.timespan;
  std::erase_if(*group.alerts, [&](LiveAlert& alert) {
    if (alert.to >= oldest) return false;
    if (alert.events != alert.told) tell(group, alert, CorrelationAlert::Change::kUpdated);
    release(alert);
    return true;
  });
  LiveAlert alert;
  alert.number = ++group.alerts_made;
  std::string identity;
  append_part(identity, node.compiled->fingerprint);
  append_part(identity, group.key);
  append_part(identity, raw(to));
  alert.id = to_hex(sha256(identity)).substr(0, 32);
  alert.from = from;
  alert.to = to;
  alert.value = verdict.value;
  alert.under = under;
  alert.estimated = verdict.estimated;
  alert.added_in = additions;
  std::size_t count = 0;
  const std::uint32_t first = group.entries.after(from - 1);
  for (std::uint32_t i = first; i < group.entries.size() && group.entries[i].time <= to; ++i) {
    if ((group.entries[i].flags & Entry::kContinues) == 0) ++count;
  }
  if (count > CorrelationAlert::kMaxEvents) alert.older = count - CorrelationAlert::kMaxEvents;
  rest_on(group, alert, from, to);
  tell(group, alert, CorrelationAlert::Change::kRaised);
  if (!node.above.empty()) {
    const CorrelationAlert told = describe(group, alert);
    FromBelow up;
    up.correlation = group.correlation;
    up.key = group.key;
    up.carried = texts[group.entries[last].carried];
    up.evidence = write_evidence(told);
    for (const std::string& subject : told.subjects) append_part(up.subjects, subject);
    up.time = group.entries[last].time;
    up.under = under;
    below.push_back(std::move(up));
  }
  group.alerts->push_back(std::move(alert));
}

void Correlator::Inner::go_on(std::uint32_t index, std::uint32_t number, std::int64_t from, std::int64_t to, std::int64_t added_time, std::uint32_t added,
                              std::uint32_t count, const Verdict& verdict, bool under) {
  Group& group = groups[index];
  LiveAlert* const alert = find_alert(group, number);
  if (alert == nullptr) return;
  if (alert->added_in != additions && added_time >= alert->from && added_time <= alert->to) {
    for (std::uint32_t i = added; i < added + count; ++i) rest_on(*alert, group.entries[i]);
  }
  alert->added_in = additions;
  if (from < alert->from) {
    rest_on(group, *alert, from, alert->from - 1);
    alert->from = from;
  }
  if (to > alert->to) {
    rest_on(group, *alert, alert->to + 1, to);
    alert->to = to;
  }
  alert->value = verdict.value;
  alert->under = alert->under || under;
  alert->estimated = alert->estimated || verdict.estimated;
}

// Told again when it has grown by a quarter.
void Correlator::Inner::tell_if_grown(std::uint32_t index, std::uint32_t number) {
  Group& group = groups[index];
  LiveAlert* const alert = find_alert(group, number);
  if (alert == nullptr) return;
  constexpr std::uint64_t kGrowth = 4;
  if (alert->events >= alert->told + std::max<std::uint64_t>(1, alert->told / kGrowth)) tell(group, *alert, CorrelationAlert::Change::kUpdated);
}

void Correlator::Inner::fell(std::uint32_t index, std::uint32_t number) {
  Group& group = groups[index];
  LiveAlert* const alert = find_alert(group, number);
  if (alert != nullptr && alert->events != alert->told) tell(group, *alert, CorrelationAlert::Change::kUpdated);
}

void Correlator::Inner::tell(const Group& group, LiveAlert& alert, CorrelationAlert::Change change) {
  alert.told = alert.events;
  if (sink == nullptr || (nodes[group.correlation].compiled->silent && !options.silent_too)) return;
  sink->push_back(describe(group, alert));
  sink->back().change = change;
}

CorrelationAlert Correlator::Inner::describe(const Group& group, const LiveAlert& alert) const {
  const CorrelationNode& node = nodes[group.correlation];
  CorrelationAlert told;
  told.rule = node.compiled->rule.get();
  told.index = group.correlation;
  told.id = alert.id;
  std::string_view rest = group.key;
  std::string_view part;
  for (const std::string& name : told.rule->group_by) {
    if (next_part(rest, part)) told.group.emplace_back(name, part);
  }
  told.value = alert.value;
  told.first = from_micros(alert.first);
  told.last = from_micros(alert.last);
  told.event_count = alert.events;
  told.under_counted = alert.under;
  told.estimated = alert.estimated;
  for (const Entry& entry : alert.listed) {
    if (told.events.size() >= CorrelationAlert::kMaxEvents) break;
    list_evidence(node, entry, told);
  }
  std::stable_sort(told.events.begin(), told.events.end(), [](const EvidenceEvent& a, const EvidenceEvent& b) { return a.time < b.time; });
  told.subjects.assign(alert.subjects.begin(), alert.subjects.end());
  std::sort(told.subjects.begin(), told.subjects.end());
  told.subject_count = told.subjects.size();
  if (alert.more_subjects) {
    // The sketch is asked without being changed; nothing in it ever gets old.
    SlidingSketch asked = *alert.more_subjects;
    told.subject_count = std::max(told.subject_count, static_cast<std::uint64_t>(asked.estimate(0)));
  }
  return told;
}

void Correlator::Inner::list_evidence(const CorrelationNode& node, const Entry& entry, CorrelationAlert& told) const {
  const auto& input = node.compiled->inputs[entry.input];
  std::string_view rest = texts[entry.place];
  EvidenceEvent one;
  std::string_view part;
  if ((entry.flags & Entry::kFromBelow) == 0) {
    if (next_part(rest, part)) one.source = part;
    if (next_part(rest, part)) one.file = part;
    one.line = entry.line;
    one.seq = entry.seq;
    one.time = from_micros(entry.time);
    if (!input.correlation) one.rule = engine->rules()[input.index].rule.get();
    told.events.push_back(std::move(one));
    return;
  }
  if (!next_part(rest, part)) return;  // the head
  EvidenceNumbers numbers_of_event;
  while (told.events.size() < CorrelationAlert::kMaxEvents && next_part(rest, part)) {
    one = EvidenceEvent{};
    if (input.correlation) one.rule = rule_below(*engine, engine->correlations()[input.index], part);
    if (!next_part(rest, part)) return;
    one.source = part;
    if (!next_part(rest, part)) return;
    one.file = part;
    if (!next_part(rest, part) || !read_raw(part, numbers_of_event)) return;
    one.time = from_micros(numbers_of_event.time);
    one.line = numbers_of_event.line;
    one.seq = numbers_of_event.seq;
    told.events.push_back(std::move(one));
  }
}

}  // namespace tocsin::rules::sigma
