// A disk whose n-th call fails, for every n: whatever fails, what was acknowledged is there, what was refused can
// be sent again, and the journal goes on when the disk does.
#include <atomic>
#include <cerrno>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/journal/journal.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

class FaultyDisk final : public Disk {
 public:
  enum class Fault { kNone, kError, kShortWrite };
  // Fails call number `n` (counted from 1), or, if `from_then_on`, all calls from there.
  std::atomic<long> fail_at{0};
  std::atomic<bool> from_then_on{false};
  std::atomic<int> number{EIO};
  std::atomic<bool> short_first{false};
  std::atomic<long> calls{0};
  std::atomic<long> space{-1};  // bytes that may still be written; −1 = no limit

  int open(const std::filesystem::path& file, int flags, mode_t mode) override {
    return fails() ? -1 : Disk::open(file, flags, mode);
  }
  ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) override {
    if (fails()) {
      if (short_first && parts[0].iov_len > 10) {
        const iovec some{parts[0].iov_base, parts[0].iov_len / 2};
        static_cast<void>(Disk::pwritev(fd, &some, 1, offset));  // half of it reaches the disk all the same
      }
      return -1;
    }
    if (space >= 0) {
      const long want = static_cast<long>(parts[0].iov_len);
      const long can = std::min<long>(want, space);
      if (can == 0) {
        errno = ENOSPC;
        return -1;
      }
      space -= can;
      const iovec some{parts[0].iov_base, static_cast<std::size_t>(can)};
      return Disk::pwritev(fd, &some, 1, offset);
    }
    return Disk::pwritev(fd, parts, count, offset);
  }
  int fdatasync(int fd) override { return fails() ? -1 : Disk::fdatasync(fd); }
  int fsync(int fd) override { return fails() ? -1 : Disk::fsync(fd); }
  int rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return fails() ? -1 : Disk::rename(from, to);
  }

 private:
  bool fails() {
    const long call = ++calls;
    if (fail_at == 0 || (from_then_on ? call < fail_at : call != fail_at)) return false;
    errno = number;
    return true;
  }
};

struct Outcome {
  std::set<std::string> acknowledged, refused;
};

Outcome append_one_by_one(Journal& journal, int count) {
  Outcome out;
  for (int i = 0; i < count; ++i) {
    const std::string payload = "event " + std::to_string(i);
    Record record;
    record.source = "s";
    record.payload = payload;
    record.event_id[0] = static_cast<std::uint8_t>(i + 1);
    record.stream = 5;
    record.position = static_cast<std::uint64_t>(i + 1);
    auto done = journal.append(std::span(&record, 1));
    (done ? out.acknowledged : out.refused).insert(payload);
    // What was refused may be sent again, and is not taken for a duplicate.
    if (!done) {
      done = journal.append(std::span(&record, 1));
      if (done) {
        EXPECT_EQ(done->accepted, 1U) << payload;
        out.acknowledged.insert(payload);
      }
    }
  }
  return out;
}

std::multiset<std::string> read_all(const Journal& journal) {
  std::multiset<std::string> out;
  auto cursor = journal.read_from(1);
  Seq last = 0;
  while (true) {
    JournalRecord r;
    auto more = cursor->next(r);
    EXPECT_TRUE(more) << more.error().text();
    if (!more || !*more) return out;
    EXPECT_EQ(r.seq, last + 1) << "numbers without a hole";
    last = r.seq;
    out.insert(std::string(r.payload));
  }
}

void expect_once(const Outcome& run, const std::multiset<std::string>& kept) {
  for (const std::string& payload : run.acknowledged) EXPECT_EQ(kept.count(payload), 1U) << payload;
}

