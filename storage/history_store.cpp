// Append-only rows; the salt comes from the kernel, everything else from the caller.
#include "storage/history_store.hpp"

#include <sys/random.h>

#include <array>

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE history("
     "id INTEGER PRIMARY KEY, subject TEXT NOT NULL, subject_id INTEGER NOT NULL, incident INTEGER, "
     "time INTEGER NOT NULL, by_login TEXT NOT NULL, field TEXT NOT NULL, from_value TEXT NOT NULL, "
     "to_value TEXT NOT NULL, reason TEXT NOT NULL, salt TEXT NOT NULL);"
     "CREATE INDEX history_by_subject ON history(subject, subject_id, id);"
     "CREATE INDEX history_by_incident ON history(incident, id);"}};

constexpr std::string_view kSelect =
    "SELECT id, subject, subject_id, incident, time, by_login, field, from_value, to_value, reason, salt FROM history ";

Change to_change(const Columns& c) {
  Change out;
  out.id = c.integer(0);
  out.subject = c.text(1);
  out.subject_id = c.integer(2);
  out.incident = c.maybe_integer(3);
  out.time = c.time(4);
  out.by = c.text(5);
  out.field = c.text(6);
  out.from = c.text(7);
  out.to = c.text(8);
  out.reason = c.text(9);
  out.salt = c.text(10);
  return out;
}

Result<std::string> fresh_salt() {
  std::array<char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(Errc::kInternal, "the system gives no random bytes");
  }
  return to_hex(bytes_of(bytes));
}

}  // namespace

std::span<const Migration> HistoryStore::migrations() { return kMigrations; }

Result<Change> HistoryStore::add(Transaction& tx, Change change) {
  if (change.salt.empty()) {
    auto salt = fresh_salt();
    if (!salt) return pass(std::move(salt));
    change.salt = std::move(*salt);
  }
  auto done = tx.run(
      "INSERT INTO history(subject, subject_id, incident, time, by_login, field, from_value, to_value, reason, salt) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      change.subject, change.subject_id, change.incident, change.time, change.by, change.field, change.from, change.to,
      change.reason, change.salt);
  if (!done) return pass(std::move(done));
  change.id = tx.last_insert_id();
  return change;
}

Result<std::vector<Change>> HistoryStore::of(Reader& reader, std::string_view subject, std::int64_t id) {
  return reader.rows<Change>(std::string(kSelect) + "WHERE subject = ?1 AND subject_id = ?2 ORDER BY id LIMIT ?3",
                             to_change, subject, id, kMaxRows);
}

Result<std::vector<Change>> HistoryStore::of_incident(Reader& reader, std::int64_t incident) {
  return reader.rows<Change>(std::string(kSelect) + "WHERE incident = ?1 ORDER BY id LIMIT ?2", to_change, incident,
                             kMaxRows);
}

Sha256 HistoryStore::commitment(const Change& change) {
  std::string bytes;
  const auto put = [&](std::string_view part) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>((static_cast<std::uint64_t>(part.size()) >> shift) & 0xff));
    }
    bytes.append(part);
  };
  put(change.salt);
  put(std::to_string(change.id));
  put(change.subject);
  put(std::to_string(change.subject_id));
  put(change.incident ? std::to_string(*change.incident) : std::string());
  put(format_rfc3339(change.time));
  put(change.by);
  put(change.field);
  put(change.from);
  put(change.to);
  put(change.reason);
  return sha256(bytes);
}

}  // namespace tocsin::storage
