// Segments that are damaged or gone: all of what they held comes back, once, or nothing is changed and it is said.
#include "storage/exposure_repair.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/exposure/open_segments.hpp"
#include "storage/exposure/tables.hpp"
#include "storage/journal/crc32c.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/storage/exposure/world.hpp"

namespace tocsin::storage {
namespace {

class Repair : public testing::Test {
 protected:
  // The same reaches as rows, and in segments of several slices.
  Repair() {
    SealOptions soon;
    soon.at_least = 150;
    soon.leave = 10;
    Reaches source(20261123);
    for (int round = 0; round < 20; ++round) {
      std::vector<StoredReach> batch;
      for (int i = 0; i < 40; ++i) batch.push_back(source.next());
      rows_.add(batch);
      index_.add(batch);
      all_.insert(all_.end(), batch.begin(), batch.end());
      EXPECT_TRUE(seal_reaches(*index_.db, soon));
    }
    end_ = source.end();
  }

  std::vector<std::string> files() {
    return *index_.db->read([](Reader& r) { return segment_files(r); });
  }
  std::vector<LostSegments> lost() {
    return *index_.db->read([](Reader& r) { return lost_segments(r); });
  }
  // A journal that has every record but those that `lacks` names.
  Repaired repair(const LostSegments& group, const std::function<bool(const StoredReach&)>& lacks = [](const StoredReach&) { return false; }) {
    auto repaired = repair_segments(*index_.db, group, end_, [&](const KeepLost& keep) -> Result<void> {
      for (const StoredReach& r : all_) {
        if (r.seq < group.first_seq() || r.seq > group.last_seq() || lacks(r)) continue;
        if (auto kept = keep({&r, 1}); !kept) return kept;
      }
      return {};
    });
    EXPECT_TRUE(repaired) << repaired.error().text();
    return *repaired;
  }
  void same_answers() {
    for (int i = 0; i < 8; ++i) {
      ExposureFilter filter;
      if (i % 3 != 0) filter.actor = "actor" + std::to_string(i % 6);
      if (i % 4 == 0) filter.from = kStart + std::chrono::hours(i * 3);
      expect_same(rows_, index_, filter, static_cast<PersonNo>(i) * 7 % kPeople);
    }
  }

  const TemporaryDirectory dir_;
  World rows_{dir_ / "rows"}, index_{dir_ / "index"};
  std::vector<StoredReach> all_;
  Time end_{};
};

TEST_F(Repair, EveryWayOfLosingASegmentIsNoticedAndMended) {
  EXPECT_TRUE(lost().empty());
  int way = 0;
  const auto before = files();
  ASSERT_GE(before.size(), 4U) << "each way once";
  for (const std::string& name : before) {
    const fs::path file = index_.dir / name;
    const auto size = fs::file_size(file);
    switch (way++ % 4) {
      case 0: fs::remove(file); break;
      case 1: fs::resize_file(file, size / 2); break;
      case 2: fs::resize_file(file, 0); break;
      default: {
        std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
        out.seekp(static_cast<std::streamoff>(size / 3));
        out.put('\x55');
        out.put('\x54');
      }
    }
    const auto groups = lost();
    ASSERT_EQ(groups.size(), 1U) << name;
    const Repaired repaired = repair(groups.front());
    EXPECT_TRUE(repaired.whole) << name;
    EXPECT_EQ(repaired.found, groups.front().accesses()) << name;  // nothing that is elsewhere too
    EXPECT_TRUE(lost().empty());
    same_answers();
  }
  // What came back is sealed as anything else.
  SealOptions now;
  now.at_least = 1;
  now.leave = 0;
  ASSERT_TRUE(seal_reaches(*index_.db, now));
  same_answers();
}

// What an older engine wrote is told apart from what is damaged, and made again like it.
TEST_F(Repair, AFileOfAnotherVersionIsMadeAgain) {
  const fs::path file = index_.dir / files().front();
  std::string bytes(exposure::kHeaderBytes, '\0');
  {
    std::fstream both(file, std::ios::binary | std::ios::in | std::ios::out);
    both.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes[8] = 1;
    const std::uint32_t sum = crc32c(std::string_view(bytes).substr(0, bytes.size() - 4));
    for (std::size_t i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<char>(sum >> (8 * i));
    both.seekp(0);
    both.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  exposure::forget_segment(file);  // as a new process would not know it
  const auto groups = lost();
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups.front().errors.front().code, Errc::kUnsupported);
  EXPECT_TRUE(repair(groups.front()).whole);
  same_answers();
}

TEST_F(Repair, SeveralOfOneSliceAreMendedTogether) {
  for (const std::string& name : files()) fs::remove(index_.dir / name);
  for (const LostSegments& group : lost()) EXPECT_TRUE(repair(group).whole);
  EXPECT_TRUE(lost().empty());
  same_answers();
}

TEST_F(Repair, PartOfItIsNotEnough) {
  const fs::path file = index_.dir / files().front();
  fs::remove(file);
  exposure::forget_segment(file);  // as a new process would not know it
  const auto groups = lost();
  const std::int64_t rows = index_.number("SELECT COUNT(*) FROM reach");
  const std::uint64_t gone = groups.front().first_seq() + 3;
  const Repaired repaired = repair(groups.front(), [&](const StoredReach& r) { return r.seq <= gone; });
  EXPECT_FALSE(repaired.whole);
  EXPECT_LT(repaired.found, groups.front().accesses());
  EXPECT_EQ(index_.number("SELECT COUNT(*) FROM reach"), rows);
  EXPECT_EQ(lost().size(), 1U);
  const auto overview = index_.db->read([](Reader& r) { return overview_of(r, {}); });
  ASSERT_TRUE(overview);
  EXPECT_EQ(overview->summary.grade, Grade::kUnknown);
  EXPECT_FALSE(overview->summary.at_most);
  EXPECT_FALSE(index_.db->read([](Reader& r) { return people_of(r, {}); }));
}

}  // namespace
}  // namespace tocsin::storage
