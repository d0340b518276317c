// Stories for correlations: rules, then events at seconds, then what was raised.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"
#include "rules/sigma/engine.hpp"

namespace tocsin::rules::sigma {

// A rule that matches events whose member `e` is `name`.
inline std::string plain_rule(std::string_view name) {
  return "title: " + std::string(name) + "\nname: " + std::string(name) + "\nlogsource: {category: test}\ndetection: {s: {e: " + std::string(name) + "}, condition: s}\n";
}

// `section` is a flow map: "type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}".
inline std::string plain_correlation(std::string_view name, std::string_view section) {
  return "---\ntitle: " + std::string(name) + "\nname: " + std::string(name) + "\ncorrelation: {" + std::string(section) + "}\n";
}

class Story {
 public:
  explicit Story(const std::string& text, Correlator::Options options = {}) : loaded_(load_rules_text(text)), correlator_(loaded_.engine, options) {
    for (const Report& report : loaded_.reports) {
      if (report.status == Status::kRejected) ADD_FAILURE() << report.text();
    }
  }
  static Loaded load_rules_text(const std::string& text) {
    const RuleSource source{"story.yml", text};
    return load({&source, 1});
  }

  // An event at so many seconds. Its place is its number, unless one is given.
  Story& at(double seconds, std::string_view json, std::vector<std::string_view> subjects = {}, std::uint64_t place = 0, std::string_view source = "s") {
    arena_.reset();
    const auto root = parse_json(json, arena_);
    if (!root) {
      ADD_FAILURE() << root.error().message << ": " << json;
      return *this;
    }
    Event event;
    event.root = *root;
    event.raw = json;
    matches_.clear();
    loaded_.engine->match(event, matches_);
    ++number_;
    correlator_.see({event, time(seconds), matches_, EventPlace{source, "f", place != 0 ? place : number_, 0}, subjects}, alerts_);
    return *this;
  }
  Story& finish() {
    correlator_.finish(alerts_);
    return *this;
  }
  Story& until(double seconds) {
    correlator_.advance(time(seconds), alerts_);
    return *this;
  }
  static Time time(double seconds) { return from_micros(1'800'000'000'000'000 + static_cast<std::int64_t>(seconds * 1e6)); }

  // What has been raised since it was last asked: "name group=value … value [numbers of events]", joined by "; ".
  std::string raised() {
    std::string out;
    for (; asked_ < alerts_.size(); ++asked_) {
      const CorrelationAlert& alert = alerts_[asked_];
      if (alert.change == CorrelationAlert::Change::kRaised) out += (out.empty() ? "" : "; ") + text(alert);
    }
    return out;
  }
  static std::string text(const CorrelationAlert& alert) {
    std::string out = alert.rule->name;
    for (const auto& [field, value] : alert.group) out += " " + field + "=" + value;
    std::array<char, 32> buffer{};
    out += " " + std::string(scalar_text(Value::of(alert.value), buffer)) + " [";
    for (std::size_t i = 0; i < alert.events.size(); ++i) out += (i > 0 ? "," : "") + std::to_string(alert.events[i].line);
    out += "]";
    if (alert.under_counted) out += " under-counted";
    if (alert.estimated) out += " estimated";
    return out;
  }
  [[nodiscard]] const std::vector<CorrelationAlert>& alerts() const { return alerts_; }
  [[nodiscard]] Correlator& correlator() { return correlator_; }
  [[nodiscard]] const Loaded& loaded() const { return loaded_; }
  // Goes over to other rules, as a reload does.
  void reload(const std::string& text) {
    loaded_ = load_rules_text(text);
    correlator_.adopt(loaded_.engine);
  }

 private:
  Loaded loaded_;
  Correlator correlator_;
  Arena arena_;
  std::vector<Match> matches_;
  std::vector<CorrelationAlert> alerts_;
  std::size_t asked_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace tocsin::rules::sigma
