// Plain loops over everything that ever happened.
#include "tests/oracle/correlation_oracle.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "rules/sigma/correlation_hash.hpp"
#include "rules/sigma/scalar.hpp"

namespace tocsin::rules::sigma {
namespace {

bool temporal(CorrelationType type) { return type == CorrelationType::kTemporal || type == CorrelationType::kTemporalOrdered; }

void texts_of(const Value& value, std::vector<std::string>& out) {
  std::array<char, 32> buffer{};
  switch (value.kind()) {
    case Kind::kAbsent:
    case Kind::kNull: return;
    case Kind::kArray:
      for (const Value& item : value.items()) texts_of(item, out);
      return;
    case Kind::kObject: {
      std::string json;
      write_json(value, json);
      out.push_back(json);
      return;
    }
    default: out.emplace_back(scalar_text(value, buffer));
  }
}

// Every way to take one of each list.
std::vector<std::vector<std::string>> combinations(const std::vector<std::vector<std::string>>& lists) {
  std::vector<std::vector<std::string>> out = {{}};
  for (const auto& list : lists) {
    std::vector<std::vector<std::string>> longer;
    for (const auto& begun : out) {
      for (const std::string& one : list) {
        longer.push_back(begun);
        longer.back().push_back(one);
      }
    }
    out = std::move(longer);
  }
  return out;
}

bool holds_expression(const Condition& condition, const std::function<bool(const std::string&)>& seen) {
  const auto part = [&](const Condition& one) { return holds_expression(one, seen); };
  switch (condition.kind) {
    case Condition::Kind::kName: return seen(condition.name);
    case Condition::Kind::kAnd: return std::all_of(condition.parts.begin(), condition.parts.end(), part);
    case Condition::Kind::kOr: return std::any_of(condition.parts.begin(), condition.parts.end(), part);
    case Condition::Kind::kNot: return !part(condition.parts.front());
    default: return false;
  }
}

}  // namespace

CorrelationOracle::CorrelationOracle(const Engine& engine, Duration lateness) : engine_(engine), lateness_(lateness.count()) {
  const auto& all = engine.correlations();
  groups_.resize(all.size());
  delay_.assign(all.size(), 0);
  rank_.assign(all.size(), 0);
  std::vector<bool> placed(all.size(), false);
  std::vector<std::uint32_t> order;
  const auto ready = [&](std::uint32_t i) {
    return std::all_of(all[i].inputs.begin(), all[i].inputs.end(), [&](const auto& input) { return !input.correlation || placed[input.index]; });
  };
  // Lower ones first; among those that become ready together, the order in which they did.
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (std::none_of(all[i].inputs.begin(), all[i].inputs.end(), [](const auto& input) { return input.correlation; })) order.push_back(i);
  }
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::uint32_t index = order[at];
    placed[index] = true;
    rank_[index] = static_cast<std::uint32_t>(at);
    for (const auto& input : all[index].inputs) {
      if (!input.correlation) continue;
      const CompiledCorrelation& low = all[input.index];
      delay_[index] = std::max(delay_[index], delay_[input.index] + (low.whole_windows ? low.rule->timespan.count() : 0));
    }
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (std::find(order.begin(), order.end(), i) == order.end() && ready(i)) order.push_back(i);
    }
  }
}

std::uint64_t CorrelationOracle::order_of(std::uint32_t correlation, const std::vector<std::string>& key) const {
  const std::uint64_t identity = hash_of(engine_.correlations()[correlation].fingerprint, 1);
  std::uint64_t hash = identity;
  for (const std::string& part : key) hash = combine(hash, hash_of(part, identity));
  return hash;
}

std::string CorrelationOracle::field_name(std::uint32_t correlation, std::uint32_t input, const std::string& name) const {
  const Correlation& rule = *engine_.correlations()[correlation].rule;
  for (const Alias& alias : rule.aliases) {
    if (alias.name != name) continue;
    for (const Alias::Field& field : alias.fields) {
      if (field.rule == rule.rules[input]) return field.field;
    }
  }
  return name;
}

