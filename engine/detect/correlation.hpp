// Sigma correlations over the records of the pipeline: what single matches add up to, with the people they reached.
// The windows are rules/sigma/correlator.hpp's; here an alert of theirs becomes a finding: who did it, which dataset,
// which records show it, how many people it concerns and how sure that is.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/access/access.hpp"
#include "engine/exposure/reader.hpp"
#include "rules/sigma/correlator.hpp"
#include "storage/finding.hpp"

namespace tocsin::engine {

class CorrelationDetector {
 public:
  static constexpr std::size_t kMaxRemembered = 50'000;      // records of which actor, people and preview are kept
  static constexpr std::size_t kMaxPeoplePerRecord = 1'000;  // named one by one; a record with more counts as a number

  // One form of a record (as it came, or normalised) with the rules that are true for it.
  struct Seen {
    const rules::Event& event;
    std::span<const rules::sigma::Match> matches;  // silent ones included
    const Access& access;
    Time time;
    const storage::Evidence& place;                // without preview
    const std::vector<Reach>& reached;
    const std::function<std::string()>& preview;   // asked for only if the record is kept; safe to show
  };

  CorrelationDetector(std::shared_ptr<const rules::sigma::Engine> engine, rules::sigma::Correlator::Options options);

  // Appends the findings that the record begins or continues.
  void see(const Seen& seen, std::vector<storage::Finding>& out);
  // Moves time on where no record comes.
  void advance(Time newest, std::vector<storage::Finding>& out);
  // The records are at their end: judges every open window.
  void finish(std::vector<storage::Finding>& out);

  // Other rules from now on; windows of correlations that stay the same live on.
  void adopt(std::shared_ptr<const rules::sigma::Engine> engine);

  // Everything remembered, as bytes, and back (ops/docs/formats/correlation-state.md). After a failure of restore()
  // nothing is remembered.
  [[nodiscard]] std::string save() const;
  [[nodiscard]] Result<void> restore(std::string_view bytes);

  [[nodiscard]] rules::sigma::Correlator::Statistics statistics() const { return correlator_.statistics(); }

 private:
  // What an alert will want to say of a record.
  struct Remembered {
    std::string actor;
    std::string dataset;
    std::string preview;
    bool about_people = false;                     // it reached people, or may have
    storage::Grade grade = storage::Grade::kExact;
    bool named = true;                             // its people are among the alert's subjects
    std::uint64_t at_least = 0;
    std::optional<std::uint64_t> at_most;          // where they are not
  };

  void find_feeders();
  void remember(std::string key, Remembered&& what);
  void report(std::vector<storage::Finding>& out);
  [[nodiscard]] storage::Finding finding(const rules::sigma::CorrelationAlert& alert) const;
  [[nodiscard]] std::optional<storage::ExposureSummary> exposure(const rules::sigma::CorrelationAlert& alert,
                                                                 std::span<const Remembered* const> records) const;

  std::shared_ptr<const rules::sigma::Engine> engine_;
  rules::sigma::Correlator::Options options_;
  rules::sigma::Correlator correlator_;
  std::vector<bool> feeds_;  // per rule: a correlation refers to it
  std::unordered_map<std::string, Remembered> remembered_;  // by place
  std::deque<std::string> order_;                           // of remembered_, oldest first
  std::vector<rules::sigma::CorrelationAlert> alerts_;
  std::vector<std::string> names_;
  std::vector<std::string_view> subjects_;
};

}  // namespace tocsin::engine
