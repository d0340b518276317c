// Findings become alerts. One pass over the batch; each alert it touches is read once and written once.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "engine/respond/respond.hpp"

namespace tocsin::engine {
namespace {

using storage::Alert;
using storage::AlertState;
using storage::AlertStore;
using storage::Finding;
using storage::IncidentStore;
using storage::KeptFinding;
using storage::Silence;
using storage::Transaction;

// What one batch does to the alerts.
class Batch {
 public:
  Batch(Transaction& tx, Time now, std::vector<Silence> silences)
      : tx_(tx), now_(now), silences_(std::move(silences)) {}

  Result<void> take(const Finding& finding) {
    auto known = AlertStore::finding(tx_, finding.id);
    if (!known) return pass(std::move(known));
    if (*known && !grows(**known, finding)) {
      ++applied_.repeated;
      return {};
    }
    KeptFinding kept = *known ? merged(**known, finding) : KeptFinding{finding, std::nullopt, std::nullopt, std::nullopt, 0};

    Alert* home = nullptr;
    if (kept.alert) {
      auto alert = load(*kept.alert);
      if (!alert) return pass(std::move(alert));
      auto takes = takes_findings(**alert);
      if (!takes) return pass(std::move(takes));
      if (*takes || (*alert)->state == AlertState::kFalsePositive) home = *alert;
    } else if (const Silence* silence = silenced(finding); silence != nullptr) {
      if (!kept.silence) {
        if (auto done = AlertStore::count_match(tx_, silence->id); !done) return done;
      }
      kept.silence = silence->id;
      ++applied_.silenced;
      return store(std::move(kept), finding);
    }
    if (home == nullptr) {
      auto alert = for_group(finding);
      if (!alert) return pass(std::move(alert));
      home = *alert;
    }
    return join(*home, std::move(kept), *known, finding);
  }

  // Writes the alerts; returns the incidents that some of them belong to.
  Result<std::vector<std::int64_t>> flush() {
    std::vector<std::int64_t> incidents;
    for (auto& [id, entry] : alerts_) {
      if (!entry.changed) continue;
      entry.alert.updated = now_;
      if (auto done = AlertStore::update(tx_, entry.alert); !done) return pass(std::move(done));
      applied_.changed.push_back(id);
      if (entry.alert.state == AlertState::kIncident && entry.alert.incident) incidents.push_back(*entry.alert.incident);
    }
    std::sort(incidents.begin(), incidents.end());
    incidents.erase(std::unique(incidents.begin(), incidents.end()), incidents.end());
    return incidents;
  }

  Respond::Applied& applied() { return applied_; }

 private:
  struct Entry {
    Alert alert;
    bool changed = false;
  };

  static bool grows(const KeptFinding& known, const Finding& now) {
    const Finding& before = known.finding;
    if (now.evidence_count != before.evidence_count) return now.evidence_count > before.evidence_count;
    const auto differs = [](const std::optional<storage::ExposureSummary>& a,
                            const std::optional<storage::ExposureSummary>& b) {
      if (a.has_value() != b.has_value()) return b.has_value();
      return a && (a->grade != b->grade || a->at_least != b->at_least || a->at_most != b->at_most);
    };
    return now.level > before.level || differs(before.exposure, now.exposure);
  }

  static KeptFinding merged(const KeptFinding& known, const Finding& now) {
    KeptFinding out = known;
    Finding& f = out.finding;
    f.title = now.title;
    f.alert_title = now.alert_title;
    f.level = std::max(f.level, now.level);
    f.time = std::min(f.time, now.time);
    f.last = std::max(f.last, now.last);
    f.reason = now.reason;
    f.evidence_count = std::max(f.evidence_count, now.evidence_count);
    if (now.exposure) f.exposure = now.exposure;
    return out;
  }

  const Silence* silenced(const Finding& finding) const {
    for (const Silence& silence : silences_) {
      if (silence.active(now_) && silence.matches(finding)) return &silence;
    }
    return nullptr;
  }

  Result<Alert*> load(std::int64_t id) {
    if (const auto it = alerts_.find(id); it != alerts_.end()) return &it->second.alert;
    auto alert = AlertStore::alert(tx_, id);
    if (!alert) return pass(std::move(alert));
    if (!*alert) return fail(Errc::kCorrupt, "a finding names an alert that is not there");
    return &alerts_.emplace(id, Entry{std::move(**alert), false}).first->second.alert;
  }

