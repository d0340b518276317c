// Tasks: laid out by the playbook, added by people, closed by proof.
#include <algorithm>

#include "engine/respond/checks.hpp"
#include "engine/respond/respond.hpp"

namespace tocsin::engine {

using storage::Incident;
using storage::IncidentStore;
using storage::Task;
using storage::TaskState;
using storage::TaskStore;
using storage::Transaction;

namespace {

std::string time_text(const std::optional<Time>& t) { return t ? format_rfc3339(*t) : std::string(); }

// When the anchor of a playbook was reached, as far as it is known by now.
std::optional<Time> anchor_time(std::string_view anchor, const Incident& incident,
                                std::span<const storage::Fact> facts) {
  if (anchor == "opened") return incident.opened;
  if (anchor == "aware") return incident.aware_at;
  if (anchor == "confirmed") return incident.confirmed_at;
  if (anchor == "contained") return incident.contained_at;
  if (anchor == "people_told") return fact_time(facts, "times.individuals_notified");
  return std::nullopt;
}

Result<std::vector<Task>> tasks_of(storage::Reader& reader, std::int64_t incident, Time now) {
  storage::TaskQuery query;
  query.incident = incident;
  query.limit = TaskStore::kMaxPage;
  return TaskStore::list(reader, query, now);
}

}  // namespace

Result<void> Respond::add_playbook(Decision& decision, const Incident& incident) {
  auto existing = tasks_of(decision.tx(), incident.id, decision.now());
  if (!existing) return pass(std::move(existing));
  auto facts = IncidentStore::facts(decision.tx(), incident.id);
  if (!facts) return pass(std::move(facts));
  for (const rules::law::PlaybookTask& step : deps_.counsel.tasks()) {
    if (std::any_of(existing->begin(), existing->end(), [&](const Task& t) { return t.key == step.key; })) continue;
    Task task;
    task.incident = incident.id;
    task.key = step.key;
    task.title = step.title;
    task.detail = step.detail;
    task.phase = step.phase;
    task.owner_role = step.owner_role;
    if (const auto anchor = anchor_time(step.due_anchor, incident, *facts)) task.due = *anchor + step.due_after;
    task.asked_proof = step.proof;
    task.created = decision.now();
    task.created_by = std::string(kTocsin);
    task.updated = decision.now();
    if (auto done = TaskStore::insert(decision.tx(), task); !done) return done;
    Decision::Why why;
    why.by = std::string(kTocsin);
    why.reason = "the playbook: " + task.title;
    if (auto done = decision.change("task", task.id, incident.id, "state", "", "open", why); !done) return done;
    decision.tell("task", task.id);
  }
  return {};
}

Result<void> Respond::anchor_tasks(Decision& decision, const Incident& incident, std::string_view anchor, Time when) {
  auto tasks = tasks_of(decision.tx(), incident.id, decision.now());
  if (!tasks) return pass(std::move(tasks));
  for (Task& task : *tasks) {
    if (task.key.empty() || task.due || !task.open()) continue;
    for (const rules::law::PlaybookTask& step : deps_.counsel.tasks()) {
      if (step.key != task.key || step.due_anchor != anchor) continue;
      task.due = when + step.due_after;
      task.updated = decision.now();
      ++task.version;
      Decision::Why why;
      why.by = std::string(kTocsin);
      why.reason = "the playbook counts from here";
      if (auto done = decision.change("task", task.id, incident.id, "due", "", time_text(task.due), why); !done) return done;
      if (auto done = TaskStore::update(decision.tx(), task); !done) return done;
      decision.tell("task", task.id);
    }
  }
  return {};
}

Result<Task> Respond::add_task(const NewTask& wanted, const By& by) {
  auto reason = words(by.reason, "reason", kMaxReason, false);
  if (!reason) return pass(std::move(reason));
  auto title = words(wanted.title, "title", kMaxTitle, true);
  if (!title) return pass(std::move(title));
  auto detail = words(wanted.detail, "detail", kMaxSummary, false);
  if (!detail) return pass(std::move(detail));
  auto proof = words(wanted.asked_proof, "proof", kMaxReason, false);
  if (!proof) return pass(std::move(proof));
  if (!wanted.owner.empty() && deps_.user_exists && !deps_.user_exists(wanted.owner)) {
    return fail(Errc::kInvalid, "there is no user of this login", "owner");
  }
  return deps_.database.write([&](Transaction& tx) -> Result<Task> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    auto incident = IncidentStore::incident(tx, wanted.incident);
    if (!incident) return pass(std::move(incident));
    if (!*incident) return missing("incident", wanted.incident);
    if ((*incident)->over()) {
      return fail(Errc::kConflict, (*incident)->number + " is " + std::string(name((*incident)->state)), "",
                  "reopen it first");
    }
    auto existing = tasks_of(tx, wanted.incident, decision.now());
    if (!existing) return pass(std::move(existing));
    if (existing->size() >= TaskStore::kMaxPerIncident) return fail(Errc::kTooLarge, "this incident has too many tasks");
    Task task;
    task.incident = wanted.incident;
    task.title = *title;
    task.detail = *detail;
    task.owner = wanted.owner;
    task.due = wanted.due;
    task.asked_proof = *proof;
    task.created = decision.now();
    task.created_by = by.by;
    task.updated = decision.now();
    if (auto done = TaskStore::insert(tx, task); !done) return pass(std::move(done));
    if (auto done = decision.change("task", task.id, task.incident, "state", "", "open"); !done) return pass(std::move(done));
    decision.note("incident", (*incident)->number);
    decision.note("task", std::to_string(task.id));
    decision.tell("task", task.id);
    decision.tell("incident", task.incident);
    decision.tell("overview", "tasks");
    if (auto done = decision.finish("task-created", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return task;
  });
}

Result<Task> Respond::change_task(std::int64_t id, const By& by, const TaskChange& change) {
  auto reason = words(by.reason, "reason", kMaxReason, false);
  if (!reason) return pass(std::move(reason));
  struct Text {
    std::string_view field;
    const std::optional<std::string>& wanted;
    std::string Task::*target;
    std::size_t limit;
    bool required;
  };
  const Text texts[] = {{"title", change.title, &Task::title, kMaxTitle, true},
                        {"detail", change.detail, &Task::detail, kMaxSummary, false},
                        {"owner", change.owner, &Task::owner, kMaxTitle, false},
                        {"proof", change.proof, &Task::proof, kMaxReason, false}};
  for (const Text& text : texts) {
    if (!text.wanted) continue;
    if (auto checked = words(*text.wanted, text.field, text.limit, text.required); !checked) return pass(std::move(checked));
  }
  if (change.owner && !change.owner->empty() && deps_.user_exists && !deps_.user_exists(*change.owner)) {
    return fail(Errc::kInvalid, "there is no user of this login", "owner");
  }

  return deps_.database.write([&](Transaction& tx) -> Result<Task> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    auto found = TaskStore::task(tx, id);
    if (!found) return pass(std::move(found));
    if (!*found) return missing("task", id);
    Task task = std::move(**found);
    if (auto same = same_version(by.version, task.version, "task"); !same) return pass(std::move(same));
    auto incident = IncidentStore::incident(tx, task.incident);
    if (!incident) return pass(std::move(incident));
    if (!*incident) return missing("incident", task.incident);
    if ((*incident)->over()) {
      return fail(Errc::kConflict, (*incident)->number + " is " + std::string(name((*incident)->state)), "",
                  "reopen it first");
    }
    bool changed = false;
    for (const Text& text : texts) {
      if (!text.wanted) continue;
      const std::string wanted(trim(*text.wanted));
      std::string& target = task.*(text.target);
      if (wanted == target) continue;
      if (auto done = decision.change("task", id, task.incident, text.field, target, wanted); !done) return pass(std::move(done));
      target = wanted;
      changed = true;
    }
    if (change.due && *change.due != task.due) {
      auto done = decision.change("task", id, task.incident, "due", time_text(task.due), time_text(*change.due));
      if (!done) return pass(std::move(done));
      task.due = *change.due;
      changed = true;
    }
    if (change.state && *change.state != task.state) {
      const TaskState to = *change.state;
      if (to == TaskState::kDone && task.proof.empty() && reason->empty()) {
        return fail(Errc::kInvalid, "a proof is required, or a reason why there is none", "proof",
                    task.asked_proof.empty() ? "say what shows that it is done" : "asked for: " + task.asked_proof);
      }
      const bool reopened = !task.open();
      if ((to == TaskState::kDropped || reopened) && reason->empty()) {
        return fail(Errc::kInvalid, "a reason is required", "reason", "say in a sentence why");
      }
      auto done = decision.change("task", id, task.incident, "state", name(task.state), name(to));
      if (!done) return pass(std::move(done));
      task.state = to;
      if (task.open()) {
        task.done_at.reset();
        task.done_by.clear();
      } else {
        task.done_at = decision.now();
        task.done_by = by.by;
      }
      task.reason = *reason;
      decision.note("state", std::string(name(to)));
      changed = true;
    }
    if (!changed) return task;
    ++task.version;
    task.updated = decision.now();
    if (auto done = TaskStore::update(tx, task); !done) return pass(std::move(done));
    decision.note("incident", (*incident)->number);
    decision.note("task", std::to_string(id));
    decision.tell("task", id);
    decision.tell("incident", task.incident);
    decision.tell("overview", "tasks");
    if (auto done = decision.finish("task-changed", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return task;
  });
}

}  // namespace tocsin::engine
