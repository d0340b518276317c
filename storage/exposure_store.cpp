// A reach is one row; its people are a Roaring bitmap in that row (for "who was reached") and, up to kMaxListed,
// one row each in reach_person (for "who saw this person"). Whole datasets are neither: they are expanded by the
// register's validity times.
#include "storage/exposure_rows.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <roaring/roaring.h>

namespace tocsin::storage {
namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE reach("
     "id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, source TEXT NOT NULL, file TEXT NOT NULL, "
     "line INTEGER NOT NULL, seq INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, "
     "known_from INTEGER NOT NULL, actor TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL, "
     "session TEXT NOT NULL, application TEXT NOT NULL, client_ip TEXT NOT NULL, dataset TEXT NOT NULL, "
     "grade INTEGER NOT NULL, whole INTEGER NOT NULL, wide INTEGER NOT NULL, at_least INTEGER, at_most INTEGER, "
     "row_count INTEGER, way TEXT NOT NULL, reason TEXT NOT NULL, fields TEXT NOT NULL, people BLOB NOT NULL);"
     "CREATE INDEX reach_by_actor ON reach(actor, dataset, first);"
     "CREATE INDEX reach_by_dataset ON reach(dataset, first);"
     "CREATE INDEX reach_wide ON reach(dataset, wide, whole);"
     "CREATE TABLE reach_person("
     "dataset TEXT NOT NULL, no INTEGER NOT NULL, reach INTEGER NOT NULL REFERENCES reach(id), "
     "PRIMARY KEY(dataset, no, reach));"
     "CREATE INDEX reach_person_by_reach ON reach_person(reach);"},
    {2,
     // Which segment files of the index count; a file that is not named here is nobody's. `first` and `last` are
     // seconds, extents included.
     "CREATE TABLE exposure_segment("
     "id INTEGER PRIMARY KEY, slice INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, "
     "accesses INTEGER NOT NULL, bytes INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL);"
     "CREATE TABLE exposure_number(next INTEGER NOT NULL);"  // of the next segment; never given twice
     "INSERT INTO exposure_number VALUES(1);"
     // Files that no longer count, to be deleted once nobody can still be reading them.
     "CREATE TABLE exposure_gone(id INTEGER PRIMARY KEY, since INTEGER NOT NULL);"},
    // Up to when something was dropped for its age: answers about earlier times say so.
    {3, "CREATE TABLE exposure_forgotten(before INTEGER NOT NULL);"}};

// ---- the bitmap of a reach: Roaring's portable format

struct Free {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<roaring_bitmap_t, Free>;

std::string packed(const std::vector<PersonNo>& people) {
  if (people.empty()) return {};
  const Bitmap bitmap(roaring_bitmap_of_ptr(people.size(), people.data()));
  roaring_bitmap_run_optimize(bitmap.get());
  std::string out(roaring_bitmap_portable_size_in_bytes(bitmap.get()), '\0');
  roaring_bitmap_portable_serialize(bitmap.get(), out.data());
  return out;
}

Bitmap unpacked(const std::string& bytes) {
  if (bytes.empty()) return nullptr;
  return Bitmap(roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size()));
}

std::vector<PersonNo> numbers(const std::string& bytes) {
  const Bitmap bitmap = unpacked(bytes);
  if (bitmap == nullptr) return {};
  std::vector<PersonNo> out(roaring_bitmap_get_cardinality(bitmap.get()));
  roaring_bitmap_to_uint32_array(bitmap.get(), out.data());
  return out;
}

std::optional<std::int64_t> signed_of(std::optional<std::uint64_t> v) {
  if (!v) return std::nullopt;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(*v, INT64_MAX));
}

}  // namespace

