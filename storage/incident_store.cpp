// Plain rows. Numbers count within the year, inside the transaction that opens the incident.
#include "storage/incident_store.hpp"

#include <algorithm>
#include <cstdio>

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE incident("
     "id INTEGER PRIMARY KEY, year INTEGER NOT NULL, seq INTEGER NOT NULL, number TEXT NOT NULL UNIQUE, "
     "title TEXT NOT NULL, state TEXT NOT NULL, severity TEXT NOT NULL, severity_reason TEXT NOT NULL, "
     "summary TEXT NOT NULL, opened INTEGER NOT NULL, opened_by TEXT NOT NULL, aware_at INTEGER, "
     "confirmed_at INTEGER, contained_at INTEGER, recovered_at INTEGER, closed INTEGER, updated INTEGER NOT NULL, "
     "version INTEGER NOT NULL, UNIQUE(year, seq));"
     "CREATE INDEX incident_by_state ON incident(state, id);"
     "CREATE TABLE incident_fact("
     "incident INTEGER NOT NULL REFERENCES incident(id), name TEXT NOT NULL, value TEXT NOT NULL, "
     "by_login TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(incident, name));"
     "CREATE TABLE duty("
     "id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident(id), row_key TEXT NOT NULL, "
     "law TEXT NOT NULL, title TEXT NOT NULL, citation TEXT NOT NULL, towards TEXT NOT NULL, anchor TEXT NOT NULL, "
     "due INTEGER, limit_at INTEGER, soft TEXT NOT NULL, state TEXT NOT NULL, assessed TEXT NOT NULL, "
     "why TEXT NOT NULL, unknown_facts TEXT NOT NULL, content TEXT NOT NULL, confidence TEXT NOT NULL, "
     "verification TEXT NOT NULL, done_at INTEGER, done_by TEXT NOT NULL, reference TEXT NOT NULL, "
     "reason TEXT NOT NULL, late_noted INTEGER NOT NULL, UNIQUE(incident, row_key));"
     "CREATE INDEX duty_by_state ON duty(state, due);"}};

constexpr std::string_view kIncidentColumns =
    "id, number, title, state, severity, severity_reason, summary, opened, opened_by, aware_at, confirmed_at, "
    "contained_at, recovered_at, closed, updated, version";
constexpr std::string_view kDutyColumns =
    "d.id, d.incident, d.row_key, d.law, d.title, d.citation, d.towards, d.anchor, d.due, d.limit_at, d.soft, d.state, "
    "d.assessed, d.why, d.unknown_facts, d.content, d.confidence, d.verification, d.done_at, d.done_by, d.reference, "
    "d.reason, d.late_noted";

constexpr std::pair<IncidentState, std::string_view> kStates[] = {
    {IncidentState::kSuspected, "suspected"}, {IncidentState::kConfirmed, "confirmed"},
    {IncidentState::kContained, "contained"}, {IncidentState::kRecovered, "recovered"},
    {IncidentState::kClosed, "closed"},       {IncidentState::kDismissed, "dismissed"}};
constexpr std::pair<DutyState, std::string_view> kDutyStates[] = {{DutyState::kRunning, "running"},
                                                                  {DutyState::kDone, "done"},
                                                                  {DutyState::kNotApplicable, "not_applicable"},
                                                                  {DutyState::kUnknown, "unknown"}};

template <class State, std::size_t N>
std::string_view word(const std::pair<State, std::string_view> (&table)[N], State state) noexcept {
  for (const auto& [value, text] : table) {
    if (value == state) return text;
  }
  return {};
}
template <class State, std::size_t N>
std::optional<State> value_of(const std::pair<State, std::string_view> (&table)[N], std::string_view text) noexcept {
  for (const auto& [value, entry] : table) {
    if (entry == text) return value;
  }
  return std::nullopt;
}

Incident to_incident(const Columns& c) {
  Incident out;
  out.id = c.integer(0);
  out.number = c.text(1);
  out.title = c.text(2);
  out.state = incident_state_from(c.text(3)).value_or(IncidentState::kSuspected);
  out.severity = c.text(4);
  out.severity_reason = c.text(5);
  out.summary = c.text(6);
  out.opened = c.time(7);
  out.opened_by = c.text(8);
  out.aware_at = c.maybe_time(9);
  out.confirmed_at = c.maybe_time(10);
  out.contained_at = c.maybe_time(11);
  out.recovered_at = c.maybe_time(12);
  out.closed = c.maybe_time(13);
  out.updated = c.time(14);
  out.version = c.integer(15);
  return out;
}