void CorrelationOracle::see(const Event& event, Time time, std::span<const Match> matches, std::uint64_t line) {
  auto what = std::make_shared<Happening>();
  what->time = to_micros(time);
  what->serial = ++serial_;
  what->lines = {line};
  auto fields = std::make_shared<Fields>();
  if (event.root.kind() == Kind::kObject) {
    for (const Field& field : event.root.fields()) texts_of(field.value, (*fields)[std::string(field.key)]);
  }
  what->fields = fields;
  newest_ = std::max(newest_, what->time);
  watermark_ = newest_ - lateness_;
  close_until(watermark_);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> feeds;
  for (const Match& match : matches) {
    for (std::uint32_t c = 0; c < engine_.correlations().size(); ++c) {
      const auto& inputs = engine_.correlations()[c].inputs;
      for (std::uint32_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].correlation && inputs[i].index == match.index) feeds.emplace_back(c, i);
      }
    }
  }
  happen(what, feeds, what->time < watermark_);
  feed_above();
}

void CorrelationOracle::finish() {
  close_until(INT64_MAX);
  feed_above();
}

void CorrelationOracle::happen(const std::shared_ptr<const Happening>& what, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& feeds, bool too_late) {
  for (std::uint32_t c = 0; c < engine_.correlations().size(); ++c) {
    std::vector<std::uint32_t> inputs;
    for (const auto& [correlation, input] : feeds) {
      if (correlation == c) inputs.push_back(input);
    }
    if (!inputs.empty()) feed(c, inputs, what, too_late);
  }
}

void CorrelationOracle::feed(std::uint32_t correlation, const std::vector<std::uint32_t>& inputs, const std::shared_ptr<const Happening>& what, bool too_late) {
  const CompiledCorrelation& compiled = engine_.correlations()[correlation];
  const Correlation& rule = *compiled.rule;
  std::map<std::vector<std::string>, Fact> made;
  for (const std::uint32_t input : inputs) {
    const auto all_of = [&](const std::vector<std::string>& names) {
      std::vector<std::vector<std::string>> lists;
      for (const std::string& name : names) {
        const auto at = what->fields->find(field_name(correlation, input, name));
        lists.push_back(at == what->fields->end() ? std::vector<std::string>{} : at->second);
      }
      return combinations(lists);
    };
    std::vector<std::string> values;
    for (const auto& tuple : all_of(rule.fields)) {
      if (rule.fields.empty()) break;
      std::string joined;
      for (const std::string& one : tuple) joined += one + "\x1f";
      if (rule.type != CorrelationType::kValueCount) {
        joined = tuple.front();
        const auto number = parse_number(joined);
        if (!number || !std::isfinite(number->real)) continue;
      }
      values.push_back(joined);
    }
    if (!rule.fields.empty() && values.empty()) continue;
    for (const auto& key : all_of(rule.group_by)) {
      Fact& fact = made[key];
      if (!fact.inputs.empty() && !temporal(rule.type)) continue;
      fact.what = what;
      fact.inputs.insert(input);
      fact.values = values;
    }
  }
  for (auto& [key, fact] : made) {
    Group& group = groups_[correlation][key];
    if (too_late || what->under) group.under_until = std::max(group.under_until, what->time + rule.timespan.count());
    if (too_late) continue;
    const auto at = std::upper_bound(group.facts.begin(), group.facts.end(), what->time, [](std::int64_t time, const Fact& one) { return time < one.what->time; });
    group.facts.insert(at, fact);
    if (!compiled.whole_windows) slide(correlation, key, fact);
  }
}

std::vector<const CorrelationOracle::Fact*> CorrelationOracle::window(const Group& group, std::int64_t from, std::int64_t to) const {
  std::vector<const Fact*> out;
  for (const Fact& fact : group.facts) {
    if (fact.what->time >= from && fact.what->time <= to) out.push_back(&fact);
  }
  return out;
}

