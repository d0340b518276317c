// The index's keeper at its start: what is lost is made again once, and what cannot be is not read for at every start.
#include "engine/app/exposure_keeper.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/exposure/open_segments.hpp"
#include "storage/progress_store.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/storage/exposure/world.hpp"

namespace tocsin::engine {
namespace {

TEST(ExposureKeeper, WhatFellShortIsNotReadForAtEveryStart) {
  const TemporaryDirectory dir;
  storage::World world(dir / "data");
  ASSERT_TRUE(world.db->migrate(storage::ProgressStore::kFamily, storage::ProgressStore::migrations()));
  storage::Reaches source(3);
  std::vector<storage::StoredReach> all;
  for (int i = 0; i < 300; ++i) all.push_back(source.next());
  world.add(all);
  storage::SealOptions soon;
  soon.at_least = 1;
  soon.leave = 10;
  ASSERT_TRUE(storage::seal_reaches(*world.db, soon));
  const auto files = *world.db->read([](storage::Reader& r) { return storage::segment_files(r); });
  std::filesystem::remove(world.dir / files.front());
  storage::exposure::forget_segment(world.dir / files.front());  // as a new process would not know it

  std::vector<std::string> alarms, notes;
  int readings = 0;
  bool whole = false;
  const auto start = [&](Time now, std::uint64_t oldest) {
    alarms.clear();
    ExposureKeeper keeper(*world.db, 0, 50'000, {[&](const std::string& text) { notes.push_back(text); }, [&](const std::string& text) { alarms.push_back(text); }});
    keeper.start(now, oldest, [&](const storage::LostSegments&, const storage::KeepLost& keep) {
      ++readings;
      std::vector<storage::StoredReach> some = all;
      if (!whole) some.resize(some.size() / 4);  // people were erased since
      return keep(some);
    });
    return keeper.damaged();
  };
  const Time now = storage::kStart + std::chrono::hours(24 * 100);
  EXPECT_EQ(start(now, 1), 1U);
  EXPECT_EQ(readings, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(start(now + std::chrono::minutes(i), 1), 1U);
  EXPECT_EQ(readings, 1) << "not again";
  EXPECT_NE(alarms.back().find("people may be missing"), std::string::npos) << "but told each time";
  EXPECT_EQ(start(now, 7), 1U);
  EXPECT_EQ(readings, 2) << "the journal begins elsewhere";
  EXPECT_EQ(start(now + std::chrono::hours(24 * 8), 7), 1U);
  EXPECT_EQ(readings, 3) << "another week";
  whole = true;
  EXPECT_EQ(start(now + std::chrono::hours(24 * 16), 7), 0U);
  EXPECT_EQ(readings, 4);
  EXPECT_NE(notes.back().find("were made again"), std::string::npos);
  EXPECT_EQ(start(now + std::chrono::hours(24 * 16), 7), 0U);
  EXPECT_EQ(readings, 4);
  EXPECT_TRUE(alarms.empty());
}

}  // namespace
}  // namespace tocsin::engine
