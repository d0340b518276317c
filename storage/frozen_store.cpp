// A row for the set, and one for each part of it: people of one dataset, grade, certainty and list of data.
#include "storage/frozen_store.hpp"

#include <algorithm>
#include <tuple>

#include "rules/base/bytes.hpp"
#include "storage/words.hpp"

namespace tocsin::storage {

using exposure::PersonSet;

namespace {

const Migration kMigrations[] = {
    {1,
     "CREATE TABLE frozen_set("
     "id INTEGER PRIMARY KEY, incident INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, by TEXT NOT NULL, "
     "notice INTEGER NOT NULL, people INTEGER NOT NULL, grade INTEGER NOT NULL, at_least INTEGER, at_most INTEGER, "
     "hash TEXT NOT NULL, UNIQUE(incident, number));"
     "CREATE TABLE frozen_part("
     "frozen INTEGER NOT NULL REFERENCES frozen_set(id), part INTEGER NOT NULL, dataset TEXT NOT NULL, grade INTEGER NOT NULL, "
     "certain INTEGER NOT NULL, fields TEXT NOT NULL, people INTEGER NOT NULL, numbers BLOB NOT NULL, "
     "pseudonyms BLOB NOT NULL, PRIMARY KEY(frozen, part)) WITHOUT ROWID;"}};

constexpr std::string_view kHashBegin = "tocsin frozen people 1\n";
constexpr std::string_view kSet =
    "SELECT id, incident, number, time, by, notice, people, grade, at_least, at_most, hash FROM frozen_set ";

struct Part {
  std::int64_t frozen = 0;
  std::string dataset;
  Grade grade = Grade::kUnknown;
  bool certain = false;
  std::string fields;
  std::uint64_t people = 0;
  std::string numbers;     // Roaring's portable form
  std::string pseudonyms;  // in the order of the numbers
};
constexpr std::string_view kPartRow =
    "SELECT p.frozen, p.dataset, p.grade, p.certain, p.fields, p.people, p.numbers, p.pseudonyms FROM frozen_part p ";

std::optional<std::uint64_t> count_from(std::optional<std::int64_t> stored) {
  return stored ? std::optional(static_cast<std::uint64_t>(*stored)) : std::nullopt;
}

std::optional<std::int64_t> stored_count(std::optional<std::uint64_t> count) {
  return count ? std::optional(static_cast<std::int64_t>(std::min<std::uint64_t>(*count, INT64_MAX))) : std::nullopt;
}

FrozenSet set_from(const Columns& c) {
  FrozenSet out;
  out.id = c.integer(0);
  out.incident = c.integer(1);
  out.number = static_cast<int>(c.integer(2));
  out.at = c.time(3);
  out.by = c.text(4);
  out.notice = c.integer(5);
  out.people = static_cast<std::uint64_t>(c.integer(6));
  out.summary.grade = static_cast<Grade>(c.integer(7));
  out.summary.at_least = count_from(c.maybe_integer(8));
  out.summary.at_most = count_from(c.maybe_integer(9));
  out.hash = c.text(10);
  return out;
}

Part part_from(const Columns& c) {
  Part out;
  out.frozen = c.integer(0);
  out.dataset = c.text(1);
  out.grade = static_cast<Grade>(c.integer(2));
  out.certain = c.integer(3) != 0;
  out.fields = c.text(4);
  out.people = static_cast<std::uint64_t>(c.integer(5));
  out.numbers = c.text(6);
  out.pseudonyms = c.text(7);
  return out;
}

void add_text(std::string& to, std::string_view text) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>((text.size() >> shift) & 0xFF);
  to += text;
}

// Each text of the part, every one preceded by its length (4 bytes, big-endian).
std::string part_hash(const Part& part) {
  std::string bytes;
  bytes.reserve(part.numbers.size() + part.pseudonyms.size() + part.fields.size() + part.dataset.size() + 64);
  add_text(bytes, part.dataset);
  add_text(bytes, name(part.grade));
  add_text(bytes, part.certain ? "certain" : "possible");
  add_text(bytes, part.fields);
  add_text(bytes, part.numbers);
  add_text(bytes, part.pseudonyms);
  const Sha256 hash = sha256(bytes);
  return std::string(bytes_of(hash));
}

std::string set_hash(const std::string& part_hashes) { return to_hex(sha256(std::string(kHashBegin) + part_hashes)); }

// The people of a part; empty if its bytes do not fit together.
std::vector<FrozenPerson> people_of(const Part& part) {
  PersonSet numbers;
  std::vector<FrozenPerson> out;
  if (!numbers.add_roaring(part.numbers) || numbers.size() != part.people ||
      part.pseudonyms.size() != part.people * Pseudonym::kBytes) {
    return out;
  }
  out.reserve(part.people);
  const std::vector<std::string> fields = separated(part.fields);
  numbers.each([&](PersonNo no) {
    FrozenPerson person;
    person.no = no;
    person.pseudonym = *Pseudonym::from_bytes(std::string_view(part.pseudonyms).substr(out.size() * Pseudonym::kBytes, Pseudonym::kBytes));
    person.dataset = part.dataset;
    person.grade = part.grade;
    person.certain = part.certain;
    person.fields = fields;
    out.push_back(std::move(person));
    return true;
  });
  return out;
}

tl::unexpected<Error> damaged(std::int64_t set) {
  return fail(Errc::kCorrupt, "a frozen set of people is damaged", "set " + std::to_string(set), "restore the database from a backup");
}

std::string words_of(const FrozenSet& set) {
  return "frozen people " + std::to_string(set.number) + " of incident " + std::to_string(set.incident);
}

// False for a database that is only read and was written by a version that froze nothing.
Result<bool> written(Reader& reader) {
  auto tables = reader.number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'frozen_set'");
  if (!tables) return pass(std::move(tables));
  return *tables > 0;
}

// What the ledger says was frozen: (incident, number) -> (hash, people).
using Recorded = std::map<std::pair<std::string, std::string>, std::pair<std::string, std::string>>;

Result<Recorded> recorded_sets(Reader& reader) {
  constexpr std::size_t kPage = 1000;
  Recorded out;
  for (std::uint64_t from = 0;;) {
    auto entries = Ledger::entries(reader, from, kPage);
    if (!entries) return pass(std::move(entries));
    for (const Ledger::Stored& stored : *entries) {
      if (stored.entry.kind != FrozenStore::kEntry) continue;
      const auto field = [&](std::string_view wanted) {
        for (const auto& [key, value] : stored.entry.fields) {
          if (key == wanted) return value;
        }
        return std::string();
      };
      out[{field("incident"), field("set")}] = {field("hash"), field("people")};
    }
    if (entries->size() < kPage) return out;
    from = entries->back().index + 1;
  }
}

}  // namespace

