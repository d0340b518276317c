// A reach is one row; its people are a Roaring bitmap in that row (for "who was reached") and, up to kMaxListed,
// one row each in reach_person (for "who saw this person"). Whole datasets are neither: they are expanded by the
// register's validity times.
#include "storage/exposure_store.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include <roaring/roaring.h>

#include "rules/base/text.hpp"

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
     "CREATE INDEX reach_person_by_reach ON reach_person(reach);"}};

constexpr std::string_view kColumns =
    "id, key, source, file, line, seq, first, last, known_from, actor, account, role, session, application, client_ip, "
    "dataset, grade, whole, wide, at_least, at_most, row_count, way, reason, fields, people";

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "\x1f") + word;
  return out;
}

std::vector<std::string> separated(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const std::string_view part : split(text, '\x1f')) out.emplace_back(part);
  return out;
}

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

struct Row {
  std::int64_t id = 0;
  StoredReach reach;
  bool wide = false;
};

Row row_from(const Columns& c) {
  Row row;
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

Result<std::vector<Row>> select(Reader& reader, const ExposureFilter& filter, std::string_view order) {
  std::string sql = "SELECT " + std::string(kColumns) + " FROM reach WHERE first <= ?1 AND last >= ?2";
  // The plain comparisons let the index on (actor, dataset, first) be used.
  if (!filter.actor.empty()) sql += " AND actor = ?3";
  if (!filter.dataset.empty()) sql += filter.actor.empty() ? " AND dataset = ?3" : " AND dataset = ?4";
  sql += order;
  const Time to = filter.to.value_or(kForever), from = filter.from.value_or(kAlways);
  if (!filter.actor.empty() && !filter.dataset.empty()) {
    return reader.rows<Row>(sql, row_from, to, from, filter.actor, filter.dataset);
  }
  if (!filter.actor.empty()) return reader.rows<Row>(sql, row_from, to, from, filter.actor);
  if (!filter.dataset.empty()) return reader.rows<Row>(sql, row_from, to, from, filter.dataset);
  return reader.rows<Row>(sql, row_from, to, from);
}

std::optional<std::int64_t> signed_of(std::optional<std::uint64_t> v) {
  if (!v) return std::nullopt;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(*v, INT64_MAX));
}

// ---- what comes together about one person or actor

struct Sum {
  Grade grade = Grade::kUnknown;
  std::set<std::string> fields;
  Time first = Time::max(), last = Time::min();
  std::uint64_t reaches = 0;
  bool any = false;

  void add(const StoredReach& r) {
    grade = any ? std::min(grade, r.grade) : r.grade;
    fields.insert(r.fields.begin(), r.fields.end());
    first = std::min(first, r.first);
    last = std::max(last, r.last);
    ++reaches;
    any = true;
  }
  void add(const Sum& other) {
    if (!other.any) return;
    grade = any ? std::min(grade, other.grade) : other.grade;
    fields.insert(other.fields.begin(), other.fields.end());
    first = std::min(first, other.first);
    last = std::max(last, other.last);
    reaches += other.reaches;
    any = true;
  }
  [[nodiscard]] std::vector<std::string> field_list() const {
    if (fields.count("*") > 0 && fields.size() > 1) {
      std::vector<std::string> out{"*"};  // the main table's columns are all in "*"
      for (const std::string& f : fields) {
        if (f.find('.') != std::string::npos) out.push_back(f);
      }
      return out;
    }
    return {fields.begin(), fields.end()};
  }
};

struct Registered {
  PersonNo no = 0;
  Pseudonym pseudonym;
  Span valid;
  bool listed = false, erased = false;
  std::string country, language;
};

Result<std::vector<Registered>> registered(Reader& reader, const std::string& dataset) {
  return reader.rows<Registered>(
      "SELECT p.no, p.pseudonym, p.valid_from, p.valid_to, p.listed, p.erased, p.country, p.language "
      "FROM register_person p JOIN register_dataset d ON d.no = p.dataset WHERE d.name = ?1 ORDER BY p.no",
      [](const Columns& c) {
        Registered r;
        r.no = static_cast<PersonNo>(c.integer(0));
        r.pseudonym = Pseudonym::from_bytes(c.text(1)).value_or(Pseudonym{});
        r.valid = {c.time(2), c.time(3)};
        r.listed = c.integer(4) != 0;
        r.erased = !c.null(5);
        r.country = c.text(6);
        r.language = c.text(7);
        return r;
      },
      dataset);
}

