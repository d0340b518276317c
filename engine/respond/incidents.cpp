// The life of an incident: its steps, its facts, and the words about it.
#include <algorithm>
#include <iterator>

#include "engine/respond/checks.hpp"
#include "engine/respond/respond.hpp"
#include "storage/frozen_store.hpp"
#include "storage/history_store.hpp"

namespace tocsin::engine {

namespace json = boost::json;
using storage::Alert;
using storage::AlertState;
using storage::AlertStore;
using storage::Fact;
using storage::Incident;
using storage::IncidentState;
using storage::IncidentStore;
using storage::Transaction;

namespace {

constexpr std::string_view kToldPeople = "times.individuals_notified";
constexpr std::size_t kNamesShown = 3;  // of open tasks and duties in a refusal

Result<Incident> load(storage::Reader& reader, std::int64_t id, const By& by) {
  auto found = IncidentStore::incident(reader, id);
  if (!found) return pass(std::move(found));
  if (!*found) return missing("incident", id);
  if (auto same = same_version(by.version, (*found)->version, "incident"); !same) return pass(std::move(same));
  return std::move(**found);
}

std::string text_value(std::string_view text) { return json::serialize(json::value(text)); }
std::string time_value(Time t) { return text_value(format_rfc3339(t)); }

json::value count_value(const std::optional<std::uint64_t>& count) {
  return count ? json::value(*count) : json::value(nullptr);
}

template <class Texts>
json::array array_of(const Texts& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

std::string some_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) {
    if (i > 0) out += "; ";
    out += names[i];
  }
  if (names.size() > kNamesShown) out += "; and " + std::to_string(names.size() - kNamesShown) + " more";
  return out;
}

}  // namespace

Result<void> Respond::migrate(storage::Database& database) {
  struct Family {
    std::string_view name;
    std::span<const storage::Migration> migrations;
  };
  const Family families[] = {{storage::HistoryStore::kFamily, storage::HistoryStore::migrations()},
                             {AlertStore::kFamily, AlertStore::migrations()},
                             {IncidentStore::kFamily, IncidentStore::migrations()},
                             {storage::FrozenStore::kFamily, storage::FrozenStore::migrations()},
                             {storage::TaskStore::kFamily, storage::TaskStore::migrations()}};
  for (const Family& family : families) {
    if (auto done = database.migrate(family.name, family.migrations); !done) return done;
  }
  return {};
}

// --------------------------------------------------------------------------------------------------- facts

Result<bool> Respond::put_fact(Decision& decision, std::int64_t incident, std::span<const Fact> known,
                               std::string_view fact, const std::optional<std::string>& value, std::string_view by) {
  const Fact* before = nullptr;
  for (const Fact& entry : known) {
    if (entry.name == fact) before = &entry;
  }
  // What a person said stands until a person says otherwise.
  if (before != nullptr && by == kTocsin && before->by != kTocsin) return false;
  if (value ? (before != nullptr && before->value == *value && before->by == by) : before == nullptr) return false;
  const bool same_value = value && before != nullptr && before->value == *value;
  if (value) {
    Fact row{std::string(fact), *value, std::string(by), decision.now()};
    if (auto done = IncidentStore::put_fact(decision.tx(), incident, row); !done) return pass(std::move(done));
  } else {
    if (auto done = IncidentStore::remove_fact(decision.tx(), incident, fact); !done) return pass(std::move(done));
  }
  // A person who confirms what was computed changes who answers for it, which is a change too.
  Decision::Why why;
  why.by = std::string(by);
  if (by == kTocsin) why.reason = "from the alerts and the people they concern";
  if (same_value && by != kTocsin) why.reason = decision.reason() + " (confirms what was computed)";
  auto done = decision.change("incident", incident, incident, "facts." + std::string(fact),
                              before != nullptr ? before->value : "", value.value_or(""), why);
  if (!done) return pass(std::move(done));
  return true;
}