std::span<const Migration> FrozenStore::migrations() { return kMigrations; }

Result<FrozenSet> FrozenStore::add(Transaction& tx, FrozenSet set, std::span<const FrozenPerson> people) {
  if (people.empty()) return fail(Errc::kInvalid, "there is nobody to be frozen");
  auto before = tx.number("SELECT COALESCE(MAX(number), 0) FROM frozen_set WHERE incident = ?1", set.incident);
  if (!before) return pass(std::move(before));
  if (static_cast<std::size_t>(*before) >= kMaxSets) return fail(Errc::kTooLarge, "an incident has at most 1,000 frozen sets");
  set.number = static_cast<int>(*before) + 1;
  set.people = people.size();

  std::vector<const FrozenPerson*> sorted;
  sorted.reserve(people.size());
  for (const FrozenPerson& person : people) sorted.push_back(&person);
  const auto kind = [](const FrozenPerson* p) { return std::tie(p->dataset, p->grade, p->certain, p->fields); };
  std::sort(sorted.begin(), sorted.end(), [&](const FrozenPerson* a, const FrozenPerson* b) {
    return kind(a) != kind(b) ? kind(a) < kind(b) : a->no < b->no;
  });

  std::vector<Part> parts;
  std::string hashes;
  for (std::size_t at = 0; at < sorted.size();) {
    std::size_t end = at;
    while (end < sorted.size() && end - at < FrozenStore::kPart && kind(sorted[end]) == kind(sorted[at])) ++end;
    Part part;
    part.dataset = sorted[at]->dataset;
    part.grade = sorted[at]->grade;
    part.certain = sorted[at]->certain;
    part.fields = joined(sorted[at]->fields);
    part.people = end - at;
    std::vector<PersonNo> numbers;
    numbers.reserve(end - at);
    for (; at < end; ++at) {
      numbers.push_back(sorted[at]->no);
      part.pseudonyms += sorted[at]->pseudonym.view();
    }
    part.numbers = exposure::to_roaring(numbers);
    hashes += part_hash(part);
    parts.push_back(std::move(part));
  }
  set.hash = set_hash(hashes);
  auto done = tx.run(
      "INSERT INTO frozen_set(incident, number, time, by, notice, people, grade, at_least, at_most, hash) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      set.incident, set.number, set.at, set.by, set.notice, set.people, set.summary.grade, stored_count(set.summary.at_least),
      stored_count(set.summary.at_most), set.hash);
  if (!done) return pass(std::move(done));
  set.id = tx.last_insert_id();
  std::int64_t number = 0;
  for (const Part& part : parts) {
    auto kept = tx.run(
        "INSERT INTO frozen_part(frozen, part, dataset, grade, certain, fields, people, numbers, pseudonyms) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        set.id, number++, part.dataset, part.grade, part.certain, part.fields, part.people, Blob{part.numbers},
        Blob{part.pseudonyms});
    if (!kept) return pass(std::move(kept));
  }
  return set;
}