struct Named {
  Registered person;
  Sum sum;
};

// Everyone whom these reaches (of one dataset) reached, by number.
Result<std::vector<Named>> reached(Reader& reader, const std::string& dataset, const std::vector<const StoredReach*>& reaches) {
  auto people = registered(reader, dataset);
  if (!people) return pass(std::move(people));
  std::unordered_map<PersonNo, Sum> sums;
  std::vector<const StoredReach*> wholes;
  Sum always;  // of whole reaches: the same for everyone who was there all the time
  for (const StoredReach* r : reaches) {
    if (r->whole) {
      wholes.push_back(r);
      always.add(*r);
    } else {
      for (const PersonNo no : r->people) sums[no].add(*r);
    }
  }
  std::vector<Named> out;
  for (Registered& person : *people) {
    Sum sum;
    if (const auto own = sums.find(person.no); own != sums.end()) sum.add(own->second);
    if (person.valid.from == kAlways && person.valid.to == kForever) {
      sum.add(always);
    } else {
      for (const StoredReach* r : wholes) {
        if (person.valid.meets({r->known_from, r->last})) sum.add(*r);
      }
    }
    if (sum.any) out.push_back({std::move(person), std::move(sum)});
  }
  return out;
}

std::map<std::string, std::vector<const StoredReach*>> by_dataset(const std::vector<Row>& rows) {
  std::map<std::string, std::vector<const StoredReach*>> out;
  for (const Row& row : rows) out[row.reach.dataset].push_back(&row.reach);
  return out;
}

// The interval for one dataset that holds the number of people truly reached.
void bound(const std::vector<const StoredReach*>& reaches, std::uint64_t listed, ExposureSummary& summary) {
  std::set<PersonNo> named, confirmed;
  std::uint64_t least = 0, loose = 0;
  bool open = false;
  for (const StoredReach* r : reaches) {
    summary.grade = std::max(summary.grade, r->grade);
    least = std::max(least, r->at_least.value_or(0));
    if (r->whole || r->grade == Grade::kUnknown) {
      if (r->at_most) loose += std::min(*r->at_most, UINT64_MAX / 2 - loose);
      else open = true;
    } else {
      named.insert(r->people.begin(), r->people.end());
      if (r->at_least && *r->at_least == r->people.size()) confirmed.insert(r->people.begin(), r->people.end());
    }
  }
  least = std::max<std::uint64_t>(least, confirmed.size());
  summary.at_least = std::max(summary.at_least.value_or(0), std::uint64_t{0}) + least;
  if (open) summary.at_most.reset();
  else if (summary.at_most) *summary.at_most += std::min(listed, named.size() + loose);
}

}  // namespace

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

