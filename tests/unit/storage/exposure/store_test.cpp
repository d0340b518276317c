// Two stores that are told the same: one keeps its reaches as rows, the other seals, merges, is closed and opened
// again in between. Their answers are the same, to the second. And the second store, killed at random moments.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "storage/exposure_events.hpp"
#include "storage/exposure_segments.hpp"
#include "storage/exposure_store.hpp"
#include "storage/register_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

namespace fs = std::filesystem;

const Time kStart = *parse_rfc3339("2026-03-01T00:00:00Z");
constexpr PersonNo kPeople = 400;

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
std::string told(const AccessEvent& e) {
  std::string out = e.actor + "|" + e.dataset + "|" + format_rfc3339(e.first) + "|" + format_rfc3339(e.last) + "|" + std::string(name(e.grade)) +
                    (e.certain ? "|certain|" : "|") + (e.whole ? "whole|" : "|") + e.way + "|" + e.reason;
  for (const std::string& field : e.fields) out += "|" + field;
  return out;
}

std::multiset<std::string> told(const AccessList& list) {
  std::multiset<std::string> out{std::to_string(list.total) + " " + std::to_string(list.certain)};
  for (const AccessEvent& event : list.events) out.insert(told(event));
  return out;
}

void expect_same_events(World& rows, World& index, ExposureFilter filter, PersonNo person) {
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

void expect_same(World& rows, World& index, const ExposureFilter& filter, PersonNo person) {
  const auto a = rows.db->read([&](Reader& r) { return ExposureStore::overview(r, filter); });
  const auto b = index.db->read([&](Reader& r) { return ExposureStore::overview(r, filter); });
  ASSERT_TRUE(a && b) << (b ? "" : b.error().text());
  EXPECT_EQ(a->total, b->total);
  EXPECT_EQ(a->summary.grade, b->summary.grade);
  EXPECT_EQ(a->summary.at_least, b->summary.at_least);
  EXPECT_EQ(a->summary.at_most, b->summary.at_most);
  EXPECT_EQ(a->datasets, b->datasets);
  EXPECT_EQ(std::set(a->reasons.begin(), a->reasons.end()), std::set(b->reasons.begin(), b->reasons.end()));
  EXPECT_EQ(std::set(a->by_country.begin(), a->by_country.end()), std::set(b->by_country.begin(), b->by_country.end()));
  const std::uint64_t offset = person % 5, limit = person % 3 == 0 ? 0 : 1 + person % 40;
  const auto p = rows.db->read([&](Reader& r) { return ExposureStore::people(r, filter, offset, limit); });
  const auto q = index.db->read([&](Reader& r) { return ExposureStore::people(r, filter, offset, limit); });
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
  const auto listed = index.db->read([&](Reader& r) { return ExposureStore::listed(r, filter); });
  ASSERT_TRUE(listed);
  const auto countries = index.db->read([&](Reader& r) { return ExposureStore::countries(r, *listed); });
  const auto chosen = index.db->read([&](Reader& r) { return ExposureStore::people(r, filter, *listed); });
  ASSERT_TRUE(countries && chosen);
  EXPECT_EQ(*countries, (std::map<std::string, std::uint64_t>(a->by_country.begin(), a->by_country.end())));
  EXPECT_EQ(chosen->size(), index.db->read([&](Reader& r) { return ExposureStore::people(r, filter); })->size());
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

TEST(ExposureIndex, AnswersAsTheRowsDo) {
  const TemporaryDirectory dir;
  World rows(dir / "rows"), index(dir / "index");
  Reaches source(20261123);
  SealOptions soon;
  soon.at_least = 30;
  soon.leave = 10;
  std::uint64_t sealed = 0, merged = 0;
  for (int round = 0; round < 60 && !testing::Test::HasFailure(); ++round) {
    std::vector<StoredReach> batch;
    for (int i = 0; i < 40; ++i) batch.push_back(source.next());
    rows.add(batch);
    index.add(batch);
    if (round % 3 == 2) {
      // The newest may still be replaced: the log says more about the same statement.
      StoredReach again = batch.back();
      if (!again.whole && !again.people.empty()) {
        again.people.push_back(again.people.back() + 1);
        rows.add({again});
        index.add({again});
      }
    }
    auto done = seal_reaches(*index.db, soon);
    ASSERT_TRUE(done) << done.error().text();
    sealed += done->reaches;
    if (round % 4 == 3) {
      auto merge = merge_segments(*index.db, source.end(), 3);
      ASSERT_TRUE(merge) << merge.error().text();
      merged += merge->merged;
    }
    if (round % 10 == 9) index.open();
    if (round == 30) {
      // Someone is forgotten: still in the sets, as erased.
      for (World* world : {&rows, &index}) {
        const Pseudonym who = world->vault->pseudonym("patient", "p5");
        ASSERT_TRUE(world->db->write([&](Transaction& tx) -> Result<void> {
          if (auto row = RegisterStore::forget(tx, who, kStart); !row) return row;
          return world->vault->erase(tx, who, kStart);
        }));
      }
    }
    for (int i = 0; i < 6; ++i) {
      ExposureFilter filter;
      if (source.number(3) != 0) filter.actor = "actor" + std::to_string(source.number(6));
      if (source.number(3) == 0) filter.dataset = source.number(2) == 0 ? "patient" : "staff";
      const auto edge = [&] { return kStart + std::chrono::seconds(source.number(static_cast<std::uint64_t>((source.end() - kStart).count() / 1'000'000) + 5'000)); };
      if (source.number(3) != 0) filter.from = edge();
      if (source.number(3) != 0) filter.to = edge();
      expect_same(rows, index, filter, static_cast<PersonNo>(source.number(kPeople)));
    }
  }
  EXPECT_GT(sealed, 1'500U);
  EXPECT_GT(merged, 5U);
  EXPECT_LT(index.number("SELECT COUNT(*) FROM reach"), rows.number("SELECT COUNT(*) FROM reach") / 3);
  auto damaged = index.db->read([](Reader& r) { return verify_segments(r); });
  ASSERT_TRUE(damaged);
  EXPECT_TRUE(damaged->empty());
}

TEST(ExposureIndex, KeepsAsRowsWhatMayStillChange) {
  const TemporaryDirectory dir;
  World world(dir / "data");
  Reaches source(7);
  std::vector<StoredReach> batch;
  for (int i = 0; i < 300; ++i) batch.push_back(source.next());
  batch[0].seq = 0;  // not from the journal: read again, it must replace itself
  world.add(batch);
  SealOptions all;
  all.at_least = 1;
  all.leave = 0;
  all.up_to_seq = 100;  // detection still wants the later ones after a restart
  auto done = seal_reaches(*world.db, all);
  ASSERT_TRUE(done);
  EXPECT_GT(done->segments, 0U);
  std::size_t later = 0;
  for (const StoredReach& r : batch) later += r.seq > 100 ? 1U : 0U;
  const auto since = world.db->read([](Reader& r) { return ExposureStore::since(r, 100); });
  ASSERT_TRUE(since);
  EXPECT_EQ(since->size(), later);
  all.up_to_seq = INT64_MAX;
  done = seal_reaches(*world.db, all);
  ASSERT_TRUE(done);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM reach WHERE whole = 0 AND grade <> 3 AND way <> 'cursor' AND seq > 0"), 0);
  std::int64_t stay = 0;
  for (const StoredReach& r : batch) stay += r.whole || r.grade == Grade::kUnknown || r.way == "cursor" || r.seq == 0 ? 1 : 0;
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM reach"), stay);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM reach_person WHERE reach NOT IN (SELECT id FROM reach)"), 0);
}

TEST(ExposureIndex, ForgetsWhatIsTooOld) {
  const TemporaryDirectory dir;
  World world(dir / "data");
  std::vector<StoredReach> batch;
  for (int day = 0; day < 200; ++day) {
    StoredReach r;
    r.key = std::to_string(day);
    r.seq = static_cast<std::uint64_t>(day) + 1;
    r.actor = "anna";
    r.dataset = "patient";
    r.first = r.last = kStart + std::chrono::hours(24 * day);
    r.grade = Grade::kExact;
    r.people = {static_cast<PersonNo>(day)};
    batch.push_back(r);
  }
  world.add(batch);
  SealOptions most;
  most.at_least = 1;
  most.leave = 20;
  ASSERT_TRUE(seal_reaches(*world.db, most));
  const Time cut = kStart + std::chrono::hours(24 * 100);
  auto dropped = drop_exposure(*world.db, cut, cut);
  ASSERT_TRUE(dropped);
  const auto people = world.db->read([](Reader& r) { return ExposureStore::people(r, {}); });
  ASSERT_TRUE(people);
  EXPECT_EQ(people->size() + *dropped, 200U);
  EXPECT_LE(people->size(), 132U);  // whole slices of 32 days
  EXPECT_GE(people->size(), 100U);  // nobody who was reached since
  const auto files = [&] { return std::distance(fs::directory_iterator(world.dir / "exposure"), fs::directory_iterator()); };
  const auto before = files();
  ASSERT_TRUE(tidy_segments(*world.db, cut, false));
  EXPECT_EQ(files(), before);  // someone may still be reading
  auto removed = tidy_segments(*world.db, cut + std::chrono::hours(2), false);
  ASSERT_TRUE(removed);
  EXPECT_GT(*removed, 0U);
  EXPECT_EQ(files(), world.number("SELECT COUNT(*) FROM exposure_segment"));
}

TEST(ExposureIndex, SaysWhenPartOfItIsDamaged) {
  const TemporaryDirectory dir;
  World world(dir / "data");
  Reaches source(3);
  std::vector<StoredReach> batch;
  for (int i = 0; i < 200; ++i) batch.push_back(source.next());
  world.add(batch);
  SealOptions all;
  all.at_least = 1;
  all.leave = 0;
  ASSERT_TRUE(seal_reaches(*world.db, all));
  const fs::path file = world.dir / *world.db->read([](Reader& r) -> Result<std::string> { return segment_files(r)->front(); });
  {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(70);
    out.put('\x55');
    out.put('\x55');
  }
  const auto overview = world.db->read([](Reader& r) { return ExposureStore::overview(r, {}); });
  ASSERT_TRUE(overview);
  EXPECT_EQ(overview->summary.grade, Grade::kUnknown);
  EXPECT_FALSE(overview->summary.at_most);
  EXPECT_NE(overview->reasons.front().find("damaged"), std::string::npos);
  const auto people = world.db->read([](Reader& r) { return ExposureStore::people(r, {}); });
  ASSERT_FALSE(people);
  EXPECT_EQ(people.error().code, Errc::kCorrupt);
  auto found = world.db->read([](Reader& r) { return verify_segments(r); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 1U);
}

// kill -9 anywhere between adding, sealing, merging and tidying: each reach whose transaction was acknowledged is
// there, and counts once.
TEST(ExposureIndex, KilledAtAnyMomentItLosesAndDoublesNothing) {
  const TemporaryDirectory dir;
  const fs::path data = dir / "data";
  {
    const World made(data);
  }
  constexpr int kCrashes = 25;
  std::mt19937_64 random(20261123);
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < kCrashes; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      ::close(ends[0]);
      auto db = Database::open(data / "tocsin.db");
      if (!db || !tidy_segments(**db, kStart, true)) ::_exit(3);
      SealOptions soon;
      soon.at_least = 20;
      soon.leave = 5;
      for (std::uint64_t next = acknowledged + 1;; ++next) {
        StoredReach r;
        r.key = std::to_string(next);  // the same again if the last one was stored but not acknowledged
        r.seq = next;
        r.actor = "anna";
        r.dataset = "patient";
        r.first = r.last = kStart + std::chrono::seconds(next * 7'000);
        r.grade = Grade::kExact;
        r.people = {7};
        if (!(*db)->write([&](Transaction& tx) { return ExposureStore::add(tx, {&r, 1}); })) ::_exit(4);
        if (::write(ends[1], &next, sizeof(next)) != sizeof(next)) ::_exit(5);
        if (next % 9 == 0 && !seal_reaches(**db, soon)) ::_exit(6);
        if (next % 31 == 0 && !merge_segments(**db, kStart + std::chrono::hours(next), 3)) ::_exit(7);
        if (next % 40 == 0 && !tidy_segments(**db, kStart + std::chrono::hours(next + 2), false)) ::_exit(8);
      }
    }
    ::close(ends[1]);
    const std::uint64_t enough = acknowledged + random() % 90;
    const auto pause = std::chrono::microseconds(random() % 15'000);
    bool alive = true;
    std::uint64_t seen = 0;
    if (enough == acknowledged) {
      ::usleep(static_cast<useconds_t>(pause.count()));
      ::kill(pid, SIGKILL);
      alive = false;
    }
    while (::read(ends[0], &seen, sizeof(seen)) == sizeof(seen)) {
      acknowledged = std::max(acknowledged, seen);
      if (alive && acknowledged >= enough) {
        ::usleep(static_cast<useconds_t>(pause.count()));
        ::kill(pid, SIGKILL);
        alive = false;
      }
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    World world(data);
    const auto watchers = world.db->read([](Reader& r) { return ExposureStore::watchers(r, "patient", 7); });
    ASSERT_TRUE(watchers) << watchers.error().text();
    const std::uint64_t counted = watchers->empty() ? 0 : watchers->front().reaches;
    // At most one was stored whose acknowledgement did not come through.
    ASSERT_GE(counted, acknowledged);
    ASSERT_LE(counted, acknowledged + 1);
    const auto known = world.number("SELECT COUNT(*) FROM exposure_segment");
    EXPECT_EQ(world.number("SELECT COALESCE(SUM(accesses), 0) FROM exposure_segment") + world.number("SELECT COUNT(*) FROM reach"),
              static_cast<std::int64_t>(counted));
    std::error_code ec;
    std::int64_t files = 0;
    for (fs::directory_iterator it(data / "exposure", ec), end; !ec && it != end; it.increment(ec)) ++files;
    EXPECT_LE(known, files);
    EXPECT_LE(files, known + world.number("SELECT COUNT(*) FROM exposure_gone"));
  }
  EXPECT_GT(acknowledged, 200U);
}

}  // namespace
}  // namespace tocsin::storage