namespace exposure {

ReachRow row_from(const Columns& c) {
  ReachRow row;
  StoredReach& r = row.reach;
  row.id = c.integer(0);
  r.key = c.text(1);
  r.source = c.text(2);
  r.file = c.text(3);
  r.line = static_cast<std::uint64_t>(c.integer(4));
  r.seq = static_cast<std::uint64_t>(c.integer(5));
  r.first = c.time(6);
  r.last = c.time(7);
  r.known_from = c.time(8);
  r.actor = c.text(9);
  r.account = c.text(10);
  r.role = c.text(11);
  r.session = c.text(12);
  r.application = c.text(13);
  r.client_ip = c.text(14);
  r.dataset = c.text(15);
  r.grade = static_cast<Grade>(c.integer(16));
  r.whole = c.integer(17) != 0;
  row.wide = c.integer(18) != 0;
  const auto unsigned_of = [](std::optional<std::int64_t> v) {
    return v ? std::optional(static_cast<std::uint64_t>(*v)) : std::nullopt;
  };
  r.at_least = unsigned_of(c.maybe_integer(19));
  r.at_most = unsigned_of(c.maybe_integer(20));
  r.rows = unsigned_of(c.maybe_integer(21));
  r.way = c.text(22);
  r.reason = c.text(23);
  r.fields = separated(c.text(24));
  r.people = numbers(c.text(25));
  return row;
}

Result<std::vector<ReachRow>> select_rows(Reader& reader, const ExposureFilter& filter, std::string_view order) {
  std::string sql = "SELECT " + std::string(kReachColumns) + " FROM reach WHERE first <= ?1 AND last >= ?2";
  // The plain comparisons let the index on (actor, dataset, first) be used.
  if (!filter.actor.empty()) sql += " AND actor = ?3";
  if (!filter.dataset.empty()) sql += filter.actor.empty() ? " AND dataset = ?3" : " AND dataset = ?4";
  sql += order;
  const Time to = filter.to.value_or(kForever), from = filter.from.value_or(kAlways);
  if (!filter.actor.empty() && !filter.dataset.empty()) {
    return reader.rows<ReachRow>(sql, row_from, to, from, filter.actor, filter.dataset);
  }
  if (!filter.actor.empty()) return reader.rows<ReachRow>(sql, row_from, to, from, filter.actor);
  if (!filter.dataset.empty()) return reader.rows<ReachRow>(sql, row_from, to, from, filter.dataset);
  return reader.rows<ReachRow>(sql, row_from, to, from);
}

}  // namespace exposure

using namespace exposure;

std::span<const Migration> ExposureStore::migrations() { return kMigrations; }

Result<void> ExposureStore::add(Transaction& tx, std::span<const StoredReach> reaches) {
  for (const StoredReach& r : reaches) {
    const std::string people = packed(r.people);
    auto before = tx.row<std::pair<std::int64_t, std::string>>(
        "SELECT id, people FROM reach WHERE key = ?1",
        [](const Columns& c) { return std::pair(c.integer(0), c.text(1)); }, r.key);
    if (!before) return pass(std::move(before));
    const bool wide = r.people.size() > kMaxListed;
    auto done = tx.run(
        "INSERT INTO reach(key, source, file, line, seq, first, last, known_from, actor, account, role, session, "
        "application, client_ip, dataset, grade, whole, wide, at_least, at_most, row_count, way, reason, fields, people) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, "
        "?23, ?24, ?25) ON CONFLICT(key) DO UPDATE SET file = excluded.file, line = excluded.line, seq = excluded.seq, "
        "first = excluded.first, last = excluded.last, known_from = excluded.known_from, grade = excluded.grade, "
        "whole = excluded.whole, wide = excluded.wide, at_least = excluded.at_least, at_most = excluded.at_most, "
        "row_count = excluded.row_count, way = excluded.way, reason = excluded.reason, fields = excluded.fields, "
        "people = excluded.people",
        r.key, r.source, r.file, r.line, r.seq, r.first, r.last, r.known_from, r.actor, r.account, r.role, r.session,
        r.application, r.client_ip, r.dataset, static_cast<int>(r.grade), r.whole, wide, signed_of(r.at_least),
        signed_of(r.at_most), signed_of(r.rows), r.way, r.reason, joined(r.fields), Blob{people});
    if (!done) return done;
    const std::int64_t id = *before ? (*before)->first : tx.last_insert_id();
    if (*before) {
      if ((*before)->second == people) continue;
      if (auto cleared = tx.run("DELETE FROM reach_person WHERE reach = ?1", id); !cleared) return cleared;
    }
    if (wide) continue;
    for (const PersonNo no : r.people) {
      auto listed = tx.run("INSERT INTO reach_person(dataset, no, reach) VALUES(?1, ?2, ?3)", r.dataset, no, id);
      if (!listed) return listed;
    }
  }
  return {};
}

Result<std::vector<StoredReach>> ExposureStore::reaches(Reader& reader, const ExposureFilter& filter,
                                                        std::uint64_t limit) {
  auto rows = select_rows(reader, filter, " ORDER BY last DESC, id DESC LIMIT " + std::to_string(limit));
  if (!rows) return pass(std::move(rows));
  std::vector<StoredReach> out;
  for (ReachRow& row : *rows) {
    row.reach.people.clear();
    out.push_back(std::move(row.reach));
  }
  return out;
}

Result<std::vector<StoredReach>> ExposureStore::since(Reader& reader, std::uint64_t seq) {
  const std::string sql = "SELECT " + std::string(kReachColumns) + " FROM reach WHERE id > (SELECT COALESCE(MAX(id), 0) FROM reach) - ?1 AND seq > ?2 ORDER BY id";
  return reader.rows<StoredReach>(sql, [](const Columns& c) { return row_from(c).reach; }, kMaxSince, seq);
}

}  // namespace tocsin::storage