Result<ExposureOverview> ExposureStore::overview(Reader& reader, const ExposureFilter& filter) {
  auto rows = select(reader, filter, " ORDER BY first, id");
  if (!rows) return pass(std::move(rows));
  ExposureOverview out;
  out.summary.grade = rows->empty() ? Grade::kUnknown : Grade::kExact;
  out.summary.at_least = 0;
  out.summary.at_most = 0;
  std::map<std::string, std::uint64_t> countries;
  for (const auto& [dataset, reaches] : by_dataset(*rows)) {
    out.datasets.push_back(dataset);
    auto people = reached(reader, dataset, reaches);
    if (!people) return pass(std::move(people));
    out.total += people->size();
    for (const Named& n : *people) ++countries[n.person.country];
    bound(reaches, people->size(), out.summary);
  }
  constexpr std::size_t kMaxReasons = 20;
  for (const Row& row : *rows) {
    const std::string& reason = row.reach.reason;
    if (out.reasons.size() >= kMaxReasons) break;
    if (std::find(out.reasons.begin(), out.reasons.end(), reason) == out.reasons.end()) out.reasons.push_back(reason);
  }
  out.by_country.assign(countries.begin(), countries.end());
  std::stable_sort(out.by_country.begin(), out.by_country.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

Result<std::vector<ExposedPerson>> ExposureStore::people(Reader& reader, const ExposureFilter& filter,
                                                         std::uint64_t offset, std::uint64_t limit) {
  auto rows = select(reader, filter, "");
  if (!rows) return pass(std::move(rows));
  std::vector<ExposedPerson> out;
  std::uint64_t at = 0;
  for (const auto& [dataset, reaches] : by_dataset(*rows)) {
    auto people = reached(reader, dataset, reaches);
    if (!people) return pass(std::move(people));
    for (Named& n : *people) {
      if (at++ < offset) continue;
      if (limit > 0 && out.size() >= limit) return out;
      ExposedPerson p;
      p.pseudonym = n.person.pseudonym;
      p.dataset = dataset;
      p.no = n.person.no;
      p.grade = n.sum.grade;
      p.fields = n.sum.field_list();
      p.first = n.sum.first;
      p.last = n.sum.last;
      p.in_register = n.person.listed;
      p.erased = n.person.erased;
      p.country = std::move(n.person.country);
      p.language = std::move(n.person.language);
      out.push_back(std::move(p));
    }
  }
  return out;
}

Result<std::vector<Watcher>> ExposureStore::watchers(Reader& reader, std::string_view dataset, PersonNo person,
                                                     std::optional<Time> from, std::optional<Time> to) {
  auto valid = reader.row<Span>(
      "SELECT p.valid_from, p.valid_to FROM register_person p JOIN register_dataset d ON d.no = p.dataset "
      "WHERE d.name = ?1 AND p.no = ?2",
      [](const Columns& c) { return Span{c.time(0), c.time(1)}; }, dataset, person);
  if (!valid) return pass(std::move(valid));
  const Time until = to.value_or(kForever), since = from.value_or(kAlways);
  std::map<std::string, Sum> actors;
  auto named = reader.rows<Row>("SELECT " + std::string(kColumns) +
                                    " FROM reach WHERE id IN (SELECT reach FROM reach_person WHERE dataset = ?1 AND "
                                    "no = ?2) AND first <= ?3 AND last >= ?4",
                                row_from, dataset, person, until, since);
  if (!named) return pass(std::move(named));
  for (const Row& row : *named) actors[row.reach.actor].add(row.reach);
  auto large = reader.rows<Row>("SELECT " + std::string(kColumns) +
                                    " FROM reach WHERE dataset = ?1 AND (wide = 1 OR whole = 1) AND first <= ?2 AND "
                                    "last >= ?3",
                                row_from, dataset, until, since);
  if (!large) return pass(std::move(large));
  for (const Row& row : *large) {
    const StoredReach& r = row.reach;
    const bool in = r.whole ? *valid && (*valid)->meets({r.known_from, r.last})
                            : std::binary_search(r.people.begin(), r.people.end(), person);
    if (in) actors[r.actor].add(r);
  }
  std::vector<Watcher> out;
  for (const auto& [actor, sum] : actors) {
    out.push_back({actor, std::string(dataset), sum.grade, sum.field_list(), sum.first, sum.last, sum.reaches});
  }
  std::stable_sort(out.begin(), out.end(), [](const Watcher& a, const Watcher& b) { return a.last > b.last; });
  return out;
}

Result<std::vector<StoredReach>> ExposureStore::reaches(Reader& reader, const ExposureFilter& filter,
                                                        std::uint64_t limit) {
  auto rows = select(reader, filter, " ORDER BY last DESC, id DESC LIMIT " + std::to_string(limit));
  if (!rows) return pass(std::move(rows));
  std::vector<StoredReach> out;
  for (Row& row : *rows) {
    row.reach.people.clear();
    out.push_back(std::move(row.reach));
  }
  return out;
}

Result<std::vector<StoredReach>> ExposureStore::since(Reader& reader, std::uint64_t seq) {
  const std::string sql = "SELECT " + std::string(kColumns) + " FROM reach WHERE id > (SELECT COALESCE(MAX(id), 0) FROM reach) - ?1 AND seq > ?2 ORDER BY id";
  return reader.rows<StoredReach>(sql, [](const Columns& c) { return row_from(c).reach; }, kMaxSince, seq);
}

}  // namespace tocsin::storage