Result<std::vector<FrozenSet>> FrozenStore::of_incident(Reader& reader, std::int64_t incident) {
  auto there = written(reader);
  if (!there) return pass(std::move(there));
  if (!*there) return std::vector<FrozenSet>();
  return reader.rows<FrozenSet>(std::string(kSet) + "WHERE incident = ?1 ORDER BY number", set_from, incident);
}

Result<PeopleByDataset> FrozenStore::numbers(Reader& reader, std::int64_t incident) {
  PeopleByDataset out;
  std::int64_t broken = 0;
  auto done = reader.each(
      "SELECT p.frozen, p.dataset, p.numbers FROM frozen_part p JOIN frozen_set s ON s.id = p.frozen WHERE s.incident = ?1",
      [&](const Columns& c) {
        if (!out[c.text(1)].add_roaring(c.text(2))) broken = c.integer(0);
        return broken == 0;
      },
      {Binding(incident)});
  if (!done) return pass(std::move(done));
  if (broken != 0) return damaged(broken);
  return out;
}

Result<std::vector<FrozenPerson>> FrozenStore::people(Reader& reader, std::int64_t incident, int number, std::uint64_t offset,
                                                      std::uint64_t limit) {
  // Which parts the page meets, before their bytes are read.
  struct Place {
    std::int64_t frozen, part;
    std::uint64_t people;
    int number;
  };
  auto places = reader.rows<Place>(
      "SELECT p.frozen, p.part, p.people, s.number FROM frozen_part p JOIN frozen_set s ON s.id = p.frozen "
      "WHERE s.incident = ?1 AND (?2 = 0 OR s.number = ?2) ORDER BY s.number, p.part",
      [](const Columns& c) { return Place{c.integer(0), c.integer(1), static_cast<std::uint64_t>(c.integer(2)), static_cast<int>(c.integer(3))}; },
      incident, number);
  if (!places) return pass(std::move(places));
  std::vector<FrozenPerson> out;
  std::uint64_t at = 0;
  for (const Place& place : *places) {
    const std::uint64_t begin = at;
    at += place.people;
    if (at <= offset) continue;
    if (limit > 0 && out.size() >= limit) break;
    auto part = reader.row<Part>(std::string(kPartRow) + "WHERE p.frozen = ?1 AND p.part = ?2", part_from, place.frozen, place.part);
    if (!part) return pass(std::move(part));
    std::vector<FrozenPerson> people = *part ? people_of(**part) : std::vector<FrozenPerson>();
    if (people.size() != place.people) return damaged(place.frozen);
    for (std::uint64_t i = offset > begin ? offset - begin : 0; i < people.size() && (limit == 0 || out.size() < limit); ++i) {
      people[i].set = place.number;
      out.push_back(std::move(people[i]));
    }
  }
  return out;
}

