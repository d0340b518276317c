// Plain rows; what is late is a matter of the time that the caller gives.
#include "storage/task_store.hpp"

#include <algorithm>

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE task("
     "id INTEGER PRIMARY KEY, incident INTEGER NOT NULL, task_key TEXT NOT NULL, title TEXT NOT NULL, "
     "detail TEXT NOT NULL, phase TEXT NOT NULL, owner TEXT NOT NULL, owner_role TEXT NOT NULL, due INTEGER, "
     "state TEXT NOT NULL, asked_proof TEXT NOT NULL, proof TEXT NOT NULL, reason TEXT NOT NULL, "
     "created INTEGER NOT NULL, created_by TEXT NOT NULL, done_at INTEGER, done_by TEXT NOT NULL, "
     "updated INTEGER NOT NULL, version INTEGER NOT NULL);"
     "CREATE INDEX task_by_incident ON task(incident, id);"
     "CREATE INDEX task_by_state ON task(state, due);"}};

constexpr std::string_view kColumns =
    "id, incident, task_key, title, detail, phase, owner, owner_role, due, state, asked_proof, proof, reason, created, "
    "created_by, done_at, done_by, updated, version";

constexpr std::pair<TaskState, std::string_view> kStates[] = {{TaskState::kOpen, "open"},
                                                              {TaskState::kDoing, "doing"},
                                                              {TaskState::kDone, "done"},
                                                              {TaskState::kDropped, "dropped"}};

Task to_task(const Columns& c) {
  Task out;
  out.id = c.integer(0);
  out.incident = c.integer(1);
  out.key = c.text(2);
  out.title = c.text(3);
  out.detail = c.text(4);
  out.phase = c.text(5);
  out.owner = c.text(6);
  out.owner_role = c.text(7);
  out.due = c.maybe_time(8);
  out.state = task_state_from(c.text(9)).value_or(TaskState::kOpen);
  out.asked_proof = c.text(10);
  out.proof = c.text(11);
  out.reason = c.text(12);
  out.created = c.time(13);
  out.created_by = c.text(14);
  out.done_at = c.maybe_time(15);
  out.done_by = c.text(16);
  out.updated = c.time(17);
  out.version = c.integer(18);
  return out;
}

}  // namespace

std::string_view name(TaskState state) noexcept {
  for (const auto& [value, text] : kStates) {
    if (value == state) return text;
  }
  return "open";
}

std::optional<TaskState> task_state_from(std::string_view text) noexcept {
  for (const auto& [value, word] : kStates) {
    if (word == text) return value;
  }
  return std::nullopt;
}

std::span<const Migration> TaskStore::migrations() { return kMigrations; }

Result<void> TaskStore::insert(Transaction& tx, Task& t) {
  auto done = tx.run(
      "INSERT INTO task(incident, task_key, title, detail, phase, owner, owner_role, due, state, asked_proof, proof, "
      "reason, created, created_by, done_at, done_by, updated, version) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
      t.incident, t.key, t.title, t.detail, t.phase, t.owner, t.owner_role, t.due, name(t.state), t.asked_proof,
      t.proof, t.reason, t.created, t.created_by, t.done_at, t.done_by, t.updated, t.version);
  if (!done) return done;
  t.id = tx.last_insert_id();
  return {};
}

Result<void> TaskStore::update(Transaction& tx, const Task& t) {
  return tx.run(
      "UPDATE task SET title = ?2, detail = ?3, owner = ?4, due = ?5, state = ?6, proof = ?7, reason = ?8, "
      "done_at = ?9, done_by = ?10, updated = ?11, version = ?12 WHERE id = ?1",
      t.id, t.title, t.detail, t.owner, t.due, name(t.state), t.proof, t.reason, t.done_at, t.done_by, t.updated,
      t.version);
}

Result<std::optional<Task>> TaskStore::task(Reader& reader, std::int64_t id) {
  static const std::string sql = "SELECT " + std::string(kColumns) + " FROM task WHERE id = ?1";
  return reader.row<Task>(sql, to_task, id);
}

Result<std::vector<Task>> TaskStore::list(Reader& reader, const TaskQuery& query, Time now) {
  static const std::string sql =
      "SELECT " + std::string(kColumns) +
      " FROM task WHERE (?1 = '' OR owner = ?1) AND (?2 = 0 OR (state IN ('open', 'doing') AND due < ?3)) "
      "AND (?4 = 0 OR state IN ('open', 'doing')) AND (?5 IS NULL OR incident = ?5) "
      "ORDER BY CASE WHEN state IN ('open', 'doing') THEN 0 ELSE 1 END, CASE WHEN due IS NULL THEN 1 ELSE 0 END, due, "
      "id LIMIT ?6";
  return reader.rows<Task>(sql, to_task, query.owner, query.late, now, query.open, query.incident,
                           std::clamp<std::size_t>(query.limit, 1, kMaxPage));
}

Result<TaskCounts> TaskStore::counts(Reader& reader, Time now) {
  TaskCounts out;
  auto open = reader.number("SELECT COUNT(*) FROM task WHERE state IN ('open', 'doing')");
  if (!open) return pass(std::move(open));
  auto late = reader.number("SELECT COUNT(*) FROM task WHERE state IN ('open', 'doing') AND due < ?1", now);
  if (!late) return pass(std::move(late));
  out.open = static_cast<std::uint64_t>(*open);
  out.late = static_cast<std::uint64_t>(*late);
  return out;
}

}  // namespace tocsin::storage