  Result<bool> takes_findings(const Alert& alert) {
    if (alert.state == AlertState::kNew || alert.state == AlertState::kAcknowledged) return true;
    if (alert.state != AlertState::kIncident || !alert.incident) return false;
    if (const auto it = over_.find(*alert.incident); it != over_.end()) return !it->second;
    auto incident = IncidentStore::incident(tx_, *alert.incident);
    if (!incident) return pass(std::move(incident));
    const bool over = !*incident || (*incident)->over();
    over_[*alert.incident] = over;
    return !over;
  }

  Result<Alert*> for_group(const Finding& finding) {
    const std::string group = finding.group.empty() ? "finding/" + finding.id : finding.group;
    std::optional<std::int64_t> former;
    if (const auto it = groups_.find(group); it != groups_.end()) return load(it->second);
    auto newest = AlertStore::newest_of_group(tx_, group);
    if (!newest) return pass(std::move(newest));
    if (*newest) {
      auto takes = takes_findings(**newest);
      if (!takes) return pass(std::move(takes));
      if (*takes) {
        groups_[group] = (*newest)->id;
        return load((*newest)->id);
      }
      former = (*newest)->id;
    }
    Alert alert;
    alert.group = group;
    alert.title = finding.alert_title.empty() ? finding.title : finding.alert_title;
    alert.rule = finding.rule;
    alert.kind = finding.kind;
    alert.level = finding.level;
    alert.actor = finding.actor;
    alert.dataset = finding.dataset;
    alert.first = finding.time;
    alert.last = finding.last;
    alert.former = former;
    alert.opened = now_;
    alert.updated = now_;
    auto id = AlertStore::insert(tx_, alert);
    if (!id) return pass(std::move(id));
    alert.id = *id;
    groups_[group] = *id;
    applied_.opened.push_back(*id);
    return &alerts_.emplace(*id, Entry{std::move(alert), true}).first->second.alert;
  }

  Result<void> join(Alert& alert, KeptFinding kept, const std::optional<KeptFinding>& before, const Finding& finding) {
    auto is_new = AlertStore::join(tx_, alert.id, finding.id);
    if (!is_new) return pass(std::move(is_new));
    kept.alert = alert.id;
    kept.silence.reset();
    const bool had = !*is_new && before.has_value();
    if (*is_new) ++alert.findings;
    alert.evidence_count += kept.finding.evidence_count - (had ? before->finding.evidence_count : 0);
    alert.level = std::max(alert.level, kept.finding.level);
    alert.first = std::min(alert.first, kept.finding.time);
    alert.last = std::max(alert.last, kept.finding.last);
    if (kept.finding.exposure) {
      auto exposure = AlertStore::widen(tx_, alert.id, kept.finding.dataset,
                                        had ? before->finding.exposure : std::nullopt, *kept.finding.exposure);
      if (!exposure) return pass(std::move(exposure));
      alert.exposure = *exposure;
    }
    alerts_.at(alert.id).changed = true;
    return store(std::move(kept), finding);
  }

  Result<void> store(KeptFinding kept, const Finding& finding) {
    auto have = AlertStore::add_evidence(tx_, kept, finding.evidence);
    if (!have) return pass(std::move(have));
    kept.evidence_kept = *have;
    return AlertStore::put_finding(tx_, kept, now_);
  }

  Transaction& tx_;
  Time now_;
  std::vector<Silence> silences_;
  std::map<std::int64_t, Entry> alerts_;  // by id; a map, because pointers into it are kept
  std::unordered_map<std::string, std::int64_t> groups_;  // the open alert of a group
  std::unordered_map<std::int64_t, bool> over_;           // incidents: closed or dismissed
  Respond::Applied applied_;
};

}  // namespace

Result<Respond::Applied> Respond::apply(Transaction& tx, std::span<const Finding> findings, Time now) {
  if (findings.empty()) return Applied{};
  auto silences = AlertStore::silences(tx, true, now);
  if (!silences) return pass(std::move(silences));
  Batch batch(tx, now, std::move(*silences));
  for (const Finding& finding : findings) {
    if (auto done = batch.take(finding); !done) return pass(std::move(done));
  }
  auto incidents = batch.flush();
  if (!incidents) return pass(std::move(incidents));

  Decision seen(tx, now, std::string(kTocsin), "new findings");
  for (const std::int64_t id : batch.applied().changed) seen.tell("alert", id);
  if (!batch.applied().opened.empty()) seen.tell("overview", "alerts");
  if (!incidents->empty()) {
    for (const std::int64_t id : *incidents) seen.tell("incident", id);
    tx.after_commit([this, news = std::move(*incidents)] {
      const std::lock_guard lock(stale_mutex_);
      stale_.insert(news.begin(), news.end());
    });
  }
  seen.finish_quietly(deps_.tell);
  return std::move(batch.applied());
}

}  // namespace tocsin::engine
