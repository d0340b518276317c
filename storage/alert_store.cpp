// Three families of rows in one schema: findings (by content hash), alerts (counted), silences (ended, never deleted).
#include "storage/alert_store.hpp"

#include <algorithm>
#include <charconv>

#include "rules/base/text.hpp"

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE alert("
     "id INTEGER PRIMARY KEY, grp TEXT NOT NULL, title TEXT NOT NULL, rule TEXT NOT NULL, kind TEXT NOT NULL, "
     "level INTEGER NOT NULL, state TEXT NOT NULL, actor TEXT NOT NULL, dataset TEXT NOT NULL, "
     "first_time INTEGER NOT NULL, last_time INTEGER NOT NULL, findings INTEGER NOT NULL, "
     "evidence_count INTEGER NOT NULL, grade INTEGER, at_least INTEGER, at_most INTEGER, assignee TEXT NOT NULL, "
     "incident INTEGER, former INTEGER, reason TEXT NOT NULL, opened INTEGER NOT NULL, updated INTEGER NOT NULL, "
     "version INTEGER NOT NULL, words TEXT NOT NULL);"
     "CREATE INDEX alert_by_group ON alert(grp, id);"
     "CREATE INDEX alert_by_level ON alert(level, last_time, id);"
     "CREATE INDEX alert_by_incident ON alert(incident);"
     "CREATE TABLE finding("
     "id TEXT PRIMARY KEY, rule TEXT NOT NULL, title TEXT NOT NULL, level INTEGER NOT NULL, time INTEGER NOT NULL, "
     "last_time INTEGER NOT NULL, actor TEXT NOT NULL, dataset TEXT NOT NULL, kind TEXT NOT NULL, grp TEXT NOT NULL, "
     "alert_title TEXT NOT NULL, reason TEXT NOT NULL, evidence_count INTEGER NOT NULL, "
     "evidence_kept INTEGER NOT NULL, grade INTEGER, at_least INTEGER, at_most INTEGER, alert INTEGER, "
     "silence INTEGER, updated INTEGER NOT NULL);"
     "CREATE TABLE alert_finding(alert INTEGER NOT NULL, finding TEXT NOT NULL, PRIMARY KEY(alert, finding));"
     "CREATE TABLE evidence("
     "finding TEXT NOT NULL, n INTEGER NOT NULL, source TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, "
     "seq INTEGER NOT NULL, time INTEGER NOT NULL, preview TEXT NOT NULL, PRIMARY KEY(finding, n));"
     "CREATE TABLE alert_exposure("
     "alert INTEGER NOT NULL, dataset TEXT NOT NULL, grade INTEGER NOT NULL, at_least INTEGER NOT NULL, "
     "narrow_sum INTEGER NOT NULL, narrow_max INTEGER NOT NULL, wide_max INTEGER NOT NULL, "
     "unbounded INTEGER NOT NULL, PRIMARY KEY(alert, dataset));"
     "CREATE TABLE silence("
     "id INTEGER PRIMARY KEY, rule TEXT, actor TEXT, dataset TEXT, until INTEGER NOT NULL, reason TEXT NOT NULL, "
     "by_login TEXT NOT NULL, created INTEGER NOT NULL, ended INTEGER, matched INTEGER NOT NULL);"},
    {2,
     "ALTER TABLE finding ADD COLUMN secret TEXT NOT NULL DEFAULT '';"
     "CREATE INDEX finding_by_secret ON finding(secret, time) WHERE secret <> '';"}};

constexpr std::string_view kAlertColumns =
    "id, grp, title, rule, kind, level, state, actor, dataset, first_time, last_time, findings, evidence_count, "
    "grade, at_least, at_most, assignee, incident, former, reason, opened, updated, version";
constexpr std::string_view kFindingColumns =
    "f.id, f.rule, f.title, f.level, f.time, f.last_time, f.actor, f.dataset, f.kind, f.grp, f.alert_title, f.reason, "
    "f.evidence_count, f.evidence_kept, f.grade, f.at_least, f.at_most, f.alert, f.silence, f.secret, "
    "(SELECT o.alert FROM finding o WHERE f.secret <> '' AND o.secret = f.secret AND o.secret <> '' AND o.alert IS NOT NULL ORDER BY o.time, o.id LIMIT 1)";
constexpr std::string_view kSilenceColumns =
    "id, rule, actor, dataset, until, reason, by_login, created, ended, matched";

