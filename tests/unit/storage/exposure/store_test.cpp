// Two stores that are told the same: one keeps its reaches as rows, the other seals, merges, is closed and opened
// again in between. Their answers are the same, to the second. And the second store, killed at random moments.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "storage/exposure_events.hpp"
#include "storage/exposure_recent.hpp"
#include "storage/exposure_segments.hpp"
#include "storage/exposure_store.hpp"
#include "storage/register_store.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/storage/exposure/world.hpp"

namespace tocsin::storage {
namespace {

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

// What a restart asks for: the same people by the same actors, whether they are rows or sealed.
TEST(ExposureIndex, WhatWasReachedLatelyIsToldTheSameSealed) {
  const TemporaryDirectory dir;
  World rows(dir / "rows"), index(dir / "index");
  Reaches source(7);
  std::vector<StoredReach> batch;
  for (int i = 0; i < 1'200; ++i) batch.push_back(source.next());
  rows.add(batch);
  index.add(batch);
  SealOptions soon;
  soon.at_least = 30;
  soon.leave = 20;
  ASSERT_GT(seal_reaches(*index.db, soon)->reaches, 900U);
  EXPECT_EQ(index.db->read([](Reader& r) { return newest_reach(r); })->has_value(), true);
  for (const Time from : {kStart, kStart + std::chrono::hours(100), source.end() - std::chrono::hours(1), source.end() + std::chrono::hours(24)}) {
    std::array<std::map<std::tuple<std::string, std::string, PersonNo>, Time>, 2> told;
    std::array<std::uint64_t, 2> whole{};
    for (World* world : {&rows, &index}) {
      const std::size_t at = world == &rows ? 0 : 1;
      const auto all = world->db->read([&](Reader& r) {
        return recent_reaches(r, from, [&](const StoredReach& reach) {
          EXPECT_GE(reach.first, from);
          whole[at] += reach.whole ? 1 : 0;
          for (const PersonNo no : reach.people) {
            Time& newest = told[at].try_emplace({reach.actor, reach.dataset, no}, reach.last).first->second;
            newest = std::max(newest, reach.last);
          }
        });
      });
      ASSERT_TRUE(all) << all.error().text();
      EXPECT_TRUE(*all);
    }
    EXPECT_EQ(told[0], told[1]);
    EXPECT_EQ(whole[0], whole[1]);
  }
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
  const auto people = world.db->read([](Reader& r) { return people_of(r, {}); });
  ASSERT_TRUE(people);
  EXPECT_EQ(people->size() + *dropped, 200U);
  EXPECT_LE(people->size(), 132U);  // whole slices of 32 days
  EXPECT_GE(people->size(), 100U);  // nobody who was reached since
  // Answers about that time say so, and set no upper bound; later ones are as they were.
  const auto asked = [&](std::optional<Time> from) {
    ExposureFilter filter;
    filter.from = from;
    return *world.db->read([&](Reader& r) { return overview_of(r, filter); });
  };
  const auto told = [](const ExposureOverview& answer) {
    return std::any_of(answer.reasons.begin(), answer.reasons.end(), [](const std::string& reason) { return reason.find("dropped for its age") != std::string::npos; });
  };
  EXPECT_TRUE(told(asked({})));
  EXPECT_TRUE(told(asked(kStart)));
  EXPECT_FALSE(asked(kStart).summary.at_most);
  EXPECT_FALSE(told(asked(cut)));
  EXPECT_EQ(asked(cut).summary.at_most, 100U);
  ASSERT_TRUE(drop_exposure(*world.db, kStart, cut));  // a shorter reach of it later takes nothing back
  EXPECT_TRUE(told(asked(cut - std::chrono::hours(1))));
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
  const auto overview = world.db->read([](Reader& r) { return overview_of(r, {}); });
  ASSERT_TRUE(overview);
  EXPECT_EQ(overview->summary.grade, Grade::kUnknown);
  EXPECT_FALSE(overview->summary.at_most);
  EXPECT_NE(overview->reasons.front().find("damaged"), std::string::npos);
  const auto people = world.db->read([](Reader& r) { return people_of(r, {}); });
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