// The value that the condition is held against; none where there is nothing to compare.
std::optional<double> CorrelationOracle::value(std::uint32_t correlation, const std::vector<const Fact*>& facts, bool& held) const {
  const CompiledCorrelation& compiled = engine_.correlations()[correlation];
  const Correlation& rule = *compiled.rule;
  double result = 0;
  std::vector<double> numbers;
  std::set<std::string> distinct;
  std::set<std::uint32_t> seen;
  for (const Fact* fact : facts) {
    for (const std::string& text : fact->values) {
      distinct.insert(text);
      if (rule.type != CorrelationType::kValueCount) numbers.push_back(parse_number(text)->real);
    }
    seen.insert(fact->inputs.begin(), fact->inputs.end());
  }
  std::sort(numbers.begin(), numbers.end());
  const auto percentile = [&](double p) {
    const double rank = p * static_cast<double>(numbers.size() - 1) / 100;
    const auto low = static_cast<std::size_t>(rank);
    const double part = rank - static_cast<double>(low);
    return part == 0 ? numbers[low] : numbers[low] + (numbers[low + 1] - numbers[low]) * part;
  };
  double sum = 0;
  for (const double number : numbers) sum += number;
  switch (rule.type) {
    case CorrelationType::kEventCount: result = static_cast<double>(facts.size()); break;
    case CorrelationType::kValueCount: result = static_cast<double>(distinct.size()); break;
    case CorrelationType::kTemporal: result = static_cast<double>(seen.size()); break;
    case CorrelationType::kTemporalOrdered: {
      // Tries every choice of different events in order of time.
      std::set<std::uint64_t> taken;
      std::function<std::size_t(std::uint32_t, std::int64_t)> longest = [&](std::uint32_t place, std::int64_t from) -> std::size_t {
        if (place == rule.rules.size()) return place;
        std::size_t best = place;
        for (const Fact* fact : facts) {
          if (fact->what->time < from || !fact->inputs.contains(place) || taken.contains(fact->what->serial)) continue;
          taken.insert(fact->what->serial);
          best = std::max(best, longest(place + 1, fact->what->time));
          taken.erase(fact->what->serial);
          if (best == rule.rules.size()) break;
        }
        return best;
      };
      result = static_cast<double>(longest(0, INT64_MIN));
      break;
    }
    case CorrelationType::kValueSum: result = sum; break;
    case CorrelationType::kValueAvg: result = sum / static_cast<double>(numbers.size()); break;
    case CorrelationType::kValuePercentile: result = percentile(rule.percentile); break;
    case CorrelationType::kValueMedian: result = percentile(50); break;
  }
  if (facts.empty()) return std::nullopt;
  if (rule.expression) {
    held = holds_expression(*rule.expression, [&](const std::string& name) {
      const auto at = std::find(rule.rules.begin(), rule.rules.end(), name);
      return seen.contains(static_cast<std::uint32_t>(at - rule.rules.begin()));
    });
  } else {
    held = holds(compiled.bounds, result);
  }
  return result;
}

std::size_t CorrelationOracle::raise(std::uint32_t correlation, const std::vector<std::string>& key, const std::vector<const Fact*>& facts, double value, bool under, Range range) {
  OracleAlert alert;
  alert.correlation = correlation;
  alert.group = key;
  alert.raised_value = value;
  alert.raised_under = under;
  auto what = std::make_shared<Happening>();
  for (const Fact* fact : facts) {
    alert.events.insert(fact->what->lines.begin(), fact->what->lines.end());
  }
  alert.raised_events = alert.events;
  what->time = facts.back()->what->time;
  what->serial = ++serial_;
  what->lines = alert.events;
  what->under = under;
  auto fields = std::make_shared<Fields>(*facts.back()->what->fields);
  const auto& group_by = engine_.correlations()[correlation].rule->group_by;
  for (std::size_t i = group_by.size(); i-- > 0;) (*fields)[group_by[i]] = {key[i]};
  what->fields = fields;
  below_.push_back({correlation, what});
  alerts_.push_back(std::move(alert));
  ranges_.push_back(range);
  return alerts_.size() - 1;
}

void CorrelationOracle::feed_above() {
  while (!below_.empty()) {
    const Below from = below_.front();
    below_.erase(below_.begin());
    std::vector<std::pair<std::uint32_t, std::uint32_t>> feeds;
    for (std::uint32_t c = 0; c < engine_.correlations().size(); ++c) {
      const auto& inputs = engine_.correlations()[c].inputs;
      for (std::uint32_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].correlation && inputs[i].index == from.correlation) feeds.emplace_back(c, i);
      }
    }
    happen(from.what, feeds, false);
  }
}