Result<bool> Respond::refresh_facts(Decision& decision, const Incident& incident) {
  auto alerts = AlertStore::of_incident(decision.tx(), incident.id);
  if (!alerts) return pass(std::move(alerts));
  if (alerts->empty()) return false;
  auto known = IncidentStore::facts(decision.tx(), incident.id);
  if (!known) return pass(std::move(known));
  auto reached = people(decision.tx(), *alerts);
  if (!reached) return pass(std::move(reached));

  FactChanges shown;
  const auto anchors = deps_.counsel.anchors();
  const auto has_anchor = [&](std::string_view name) {
    return std::find(anchors.begin(), anchors.end(), name) != anchors.end();
  };
  Time occurred = alerts->front().first;
  Time noticed = alerts->front().opened;
  std::set<std::string> actors, datasets;
  for (const Alert& alert : *alerts) {
    occurred = std::min(occurred, alert.first);
    noticed = std::min(noticed, alert.opened);
    if (!alert.actor.empty()) actors.insert(alert.actor);
    if (!alert.dataset.empty()) datasets.insert(alert.dataset);
  }
  if (has_anchor("occurred")) shown.emplace_back("times.occurred", time_value(occurred));
  if (has_anchor("noticed")) shown.emplace_back("times.noticed", time_value(noticed));
  shown.emplace_back("scope.actors", json::serialize(array_of(actors)));
  shown.emplace_back("scope.datasets", json::serialize(array_of(datasets)));
  if (reached->at_least || reached->at_most) {
    const json::object count{{"at_least", reached->at_least.value_or(0)}, {"at_most", count_value(reached->at_most)}};
    shown.emplace_back("people", json::serialize(count));
  }
  // A whole dataset that may have been read says where people may live, not where the affected ones do.
  const bool sure = reached->grade == storage::Grade::kExact || reached->grade == storage::Grade::kDerived;
  json::object countries;
  std::uint64_t placed = 0;
  for (const auto& [country, count] : reached->by_country) {
    if (country.empty()) continue;
    countries[country] = json::object{{"at_least", sure ? count : 0}, {"at_most", count}};
    placed += count;
  }
  if (!countries.empty()) {
    shown.emplace_back("countries", json::serialize(countries));
    const bool complete = reached->at_most && placed >= *reached->at_most;
    shown.emplace_back("countries_complete", complete ? "true" : "false");
  }
  if (!reached->kinds.empty()) {
    shown.emplace_back("data", json::serialize(array_of(reached->kinds)));
    shown.emplace_back("data_complete", reached->kinds_complete ? "true" : "false");
  }

  bool changed = false;
  for (const auto& [fact, value] : shown) {
    auto put = put_fact(decision, incident.id, *known, fact, value, kTocsin);
    if (!put) return pass(std::move(put));
    changed = changed || *put;
  }
  return changed;
}

Result<void> Respond::note_time(Decision& decision, const Incident& incident, std::string_view anchor, Time when) {
  auto known = IncidentStore::facts(decision.tx(), incident.id);
  if (!known) return pass(std::move(known));
  const std::string fact = "times." + std::string(anchor);
  auto put = put_fact(decision, incident.id, *known, fact, time_value(when), decision.by());
  if (!put) return pass(std::move(put));
  return {};
}

// --------------------------------------------------------------------------------------------------- steps

Result<void> Respond::confirm(Decision& decision, Incident& incident, std::optional<Time> aware_at) {
  const Time aware = aware_at.value_or(decision.now());
  if (aware > decision.now()) return fail(Errc::kInvalid, "the time of awareness lies in the future", "aware_at");
  incident.aware_at = aware;
  incident.confirmed_at = decision.now();
  if (auto done = decision.change("incident", incident.id, incident.id, "aware_at", "", format_rfc3339(aware)); !done) {
    return done;
  }
  auto known = IncidentStore::facts(decision.tx(), incident.id);
  if (!known) return pass(std::move(known));
  FactChanges facts = {{"times.aware", time_value(aware)}, {"facts.personal_data", text_value("yes")}};
  const auto anchors = deps_.counsel.anchors();
  if (std::find(anchors.begin(), anchors.end(), "confirmed_personal_data") != anchors.end()) {
    facts.emplace_back("times.confirmed_personal_data", time_value(decision.now()));
  }
  for (const auto& [fact, value] : facts) {
    if (auto put = put_fact(decision, incident.id, *known, fact, value, decision.by()); !put) return pass(std::move(put));
  }
  if (auto done = reassess(decision, incident); !done) return done;
  return add_playbook(decision, incident);
}

