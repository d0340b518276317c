// Three small tables.
#include "storage/progress_store.hpp"

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {{1,
                                  "CREATE TABLE progress(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;"
                                  "CREATE TABLE progress_note(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"},
                                 {2, "CREATE TABLE progress_windows(name TEXT PRIMARY KEY, seq INTEGER NOT NULL, value BLOB NOT NULL);"}};

}  // namespace

std::span<const Migration> ProgressStore::migrations() { return kMigrations; }

Result<std::uint64_t> ProgressStore::processed(Reader& reader) {
  auto seq = reader.number("SELECT seq FROM progress WHERE name = 'journal'");
  if (!seq) return pass(std::move(seq));
  return static_cast<std::uint64_t>(*seq);
}

Result<void> ProgressStore::set_processed(Transaction& tx, std::uint64_t seq) {
  return tx.run("INSERT INTO progress(name, seq) VALUES('journal', ?1) ON CONFLICT(name) DO UPDATE SET seq = excluded.seq", seq);
}

Result<std::optional<ProgressStore::Snapshot>> ProgressStore::snapshot(Reader& reader, std::string_view name) {
  return reader.row<Snapshot>("SELECT seq, value FROM progress_windows WHERE name = ?1",
                              [](const Columns& c) { return Snapshot{static_cast<std::uint64_t>(c.integer(0)), c.text(1)}; }, name);
}

Result<void> ProgressStore::set_snapshot(Transaction& tx, std::string_view name, std::uint64_t seq, std::string_view bytes) {
  return tx.run("INSERT INTO progress_windows(name, seq, value) VALUES(?1, ?2, ?3) "
                "ON CONFLICT(name) DO UPDATE SET seq = excluded.seq, value = excluded.value", name, seq, Blob{bytes});
}

Result<std::string> ProgressStore::note(Reader& reader, std::string_view name) {
  auto value = reader.row<std::string>("SELECT value FROM progress_note WHERE name = ?1", [](const Columns& c) { return c.text(0); }, name);
  if (!value) return pass(std::move(value));
  return value->value_or("");
}

Result<void> ProgressStore::set_note(Transaction& tx, std::string_view name, std::string_view value) {
  return tx.run("INSERT INTO progress_note(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value", name, value);
}

}  // namespace tocsin::storage
