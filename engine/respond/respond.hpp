// From findings to a closed matter: alerts, incidents, duties and tasks, and every decision about them.
//
//   Respond respond({.database = db, .clock = clock, .counsel = *counsel, .people = &people,
//                    .record = [&](Transaction& tx, const Entry& e) { … ledger.record(tx, e) … },
//                    .tell = [&](auto kind, auto id) { feed.tell(kind, id); }});
//   db.write([&](Transaction& tx) -> Result<void> { return respond.apply(tx, findings, now) … });   // detection
//   respond.triage(17, {.by = "anna", .reason = "tested by us"}, AlertState::kFalsePositive);       // people
//
// What people decide is written together with its history rows and its ledger entry in one transaction: if the
// ledger refuses, nothing is decided (kUnavailable). Detection (apply, tick) observes rather than decides and goes
// on without the ledger.
//
// Thread-safe: every change is serialised by the database's one writer. Methods without a Transaction open their
// own and MUST NOT be called inside Database::write. Errors of all decisions: kNotFound, kConflict (the state does
// not allow it, or it was changed meanwhile), kInvalid (a reason or proof is missing or too long), kUnavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "engine/respond/counsel.hpp"
#include "engine/respond/decision.hpp"
#include "engine/respond/facts.hpp"
#include "engine/respond/people.hpp"
#include "engine/respond/states.hpp"
#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/alert_store.hpp"
#include "storage/finding.hpp"
#include "storage/incident_store.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/task_store.hpp"

namespace tocsin::engine {

// Who decides, and why. `version` is the one the person saw: if given, a change made meanwhile is a kConflict.
struct By {
  std::string by;
  std::string reason;
  std::optional<std::int64_t> version;
};

class Respond {
 public:
  static constexpr std::size_t kMaxReason = 4000;    // bytes
  static constexpr std::size_t kMaxTitle = 300;
  static constexpr std::size_t kMaxSummary = 20'000;
  static constexpr std::size_t kMaxBulk = 500;       // alerts in one triage or promotion
  static constexpr Duration kMaxSilence = std::chrono::hours(24 * 366);

  struct Deps {
    storage::Database& database;
    const Clock& clock;
    const Counsel& counsel;
    const PeopleSource* people = nullptr;  // null: numbers come from the findings alone
    Recorder record;                       // empty: no ledger (replay)
    Teller tell;                           // empty: nobody listens
    // Whether a login exists, for assignees and owners. Empty: any will do.
    std::function<bool(std::string_view login)> user_exists;
    // Facts that hold for every incident of this organisation, nested as in facts.hpp:
    // {"facts": {"controller": "yes", "eu_establishment": "yes"}}. A person can overrule them per incident.
    boost::json::object standing_facts;
    // When the first notice of an incident left, if one did. Empty: nobody tells.
    std::function<std::optional<Time>(storage::Reader&, std::int64_t incident)> first_told;
    // What else stands against closing an incident, one clause each ("a notice is being sent"). May be empty.
    std::function<std::vector<std::string>(storage::Reader&, std::int64_t incident)> obstacles;
  };

  // Brings all the tables of the workflow to their newest version. Before anything else.
  [[nodiscard]] static Result<void> migrate(storage::Database& database);

  explicit Respond(Deps deps) : deps_(std::move(deps)) {}

  // Detection ---------------------------------------------------------------------------------------------------
  struct Applied {
    std::vector<std::int64_t> opened;   // alerts that did not exist before
    std::vector<std::int64_t> changed;  // all alerts that this touched, opened ones included
    std::uint64_t silenced = 0;         // findings kept back by a silence
    std::uint64_t repeated = 0;         // findings that said nothing new
  };
  // Takes findings into alerts, in the caller's transaction. A finding known by its id grows: with its alert, also
  // where that is a false positive. What goes on after its alert or incident was closed rings again, as a new
  // alert that names the former one. Findings that match a silence are kept and counted there.
  [[nodiscard]] Result<Applied> apply(storage::Transaction& tx, std::span<const storage::Finding> findings, Time now);

  // What time brings; call it every few seconds. Takes what apply() has found into the facts and duties of open
  // incidents (there rather than in apply(), because counting people may take long and detection must not wait),
  // notices that people have been told, and notes duties that have become late. Returns when the next one will.
  [[nodiscard]] Result<std::optional<Time>> tick(Time now);

  // Alerts ------------------------------------------------------------------------------------------------------
  // A reason is required for false_positive and closed, and for reopening those.
  [[nodiscard]] Result<storage::Alert> triage(std::int64_t alert, const By& by, storage::AlertState to);
  // All or none.
  [[nodiscard]] Result<std::vector<storage::Alert>> triage(std::span<const std::int64_t> alerts, const By& by,
                                                           storage::AlertState to);
  // Empty = nobody. No reason needed.
  [[nodiscard]] Result<storage::Alert> assign(std::int64_t alert, const By& by, const std::string& assignee);

  struct Promotion {
    std::vector<std::int64_t> alerts;
    std::string title;                      // empty = the first alert's
    bool confirm = false;                   // as a personal-data breach: the clocks start
    std::optional<Time> aware_at;           // with confirm; default now
    std::optional<std::int64_t> incident;   // add to this one instead of opening a new one
  };
  // Makes alerts an incident, with the facts that they and their people show. Reason required.
  [[nodiscard]] Result<storage::Incident> promote(const Promotion& promotion, const By& by);