constexpr std::pair<AlertState, std::string_view> kStates[] = {
    {AlertState::kNew, "new"},           {AlertState::kAcknowledged, "acknowledged"},
    {AlertState::kFalsePositive, "false_positive"}, {AlertState::kIncident, "incident"},
    {AlertState::kClosed, "closed"}};

std::optional<std::uint64_t> maybe_count(const Columns& c, int i) {
  if (c.null(i)) return std::nullopt;
  return static_cast<std::uint64_t>(c.integer(i));
}

std::optional<ExposureSummary> to_exposure(const Columns& c, int first) {
  if (c.null(first)) return std::nullopt;
  return ExposureSummary{static_cast<Grade>(c.integer(first)), maybe_count(c, first + 1), maybe_count(c, first + 2)};
}

std::optional<std::int64_t> grade_of(const std::optional<ExposureSummary>& exposure) {
  if (!exposure) return std::nullopt;
  return static_cast<std::int64_t>(exposure->grade);
}
std::optional<std::uint64_t> at_least_of(const std::optional<ExposureSummary>& exposure) {
  return exposure ? exposure->at_least : std::nullopt;
}
std::optional<std::uint64_t> at_most_of(const std::optional<ExposureSummary>& exposure) {
  return exposure ? exposure->at_most : std::nullopt;
}

Alert to_alert(const Columns& c) {
  Alert out;
  out.id = c.integer(0);
  out.group = c.text(1);
  out.title = c.text(2);
  out.rule = c.text(3);
  out.kind = c.text(4);
  out.level = static_cast<Level>(c.integer(5));
  out.state = alert_state_from(c.text(6)).value_or(AlertState::kNew);
  out.actor = c.text(7);
  out.dataset = c.text(8);
  out.first = c.time(9);
  out.last = c.time(10);
  out.findings = static_cast<std::uint64_t>(c.integer(11));
  out.evidence_count = static_cast<std::uint64_t>(c.integer(12));
  out.exposure = to_exposure(c, 13);
  out.assignee = c.text(16);
  out.incident = c.maybe_integer(17);
  out.former = c.maybe_integer(18);
  out.reason = c.text(19);
  out.opened = c.time(20);
  out.updated = c.time(21);
  out.version = c.integer(22);
  return out;
}

KeptFinding to_finding(const Columns& c) {
  KeptFinding out;
  out.finding.id = c.text(0);
  out.finding.rule = c.text(1);
  out.finding.title = c.text(2);
  out.finding.level = static_cast<Level>(c.integer(3));
  out.finding.time = c.time(4);
  out.finding.last = c.time(5);
  out.finding.actor = c.text(6);
  out.finding.dataset = c.text(7);
  out.finding.kind = c.text(8);
  out.finding.group = c.text(9);
  out.finding.alert_title = c.text(10);
  out.finding.reason = c.text(11);
  out.finding.evidence_count = static_cast<std::uint64_t>(c.integer(12));
  out.evidence_kept = static_cast<std::uint64_t>(c.integer(13));
  out.finding.exposure = to_exposure(c, 14);
  out.alert = c.maybe_integer(17);
  out.silence = c.maybe_integer(18);
  out.finding.secret = c.text(19);
  out.first_alert = c.maybe_integer(20);
  if (out.first_alert == out.alert) out.first_alert.reset();
  return out;
}

Silence to_silence(const Columns& c) {
  Silence out;
  out.id = c.integer(0);
  out.rule = c.maybe_text(1);
  out.actor = c.maybe_text(2);
  out.dataset = c.maybe_text(3);
  out.until = c.time(4);
  out.reason = c.text(5);
  out.by = c.text(6);
  out.created = c.time(7);
  out.ended = c.maybe_time(8);
  out.matched = static_cast<std::uint64_t>(c.integer(9));
  return out;
}

Evidence to_evidence(const Columns& c) {
  return {c.text(0), c.text(1), static_cast<std::uint64_t>(c.integer(2)), static_cast<std::uint64_t>(c.integer(3)),
          c.time(4), c.text(5)};
}
constexpr std::string_view kEvidenceColumns = "source, file, line, seq, time, preview";

bool same(const Evidence& a, const Evidence& b) {
  return a.seq == b.seq && a.line == b.line && a.time == b.time && a.file == b.file && a.source == b.source &&
         a.preview == b.preview;
}

// The words that a text search looks in; lower case, so that the search needs no case folding of the database.
std::string words_of(const Alert& alert) {
  return to_lower(alert.title + '\n' + alert.actor + '\n' + alert.dataset + '\n' + alert.rule);
}

