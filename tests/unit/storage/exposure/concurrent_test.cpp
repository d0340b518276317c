// Questions while the index is worked on: one thread adds, seals, merges and tidies, others ask all the time. What was
// acknowledged before a question was put is in its answer, once.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/storage/exposure/world.hpp"

namespace tocsin::storage {
namespace {

TEST(ExposureConcurrent, AnswersAreWholeWhileSegmentsComeAndGo) {
  const TemporaryDirectory dir;
  World world(dir / "data");
  constexpr int kRounds = 60, kBatch = 20;
  std::atomic<std::uint64_t> acknowledged{0};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> asked{0};
  std::thread writer([&] {
    SealOptions soon;
    soon.at_least = 30;
    soon.leave = 5;
    std::uint64_t seq = 0;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<StoredReach> batch;
      for (int i = 0; i < kBatch; ++i) {
        StoredReach r;
        r.key = "k" + std::to_string(++seq);
        r.seq = seq;
        r.actor = "mallory";
        r.dataset = "patient";
        r.first = r.last = r.known_from = kStart + std::chrono::seconds(seq);
        r.grade = Grade::kExact;
        r.people = {static_cast<PersonNo>(seq % kPeople)};
        r.at_least = r.at_most = 1;
        r.way = "select";
        batch.push_back(std::move(r));
      }
      world.add(batch);
      acknowledged += kBatch;
      EXPECT_TRUE(seal_reaches(*world.db, soon));
      // Four minutes a round: what is merged away is removed an hour, fifteen rounds, later.
      const Time now = kStart + std::chrono::minutes(round * 4);
      EXPECT_TRUE(merge_segments(*world.db, now, 3));
      EXPECT_TRUE(tidy_segments(*world.db, now, false));
    }
    done = true;
  });
  const auto ask = [&](PersonNo person) {
    ExposureFilter filter;
    filter.actor = "mallory";
    while (!done) {
      const std::uint64_t before = acknowledged;
      const auto overview = world.db->read([&](Reader& r) { return overview_of(r, filter); });
      const auto watchers = world.db->read([&](Reader& r) { return ExposureStore::watchers(r, "patient", person); });
      const std::uint64_t after = acknowledged + kBatch;
      ++asked;
      if (!overview || !watchers) {
        ADD_FAILURE() << (overview ? watchers.error().text() : overview.error().text());
        return;
      }
      EXPECT_GE(overview->total, std::min<std::uint64_t>(before, kPeople));
      EXPECT_LE(overview->total, std::min<std::uint64_t>(after, kPeople));
      const std::uint64_t reaches = watchers->empty() ? 0 : watchers->front().reaches;
      EXPECT_GE(reaches, (before + kPeople - person) / kPeople - (person == 0 ? 1 : 0));
      EXPECT_LE(reaches, (after + kPeople - person) / kPeople);
    }
  };
  std::thread first([&] { ask(1); }), second([&] { ask(17); });
  writer.join();
  first.join();
  second.join();
  EXPECT_GT(asked, 10U);
  EXPECT_TRUE(world.db->read([](Reader& r) { return verify_segments(r); })->empty());
}

}  // namespace
}  // namespace tocsin::storage