Duty to_duty(const Columns& c) {
  Duty out;
  out.id = c.integer(0);
  out.incident = c.integer(1);
  out.key = c.text(2);
  out.law = c.text(3);
  out.title = c.text(4);
  out.citation = c.text(5);
  out.towards = c.text(6);
  out.anchor = c.text(7);
  out.due = c.maybe_time(8);
  out.limit = c.maybe_time(9);
  out.soft = c.text(10);
  out.state = duty_state_from(c.text(11)).value_or(DutyState::kUnknown);
  out.assessed = c.text(12);
  out.why = c.text(13);
  out.unknown_facts = c.text(14);
  out.content = c.text(15);
  out.confidence = c.text(16);
  out.verification = c.text(17);
  out.done_at = c.maybe_time(18);
  out.done_by = c.text(19);
  out.reference = c.text(20);
  out.reason = c.text(21);
  out.late_noted = c.integer(22) != 0;
  return out;
}

int year_of(Time t) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(t));
  return static_cast<int>(date.year());
}

}  // namespace

std::string_view name(IncidentState state) noexcept { return word(kStates, state); }
std::optional<IncidentState> incident_state_from(std::string_view text) noexcept { return value_of(kStates, text); }
std::optional<DutyState> duty_state_from(std::string_view text) noexcept { return value_of(kDutyStates, text); }

std::string_view Duty::state_at(Time now) const noexcept { return late(now) ? "late" : word(kDutyStates, state); }

std::span<const Migration> IncidentStore::migrations() { return kMigrations; }

Result<void> IncidentStore::insert(Transaction& tx, Incident& incident) {
  const int year = year_of(incident.opened);
  auto newest = tx.number("SELECT MAX(seq) FROM incident WHERE year = ?1", year);
  if (!newest) return pass(std::move(newest));
  const std::int64_t seq = *newest + 1;
  char number[40];
  std::snprintf(number, sizeof number, "INC-%04d-%04lld", year, static_cast<long long>(seq));
  incident.number = number;
  auto done = tx.run(
      "INSERT INTO incident(year, seq, number, title, state, severity, severity_reason, summary, opened, opened_by, "
      "aware_at, confirmed_at, contained_at, recovered_at, closed, updated, version) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
      year, seq, incident.number, incident.title, name(incident.state), incident.severity, incident.severity_reason,
      incident.summary, incident.opened, incident.opened_by, incident.aware_at, incident.confirmed_at,
      incident.contained_at, incident.recovered_at, incident.closed, incident.updated, incident.version);
  if (!done) return done;
  incident.id = tx.last_insert_id();
  return {};
}

Result<void> IncidentStore::update(Transaction& tx, const Incident& i) {
  return tx.run(
      "UPDATE incident SET title = ?2, state = ?3, severity = ?4, severity_reason = ?5, summary = ?6, aware_at = ?7, "
      "confirmed_at = ?8, contained_at = ?9, recovered_at = ?10, closed = ?11, updated = ?12, version = ?13 "
      "WHERE id = ?1",
      i.id, i.title, name(i.state), i.severity, i.severity_reason, i.summary, i.aware_at, i.confirmed_at,
      i.contained_at, i.recovered_at, i.closed, i.updated, i.version);
}

Result<std::optional<Incident>> IncidentStore::incident(Reader& reader, std::int64_t id) {
  static const std::string sql = "SELECT " + std::string(kIncidentColumns) + " FROM incident WHERE id = ?1";
  return reader.row<Incident>(sql, to_incident, id);
}

Result<std::optional<Incident>> IncidentStore::by_number(Reader& reader, std::string_view number) {
  static const std::string sql = "SELECT " + std::string(kIncidentColumns) + " FROM incident WHERE number = ?1";
  return reader.row<Incident>(sql, to_incident, number);
}

Result<std::vector<Incident>> IncidentStore::list(Reader& reader, const IncidentQuery& query) {
  static const std::string sql =
      "SELECT " + std::string(kIncidentColumns) +
      " FROM incident WHERE (?1 = '' OR state = ?1 OR (?1 = 'open' AND state NOT IN ('closed', 'dismissed'))) "
      "AND (?2 <= 0 OR id < ?2) ORDER BY id DESC LIMIT ?3";
  return reader.rows<Incident>(sql, to_incident, query.state, query.before,
                               std::clamp<std::size_t>(query.limit, 1, kMaxPage + 1));
}

