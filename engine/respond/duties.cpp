// What the law asks: derived from the facts, kept through every change of them, and settled by people.
#include <algorithm>

#include "engine/respond/checks.hpp"
#include "engine/respond/respond.hpp"

namespace tocsin::engine {

using storage::Duty;
using storage::DutyState;
using storage::Incident;
using storage::IncidentStore;
using storage::Transaction;

namespace {

constexpr std::size_t kMaxOpenDuties = 10'000;  // looked at by one tick

std::string time_text(const std::optional<Time>& t) { return t ? format_rfc3339(*t) : std::string(); }

std::string_view word(DutyState state) {
  Duty duty;
  duty.state = state;
  return duty.state_at(Time::min());
}

}  // namespace

Result<void> Respond::merge_duty(Decision& decision, const Incident& incident, const Duty* known, Duty assessed) {
  assessed.incident = incident.id;
  if (known == nullptr) {
    if (auto done = IncidentStore::put_duty(decision.tx(), assessed); !done) return done;
    Decision::Why why;
    why.by = std::string(kTocsin);
    why.reason = assessed.citation + ": " + assessed.why;
    return decision.change("duty", assessed.id, incident.id, "state", "", word(assessed.state), why);
  }
  Duty duty = assessed;
  duty.id = known->id;
  duty.done_at = known->done_at;
  duty.done_by = known->done_by;
  duty.reference = known->reference;
  duty.reason = known->reason;
  duty.late_noted = known->late_noted;
  // What a person settled stays settled, unless the law now speaks where it was silent or doubtful before.
  const bool by_person = !known->done_by.empty();
  const bool law_turned = assessed.assessed == "yes" && known->assessed != "yes";
  if (known->state == DutyState::kDone || (known->state == DutyState::kNotApplicable && by_person && !law_turned)) {
    duty.state = known->state;
  } else if (known->state == DutyState::kNotApplicable && by_person) {
    duty.done_at.reset();
    duty.done_by.clear();
    duty.reason.clear();
  }
  Decision::Why why;
  why.by = std::string(kTocsin);
  why.reason = assessed.citation + ": " + assessed.why;
  if (duty.state != known->state) {
    auto done = decision.change("duty", duty.id, incident.id, "state", word(known->state), word(duty.state), why);
    if (!done) return done;
  }
  if (duty.due != known->due) {
    auto done = decision.change("duty", duty.id, incident.id, "due", time_text(known->due), time_text(duty.due), why);
    if (!done) return done;
    duty.late_noted = duty.late_noted && duty.due && *duty.due < decision.now();
  }
  return IncidentStore::put_duty(decision.tx(), duty);
}

Result<void> Respond::reassess(Decision& decision, Incident& incident) {
  auto facts = IncidentStore::facts(decision.tx(), incident.id);
  if (!facts) return pass(std::move(facts));
  auto assessed = assess_incident(deps_.counsel, *facts);
  if (!assessed) return pass(std::move(assessed));
  auto known = IncidentStore::duties(decision.tx(), incident.id);
  if (!known) return pass(std::move(known));

  if (incident.severity != assessed->severity) {
    Decision::Why why;
    why.by = std::string(kTocsin);
    why.reason = assessed->severity_reason;
    auto done = decision.change("incident", incident.id, incident.id, "severity", incident.severity, assessed->severity,
                                why);
    if (!done) return done;
  }
  incident.severity = assessed->severity;
  incident.severity_reason = assessed->severity_reason;

  for (const Duty& before : *known) {
    const bool still = std::any_of(assessed->duties.begin(), assessed->duties.end(),
                                   [&](const Duty& duty) { return duty.key == before.key; });
    if (still || !before.open()) continue;
    Duty gone = before;
    gone.state = DutyState::kNotApplicable;
    gone.assessed = "no";
    gone.why = "The law pack in use no longer has this duty.";
    Decision::Why why;
    why.by = std::string(kTocsin);
    why.reason = gone.why;
    auto done = decision.change("duty", gone.id, incident.id, "state", word(before.state), word(gone.state), why);
    if (!done) return done;
    if (done = IncidentStore::put_duty(decision.tx(), gone); !done) return done;
  }
  for (Duty& duty : assessed->duties) {
    const auto before = std::find_if(known->begin(), known->end(), [&](const Duty& k) { return k.key == duty.key; });
    auto done = merge_duty(decision, incident, before == known->end() ? nullptr : &*before, std::move(duty));
    if (!done) return done;
  }
  return {};
}

Result<Duty> Respond::decide(std::int64_t incident_id, std::int64_t id, const By& by, const DutyDecision& to) {
  auto reason = words(by.reason, "reason", kMaxReason, to.to != DutyState::kDone);
  if (!reason) return pass(std::move(reason));
  auto reference = words(to.reference, "reference", kMaxReason, false);
  if (!reference) return pass(std::move(reference));
  if (to.to == DutyState::kDone && reason->empty() && reference->empty()) {
    return fail(Errc::kInvalid, "a reference or a reason is required", "reference",
                "name the proof: the authority's file number, the notice, a record");
  }
  if (to.to == DutyState::kUnknown) return fail(Errc::kInvalid, "a duty becomes unknown only by its facts", "state");

  return deps_.database.write([&](Transaction& tx) -> Result<Duty> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    auto incident = IncidentStore::incident(tx, incident_id);
    if (!incident) return pass(std::move(incident));
    if (!*incident) return missing("incident", incident_id);
    if (auto same = same_version(by.version, (*incident)->version, "incident"); !same) return pass(std::move(same));
    auto found = IncidentStore::duty(tx, incident_id, id);
    if (!found) return pass(std::move(found));
    if (!*found) return missing("duty", id);
    Duty duty = std::move(**found);
    const std::string called = duty.law + ": " + duty.title;
    if ((*incident)->over()) {
      return fail(Errc::kConflict, (*incident)->number + " is " + std::string(name((*incident)->state)), "",
                  "reopen it first");
    }
    const DutyState from = duty.state;
    const Time now = decision.now();
    if (to.to == DutyState::kRunning) {
      if (duty.open()) return fail(Errc::kConflict, "'" + called + "' is open already");
      if (duty.done_by.empty()) {
        return fail(Errc::kConflict, "'" + called + "' does not apply by the facts as they stand", "",
                    "change the facts if they are wrong");
      }
      duty.state = duty.assessed == "unknown" ? DutyState::kUnknown : DutyState::kRunning;
      if (duty.assessed == "no") duty.state = DutyState::kNotApplicable;
      duty.done_at.reset();
      duty.done_by.clear();
      duty.reference.clear();
    } else {
      if (from == to.to && !duty.done_by.empty()) {
        return fail(Errc::kConflict, "'" + called + "' is settled already", "", "take that back first");
      }
      if (from == DutyState::kDone) return fail(Errc::kConflict, "'" + called + "' is done already", "", "take that back first");
      duty.state = to.to;
      duty.done_at = to.to == DutyState::kDone ? to.done_at.value_or(now) : now;
      if (*duty.done_at > now) return fail(Errc::kInvalid, "the time lies in the future", "done_at");
      duty.done_by = by.by;
      duty.reference = *reference;
    }
    duty.reason = *reason;
    if (auto done = decision.change("duty", id, incident_id, "state", word(from), word(duty.state)); !done) {
      return pass(std::move(done));
    }
    if (!reference->empty()) {
      if (auto done = decision.change("duty", id, incident_id, "reference", "", *reference); !done) return pass(std::move(done));
    }
    if (auto done = IncidentStore::put_duty(tx, duty); !done) return pass(std::move(done));

    if (duty.state == DutyState::kDone) {
      // Telling is itself the start of other clocks.
      std::string_view anchor;
      if (duty.towards == "affected people") anchor = "individuals_notified";
      if (duty.towards == "supervisory authority") anchor = "previous_report_submitted";
      if (!anchor.empty()) {
        if (auto done = note_time(decision, **incident, anchor, *duty.done_at); !done) return pass(std::move(done));
        if (anchor == "individuals_notified") {
          if (auto done = anchor_tasks(decision, **incident, "people_told", *duty.done_at); !done) return pass(std::move(done));
        }
        if (auto done = reassess(decision, **incident); !done) return pass(std::move(done));
      }
    }
    ++(*incident)->version;
    (*incident)->updated = now;
    if (auto done = IncidentStore::update(tx, **incident); !done) return pass(std::move(done));
    decision.note("incident", (*incident)->number);
    decision.note("duty", duty.key);
    decision.note("state", std::string(word(duty.state)));
    if (duty.done_at) decision.note("at", format_rfc3339(*duty.done_at));
    decision.tell("incident", incident_id);
    decision.tell("overview", "duties");
    if (auto done = decision.finish("duty-decided", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return duty;
  });
}

Result<std::optional<Time>> Respond::tick(Time now) {
  if (auto done = catch_up(now); !done) return pass(std::move(done));
  auto open = deps_.database.read([&](storage::Reader& reader) {
    return IncidentStore::open_duties(reader, kMaxOpenDuties);
  });
  if (!open) return pass(std::move(open));
  std::optional<Time> next;
  std::vector<Duty> late;
  for (Duty& duty : *open) {
    if (duty.late(now)) {
      if (!duty.late_noted) late.push_back(std::move(duty));
    } else if (duty.due && (!next || *duty.due < *next)) {
      next = duty.due;
    }
  }
  if (late.empty()) return next;
  auto noted = deps_.database.write([&](Transaction& tx) -> Result<void> {
    Decision seen(tx, now, std::string(kTocsin), "the due time has passed");
    for (const Duty& known : late) {
      auto duty = IncidentStore::duty(tx, known.incident, known.id);
      if (!duty) return pass(std::move(duty));
      if (!*duty || !(*duty)->late(now) || (*duty)->late_noted) continue;  // settled since
      if (auto done = seen.change("duty", known.id, known.incident, "state", word((*duty)->state), "late"); !done) return done;
      (*duty)->late_noted = true;
      if (auto done = IncidentStore::put_duty(tx, **duty); !done) return done;
      seen.tell("incident", known.incident);
      seen.tell("overview", "duties");
    }
    seen.finish_quietly(deps_.tell);
    return {};
  });
  if (!noted) return pass(std::move(noted));
  return next;
}

}  // namespace tocsin::engine