Result<std::string> FrozenStore::hash_of(Reader& reader, std::int64_t set) {
  std::string hashes;
  auto done = reader.each(std::string(kPartRow) + "WHERE p.frozen = ?1 ORDER BY p.part",
                          [&](const Columns& c) {
                            hashes += part_hash(part_from(c));
                            return true;
                          },
                          {Binding(set)});
  if (!done) return pass(std::move(done));
  return set_hash(hashes);
}

Result<std::vector<std::string>> FrozenStore::check(Reader& reader) {
  std::vector<std::string> wrong;
  auto there = written(reader);
  if (!there) return pass(std::move(there));
  if (!*there) return wrong;
  auto sets = reader.rows<FrozenSet>(std::string(kSet) + "ORDER BY incident, number", set_from);
  if (!sets) return pass(std::move(sets));
  auto recorded = recorded_sets(reader);
  if (!recorded) return pass(std::move(recorded));
  for (const FrozenSet& set : *sets) {
    auto hash = hash_of(reader, set.id);
    if (!hash) return pass(std::move(hash));
    if (*hash != set.hash) wrong.push_back(words_of(set) + ": the set that is kept does not give its hash");
    const auto entry = recorded->find({std::to_string(set.incident), std::to_string(set.number)});
    if (entry == recorded->end()) {
      wrong.push_back(words_of(set) + ": the ledger does not know it");
      continue;
    }
    if (entry->second.first != *hash) wrong.push_back(words_of(set) + ": the set that is kept is not the one in the ledger");
    if (entry->second.second != std::to_string(set.people)) wrong.push_back(words_of(set) + ": the ledger counts " + entry->second.second + " people, not " + std::to_string(set.people));
    recorded->erase(entry);
    // The register may forget names, not who stands for which number.
    std::uint64_t others = 0;
    std::int64_t broken = 0;
    auto held = reader.each(std::string(kPartRow) + "WHERE p.frozen = ?1 ORDER BY p.part",
                            [&](const Columns& c) {
                              const Part part = part_from(c);
                              const auto people = people_of(part);
                              if (people.size() != part.people) ++broken;
                              for (const FrozenPerson& person : people) {
                                auto same = reader.number(
                                    "SELECT COUNT(*) FROM register_person r JOIN register_dataset d ON d.no = r.dataset "
                                    "WHERE d.name = ?1 AND r.no = ?2 AND r.pseudonym = ?3",
                                    person.dataset, person.no, Blob{person.pseudonym.view()});
                                if (!same || *same == 0) ++others;
                              }
                              return true;
                            },
                            {Binding(set.id)});
    if (!held) return pass(std::move(held));
    if (broken > 0) wrong.push_back(words_of(set) + ": " + std::to_string(broken) + " parts of it cannot be read");
    if (others > 0) wrong.push_back(words_of(set) + ": " + std::to_string(others) + " of its people are others in the register now");
  }
  for (const auto& [key, value] : *recorded) {
    wrong.push_back("frozen people " + key.second + " of incident " + key.first + ": the ledger knows it, but it is not kept");
  }
  return wrong;
}

}  // namespace tocsin::storage