Result<std::uint64_t> IncidentStore::count_open(Reader& reader) {
  auto count = reader.number("SELECT COUNT(*) FROM incident WHERE state NOT IN ('closed', 'dismissed')");
  if (!count) return pass(std::move(count));
  return static_cast<std::uint64_t>(*count);
}

Result<std::vector<Fact>> IncidentStore::facts(Reader& reader, std::int64_t incident) {
  return reader.rows<Fact>(
      "SELECT name, value, by_login, at FROM incident_fact WHERE incident = ?1 ORDER BY name",
      [](const Columns& c) { return Fact{c.text(0), c.text(1), c.text(2), c.time(3)}; }, incident);
}

Result<void> IncidentStore::put_fact(Transaction& tx, std::int64_t incident, const Fact& fact) {
  return tx.run(
      "INSERT INTO incident_fact(incident, name, value, by_login, at) VALUES(?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT(incident, name) DO UPDATE SET value = excluded.value, by_login = excluded.by_login, at = excluded.at",
      incident, fact.name, fact.value, fact.by, fact.at);
}

Result<void> IncidentStore::remove_fact(Transaction& tx, std::int64_t incident, std::string_view name) {
  return tx.run("DELETE FROM incident_fact WHERE incident = ?1 AND name = ?2", incident, name);
}

Result<std::vector<Duty>> IncidentStore::duties(Reader& reader, std::int64_t incident) {
  static const std::string sql =
      "SELECT " + std::string(kDutyColumns) + " FROM duty d WHERE d.incident = ?1 ORDER BY d.id";
  return reader.rows<Duty>(sql, to_duty, incident);
}

Result<std::optional<Duty>> IncidentStore::duty(Reader& reader, std::int64_t incident, std::int64_t id) {
  static const std::string sql =
      "SELECT " + std::string(kDutyColumns) + " FROM duty d WHERE d.incident = ?1 AND d.id = ?2";
  return reader.row<Duty>(sql, to_duty, incident, id);
}

Result<std::vector<Duty>> IncidentStore::open_duties(Reader& reader, std::size_t limit) {
  static const std::string sql =
      "SELECT " + std::string(kDutyColumns) +
      " FROM duty d JOIN incident i ON i.id = d.incident WHERE d.state IN ('running', 'unknown') "
      "AND i.state NOT IN ('closed', 'dismissed') "
      "ORDER BY CASE WHEN d.due IS NULL THEN 1 ELSE 0 END, d.due, d.id LIMIT ?1";
  return reader.rows<Duty>(sql, to_duty, limit);
}

Result<void> IncidentStore::put_duty(Transaction& tx, Duty& d) {
  if (d.id == 0) {
    auto done = tx.run(
        "INSERT INTO duty(incident, row_key, law, title, citation, towards, anchor, due, limit_at, soft, state, "
        "assessed, why, unknown_facts, content, confidence, verification, done_at, done_by, reference, reason, "
        "late_noted) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, "
        "?20, ?21, ?22)",
        d.incident, d.key, d.law, d.title, d.citation, d.towards, d.anchor, d.due, d.limit, d.soft,
        word(kDutyStates, d.state), d.assessed, d.why, d.unknown_facts, d.content, d.confidence, d.verification,
        d.done_at, d.done_by, d.reference, d.reason, d.late_noted);
    if (!done) return done;
    d.id = tx.last_insert_id();
    return {};
  }
  return tx.run(
      "UPDATE duty SET law = ?2, title = ?3, citation = ?4, towards = ?5, anchor = ?6, due = ?7, limit_at = ?8, "
      "soft = ?9, state = ?10, assessed = ?11, why = ?12, unknown_facts = ?13, content = ?14, confidence = ?15, "
      "verification = ?16, done_at = ?17, done_by = ?18, reference = ?19, reason = ?20, late_noted = ?21 "
      "WHERE id = ?1",
      d.id, d.law, d.title, d.citation, d.towards, d.anchor, d.due, d.limit, d.soft, word(kDutyStates, d.state),
      d.assessed, d.why, d.unknown_facts, d.content, d.confidence, d.verification, d.done_at, d.done_by, d.reference,
      d.reason, d.late_noted);
}

}  // namespace tocsin::storage