// A text as a LIKE pattern that finds it anywhere; '!' escapes.
std::string like(std::string_view text) {
  std::string out = "%";
  for (const char c : to_lower(text)) {
    if (c == '%' || c == '_' || c == '!') out.push_back('!');
    out.push_back(c);
  }
  out.push_back('%');
  return out;
}

struct Cursor {
  std::int64_t level = 1'000;
  std::int64_t last = 0;
  std::int64_t id = 0;
};

std::string to_text(const Cursor& cursor) {
  return std::to_string(cursor.level) + "." + std::to_string(cursor.last) + "." + std::to_string(cursor.id);
}

std::optional<Cursor> cursor_from(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 3) return std::nullopt;
  Cursor out;
  std::int64_t* const fields[] = {&out.level, &out.last, &out.id};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto [end, ec] = std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), *fields[i]);
    if (ec != std::errc() || end != parts[i].data() + parts[i].size()) return std::nullopt;
  }
  return out;
}

}  // namespace

std::string_view name(AlertState state) noexcept {
  for (const auto& [value, text] : kStates) {
    if (value == state) return text;
  }
  return "new";
}

std::optional<AlertState> alert_state_from(std::string_view text) noexcept {
  for (const auto& [value, word] : kStates) {
    if (word == text) return value;
  }
  return std::nullopt;
}

bool Silence::matches(const Finding& finding) const noexcept {
  if (!rule && !actor && !dataset) return false;
  return (!rule || *rule == finding.rule) && (!actor || *actor == finding.actor) &&
         (!dataset || *dataset == finding.dataset);
}

std::span<const Migration> AlertStore::migrations() { return kMigrations; }

// ---------------------------------------------------------------------------------------------- findings

Result<std::optional<KeptFinding>> AlertStore::finding(Reader& reader, std::string_view id) {
  static const std::string sql = "SELECT " + std::string(kFindingColumns) + " FROM finding f WHERE f.id = ?1";
  return reader.row<KeptFinding>(sql, to_finding, id);
}

Result<std::vector<KeptFinding>> AlertStore::findings_since(Reader& reader, std::string_view rule, Time since) {
  static const std::string sql = "SELECT " + std::string(kFindingColumns) + " FROM finding f WHERE f.rule = ?1 AND f.last_time >= ?2 ORDER BY f.last_time DESC, f.id LIMIT ?3";
  return reader.rows<KeptFinding>(sql, to_finding, rule, since, static_cast<std::int64_t>(kMaxScopes));
}

Result<void> AlertStore::put_finding(Transaction& tx, const KeptFinding& kept, Time now) {
  const Finding& f = kept.finding;
  return tx.run(
      "INSERT INTO finding(id, rule, title, level, time, last_time, actor, dataset, kind, grp, alert_title, reason, "
      "evidence_count, evidence_kept, grade, at_least, at_most, alert, silence, updated, secret) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) "
      "ON CONFLICT(id) DO UPDATE SET title = excluded.title, level = excluded.level, time = excluded.time, "
      "last_time = excluded.last_time, reason = excluded.reason, alert_title = excluded.alert_title, "
      "evidence_count = excluded.evidence_count, evidence_kept = excluded.evidence_kept, grade = excluded.grade, "
      "at_least = excluded.at_least, at_most = excluded.at_most, alert = excluded.alert, "
      "silence = excluded.silence, updated = excluded.updated",
      f.id, f.rule, f.title, f.level, f.time, f.last, f.actor, f.dataset, f.kind, f.group, f.alert_title, f.reason,
      f.evidence_count, kept.evidence_kept, grade_of(f.exposure), at_least_of(f.exposure), at_most_of(f.exposure),
      kept.alert, kept.silence, now, f.secret);
}

