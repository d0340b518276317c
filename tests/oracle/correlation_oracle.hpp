// Correlations the slow way: every match is kept forever, and every window is added up anew each time it is looked at.
// Follows the words of rules/sigma/correlator.hpp; shares with the correlator nothing but the order in which windows
// that are over at the same moment are taken.
//
// Fields are members of the event's root only, and limits do not exist.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "rules/sigma/engine.hpp"

namespace tocsin::rules::sigma {

struct OracleAlert {
  std::uint32_t correlation = 0;
  std::vector<std::string> group;
  double raised_value = 0;
  std::set<std::uint64_t> raised_events;  // their lines, when it was raised
  std::set<std::uint64_t> events;         // in the end
  bool raised_under = false;
};

class CorrelationOracle {
 public:
  CorrelationOracle(const Engine& engine, Duration lateness);
  void see(const Event& event, Time time, std::span<const Match> matches, std::uint64_t line);
  void finish();
  [[nodiscard]] const std::vector<OracleAlert>& alerts() const { return alerts_; }

 private:
  using Fields = std::map<std::string, std::vector<std::string>>;
  // What happened at one time: an event, or an alert from below.
  struct Happening {
    std::int64_t time = 0;
    std::uint64_t serial = 0;
    std::set<std::uint64_t> lines;
    std::shared_ptr<const Fields> fields;
    bool under = false;
  };
  struct Fact {
    std::shared_ptr<const Happening> what;
    std::set<std::uint32_t> inputs;
    std::vector<std::string> values;  // tuples joined, or numbers as text
  };
  struct Group {
    std::vector<Fact> facts;                     // in order of time
    std::map<std::int64_t, std::size_t> tagged;  // sliding: end of window → alert
    std::set<std::int64_t> judged;               // whole: begin of window
    std::optional<std::size_t> running;          // whole: alert of the last window judged
    std::int64_t running_end = 0;
    std::int64_t under_until = INT64_MIN;
  };
  struct Range {
    std::int64_t from = 0;
    std::int64_t to = 0;
  };

  void happen(const std::shared_ptr<const Happening>& what, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& feeds, bool too_late);
  void feed(std::uint32_t correlation, const std::vector<std::uint32_t>& inputs, const std::shared_ptr<const Happening>& what, bool too_late);
  void slide(std::uint32_t correlation, const std::vector<std::string>& key, const Fact& added);
  void close_until(std::int64_t watermark);
  void judge_whole(std::uint32_t correlation, const std::vector<std::string>& key, std::int64_t begin);
  [[nodiscard]] std::vector<const Fact*> window(const Group& group, std::int64_t from, std::int64_t to) const;
  [[nodiscard]] std::optional<double> value(std::uint32_t correlation, const std::vector<const Fact*>& facts, bool& holds) const;
  [[nodiscard]] std::size_t raise(std::uint32_t correlation, const std::vector<std::string>& key, const std::vector<const Fact*>& facts, double value, bool under, Range range);
  void feed_above();
  [[nodiscard]] std::string field_name(std::uint32_t correlation, std::uint32_t input, const std::string& name) const;
  [[nodiscard]] std::uint64_t order_of(std::uint32_t correlation, const std::vector<std::string>& key) const;

  const Engine& engine_;
  std::int64_t lateness_;
  std::int64_t newest_ = INT64_MIN;
  std::int64_t watermark_ = INT64_MIN;
  std::vector<std::int64_t> delay_;
  std::vector<std::uint32_t> rank_;
  std::vector<std::map<std::vector<std::string>, Group>> groups_;
  std::vector<OracleAlert> alerts_;
  std::vector<Range> ranges_;  // by alert: what it rests on
  struct Below {
    std::uint32_t correlation;
    std::shared_ptr<const Happening> what;
  };
  std::vector<Below> below_;
  std::uint64_t serial_ = 0;
};

}  // namespace tocsin::rules::sigma
