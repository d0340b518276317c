// A data directory with a register and an exposure store, and reaches made by chance: for the tests of the index's life.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/exposure_events.hpp"
#include "storage/exposure_segments.hpp"
#include "storage/exposure_store.hpp"
#include "storage/register_store.hpp"
#include "tests/unit/storage/exposure/asked.hpp"

namespace tocsin::storage {

namespace fs = std::filesystem;

inline const Time kStart = *parse_rfc3339("2026-03-01T00:00:00Z");
inline constexpr PersonNo kPeople = 400;

struct World {
  explicit World(const fs::path& d) : dir(d) {
    fs::create_directories(dir);
    open();
    Registers registers(RegisterStore::hash_with(keys));
    People& people = registers.of("patient");
    People& staff = registers.of("staff");
    for (PersonNo no = 0; no < kPeople; ++no) {
      const People::Attributes country{{"country", no % 3 == 0 ? "DE" : no % 3 == 1 ? "FR" : ""}};
      people.add("p" + std::to_string(no), no % 7 == 0 ? kStart + std::chrono::hours(24 * (no % 60)) : kAlways, country, true);
      if (no % 11 == 0) people.remove(no, kStart + std::chrono::hours(24 * (no % 80)));
      if (no < 50) staff.add("s" + std::to_string(no), kAlways, country, true);
    }
    auto done = db->write([&](Transaction& tx) { return RegisterStore::save(tx, *vault, registers, kStart); });
    EXPECT_TRUE(done) << done.error().text();
  }
  void open() {
    vault.reset();
    db.reset();
    db = std::move(*Database::open(dir / "tocsin.db"));
    EXPECT_TRUE(db->migrate(RegisterStore::kFamily, RegisterStore::migrations()));
    EXPECT_TRUE(db->migrate(ExposureStore::kFamily, ExposureStore::migrations()));
    keys = *Keys::open_or_create(dir / "keys");
    vault = std::move(*Vault::open(*db, keys));
    EXPECT_TRUE(tidy_segments(*db, kStart, true));
  }
  void add(const std::vector<StoredReach>& reaches) {
    auto done = db->write([&](Transaction& tx) { return ExposureStore::add(tx, reaches); });
    ASSERT_TRUE(done) << done.error().text();
  }
  std::int64_t number(const std::string& sql) {
    return *db->read([&](Reader& r) { return r.number(sql); });
  }
  fs::path dir;
  std::unique_ptr<Database> db;
  std::shared_ptr<const Keys> keys;
  std::unique_ptr<Vault> vault;
};

class Reaches {
 public:
  explicit Reaches(std::uint64_t seed) : random_(seed) {}
  // Times are whole seconds, so that rows and the index tell the same ones.
  StoredReach next() {
    StoredReach r;
    ++count_;
    r.key = "k" + std::to_string(count_);
    r.seq = count_;
    r.actor = "actor" + std::to_string(number(6));
    r.dataset = number(4) == 0 ? "staff" : "patient";
    r.first = kStart + std::chrono::seconds(count_ * 400 + number(5000));
    r.last = number(8) == 0 ? r.first + std::chrono::seconds(number(90'000)) : r.first;
    r.known_from = r.first;
    r.grade = static_cast<Grade>(number(3));
    r.way = number(20) == 0 ? "cursor" : "select";
    r.reason = "because " + std::to_string(number(4));
    static const std::vector<std::string> kFields[] = {{"name"}, {"email", "name"}, {"*"}, {"visit.ward"}, {}};
    r.fields = kFields[number(5)];
    if (number(25) == 0) {
      r.whole = true;
      r.grade = Grade::kBound;
      r.at_most = number(2) == 0 ? std::optional<std::uint64_t>(number(60)) : std::nullopt;
      r.at_least = 0;
    } else if (number(60) == 0) {
      r.dataset.clear();
      r.grade = Grade::kUnknown;
    } else {
      std::set<PersonNo> people;
      const std::uint64_t many = number(15) == 0 ? 30 : 1 + number(2);
      while (people.size() < many) people.insert(static_cast<PersonNo>(number(r.dataset == "staff" ? 50 : kPeople)));
      r.people.assign(people.begin(), people.end());
      if (number(3) != 0) r.at_least = number(2) == 0 ? many : number(many + 1);
      r.at_most = many;
    }
    return r;
  }
  std::uint64_t number(std::uint64_t n) { return random_() % n; }
  [[nodiscard]] Time end() const { return kStart + std::chrono::seconds(count_ * 400); }

 private:
  std::mt19937_64 random_;
  std::uint64_t count_ = 0;
};

// An access as both stores can tell it: the index no longer knows the line.
inline std::string told(const AccessEvent& e) {
  std::string out = e.actor + "|" + e.dataset + "|" + format_rfc3339(e.first) + "|" + format_rfc3339(e.last) + "|" + std::string(name(e.grade)) +
                    (e.certain ? "|certain|" : "|") + (e.whole ? "whole|" : "|") + e.way + "|" + e.reason;
  for (const std::string& field : e.fields) out += "|" + field;
  return out;
}

inline std::multiset<std::string> told(const AccessList& list) {
  std::multiset<std::string> out{std::to_string(list.total) + " " + std::to_string(list.certain)};
  for (const AccessEvent& event : list.events) out.insert(told(event));
  return out;
}

inline void expect_same_events(World& rows, World& index, ExposureFilter filter, PersonNo person) {
  constexpr std::size_t kAll = 100'000;
  exposure::PersonSet some;
  for (PersonNo no = person; no < kPeople; no += 37) some.add(no);
  for (const char* dataset : {"patient", "staff"}) {
    const std::span<const ExposureFilter> filters(&filter, 1);
    const auto a = rows.db->read([&](Reader& r) { return events_of_people(r, filters, dataset, some, kAll); });
    const auto b = index.db->read([&](Reader& r) { return events_of_people(r, filters, dataset, some, kAll); });
    ASSERT_TRUE(a && b) << (b ? "" : b.error().text());
    ASSERT_EQ(a->size(), b->size());
    std::set<std::string> reaching;
    for (const auto& [no, list] : *a) {
      ASSERT_TRUE(b->count(no) > 0);
      EXPECT_EQ(told(list), told(b->at(no)));
      EXPECT_EQ(list.total, list.events.size());
      for (const AccessEvent& event : list.events) reaching.insert(told(event));
    }
    // The newest few are the newest of all.
    const auto few = index.db->read([&](Reader& r) { return events_of_people(r, filters, dataset, some, 3); });
    ASSERT_TRUE(few);
    for (const auto& [no, list] : *few) {
      EXPECT_EQ(list.total, a->at(no).total);
      ASSERT_EQ(list.events.size(), std::min<std::size_t>(3, list.total));
      for (std::size_t i = 0; i < list.events.size(); ++i) EXPECT_EQ(list.events[i].first, a->at(no).events[i].first);
    }
    std::map<std::string, exposure::PersonSet> wanted;
    wanted[dataset].add(some);
    for (World* world : {&rows, &index}) {
      const auto found = world->db->read([&](Reader& r) { return events_reaching(r, filters, wanted, kAll); });
      ASSERT_TRUE(found);
      std::set<std::string> by;
      for (const Reaching::One& one : found->events) {
        by.insert(told(one.event));
        EXPECT_GT(one.people, 0U);
      }
      EXPECT_EQ(by, reaching);
    }
    // Each access of one person, actor by actor, adds up to what who-saw says.
    filter.dataset = dataset;
    std::set<std::string> actors;
    const auto watchers = index.db->read([&](Reader& r) { return ExposureStore::watchers(r, dataset, person, filter.from, filter.to); });
    ASSERT_TRUE(watchers);
    for (const Watcher& watcher : *watchers) actors.insert(watcher.actor);
    const auto v = rows.db->read([&](Reader& r) { return events_of_person(r, filter, person, actors, kAll); });
    const auto w = index.db->read([&](Reader& r) { return events_of_person(r, filter, person, actors, kAll); });
    ASSERT_TRUE(v && w) << (w ? "" : w.error().text());
    ASSERT_EQ(w->size(), watchers->size());
    for (const Watcher& watcher : *watchers) {
      EXPECT_EQ(told(v->at(watcher.actor)), told(w->at(watcher.actor)));
      EXPECT_EQ(w->at(watcher.actor).total, watcher.reaches);
      EXPECT_EQ(w->at(watcher.actor).events.front().first <= watcher.last, true);
      EXPECT_EQ(w->at(watcher.actor).events.back().first, watcher.first);
    }
    filter.dataset.clear();
  }
}

inline void expect_same(World& rows, World& index, const ExposureFilter& filter, PersonNo person) {
  const auto a = rows.db->read([&](Reader& r) { return overview_of(r, filter); });
  const auto b = index.db->read([&](Reader& r) { return overview_of(r, filter); });
  ASSERT_TRUE(a && b) << (b ? "" : b.error().text());
  EXPECT_EQ(a->total, b->total);
  EXPECT_EQ(a->summary.grade, b->summary.grade);
  EXPECT_EQ(a->summary.at_least, b->summary.at_least);
  EXPECT_EQ(a->summary.at_most, b->summary.at_most);
  EXPECT_EQ(a->datasets, b->datasets);
  EXPECT_EQ(std::set(a->reasons.begin(), a->reasons.end()), std::set(b->reasons.begin(), b->reasons.end()));
  const std::uint64_t offset = person % 5, limit = person % 3 == 0 ? 0 : 1 + person % 40;
  const auto p = rows.db->read([&](Reader& r) { return people_of(r, filter, offset, limit); });
  const auto q = index.db->read([&](Reader& r) { return people_of(r, filter, offset, limit); });
  ASSERT_TRUE(p && q) << (q ? "" : q.error().text());
  ASSERT_EQ(p->size(), q->size());
  for (std::size_t i = 0; i < p->size(); ++i) {
    const ExposedPerson &x = (*p)[i], &y = (*q)[i];
    EXPECT_EQ(x.no, y.no);
    EXPECT_EQ(x.dataset, y.dataset);
    EXPECT_EQ(x.grade, y.grade);
    EXPECT_EQ(x.fields, y.fields);
    EXPECT_EQ(x.first, y.first);
    EXPECT_EQ(x.last, y.last);
    EXPECT_EQ(x.country, y.country);
    EXPECT_EQ(x.erased, y.erased);
    EXPECT_EQ(x.certain, y.certain);
  }
  EXPECT_EQ(a->fields, b->fields);
  const auto plain = rows.db->read([&](Reader& r) { return listed_of(r, filter); });
  const auto listed = index.db->read([&](Reader& r) { return listed_of(r, filter); });
  ASSERT_TRUE(plain && listed);
  const auto expected = rows.db->read([&](Reader& r) { return ExposureStore::countries(r, *plain); });
  const auto countries = index.db->read([&](Reader& r) { return ExposureStore::countries(r, *listed); });
  const auto chosen = index.db->read([&](Reader& r) { return people_of(r, filter, *listed); });
  ASSERT_TRUE(expected && countries && chosen);
  EXPECT_EQ(*countries, *expected);
  EXPECT_EQ(chosen->size(), index.db->read([&](Reader& r) { return people_of(r, filter); })->size());
  expect_same_events(rows, index, filter, person);
  for (const char* dataset : {"patient", "staff"}) {
    const auto v = rows.db->read([&](Reader& r) { return ExposureStore::watchers(r, dataset, person, filter.from, filter.to); });
    const auto w = index.db->read([&](Reader& r) { return ExposureStore::watchers(r, dataset, person, filter.from, filter.to); });
    ASSERT_TRUE(v && w) << (w ? "" : w.error().text());
    ASSERT_EQ(v->size(), w->size());
    for (std::size_t i = 0; i < v->size(); ++i) {
      const Watcher &x = (*v)[i], &y = (*w)[i];
      EXPECT_EQ(x.actor, y.actor);
      EXPECT_EQ(x.grade, y.grade);
      EXPECT_EQ(x.fields, y.fields);
      EXPECT_EQ(x.first, y.first);
      EXPECT_EQ(x.last, y.last);
      EXPECT_EQ(x.reaches, y.reaches);
    }
  }
}

}  // namespace tocsin::storage