Result<std::uint64_t> AlertStore::add_evidence(Transaction& tx, const KeptFinding& kept,
                                               std::span<const Evidence> evidence) {
  std::uint64_t have = kept.evidence_kept;
  std::size_t begin = 0;
  if (have > 0 && !evidence.empty()) {
    static const std::string sql =
        "SELECT " + std::string(kEvidenceColumns) + " FROM evidence WHERE finding = ?1 AND n = ?2";
    auto newest = tx.row<Evidence>(sql, to_evidence, kept.finding.id, have - 1);
    if (!newest) return pass(std::move(newest));
    if (*newest) {
      // Where the newest kept row stands, everything after it is new. A whole report has it at its own place.
      if (evidence.size() >= have && same(evidence[have - 1], **newest)) {
        begin = have;
      } else {
        for (std::size_t i = evidence.size(); i-- > 0;) {
          if (same(evidence[i], **newest)) {
            begin = i + 1;
            break;
          }
        }
      }
    }
  }
  for (std::size_t i = begin; i < evidence.size() && have < Finding::kMaxEvidence; ++i, ++have) {
    const Evidence& e = evidence[i];
    auto done = tx.run(
        "INSERT INTO evidence(finding, n, source, file, line, seq, time, preview) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        kept.finding.id, have, e.source, e.file, e.line, e.seq, e.time, e.preview);
    if (!done) return pass(std::move(done));
  }
  return have;
}

Result<std::vector<KeptFinding>> AlertStore::findings_of(Reader& reader, std::int64_t alert, std::size_t offset,
                                                         std::size_t limit, std::size_t evidence_each) {
  static const std::string sql =
      "SELECT " + std::string(kFindingColumns) +
      " FROM alert_finding a JOIN finding f ON f.id = a.finding WHERE a.alert = ?1 "
      "ORDER BY f.time, f.id LIMIT ?2 OFFSET ?3";
  auto out = reader.rows<KeptFinding>(sql, to_finding, alert, limit, offset);
  if (!out) return out;
  static const std::string evidence_sql =
      "SELECT " + std::string(kEvidenceColumns) + " FROM evidence WHERE finding = ?1 ORDER BY n LIMIT ?2";
  for (KeptFinding& kept : *out) {
    auto evidence = reader.rows<Evidence>(evidence_sql, to_evidence, kept.finding.id, evidence_each);
    if (!evidence) return pass(std::move(evidence));
    kept.finding.evidence = std::move(*evidence);
  }
  return out;
}

Result<std::vector<Scope>> AlertStore::scopes_of_rules(Reader& reader, std::string_view rule) {
  return reader.rows<Scope>(
      "SELECT actor, dataset, MIN(time), MAX(last_time) FROM finding WHERE substr(rule, 1, length(?1)) = ?1 GROUP BY actor, dataset",
      [](const Columns& c) { return Scope{c.text(0), c.text(1), c.time(2), c.time(3)}; }, rule);
}

Result<std::vector<Scope>> AlertStore::scopes_of(Reader& reader, std::span<const std::int64_t> alerts) {
  std::vector<Scope> all;
  for (const std::int64_t alert : alerts) {
    auto some = reader.rows<Scope>(
        "SELECT f.actor, f.dataset, f.time, f.last_time FROM alert_finding a JOIN finding f ON f.id = a.finding "
        "WHERE a.alert = ?1 AND f.dataset <> ''",
        [](const Columns& c) { return Scope{c.text(0), c.text(1), c.time(2), c.time(3)}; }, alert);
    if (!some) return pass(std::move(some));
    all.insert(all.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  std::sort(all.begin(), all.end(), [](const Scope& a, const Scope& b) {
    return std::tie(a.actor, a.dataset, a.from, a.to) < std::tie(b.actor, b.dataset, b.from, b.to);
  });
  const auto merge = [&all](bool gaps_too) {
    std::vector<Scope> merged;
    for (Scope& scope : all) {
      Scope* const before = merged.empty() ? nullptr : &merged.back();
      if (before != nullptr && before->actor == scope.actor && before->dataset == scope.dataset &&
          (gaps_too || scope.from <= before->to)) {
        before->to = std::max(before->to, scope.to);
      } else {
        merged.push_back(std::move(scope));
      }
    }
    all = std::move(merged);
  };
  merge(false);
  if (all.size() > kMaxScopes) merge(true);
  return all;
}

// ------------------------------------------------------------------------------------------------ alerts

Result<std::optional<Alert>> AlertStore::alert(Reader& reader, std::int64_t id) {
  static const std::string sql = "SELECT " + std::string(kAlertColumns) + " FROM alert WHERE id = ?1";
  return reader.row<Alert>(sql, to_alert, id);
}

Result<std::optional<Alert>> AlertStore::newest_of_group(Reader& reader, std::string_view group) {
  static const std::string sql =
      "SELECT " + std::string(kAlertColumns) + " FROM alert WHERE grp = ?1 ORDER BY id DESC LIMIT 1";
  return reader.row<Alert>(sql, to_alert, group);
}

Result<std::int64_t> AlertStore::insert(Transaction& tx, const Alert& a) {
  auto done = tx.run(
      "INSERT INTO alert(grp, title, rule, kind, level, state, actor, dataset, first_time, last_time, findings, "
      "evidence_count, grade, at_least, at_most, assignee, incident, former, reason, opened, updated, version, words) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
      a.group, a.title, a.rule, a.kind, a.level, name(a.state), a.actor, a.dataset, a.first, a.last, a.findings,
      a.evidence_count, grade_of(a.exposure), at_least_of(a.exposure), at_most_of(a.exposure), a.assignee, a.incident,
      a.former, a.reason, a.opened, a.updated, a.version, words_of(a));
  if (!done) return pass(std::move(done));
  return tx.last_insert_id();
}

Result<void> AlertStore::update(Transaction& tx, const Alert& a) {
  return tx.run(
      "UPDATE alert SET title = ?2, level = ?3, state = ?4, first_time = ?5, last_time = ?6, findings = ?7, "
      "evidence_count = ?8, grade = ?9, at_least = ?10, at_most = ?11, assignee = ?12, incident = ?13, reason = ?14, "
      "updated = ?15, version = ?16 WHERE id = ?1",
      a.id, a.title, a.level, name(a.state), a.first, a.last, a.findings, a.evidence_count, grade_of(a.exposure),
      at_least_of(a.exposure), at_most_of(a.exposure), a.assignee, a.incident, a.reason, a.updated, a.version);
}

Result<bool> AlertStore::join(Transaction& tx, std::int64_t alert, std::string_view finding) {
  auto done = tx.run("INSERT INTO alert_finding(alert, finding) VALUES(?1, ?2) ON CONFLICT(alert, finding) DO NOTHING",
                     alert, finding);
  if (!done) return pass(std::move(done));
  return tx.changes() > 0;
}

Result<ExposureSummary> AlertStore::widen(Transaction& tx, std::int64_t alert, std::string_view dataset,
                                          const std::optional<ExposureSummary>& before, const ExposureSummary& after) {
  // Per dataset: narrow exposures (named people) may be of different people and add up; wide ones are each at
  // most the whole dataset, so the largest holds them all.
  struct Row {
    std::int64_t grade = 0, at_least = 0, narrow_sum = 0, narrow_max = 0, wide_max = 0, unbounded = 0;
  };
  const auto to_row = [](const Columns& c) {
    return Row{c.integer(0), c.integer(1), c.integer(2), c.integer(3), c.integer(4), c.integer(5)};
  };
  auto found = tx.row<Row>(
      "SELECT grade, at_least, narrow_sum, narrow_max, wide_max, unbounded FROM alert_exposure "
      "WHERE alert = ?1 AND dataset = ?2",
      to_row, alert, dataset);
  if (!found) return pass(std::move(found));
  Row row = found->value_or(Row());
  const auto narrow = [](const ExposureSummary& e) { return e.grade == Grade::kExact || e.grade == Grade::kDerived; };
  if (before) {
    if (!before->at_most) --row.unbounded;
    else if (narrow(*before)) row.narrow_sum -= static_cast<std::int64_t>(*before->at_most);
  }
  row.grade = std::max(row.grade, static_cast<std::int64_t>(after.grade));
  row.at_least = std::max(row.at_least, static_cast<std::int64_t>(after.at_least.value_or(0)));
  if (!after.at_most) {
    ++row.unbounded;
  } else if (const auto most = static_cast<std::int64_t>(*after.at_most); narrow(after)) {
    row.narrow_sum += most;
    row.narrow_max = std::max(row.narrow_max, most);
  } else {
    row.wide_max = std::max(row.wide_max, most);
  }
  auto done = tx.run(
      "INSERT INTO alert_exposure(alert, dataset, grade, at_least, narrow_sum, narrow_max, wide_max, unbounded) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(alert, dataset) DO UPDATE SET grade = excluded.grade, "
      "at_least = excluded.at_least, narrow_sum = excluded.narrow_sum, narrow_max = excluded.narrow_max, "
      "wide_max = excluded.wide_max, unbounded = excluded.unbounded",
      alert, dataset, row.grade, row.at_least, row.narrow_sum, row.narrow_max, row.wide_max, row.unbounded);
  if (!done) return pass(std::move(done));

  auto rows = tx.rows<Row>(
      "SELECT grade, at_least, narrow_sum, narrow_max, wide_max, unbounded FROM alert_exposure WHERE alert = ?1", to_row,
      alert);
  if (!rows) return pass(std::move(rows));
  ExposureSummary out{Grade::kExact, 0, 0};
  for (const Row& r : *rows) {
    out.grade = std::max(out.grade, static_cast<Grade>(r.grade));
    out.at_least = std::max(*out.at_least, static_cast<std::uint64_t>(r.at_least));
    if (r.unbounded > 0) out.at_most.reset();
    if (!out.at_most) continue;
    const std::int64_t most = r.wide_max > 0 ? std::max(r.wide_max, r.narrow_max) : r.narrow_sum;
    *out.at_most += static_cast<std::uint64_t>(most);
  }
  return out;
}

Result<AlertPage> AlertStore::list(Reader& reader, const AlertQuery& query) {
  Cursor after;
  if (!query.after.empty()) {
    auto parsed = cursor_from(query.after);
    if (!parsed) return fail(Errc::kInvalid, "this is no cursor of this list", "after");
    after = *parsed;
  }
  static const std::string sql =
      "SELECT " + std::string(kAlertColumns) +
      " FROM alert WHERE (?1 = '' OR state = ?1 OR (?1 = 'open' AND state IN ('new', 'acknowledged'))) "
      "AND (?2 < 0 OR level = ?2) AND (?3 = '' OR words LIKE ?3 ESCAPE '!') "
      "AND (level < ?4 OR (level = ?4 AND (last_time < ?5 OR (last_time = ?5 AND id < ?6)))) "
      "ORDER BY level DESC, last_time DESC, id DESC LIMIT ?7";
  const std::string pattern = query.text.empty() ? std::string() : like(query.text);
  const std::int64_t level = query.level ? static_cast<std::int64_t>(*query.level) : -1;
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kMaxPage);
  auto found = reader.rows<Alert>(sql, to_alert, query.state, level, pattern, after.level, after.last, after.id, limit + 1);
  if (!found) return pass(std::move(found));
  AlertPage page;
  page.items = std::move(*found);
  if (page.items.size() > limit) {
    page.items.pop_back();
    const Alert& end = page.items.back();
    page.next = to_text({static_cast<std::int64_t>(end.level), to_micros(end.last), end.id});
  }
  return page;
}

Result<std::vector<Alert>> AlertStore::of_incident(Reader& reader, std::int64_t incident) {
  static const std::string sql = "SELECT " + std::string(kAlertColumns) + " FROM alert WHERE incident = ?1 ORDER BY id";
  return reader.rows<Alert>(sql, to_alert, incident);
}

Result<AlertCounts> AlertStore::counts(Reader& reader) {
  AlertCounts out;
  auto done = reader.each(
      "SELECT level, COUNT(*) FROM alert WHERE state IN ('new', 'acknowledged') GROUP BY level",
      [&](const Columns& c) {
        const auto level = static_cast<std::size_t>(c.integer(0));
        const auto count = static_cast<std::uint64_t>(c.integer(1));
        if (level < std::size(out.by_level)) out.by_level[level] = count;
        out.open += count;
        return true;
      },
      {});
  if (!done) return pass(std::move(done));
  return out;
}

// ---------------------------------------------------------------------------------------------- silences

Result<std::vector<Silence>> AlertStore::silences(Reader& reader, bool only_active, Time now) {
  static const std::string sql = "SELECT " + std::string(kSilenceColumns) +
                                 " FROM silence WHERE ?1 = 0 OR (ended IS NULL AND until > ?2) ORDER BY id DESC LIMIT ?3";
  return reader.rows<Silence>(sql, to_silence, only_active, now, kMaxSilences);
}

Result<std::optional<Silence>> AlertStore::silence(Reader& reader, std::int64_t id) {
  static const std::string sql = "SELECT " + std::string(kSilenceColumns) + " FROM silence WHERE id = ?1";
  return reader.row<Silence>(sql, to_silence, id);
}

Result<std::int64_t> AlertStore::insert(Transaction& tx, const Silence& s) {
  auto done = tx.run(
      "INSERT INTO silence(rule, actor, dataset, until, reason, by_login, created, matched) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
      s.rule, s.actor, s.dataset, s.until, s.reason, s.by, s.created);
  if (!done) return pass(std::move(done));
  return tx.last_insert_id();
}

Result<void> AlertStore::end_silence(Transaction& tx, std::int64_t id, Time now) {
  return tx.run("UPDATE silence SET ended = ?2 WHERE id = ?1 AND ended IS NULL", id, now);
}

Result<void> AlertStore::count_match(Transaction& tx, std::int64_t silence) {
  return tx.run("UPDATE silence SET matched = matched + 1 WHERE id = ?1", silence);
}

}  // namespace tocsin::storage