  // The id is given. Reason, an end within kMaxSilence, and at least one of rule, actor and dataset required.
  [[nodiscard]] Result<storage::Silence> silence(storage::Silence silence, const By& by);
  [[nodiscard]] Result<storage::Silence> end_silence(std::int64_t silence, const By& by);

  // Incidents ---------------------------------------------------------------------------------------------------
  struct Step {
    storage::IncidentState to = storage::IncidentState::kConfirmed;
    std::optional<Time> aware_at;  // of confirming: since when there was reasonable certainty; default now
    bool override_open = false;    // of closing: although tasks or duties are open; the reason says why
  };
  // Reason required, except for containing and recovering.
  [[nodiscard]] Result<storage::Incident> step(std::int64_t incident, const By& by, const Step& step);

  struct Edit {
    std::optional<std::string> title;
    std::optional<std::string> summary;
    boost::json::object facts;  // nested as in facts.hpp; null forgets a fact
  };
  // Changes words and facts; duties are derived anew, and none that ran is dropped without a row in the history.
  // Reason required where facts change.
  [[nodiscard]] Result<storage::Incident> edit(std::int64_t incident, const By& by, const Edit& edit);

  struct DutyDecision {
    storage::DutyState to = storage::DutyState::kDone;  // kDone, kNotApplicable, or kRunning: take it back
    std::string reference;         // done: where the proof is (or the reason says it)
    std::optional<Time> done_at;   // done: default now
  };
  [[nodiscard]] Result<storage::Duty> decide(std::int64_t incident, std::int64_t duty, const By& by,
                                             const DutyDecision& decision);

  // Said by the notifier when the first notices of an incident have gone out: starts the clocks and tasks that
  // run from there. In the caller's transaction.
  [[nodiscard]] Result<void> people_told(storage::Transaction& tx, std::int64_t incident, Time when);

  // Tasks -------------------------------------------------------------------------------------------------------
  struct NewTask {
    std::int64_t incident = 0;
    std::string title;
    std::string detail;
    std::string owner;
    std::optional<Time> due;
    std::string asked_proof;
  };
  [[nodiscard]] Result<storage::Task> add_task(const NewTask& task, const By& by);

  struct TaskChange {
    std::optional<storage::TaskState> state;
    std::optional<std::string> title;
    std::optional<std::string> detail;
    std::optional<std::string> owner;                // empty = nobody
    std::optional<std::optional<Time>> due;          // outer: change it; inner: to this, or to none
    std::optional<std::string> proof;
  };
  // Done needs a proof or a reason; dropping and reopening need a reason.
  [[nodiscard]] Result<storage::Task> change_task(std::int64_t task, const By& by, const TaskChange& change);

  // People ------------------------------------------------------------------------------------------------------
  [[nodiscard]] Result<std::vector<storage::Scope>> scope_of_alert(storage::Reader& reader, std::int64_t alert) const;
  [[nodiscard]] Result<std::vector<storage::Scope>> scope_of_incident(storage::Reader& reader,
                                                                      std::int64_t incident) const;
  // The people of a scope; without a PeopleSource, what the exposure of the alerts says.
  [[nodiscard]] Result<PeopleSummary> people(storage::Reader& reader, std::span<const storage::Alert> alerts) const;

  [[nodiscard]] const Deps& deps() const noexcept { return deps_; }

 private:
  Result<void> refresh(std::int64_t incident, Time now);
  Result<void> catch_up(Time now);
  Result<void> triage_one(Decision& decision, std::int64_t alert, std::optional<std::int64_t> version,
                          storage::AlertState to, std::vector<storage::Alert>& out);
  Result<void> confirm(Decision& decision, storage::Incident& incident, std::optional<Time> aware_at);
  Result<void> close(Decision& decision, storage::Incident& incident, bool override_open);
  Result<void> step_inside(Decision& decision, storage::Incident& incident, const Step& step);
  // Facts that the alerts show; those that a person gave stay. True if any changed.
  Result<bool> refresh_facts(Decision& decision, const storage::Incident& incident);
  Result<bool> put_fact(Decision& decision, std::int64_t incident, std::span<const storage::Fact> known,
                        std::string_view name, const std::optional<std::string>& value, std::string_view by);
  // Severity and duties from the facts as they are stored now. Changes `incident` (not written).
  Result<void> reassess(Decision& decision, storage::Incident& incident);
  Result<void> merge_duty(Decision& decision, const storage::Incident& incident, const storage::Duty* known,
                          storage::Duty assessed);
  Result<void> add_playbook(Decision& decision, const storage::Incident& incident);
  Result<void> anchor_tasks(Decision& decision, const storage::Incident& incident, std::string_view anchor, Time when);
  Result<void> note_time(Decision& decision, const storage::Incident& incident, std::string_view anchor, Time when);

  Deps deps_;
  std::mutex stale_mutex_;
  std::set<std::int64_t> stale_;  // incidents with news from apply(); guarded by stale_mutex_
  bool all_stale_ = true;         // nothing is known of what happened before this start; guarded by stale_mutex_
};

}  // namespace tocsin::engine
