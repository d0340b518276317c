// Decisions about alerts and silences; and the people they concern.
#include <algorithm>

#include "engine/respond/checks.hpp"
#include "engine/respond/respond.hpp"

namespace tocsin::engine {

using storage::Alert;
using storage::AlertState;
using storage::AlertStore;
using storage::Incident;
using storage::IncidentStore;
using storage::Silence;
using storage::Transaction;

namespace {

std::string joined(std::span<const std::int64_t> ids) {
  std::string out;
  for (const std::int64_t id : ids) {
    if (!out.empty()) out += ',';
    out += std::to_string(id);
  }
  return out;
}

bool set_aside(AlertState state) { return state == AlertState::kFalsePositive || state == AlertState::kClosed; }

std::string in_words(AlertState state) {
  std::string out(storage::name(state));
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

}  // namespace

Result<void> Respond::triage_one(Decision& decision, std::int64_t id, std::optional<std::int64_t> version,
                                 AlertState to, std::vector<Alert>& out) {
  auto found = AlertStore::alert(decision.tx(), id);
  if (!found) return pass(std::move(found));
  if (!*found) return missing("alert", id);
  Alert& alert = **found;
  if (auto same = same_version(version, alert.version, "alert"); !same) return same;
  const std::string called = "alert " + std::to_string(id);
  if (alert.state == to) return fail(Errc::kConflict, called + " is already " + in_words(to));
  if (alert.state == AlertState::kIncident) {
    return fail(Errc::kConflict, called + " belongs to an incident", "", "decide about the incident instead");
  }
  if (!may_follow(alert.state, to)) {
    return fail(Errc::kConflict, called + " is " + in_words(alert.state) + " and cannot become " + in_words(to), "",
                to == AlertState::kIncident ? "make it an incident instead" : "it can become " + followers(alert.state));
  }
  if ((set_aside(to) || set_aside(alert.state)) && decision.reason().empty()) {
    return fail(Errc::kInvalid, "a reason is required", "reason", "say in a sentence why");
  }
  if (auto done = decision.change("alert", id, alert.incident, "state", name(alert.state), name(to)); !done) return done;
  if (to == AlertState::kNew && alert.incident) {
    // It was closed with a dismissed incident; reopened, it stands alone again.
    if (auto done = decision.change("alert", id, alert.incident, "incident", std::to_string(*alert.incident), "");
        !done) {
      return done;
    }
    alert.incident.reset();
  }
  alert.state = to;
  alert.reason = decision.reason();
  alert.updated = decision.now();
  ++alert.version;
  if (auto done = AlertStore::update(decision.tx(), alert); !done) return done;
  decision.tell("alert", id);
  decision.tell("overview", "alerts");
  out.push_back(std::move(alert));
  return {};
}

Result<std::vector<Alert>> Respond::triage(std::span<const std::int64_t> ids, const By& by, AlertState to) {
  if (ids.empty()) return fail(Errc::kInvalid, "no alert is named");
  if (ids.size() > kMaxBulk) return fail(Errc::kTooLarge, "at most " + std::to_string(kMaxBulk) + " alerts at once");
  auto reason = words(by.reason, "reason", kMaxReason, false);
  if (!reason) return pass(std::move(reason));
  return deps_.database.write([&](Transaction& tx) -> Result<std::vector<Alert>> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    std::vector<Alert> out;
    for (const std::int64_t id : ids) {
      if (auto done = triage_one(decision, id, by.version, to, out); !done) return pass(std::move(done));
    }
    decision.note("alerts", joined(ids));
    decision.note("state", std::string(name(to)));
    if (auto done = decision.finish("alert-triaged", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return out;
  });
}

Result<Alert> Respond::triage(std::int64_t id, const By& by, AlertState to) {
  auto out = triage(std::span<const std::int64_t>(&id, 1), by, to);
  if (!out) return pass(std::move(out));
  return std::move(out->front());
}

Result<Alert> Respond::assign(std::int64_t id, const By& by, const std::string& assignee) {
  auto reason = words(by.reason, "reason", kMaxReason, false);
  if (!reason) return pass(std::move(reason));
  if (!assignee.empty() && deps_.user_exists && !deps_.user_exists(assignee)) {
    return fail(Errc::kInvalid, "there is no user of this login", "assignee");
  }
  return deps_.database.write([&](Transaction& tx) -> Result<Alert> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    auto found = AlertStore::alert(tx, id);
    if (!found) return pass(std::move(found));
    if (!*found) return missing("alert", id);
    Alert alert = std::move(**found);
    if (auto same = same_version(by.version, alert.version, "alert"); !same) return pass(std::move(same));
    if (alert.assignee == assignee) return alert;
    if (auto done = decision.change("alert", id, alert.incident, "assignee", alert.assignee, assignee); !done) {
      return pass(std::move(done));
    }
    alert.assignee = assignee;
    alert.updated = decision.now();
    ++alert.version;
    if (auto done = AlertStore::update(tx, alert); !done) return pass(std::move(done));
    decision.tell("alert", id);
    decision.note("alert", std::to_string(id));
    decision.note("assignee", assignee);
    if (auto done = decision.finish("alert-assigned", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return alert;
  });
}

Result<Incident> Respond::promote(const Promotion& promotion, const By& by) {
  auto reason = words(by.reason, "reason", kMaxReason, true);
  if (!reason) return pass(std::move(reason));
  auto title = words(promotion.title, "title", kMaxTitle, false);
  if (!title) return pass(std::move(title));
  std::vector<std::int64_t> ids = promotion.alerts;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.empty()) return fail(Errc::kInvalid, "no alert is named");
  if (ids.size() > kMaxBulk) return fail(Errc::kTooLarge, "at most " + std::to_string(kMaxBulk) + " alerts at once");

  return deps_.database.write([&](Transaction& tx) -> Result<Incident> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    std::vector<Alert> alerts;
    for (const std::int64_t id : ids) {
      auto found = AlertStore::alert(tx, id);
      if (!found) return pass(std::move(found));
      if (!*found) return missing("alert", id);
      if (auto same = same_version(by.version, (*found)->version, "alert"); !same) return pass(std::move(same));
      if ((*found)->state == AlertState::kIncident) {
        return fail(Errc::kConflict, "alert " + std::to_string(id) + " already belongs to an incident");
      }
      if (set_aside((*found)->state)) {
        return fail(Errc::kConflict, "alert " + std::to_string(id) + " is " + in_words((*found)->state), "",
                    "reopen it first");
      }
      alerts.push_back(std::move(**found));
    }

    Incident incident;
    const bool opens = !promotion.incident;
    if (opens) {
      incident.title = title->empty() ? printable(alerts.front().title, kMaxTitle) : *title;
      incident.opened = decision.now();
      incident.opened_by = by.by;
      incident.updated = decision.now();
      if (auto done = IncidentStore::insert(tx, incident); !done) return pass(std::move(done));
      if (auto done = decision.change("incident", incident.id, incident.id, "state", "", name(incident.state)); !done) {
        return pass(std::move(done));
      }
    } else {
      auto found = IncidentStore::incident(tx, *promotion.incident);
      if (!found) return pass(std::move(found));
      if (!*found) return missing("incident", *promotion.incident);
      incident = std::move(**found);
      if (incident.over()) {
        return fail(Errc::kConflict, incident.number + " is " + std::string(name(incident.state)), "",
                    "reopen it first, or open a new incident");
      }
    }

    for (Alert& alert : alerts) {
      if (auto done = decision.change("alert", alert.id, incident.id, "state", name(alert.state), "incident"); !done) {
        return pass(std::move(done));
      }
      if (auto done = decision.change("incident", incident.id, incident.id, "alerts", "", std::to_string(alert.id));
          !done) {
        return pass(std::move(done));
      }
      alert.state = AlertState::kIncident;
      alert.incident = incident.id;
      alert.reason = *reason;
      alert.updated = decision.now();
      ++alert.version;
      if (auto done = AlertStore::update(tx, alert); !done) return pass(std::move(done));
      decision.tell("alert", alert.id);
    }

    if (opens && !deps_.standing_facts.empty()) {
      auto standing = read_fact_changes(deps_.standing_facts, deps_.counsel, decision.now());
      if (!standing) return pass(std::move(standing));
      for (const auto& [fact, value] : *standing) {
        if (auto done = put_fact(decision, incident.id, {}, fact, value, kTocsin); !done) return pass(std::move(done));
      }
    }
    if (auto done = refresh_facts(decision, incident); !done) return pass(std::move(done));
    if (promotion.confirm && incident.state == storage::IncidentState::kSuspected) {
      Step confirm_it;
      confirm_it.aware_at = promotion.aware_at;
      if (auto done = step_inside(decision, incident, confirm_it); !done) return pass(std::move(done));
    } else if (incident.aware_at) {
      if (auto done = reassess(decision, incident); !done) return pass(std::move(done));
    }
    if (!opens) ++incident.version;
    incident.updated = decision.now();
    if (auto done = IncidentStore::update(tx, incident); !done) return pass(std::move(done));

    decision.note("incident", incident.number);
    decision.note("alerts", joined(ids));
    decision.note("state", std::string(name(incident.state)));
    if (incident.aware_at) decision.note("aware_at", format_rfc3339(*incident.aware_at));
    decision.tell("incident", incident.id);
    decision.tell("overview", "incidents");
    const std::string_view kind = opens ? "incident-opened" : "incident-joined";
    if (auto done = decision.finish(kind, deps_.record, deps_.tell); !done) return pass(std::move(done));
    return incident;
  });
}

// ---------------------------------------------------------------------------------------------- silences

Result<Silence> Respond::silence(Silence silence, const By& by) {
  auto reason = words(by.reason, "reason", kMaxReason, true);
  if (!reason) return pass(std::move(reason));
  for (std::optional<std::string>* part : {&silence.rule, &silence.actor, &silence.dataset}) {
    if (*part && trim(**part).empty()) part->reset();
    if (*part && (*part)->size() > kMaxTitle) return fail(Errc::kTooLarge, "a part of the silence is too long");
  }
  if (!silence.rule && !silence.actor && !silence.dataset) {
    return fail(Errc::kInvalid, "a silence needs a rule, an actor or a dataset", "",
                "a silence of everything would hide real breaches");
  }
  const Time now = deps_.clock.now();
  if (silence.until <= now) return fail(Errc::kInvalid, "the end of the silence has passed", "until");
  if (silence.until > now + kMaxSilence) {
    return fail(Errc::kInvalid, "a silence lasts at most a year", "until", "renew it when it ends, if it is still right");
  }
  silence.reason = *reason;
  silence.by = by.by;
  silence.created = now;
  silence.ended.reset();
  silence.matched = 0;
  return deps_.database.write([&](Transaction& tx) -> Result<Silence> {
    Decision decision(tx, now, by.by, *reason);
    auto active = AlertStore::silences(tx, true, now);
    if (!active) return pass(std::move(active));
    if (active->size() >= AlertStore::kMaxSilences) {
      return fail(Errc::kTooLarge, "there are too many silences", "", "end those that are no longer needed");
    }
    auto id = AlertStore::insert(tx, silence);
    if (!id) return pass(std::move(id));
    silence.id = *id;
    if (auto done = decision.change("silence", *id, std::nullopt, "until", "", format_rfc3339(silence.until)); !done) {
      return pass(std::move(done));
    }
    decision.note("silence", std::to_string(*id));
    decision.note("until", format_rfc3339(silence.until));
    if (silence.rule) decision.note("rule", *silence.rule);
    decision.tell("overview", "silences");
    if (auto done = decision.finish("silence-created", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return silence;
  });
}

Result<Silence> Respond::end_silence(std::int64_t id, const By& by) {
  auto reason = words(by.reason, "reason", kMaxReason, false);
  if (!reason) return pass(std::move(reason));
  return deps_.database.write([&](Transaction& tx) -> Result<Silence> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    auto found = AlertStore::silence(tx, id);
    if (!found) return pass(std::move(found));
    if (!*found) return missing("silence", id);
    Silence silence = std::move(**found);
    if (!silence.active(decision.now())) return fail(Errc::kConflict, "this silence has already ended");
    if (auto done = decision.change("silence", id, std::nullopt, "until", format_rfc3339(silence.until),
                                    format_rfc3339(decision.now()));
        !done) {
      return pass(std::move(done));
    }
    if (auto done = AlertStore::end_silence(tx, id, decision.now()); !done) return pass(std::move(done));
    silence.ended = decision.now();
    decision.note("silence", std::to_string(id));
    decision.tell("overview", "silences");
    if (auto done = decision.finish("silence-ended", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return silence;
  });
}

// ------------------------------------------------------------------------------------------------ people

Result<std::vector<storage::Scope>> Respond::scope_of_alert(storage::Reader& reader, std::int64_t alert) const {
  return AlertStore::scopes_of(reader, std::span<const std::int64_t>(&alert, 1));
}

Result<std::vector<storage::Scope>> Respond::scope_of_incident(storage::Reader& reader, std::int64_t incident) const {
  auto alerts = AlertStore::of_incident(reader, incident);
  if (!alerts) return pass(std::move(alerts));
  std::vector<std::int64_t> ids;
  for (const Alert& alert : *alerts) ids.push_back(alert.id);
  return AlertStore::scopes_of(reader, ids);
}

Result<PeopleSummary> Respond::people(storage::Reader& reader, std::span<const Alert> alerts) const {
  std::vector<std::int64_t> ids;
  for (const Alert& alert : alerts) ids.push_back(alert.id);
  if (deps_.people != nullptr) {
    auto scopes = AlertStore::scopes_of(reader, ids);
    if (!scopes) return pass(std::move(scopes));
    if (!scopes->empty()) return deps_.people->summary(reader, *scopes);
  }
  // Without it, the union is at least the largest and at most all of them together.
  PeopleSummary out;
  bool any = false;
  for (const Alert& alert : alerts) {
    if (!alert.exposure) continue;
    const storage::ExposureSummary& e = *alert.exposure;
    if (!any) {
      out.grade = e.grade;
      out.at_least = 0;
      out.at_most = 0;
      any = true;
    }
    out.grade = std::max(out.grade, e.grade);
    out.at_least = std::max(*out.at_least, e.at_least.value_or(0));
    if (!e.at_most) out.at_most.reset();
    else if (out.at_most) *out.at_most += *e.at_most;
  }
  return out;
}

}  // namespace tocsin::engine