Result<void> Respond::close(Decision& decision, Incident& incident, bool override_open) {
  storage::TaskQuery query;
  query.incident = incident.id;
  query.open = true;
  auto tasks = storage::TaskStore::list(decision.tx(), query, decision.now());
  if (!tasks) return pass(std::move(tasks));
  auto duties = IncidentStore::duties(decision.tx(), incident.id);
  if (!duties) return pass(std::move(duties));
  std::vector<std::string> task_names, duty_names;
  for (const storage::Task& task : *tasks) task_names.push_back(task.title);
  for (const storage::Duty& duty : *duties) {
    if (duty.open()) duty_names.push_back(duty.law + ": " + duty.title);
  }
  std::vector<std::string> obstacles;
  if (!task_names.empty()) {
    obstacles.push_back(counted(task_names.size(), "task is open", "tasks are open") + " (" + some_of(task_names) + ")");
  }
  if (!duty_names.empty()) {
    obstacles.push_back(counted(duty_names.size(), "duty is not settled", "duties are not settled") + " (" +
                        some_of(duty_names) + ")");
  }
  if (deps_.obstacles) {
    auto more = deps_.obstacles(decision.tx(), incident.id);
    obstacles.insert(obstacles.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  if (!obstacles.empty()) {
    std::string text;
    for (const std::string& obstacle : obstacles) {
      if (!text.empty()) text += ", and ";
      text += obstacle;
    }
    if (!override_open) {
      return fail(Errc::kConflict, incident.number + " cannot be closed: " + text, "",
                  "finish or drop the tasks and settle the duties, or close it all the same and say why");
    }
    if (auto done = decision.change("incident", incident.id, incident.id, "closed_despite", "", text); !done) return done;
    decision.note("override", "yes");
    decision.note("open-tasks", std::to_string(task_names.size()));
    decision.note("open-duties", std::to_string(duty_names.size()));
  }
  incident.closed = decision.now();
  return {};
}

Result<void> Respond::step_inside(Decision& decision, Incident& incident, const Step& step) {
  const IncidentState from = incident.state;
  if (from == step.to) {
    return fail(Errc::kConflict, incident.number + " is already " + std::string(name(step.to)));
  }
  if (!may_follow(from, step.to)) {
    return fail(Errc::kConflict,
                incident.number + " is " + std::string(name(from)) + " and cannot become " + std::string(name(step.to)),
                "", "the next step is " + followers(from));
  }
  const bool forward = step.to == IncidentState::kRecovered ||
                       (step.to == IncidentState::kContained && from == IncidentState::kConfirmed);
  if (!forward && decision.reason().empty()) {
    return fail(Errc::kInvalid, "a reason is required", "reason", "say in a sentence why");
  }
  switch (step.to) {
    case IncidentState::kConfirmed:
      if (!incident.aware_at) {
        if (auto done = confirm(decision, incident, step.aware_at); !done) return done;
      }
      incident.contained_at.reset();
      incident.closed.reset();
      break;
    case IncidentState::kContained:
      if (from == IncidentState::kConfirmed) {
        incident.contained_at = decision.now();
        if (auto done = anchor_tasks(decision, incident, "contained", decision.now()); !done) return done;
      }
      incident.recovered_at.reset();
      break;
    case IncidentState::kRecovered: incident.recovered_at = decision.now(); break;
    case IncidentState::kClosed:
      if (auto done = close(decision, incident, step.override_open); !done) return done;
      break;
    case IncidentState::kDismissed:
    case IncidentState::kSuspected: {
      // The alerts follow: closed with the dismissal, back with the incident when it is reopened.
      const bool dismissed = step.to == IncidentState::kDismissed;
      const AlertState now_is = dismissed ? AlertState::kIncident : AlertState::kClosed;
      const AlertState will_be = dismissed ? AlertState::kClosed : AlertState::kIncident;
      auto alerts = AlertStore::of_incident(decision.tx(), incident.id);
      if (!alerts) return pass(std::move(alerts));
      for (Alert& alert : *alerts) {
        if (alert.state != now_is) continue;
        if (auto done = decision.change("alert", alert.id, incident.id, "state", name(now_is), name(will_be)); !done) {
          return done;
        }
        alert.state = will_be;
        alert.reason = decision.reason();
        alert.updated = decision.now();
        ++alert.version;
        if (auto done = AlertStore::update(decision.tx(), alert); !done) return done;
        decision.tell("alert", alert.id);
      }
      if (dismissed) incident.closed = decision.now();
      else incident.closed.reset();
      break;
    }
  }
  incident.state = step.to;
  return decision.change("incident", incident.id, incident.id, "state", name(from), name(step.to));
}

Result<Incident> Respond::step(std::int64_t id, const By& by, const Step& step) {
  auto reason = words(by.reason, "reason", kMaxReason, false);
  if (!reason) return pass(std::move(reason));
  return deps_.database.write([&](Transaction& tx) -> Result<Incident> {
    Decision decision(tx, deps_.clock.now(), by.by, *reason);
    auto incident = load(tx, id, by);
    if (!incident) return incident;
    const IncidentState from = incident->state;
    if (auto done = step_inside(decision, *incident, step); !done) return pass(std::move(done));
    ++incident->version;
    incident->updated = decision.now();
    if (auto done = IncidentStore::update(tx, *incident); !done) return pass(std::move(done));
    decision.note("incident", incident->number);
    decision.note("from", std::string(name(from)));
    decision.note("to", std::string(name(incident->state)));
    if (incident->aware_at) decision.note("aware_at", format_rfc3339(*incident->aware_at));
    decision.tell("incident", id);
    decision.tell("overview", "incidents");
    if (auto done = decision.finish("incident-state", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return incident;
  });
}

Result<Incident> Respond::edit(std::int64_t id, const By& by, const Edit& edit) {
  auto reason = words(by.reason, "reason", kMaxReason, !edit.facts.empty());
  if (!reason) return pass(std::move(reason));
  std::optional<std::string> title, summary;
  if (edit.title) {
    auto text = words(*edit.title, "title", kMaxTitle, true);
    if (!text) return pass(std::move(text));
    title = std::move(*text);
  }
  if (edit.summary) {
    auto text = words(*edit.summary, "summary", kMaxSummary, false);
    if (!text) return pass(std::move(text));
    summary = std::move(*text);
  }
  const Time now = deps_.clock.now();
  auto facts = read_fact_changes(edit.facts, deps_.counsel, now);
  if (!facts) return pass(std::move(facts));

  return deps_.database.write([&](Transaction& tx) -> Result<Incident> {
    Decision decision(tx, now, by.by, *reason);
    auto incident = load(tx, id, by);
    if (!incident) return incident;
    if (incident->over()) {
      return fail(Errc::kConflict, incident->number + " is " + std::string(name(incident->state)), "", "reopen it first");
    }
    bool changed = false;
    const auto set = [&](std::string_view field, std::string& target, const std::optional<std::string>& text) -> Result<void> {
      if (!text || *text == target) return {};
      if (auto done = decision.change("incident", id, id, field, target, *text); !done) return done;
      target = *text;
      changed = true;
      return {};
    };
    if (auto done = set("title", incident->title, title); !done) return pass(std::move(done));
    if (auto done = set("summary", incident->summary, summary); !done) return pass(std::move(done));

    auto known = IncidentStore::facts(tx, id);
    if (!known) return pass(std::move(known));
    bool facts_changed = false;
    for (const auto& [fact, value] : *facts) {
      if (fact == "times.aware") {
        if (!incident->aware_at) {
          return fail(Errc::kConflict, "the incident is not confirmed yet", "facts.times.aware",
                      "confirm it, and give this time with it");
        }
        if (!value) return fail(Errc::kInvalid, "the time of awareness can be corrected, not removed", "facts.times.aware");
        const auto aware = parse_rfc3339(json::parse(*value).get_string());
        if (aware && *aware != *incident->aware_at) {
          if (auto done = decision.change("incident", id, id, "aware_at", format_rfc3339(*incident->aware_at),
                                          format_rfc3339(*aware));
              !done) {
            return pass(std::move(done));
          }
          incident->aware_at = *aware;
        }
      }
      auto put = put_fact(decision, id, *known, fact, value, by.by);
      if (!put) return pass(std::move(put));
      facts_changed = facts_changed || *put;
    }
    if (facts_changed) {
      // A fact that a person took back may be one that the alerts still show.
      if (auto done = refresh_facts(decision, *incident); !done) return pass(std::move(done));
      if (incident->aware_at) {
        if (auto done = reassess(decision, *incident); !done) return pass(std::move(done));
      } else {
        auto now_known = IncidentStore::facts(tx, id);
        if (!now_known) return pass(std::move(now_known));
        if (auto readable = assess_incident(deps_.counsel, *now_known); !readable) return pass(std::move(readable));
      }
    }
    if (!changed && !facts_changed) return incident;
    ++incident->version;
    incident->updated = now;
    if (auto done = IncidentStore::update(tx, *incident); !done) return pass(std::move(done));
    decision.note("incident", incident->number);
    std::string names;
    for (const auto& [fact, value] : *facts) names += (names.empty() ? "" : ",") + fact;
    if (!names.empty()) decision.note("facts", names);
    decision.tell("incident", id);
    if (facts_changed) decision.tell("overview", "incidents");
    if (auto done = decision.finish("incident-changed", deps_.record, deps_.tell); !done) return pass(std::move(done));
    return incident;
  });
}

Result<void> Respond::refresh(std::int64_t id, Time now) {
  return deps_.database.write([&](Transaction& tx) -> Result<void> {
    auto found = IncidentStore::incident(tx, id);
    if (!found) return pass(std::move(found));
    if (!*found || (*found)->over()) return {};
    Incident& incident = **found;
    Decision seen(tx, now, std::string(kTocsin), "new findings");
    auto changed = refresh_facts(seen, incident);
    if (!changed) return pass(std::move(changed));
    if (*changed) {
      if (incident.aware_at) {
        // Facts that the law cannot read were refused when a person wrote them; a newer law may still refuse them,
        // and then the duties stay as they are until somebody corrects the facts.
        if (auto done = reassess(seen, incident); !done && done.error().code != Errc::kInvalid) return done;
      }
      incident.updated = now;
      if (auto done = IncidentStore::update(tx, incident); !done) return done;
      seen.tell("incident", id);
    }
    seen.finish_quietly(deps_.tell);
    if (!deps_.first_told) return {};
    const auto told = deps_.first_told(tx, id);
    if (!told) return {};
    return people_told(tx, id, *told);
  });
}

Result<void> Respond::catch_up(Time now) {
  std::set<std::int64_t> news;
  bool all = false;
  {
    const std::lock_guard lock(stale_mutex_);
    news.swap(stale_);
    std::swap(all, all_stale_);
  }
  std::vector<Incident> open;
  if (all || deps_.first_told) {
    storage::IncidentQuery query;
    query.state = "open";
    query.limit = IncidentStore::kMaxPage;
    auto listed = deps_.database.read([&](storage::Reader& reader) { return IncidentStore::list(reader, query); });
    if (!listed) return pass(std::move(listed));
    open = std::move(*listed);
  }
  for (const Incident& incident : open) {
    if (all) {
      news.insert(incident.id);
      continue;
    }
    auto fresh = deps_.database.read([&](storage::Reader& reader) -> Result<bool> {
      auto facts = IncidentStore::facts(reader, incident.id);
      if (!facts) return pass(std::move(facts));
      return !fact_time(*facts, kToldPeople) && deps_.first_told(reader, incident.id).has_value();
    });
    if (!fresh) return pass(std::move(fresh));
    if (*fresh) news.insert(incident.id);
  }
  while (!news.empty()) {
    if (auto done = refresh(*news.begin(), now); !done) {
      const std::lock_guard lock(stale_mutex_);
      stale_.insert(news.begin(), news.end());
      return done;
    }
    news.erase(news.begin());
  }
  return {};
}

Result<void> Respond::people_told(Transaction& tx, std::int64_t id, Time when) {
  auto found = IncidentStore::incident(tx, id);
  if (!found) return pass(std::move(found));
  if (!*found) return missing("incident", id);
  auto known = IncidentStore::facts(tx, id);
  if (!known) return pass(std::move(known));
  if (fact_time(*known, kToldPeople)) return {};
  Decision told(tx, when, std::string(kTocsin), "the first notices have gone out");
  if (auto done = note_time(told, **found, "individuals_notified", when); !done) return done;
  if (auto done = anchor_tasks(told, **found, "people_told", when); !done) return done;
  if ((*found)->aware_at) {
    if (auto done = reassess(told, **found); !done) return done;
  }
  (*found)->updated = std::max((*found)->updated, when);
  if (auto done = IncidentStore::update(tx, **found); !done) return done;
  told.tell("incident", id);
  told.finish_quietly(deps_.tell);
  return {};
}

}  // namespace tocsin::engine
