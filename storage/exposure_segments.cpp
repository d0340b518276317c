// Files are written and synced before the transaction that names them commits; rows are deleted in that same
// transaction. Files that no longer count stay for an hour: a reader may have an older snapshot.
#include "storage/exposure_segments.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "storage/exposure/builder.hpp"
#include "storage/exposure/open_segments.hpp"
#include "storage/exposure_rows.hpp"
#include "storage/files/durable_file.hpp"

namespace tocsin::storage {

using namespace exposure;

namespace {

constexpr std::string_view kFolder = "exposure";
constexpr std::string_view kPrefix = "exp-", kSuffix = ".tes";
constexpr std::size_t kDigits = 16;
constexpr auto kGrace = std::chrono::hours(1);

std::string name_of(std::int64_t id) {
  char text[kDigits + 1];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(id));
  return std::string(kPrefix) + text + std::string(kSuffix);
}

std::filesystem::path folder_of(const Reader& reader) { return reader.file().parent_path() / kFolder; }

struct Listed {
  std::int64_t id = 0;
  Second slice = 0;
  std::uint64_t accesses = 0, bytes = 0;
};

Listed listed_from(const Columns& c) {
  return {c.integer(0), c.integer(1), static_cast<std::uint64_t>(c.integer(2)), static_cast<std::uint64_t>(c.integer(3))};
}

// Writes what `open` holds as a new segment and lists it.
Result<std::uint64_t> write_segment(Transaction& tx, SegmentBuilder& open) {
  const std::uint64_t accesses = open.size();
  const std::string bytes = open.seal();
  auto next = tx.number("SELECT next FROM exposure_number");
  if (!next) return pass(std::move(next));
  const std::filesystem::path folder = folder_of(tx), file = folder / name_of(*next);
  if (auto made = make_directories(folder); !made) return pass(std::move(made));
  forget_segment(file);  // a try that was rolled back may have left one of this name
  if (auto written = write_durably(file, bytes); !written) return pass(std::move(written));
  // Read back before the rows go: what cannot be opened must not replace them.
  auto segment = open_segment(file);
  if (!segment) return pass(std::move(segment));
  const Tables& t = (*segment)->tables();
  auto done = tx.run("UPDATE exposure_number SET next = next + 1");
  if (!done) return pass(std::move(done));
  done = tx.run(
      "INSERT INTO exposure_segment(id, slice, first, last, accesses, bytes, first_seq, last_seq) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      *next, open.slice(), t.base + t.first, t.base + t.last + t.extent, accesses, bytes.size(), t.first_seq, t.last_seq);
  if (!done) return pass(std::move(done));
  return bytes.size();
}

// What the index keeps of a reach; nullopt if it must stay a row.
std::optional<Attribute> attribute_of(const StoredReach& r) {
  if (r.whole || r.grade == Grade::kUnknown || r.dataset.empty() || r.people.empty() || r.way == "cursor" || r.seq == 0) return {};
  const Second extent = floor_second(r.last) - floor_second(r.first);
  if (extent < 0 || extent > kMaxExtent || r.first < Time{}) return {};
  Attribute a;
  a.grade = r.grade;
  a.confirmed = r.at_least && *r.at_least == r.people.size();
  if (!a.confirmed) a.least = static_cast<std::uint32_t>(std::min<std::uint64_t>(r.at_least.value_or(0), UINT32_MAX));
  a.extent = static_cast<std::uint32_t>(extent);
  a.fields = joined(r.fields);
  a.way = r.way;
  a.reason = r.reason;
  return a;
}

constexpr std::string_view kSealable =
    " FROM reach WHERE whole = 0 AND grade <> 3 AND dataset <> '' AND way <> 'cursor' AND seq > 0 AND seq <= ?1";

// Copies all of a segment into `open`; false if it does not fit.
Result<bool> pour(const Segment& segment, SegmentBuilder& open) {
  const Tables& t = segment.tables();
  std::vector<std::uint32_t> kinds;
  for (const Attribute& a : t.attributes) {
    const auto kind = open.attribute(a);
    if (!kind) return false;
    kinds.push_back(*kind);
  }
  bool fits = true;
  for (const Pair& p : t.pairs) {
    const std::string &actor = t.texts[p.actor], &dataset = t.texts[t.datasets[p.dataset].name];
    auto done = segment.groups(p, 0, static_cast<std::uint32_t>(kSlice - 1), [&](Group& g) -> Result<void> {
      if (auto decoded = g.details(); !decoded) return decoded;
      std::size_t at = 0;
      for (std::size_t e = 0; e < g.people.size(); ++e) {
        for (std::uint32_t n = 0; n < g.counts[e]; ++n, ++at) {
          fits = fits && open.add(actor, dataset, kinds[g.attributes[at]], t.base + g.seconds[at], {&g.people[e], 1});
        }
      }
      return {};
    });
    if (!done) return pass(std::move(done));
  }
  for (const WideReach& w : t.wide) {
    auto bytes = segment.wide(w);
    if (!bytes) return pass(std::move(bytes));
    PersonSet set;
    if (!set.add_roaring(*bytes)) return fail(Errc::kCorrupt, "damaged exposure segment: a wide set", segment.file().string());
    std::vector<PersonNo> people;
    set.each([&](PersonNo no) {
      people.push_back(no);
      return true;
    });
    const Pair& p = t.pairs[w.pair];
    fits = fits && open.add(t.texts[p.actor], t.texts[t.datasets[p.dataset].name], kinds[w.attribute], t.base + w.second, people);
  }
  open.covers(t.first_seq);
  open.covers(t.last_seq);
  return fits;
}

}  // namespace

std::filesystem::path segment_path(const Reader& reader, std::int64_t id) { return folder_of(reader) / name_of(id); }
std::filesystem::path segment_path(const Database& db, std::int64_t id) { return db.file().parent_path() / kFolder / name_of(id); }
bool is_sealable(const StoredReach& reach) { return attribute_of(reach).has_value(); }

Result<void> retire_segment(Transaction& tx, std::int64_t id, Time now) {
  if (auto done = tx.run("DELETE FROM exposure_segment WHERE id = ?1", id); !done) return done;
  return tx.run("INSERT INTO exposure_gone(id, since) VALUES(?1, ?2)", id, now);
}

Result<SealReport> seal_reaches(Database& db, const SealOptions& options) {
  const auto up_to = static_cast<std::int64_t>(std::min<std::uint64_t>(options.up_to_seq, INT64_MAX));
  auto waiting = db.read([&](Reader& r) { return r.number("SELECT COUNT(*)" + std::string(kSealable), up_to); });
  if (!waiting) return pass(std::move(waiting));
  SealReport report;
  const auto count = static_cast<std::size_t>(*waiting);
  if (count < options.at_least + options.leave || count == 0) return report;
  const std::size_t take = std::min(count - std::min(options.leave, count), options.at_most);
  if (take == 0) return report;
  auto done = db.write([&](Transaction& tx) -> Result<void> {
    std::map<Second, SegmentBuilder> slices;
    std::vector<std::int64_t> sealed;
    // Row by row: a single one may hold a million people.
    auto walked = tx.each(
        "SELECT " + std::string(kReachColumns) + std::string(kSealable) + " ORDER BY id LIMIT ?2",
        [&](const Columns& c) {
          const ReachRow row = row_from(c);
          const StoredReach& r = row.reach;
          const auto attribute = attribute_of(r);
          if (!attribute) return true;
          const Second second = floor_second(r.first), slice = slice_of(second);
          SegmentBuilder& open = slices.try_emplace(slice, SegmentBuilder(slice)).first->second;
          const auto kind = open.attribute(*attribute);
          // What does not fit any more waits for the next time.
          if (!kind || !open.add(r.actor, r.dataset, *kind, second, r.people)) return true;
          open.covers(r.seq);
          sealed.push_back(row.id);
          report.accesses += r.people.size();
          return report.accesses < kMaxSegmentAccesses;
        },
        {Binding(up_to), Binding(take)});
    if (!walked) return walked;
    for (auto& [slice, open] : slices) {
      if (open.size() == 0) continue;
      auto written = write_segment(tx, open);
      if (!written) return pass(std::move(written));
      report.bytes += *written;
      ++report.segments;
    }
    for (const std::int64_t id : sealed) {
      if (auto gone = tx.run("DELETE FROM reach_person WHERE reach = ?1", id); !gone) return gone;
      if (auto gone = tx.run("DELETE FROM reach WHERE id = ?1", id); !gone) return gone;
    }
    report.reaches = sealed.size();
    return {};
  });
  if (!done) return pass(std::move(done));
  return report;
}

Result<MergeReport> merge_segments(Database& db, Time now, std::size_t from) {
  auto all = db.read([](Reader& r) {
    return r.rows<Listed>("SELECT id, slice, accesses, bytes FROM exposure_segment ORDER BY slice, accesses, id", listed_from);
  });
  if (!all) return pass(std::move(all));
  MergeReport report;
  // The smallest of a slice that fill one segment together; the largest no more than `from` times the smallest, so
  // that each access is written again a few times at most.
  for (std::size_t i = 0; i < all->size(); ++i) {
    std::size_t end = i;
    std::uint64_t accesses = 0;
    while (end < all->size() && (*all)[end].slice == (*all)[i].slice && accesses + (*all)[end].accesses <= kMaxSegmentAccesses &&
           (*all)[end].accesses / from <= (*all)[i].accesses) {
      accesses += (*all)[end++].accesses;
    }
    if (end - i < from) continue;
    const std::vector<Listed> chosen(all->begin() + static_cast<std::ptrdiff_t>(i), all->begin() + static_cast<std::ptrdiff_t>(end));
    SegmentBuilder open(chosen.front().slice);
    const std::filesystem::path folder = db.file().parent_path() / kFolder;
    for (const Listed& one : chosen) {
      auto segment = open_segment(folder / name_of(one.id));
      if (!segment) return pass(std::move(segment));
      auto fits = pour(**segment, open);
      if (!fits) return pass(std::move(fits));
      if (!*fits) return report;
      report.bytes_before += one.bytes;
    }
    report.accesses = open.size();
    auto done = db.write([&](Transaction& tx) -> Result<void> {
      for (const Listed& one : chosen) {
        auto there = tx.number("SELECT COUNT(*) FROM exposure_segment WHERE id = ?1", one.id);
        if (!there) return pass(std::move(there));
        if (*there == 0) return fail(Errc::kConflict, "a segment was dropped while it was being merged");
        if (auto gone = retire_segment(tx, one.id, now); !gone) return gone;
      }
      auto written = write_segment(tx, open);
      if (!written) return pass(std::move(written));
      report.bytes_after = *written;
      return {};
    });
    if (!done) return pass(std::move(done));
    report.merged = chosen.size();
    return report;
  }
  return report;
}

Result<std::uint64_t> drop_exposure(Database& db, Time before, Time now) {
  return db.write([&](Transaction& tx) -> Result<std::uint64_t> {
    auto old = tx.rows<Listed>("SELECT id, slice, accesses, bytes FROM exposure_segment WHERE last < ?1", listed_from, floor_second(before));
    if (!old) return pass(std::move(old));
    std::uint64_t dropped = 0;
    for (const Listed& one : *old) {
      if (auto done = retire_segment(tx, one.id, now); !done) return pass(std::move(done));
      dropped += one.accesses;
    }
    auto done = tx.run("DELETE FROM reach_person WHERE reach IN (SELECT id FROM reach WHERE last < ?1)", before);
    if (!done) return pass(std::move(done));
    done = tx.run("DELETE FROM reach WHERE last < ?1", before);
    if (!done) return pass(std::move(done));
    dropped += static_cast<std::uint64_t>(tx.changes());
    if (dropped == 0) return dropped;
    done = tx.run("DELETE FROM exposure_forgotten WHERE before <= ?1", before);
    if (done) done = tx.run("INSERT INTO exposure_forgotten(before) VALUES(?1)", before);
    if (!done) return pass(std::move(done));
    return dropped;
  });
}

Result<std::uint64_t> tidy_segments(Database& db, Time now, bool at_start) {
  const std::filesystem::path folder = db.file().parent_path() / kFolder;
  std::uint64_t removed = 0;
  std::error_code ec;
  if (!std::filesystem::is_directory(folder, ec)) return removed;
  auto due = db.read([&](Reader& r) {
    return r.rows<std::int64_t>("SELECT id FROM exposure_gone WHERE since <= ?1", [](const Columns& c) { return c.integer(0); }, now - kGrace);
  });
  if (!due) return pass(std::move(due));
  if (!due->empty()) {
    for (const std::int64_t id : *due) {
      forget_segment(folder / name_of(id));
      if (std::filesystem::remove(folder / name_of(id), ec)) ++removed;
    }
    auto done = db.write([&](Transaction& tx) { return tx.run("DELETE FROM exposure_gone WHERE since <= ?1", now - kGrace); });
    if (!done) return pass(std::move(done));
  }
  if (!at_start) return removed;
  auto known = db.read([&](Reader& r) -> Result<std::vector<std::int64_t>> {
    return r.rows<std::int64_t>("SELECT id FROM exposure_segment UNION SELECT id FROM exposure_gone", [](const Columns& c) { return c.integer(0); });
  });
  if (!known) return pass(std::move(known));
  std::set<std::string> names;
  for (const std::int64_t id : *known) names.insert(name_of(id));
  for (std::filesystem::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    const bool ours = name.starts_with(kTemporaryPrefix) || (name.starts_with(kPrefix) && name.ends_with(kSuffix));
    if (!ours || names.count(name) > 0) continue;
    std::error_code failed;
    if (std::filesystem::remove(it->path(), failed)) ++removed;
  }
  return removed;
}

Result<Segments> segments_for(Reader& reader, Seconds window, Damage& damage) {
  auto ids = reader.rows<std::int64_t>("SELECT id FROM exposure_segment WHERE first <= ?1 AND last >= ?2 ORDER BY id",
                                       [](const Columns& c) { return c.integer(0); }, window.to, window.from);
  if (!ids) return pass(std::move(ids));
  Segments out;
  const std::filesystem::path folder = folder_of(reader);
  for (const std::int64_t id : *ids) {
    auto segment = open_segment(folder / name_of(id));
    if (segment) out.push_back(std::move(*segment));
    else damage.errors.push_back(std::move(segment).error());
  }
  return out;
}

Result<std::vector<std::string>> segment_files(Reader& reader) {
  return reader.rows<std::string>("SELECT id FROM exposure_segment ORDER BY id",
                                  [](const Columns& c) { return std::string(kFolder) + "/" + name_of(c.integer(0)); });
}

bool is_segment_file(std::string_view name) {
  const std::size_t folder = kFolder.size() + 1;
  if (name.size() != folder + kPrefix.size() + kDigits + kSuffix.size()) return false;
  if (!name.starts_with(std::string(kFolder) + "/" + std::string(kPrefix)) || !name.ends_with(kSuffix)) return false;
  const std::string_view digits = name.substr(folder + kPrefix.size(), kDigits);
  return std::all_of(digits.begin(), digits.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<std::vector<Error>> verify_segments(Reader& reader) {
  std::vector<Error> out;
  auto files = segment_files(reader);
  if (!files) return pass(std::move(files));
  for (const std::string& name : *files) {
    auto segment = Segment::open(reader.file().parent_path() / name);
    if (!segment) {
      out.push_back(std::move(segment).error());
      continue;
    }
    if (auto checked = (*segment)->verify(); !checked) {
      out.push_back(std::move(checked).error());
      out.back().where = name;
    }
  }
  return out;
}

}  // namespace tocsin::storage