TEST(Fault, of_any_single_call_loses_nothing) {
  const FixedClock clock{from_micros(1'764'000'000'000'000)};
  for (const bool short_first : {false, true}) {
    for (long n = 1;; ++n) {
      const TemporaryDirectory dir;
      auto disk = std::make_shared<FaultyDisk>();
      disk->fail_at = n;
      disk->short_first = short_first;
      Journal::Options options;
      options.disk = disk;
      options.segment_bytes = 700;  // several segments
      Outcome run;
      {
        auto journal = Journal::open(dir.path(), clock, options);
        ASSERT_TRUE(journal) << "opening an empty directory needs none of these calls";
        run = append_one_by_one(**journal, 12);
        expect_once(run, read_all(**journal));
        EXPECT_EQ((*journal)->trouble(), "");
      }
      const bool reached = disk->calls >= n;
      disk->fail_at = 0;
      auto again = Journal::open(dir.path(), clock, options);
      ASSERT_TRUE(again) << again.error().text();
      EXPECT_EQ(run.acknowledged.size(), 12U) << "one failure is overcome by sending again";
      expect_once(run, read_all(**again));
      EXPECT_EQ((*again)->last_position("s", 5)->position, 12U);
      if (!reached) break;
      ASSERT_LT(n, 500);
    }
  }
}

TEST(Fault, that_lasts_refuses_everything_and_keeps_what_was_acknowledged) {
  const FixedClock clock{from_micros(1'764'000'000'000'000)};
  for (long n = 1; n < 60; n += 3) {
    const TemporaryDirectory dir;
    auto disk = std::make_shared<FaultyDisk>();
    disk->fail_at = n;
    disk->from_then_on = true;
    Journal::Options options;
    options.disk = disk;
    options.segment_bytes = 700;
    auto journal = Journal::open(dir.path(), clock, options);
    ASSERT_TRUE(journal);
    const Outcome run = append_one_by_one(**journal, 12);
    if (!run.refused.empty()) {
      EXPECT_NE((*journal)->trouble(), "");
    }
    expect_once(run, read_all(**journal));
    journal->reset();
    disk->fail_at = 0;
    auto again = Journal::open(dir.path(), clock, options);
    ASSERT_TRUE(again) << again.error().text();
    expect_once(run, read_all(**again));
    EXPECT_EQ(append_one_by_one(**again, 12).refused.size(), 0U);
    for (int i = 0; i < 12; ++i) EXPECT_EQ(read_all(**again).count("event " + std::to_string(i)), 1U);
  }
}

TEST(Fault, of_a_full_disk_is_told_and_goes_away_with_it) {
  const FixedClock clock{from_micros(1'764'000'000'000'000)};
  for (const long space : {0L, 30L, 64L, 100L, 300L, 1000L, 2000L}) {
    const TemporaryDirectory dir;
    auto disk = std::make_shared<FaultyDisk>();
    Journal::Options options;
    options.disk = disk;
    auto journal = Journal::open(dir.path(), clock, options);
    ASSERT_TRUE(journal);
    const Outcome before = append_one_by_one(**journal, 3);
    disk->space = space;
    Record big;
    const std::string payload(3000, 'x');
    big.source = "s";
    big.payload = payload;
    auto full = (*journal)->append(std::span(&big, 1));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Errc::kUnavailable);
    EXPECT_THAT(full.error().text(), ::testing::HasSubstr("disk is full"));
    EXPECT_THAT((*journal)->trouble(), ::testing::HasSubstr("disk is full"));
    EXPECT_EQ((*journal)->durable(), 3U);
    disk->space = -1;
    auto done = (*journal)->append(std::span(&big, 1));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->first, 4U);
    EXPECT_EQ((*journal)->trouble(), "");
    EXPECT_EQ(read_all(**journal).size(), 4U);
    journal->reset();
    auto again = Journal::open(dir.path(), clock, options);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(read_all(**again).size(), 4U);
    expect_once(before, read_all(**again));
    EXPECT_TRUE((*again)->recovery().gaps.empty());
  }
}

}  // namespace
}  // namespace tocsin::storage