// A match has come at `added`: the windows that it falls into are judged, one end after another.
void CorrelationOracle::slide(std::uint32_t correlation, const std::vector<std::string>& key, const Fact& added) {
  Group& group = groups_[correlation][key];
  const std::int64_t span = engine_.correlations()[correlation].rule->timespan.count();
  const std::int64_t time = added.what->time;
  std::set<std::int64_t> ends;
  for (const Fact& fact : group.facts) ends.insert(fact.what->time);
  std::set<std::size_t> told;
  for (auto at = ends.lower_bound(time); at != ends.end() && *at <= time + span; ++at) {
    const std::int64_t end = *at;
    const auto facts = window(group, end - span, end);
    bool held = false;
    const auto now = value(correlation, facts, held);
    if (!now || !held) continue;
    std::optional<std::size_t> alert;
    if (const auto own = group.tagged.find(end); own != group.tagged.end()) alert = own->second;
    if (!alert && at != ends.begin() && end - *std::prev(at) <= span) {
      if (const auto before = group.tagged.find(*std::prev(at)); before != group.tagged.end()) alert = before->second;
    }
    if (!alert && std::next(at) != ends.end() && *std::next(at) - end <= span) {
      if (const auto after = group.tagged.find(*std::next(at)); after != group.tagged.end()) alert = after->second;
    }
    if (!alert) {
      alert = raise(correlation, key, facts, *now, end <= group.under_until, {end - span, end});
    } else {
      Range& range = ranges_[*alert];
      const bool inside = time >= range.from && time <= range.to;
      std::set<std::uint64_t>& events = alerts_[*alert].events;
      if (inside) events.insert(added.what->lines.begin(), added.what->lines.end());
      const Range wider = {std::min(range.from, end - span), std::max(range.to, end)};
      for (const Fact* fact : window(group, wider.from, wider.to)) {
        if (fact->what->time < range.from || fact->what->time > range.to) events.insert(fact->what->lines.begin(), fact->what->lines.end());
      }
      range = wider;
    }
    group.tagged[end] = *alert;
  }
}

// Closes what is over, earliest first and lower correlations first; what that raises is fed upwards before going on.
void CorrelationOracle::close_until(std::int64_t watermark) {
  for (;;) {
    std::optional<std::tuple<std::int64_t, std::uint32_t, std::uint64_t>> best;
    std::uint32_t correlation = 0;
    std::vector<std::string> key;
    std::int64_t begin = 0;
    for (std::uint32_t c = 0; c < groups_.size(); ++c) {
      if (!engine_.correlations()[c].whole_windows) continue;
      for (const auto& [name, group] : groups_[c]) {
        for (const Fact& fact : group.facts) {
          if (group.judged.contains(fact.what->time)) continue;
          const std::int64_t due = fact.what->time + engine_.correlations()[c].rule->timespan.count() + delay_[c];
          const std::tuple<std::int64_t, std::uint32_t, std::uint64_t> order(due, rank_[c], order_of(c, name));
          if (due < watermark && (!best || order < *best)) {
            best = order;
            correlation = c;
            key = name;
            begin = fact.what->time;
          }
          break;  // later ones are due later
        }
      }
    }
    if (!best) return;
    judge_whole(correlation, key, begin);
    feed_above();
  }
}

void CorrelationOracle::judge_whole(std::uint32_t correlation, const std::vector<std::string>& key, std::int64_t begin) {
  Group& group = groups_[correlation][key];
  const std::int64_t span = engine_.correlations()[correlation].rule->timespan.count();
  group.judged.insert(begin);
  const auto facts = window(group, begin, begin + span);
  const std::int64_t end = facts.back()->what->time;
  const auto contains_it = [&](const Fact& fact) { return fact.what->time < begin && fact.what->time + span >= end; };
  if (std::any_of(group.facts.begin(), group.facts.end(), contains_it)) return;  // part of a window that began earlier
  bool held = false;
  const auto now = value(correlation, facts, held);
  if (!now || !held) {
    group.running.reset();
  } else if (group.running && begin <= group.running_end) {
    for (const Fact* fact : facts) alerts_[*group.running].events.insert(fact->what->lines.begin(), fact->what->lines.end());
  } else {
    group.running = raise(correlation, key, facts, *now, begin <= group.under_until, {begin, end});
  }
  group.running_end = end;
}

}  // namespace tocsin::rules::sigma
