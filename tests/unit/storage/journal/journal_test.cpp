// The journal's promises on a disk that works: order, numbers, duplicates, resuming, reading beside writing.
#include "storage/journal/journal.hpp"

#include <atomic>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/journal/segment.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

using namespace std::chrono_literals;

const Time kNow = from_micros(1'764'000'000'000'000);

EventId id(std::uint64_t n) {
  EventId out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(n >> (8 * i));
  out[15] = 1;
  return out;
}

struct Kept {
  Seq seq;
  std::string payload, source, file;
  std::uint64_t line, stream, position;
};

class JournalTest : public ::testing::Test {
 protected:
  void open(Journal::Options options = {}) {
    journal_.reset();
    auto journal = Journal::open(dir_ / "journal", clock_, options);
    ASSERT_TRUE(journal) << journal.error().text();
    journal_ = std::move(*journal);
  }
  Result<Journal::Appended> append(const std::vector<std::string>& payloads) {
    std::vector<Record> records;
    for (const std::string& payload : payloads) {
      Record record;
      record.source = "s";
      record.arrived = clock_.now();
      record.payload = payload;
      records.push_back(record);
    }
    return journal_->append(records);
  }
  std::vector<Kept> read(Seq from = 1, std::vector<JournalGap>* gaps = nullptr) {
    std::vector<Kept> out;
    auto cursor = journal_->read_from(from);
    while (true) {
      JournalRecord r;
      auto more = cursor->next(r);
      EXPECT_TRUE(more) << more.error().text();
      if (!more || !*more) break;
      out.push_back({r.seq, std::string(r.payload), std::string(r.source), std::string(r.file), r.line, r.stream, r.position});
    }
    if (gaps != nullptr) *gaps = cursor->take_gaps();
    return out;
  }
  std::vector<std::filesystem::path> segments() {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "journal")) {
      if (segment_first(entry.path().filename().string())) out.push_back(entry.path());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  TemporaryDirectory dir_;
  FixedClock clock_{kNow};
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, gives_back_what_was_appended_in_order_after_reopening_too) {
  open();
  EXPECT_EQ(journal_->durable(), 0U);
  Record record;
  record.source = "postgres";
  record.file = "/var/log/audit.csv";
  record.line = 12;
  record.arrived = kNow;
  record.stream = 99;
  record.position = 1234;
  record.payload = "hello";
  auto done = journal_->append(std::span(&record, 1));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->first, 1U);
  EXPECT_EQ(done->accepted, 1U);
  ASSERT_TRUE(append({"", "second", std::string(70'000, 'x')}));
  for (int i = 0; i < 2; ++i) {
    const auto all = read();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].payload, "hello");
    EXPECT_EQ(all[0].source, "postgres");
    EXPECT_EQ(all[0].file, "/var/log/audit.csv");
    EXPECT_EQ(all[0].line, 12U);
    EXPECT_EQ(all[0].stream, 99U);
    EXPECT_EQ(all[0].position, 1234U);
    EXPECT_EQ(all[1].payload, "");
    EXPECT_EQ(all[3].payload, std::string(70'000, 'x'));
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(all[k].seq, k + 1);
    EXPECT_EQ(read(3).size(), 2U);
    EXPECT_EQ(journal_->durable(), 4U);
    open();
  }
}

TEST_F(JournalTest, goes_on_with_the_numbers_after_every_reopening) {
  for (Seq i = 1; i <= 20; ++i) {
    open();
    auto done = append({std::to_string(i)});
    ASSERT_TRUE(done);
    EXPECT_EQ(done->first, i);
  }
  const auto all = read();
  ASSERT_EQ(all.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(all[i].payload, std::to_string(i + 1));
}

TEST_F(JournalTest, starts_a_new_segment_when_one_is_full) {
  Journal::Options options;
  options.segment_bytes = 20'000;
  open(options);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(append({std::string(400, static_cast<char>('a' + i % 26))}));
  EXPECT_GT(segments().size(), 3U);
  EXPECT_EQ(read().size(), 200U);
  open(options);
  EXPECT_EQ(read().size(), 200U);
  EXPECT_EQ(read(150).front().seq, 150U);
  EXPECT_EQ(journal_->recovery().events, 200U);
  EXPECT_TRUE(journal_->recovery().gaps.empty());
}

TEST_F(JournalTest, recognises_an_event_id_that_it_has_seen) {
  Journal::Options options;
  options.segment_bytes = 4'000;  // so that ids come from sealed segments too
  open(options);
  const auto send = [&](std::uint64_t from, std::uint64_t to) {
    std::vector<Record> records;
    for (std::uint64_t n = from; n < to; ++n) {
      Record record;
      record.source = "s";
      record.event_id = id(n);
      record.payload = "p";
      record.arrived = kNow;
      records.push_back(record);
    }
    auto done = journal_->append(records);
    EXPECT_TRUE(done) << done.error().text();
    return done ? *done : Journal::Appended{};
  };
  EXPECT_EQ(send(0, 100).accepted, 100U);
  auto again = send(50, 120);
  EXPECT_EQ(again.accepted, 20U);
  EXPECT_EQ(again.duplicates.size(), 50U);
  EXPECT_EQ(again.duplicates.front(), 0U);
  EXPECT_EQ(again.first, 101U);
  EXPECT_EQ(send(0, 120).accepted, 0U);
  open(options);
  EXPECT_EQ(journal_->recovery().remembered, 120U);
  EXPECT_EQ(send(0, 130).accepted, 10U);
  // Twice in one batch is once.
  const Record twice[] = {{.source = "s", .event_id = id(1000), .payload = "p"}, {.source = "s", .event_id = id(1000), .payload = "p"}};
  EXPECT_EQ(journal_->append(twice)->accepted, 1U);
}

TEST_F(JournalTest, knows_where_each_stream_stands) {
  open();
  const auto send = [&](std::string_view file, std::uint64_t stream, std::uint64_t position, std::uint64_t line) {
    Record record;
    record.source = "pg";
    record.file = file;
    record.stream = stream;
    record.position = position;
    record.line = line;
    record.payload = "p";
    auto done = journal_->append(std::span(&record, 1));
    EXPECT_TRUE(done);
    return done ? done->accepted : 99;
  };
  EXPECT_FALSE(journal_->last_position("pg", 1));
  EXPECT_EQ(send("a.log", 1, 100, 1), 1U);
  EXPECT_EQ(send("a.log", 1, 200, 2), 1U);
  EXPECT_EQ(send("a.log", 1, 200, 2), 0U) << "the same place again";
  EXPECT_EQ(send("a.log", 1, 100, 1), 0U) << "an earlier place";
  EXPECT_EQ(send("a.log", 1, 200, 3), 1U) << "another record at the same offset";
  EXPECT_EQ(send("a.log.1", 1, 300, 4), 1U) << "the same file, renamed";
  EXPECT_EQ(send("a.log", 2, 100, 1), 1U) << "a new file of that name";
  EXPECT_EQ(send("", 3, 0, 0), 1U) << "no position, no check";
  EXPECT_EQ(send("", 3, 0, 0), 1U);
  EXPECT_EQ(send("", 3, 10, 1), 1U);
  EXPECT_EQ(send("", 3, 10, 1), 0U);
  Journal::Options options;
  options.segment_bytes = 600;  // every append makes a new segment from here on
  for (int i = 0; i < 3; ++i) {
    auto at = journal_->last_position("pg", 1);
    ASSERT_TRUE(at);
    EXPECT_EQ(at->position, 300U);
    EXPECT_EQ(at->line, 4U);
    EXPECT_EQ(at->file, "a.log.1");
    EXPECT_EQ(journal_->last_position("pg", 2)->position, 100U);
    EXPECT_FALSE(journal_->last_position("other", 1));
    open(options);
    // Other streams' events only: the newest segment must carry stream 1 along.
    EXPECT_EQ(send("b.log", 10, static_cast<std::uint64_t>(i) + 1, 0), 1U);
  }
  EXPECT_EQ(send("a.log.1", 1, 300, 4), 0U);
}

TEST_F(JournalTest, refuses_what_is_over_its_limits_and_writes_nothing) {
  open();
  EXPECT_EQ(append({std::string(Journal::kMaxPayload + 1, 'x')}).error().code, Errc::kTooLarge);
  const std::vector<Record> many(Journal::kMaxBatch + 1);
  EXPECT_EQ(journal_->append(many).error().code, Errc::kTooLarge);
  Record record;
  const std::string name(5000, 'x');
  record.source = name;
  EXPECT_EQ(journal_->append(std::span(&record, 1)).error().code, Errc::kTooLarge);
  EXPECT_EQ(journal_->durable(), 0U);
  EXPECT_TRUE(append({std::string(Journal::kMaxPayload, 'x')}));
  EXPECT_EQ(read().front().payload.size(), Journal::kMaxPayload);
  EXPECT_TRUE(append({}));
}

TEST_F(JournalTest, is_read_while_it_is_written) {
  Journal::Options options;
  options.segment_bytes = 50'000;
  open(options);
  constexpr Seq kEvents = 4000;
  constexpr int kWriters = 3;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&] {
      for (Seq i = 0; i < kEvents / kWriters; i += 10) EXPECT_TRUE(append(std::vector<std::string>(10, std::string(40, 'p'))));
    });
  }
  const Seq all = kWriters * ((kEvents / kWriters + 9) / 10 * 10);
  auto cursor = journal_->read_from(1);
  Seq seen = 0;
  while (seen < all) {
    JournalRecord r;
    auto more = cursor->next(r);
    ASSERT_TRUE(more) << more.error().text();
    if (!*more) {
      EXPECT_EQ(cursor->position(), seen + 1);
      static_cast<void>(journal_->wait_for(seen + 1, 100ms));
      continue;
    }
    ASSERT_EQ(r.seq, ++seen);
    ASSERT_LE(r.seq, journal_->durable()) << "read before it was durable";
  }
  for (auto& writer : writers) writer.join();
  EXPECT_TRUE(cursor->take_gaps().empty());
}

TEST_F(JournalTest, does_not_wait_for_what_does_not_come) {
  open();
  EXPECT_FALSE(journal_->wait_for(1, 10ms));
  ASSERT_TRUE(append({"x"}));
  EXPECT_TRUE(journal_->wait_for(1, 0ms));
}

TEST_F(JournalTest, drops_old_segments_only_when_they_were_processed) {
  Journal::Options options;
  options.segment_bytes = 5'000;
  open(options);
  for (int day = 0; day < 10; ++day) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append({std::string(300, 'x')}));
    clock_.advance(std::chrono::hours(24));
  }
  const std::size_t before = segments().size();
  EXPECT_EQ(*journal_->drop_before(kNow + std::chrono::hours(24 * 5), 0), 0U) << "nothing processed";
  EXPECT_EQ(*journal_->drop_before(kNow, 200), 0U) << "nothing old";
  const std::size_t dropped = *journal_->drop_before(kNow + std::chrono::hours(24 * 5), 200);
  EXPECT_GT(dropped, 2U);
  EXPECT_EQ(segments().size(), before - dropped);
  EXPECT_GT(journal_->oldest(), 60U);
  EXPECT_LE(journal_->oldest(), 101U);
  std::vector<JournalGap> gaps;
  const auto left = read(1, &gaps);
  EXPECT_EQ(left.front().seq, journal_->oldest());
  EXPECT_EQ(left.back().seq, 200U);
  EXPECT_TRUE(gaps.empty()) << "dropped on purpose";
  open(options);
  EXPECT_EQ(append({"x"})->first, 201U);
}

TEST_F(JournalTest, belongs_to_one_process) {
  open();
  auto second = Journal::open(dir_ / "journal", clock_, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kUnavailable);
}

TEST_F(JournalTest, never_uses_a_number_that_the_database_knows) {
  open();
  ASSERT_TRUE(append({"a", "b"}));
  Journal::Options options;
  options.used = 10;
  open(options);
  EXPECT_EQ(append({"c"})->first, 11U);
  std::vector<JournalGap> gaps;
  EXPECT_EQ(read(1, &gaps).size(), 3U);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].first, 3U);
  EXPECT_EQ(gaps[0].last, 10U);
}

// --- damage to the files ---

class RecoveryTest : public JournalTest {
 protected:
  // A journal of 30 events in one segment, closed; its bytes.
  void make() {
    open();
    for (int i = 1; i <= 30; ++i) ASSERT_TRUE(append({"event " + std::to_string(i)}));
    journal_.reset();
    ASSERT_EQ(segments().size(), 1U);
    good_ = slurp(segments()[0]);
  }
  // Offsets of the frames of a type.
  std::vector<std::size_t> frames(FrameType type) const {
    std::vector<std::size_t> out;
    for (std::size_t at = kSegmentHeaderBytes; at < good_.size();) {
      std::size_t size = 0;
      for (std::size_t i = 4; i-- > 0;) size = size << 8 | static_cast<unsigned char>(good_[at + 8 + i]);
      if (static_cast<unsigned char>(good_[at + 12]) == static_cast<unsigned char>(type)) out.push_back(at);
      at += frame_bytes(size);
    }
    return out;
  }
  std::string good_;
};

TEST_F(RecoveryTest, cuts_a_torn_tail_and_keeps_it_in_quarantine) {
  make();
  const auto events = frames(FrameType::kEvent);
  ASSERT_EQ(events.size(), 30U);
  // Power fails while event 30 is written: before it was acknowledged, so before any mark that covers it.
  for (std::size_t cut = events[29] + 1; cut < events[29] + kFrameHeaderBytes; cut += 5) {
    spit(segments()[0], good_.substr(0, cut));
    open();
    EXPECT_EQ(journal_->recovery().torn_bytes, cut - events[29]);
    EXPECT_EQ(slurp(journal_->recovery().quarantine), good_.substr(events[29], cut - events[29]));
    EXPECT_TRUE(journal_->recovery().gaps.empty());
    EXPECT_EQ(read().size(), 29U);
    EXPECT_EQ(append({"again"})->first, 30U);
    EXPECT_EQ(read().back().payload, "again");
    for (const auto& file : segments()) std::filesystem::remove(file);
    journal_.reset();
    for (const auto& file : segments()) std::filesystem::remove(file);
    spit(dir_ / "journal" / segment_name(1), good_);
  }
}

TEST_F(RecoveryTest, ignores_space_that_was_reserved_and_never_written) {
  make();
  spit(segments()[0], good_ + std::string(10'000, '\0'));
  open();
  EXPECT_EQ(journal_->recovery().torn_bytes, 0U);
  EXPECT_EQ(read().size(), 30U);
  EXPECT_EQ(append({"x"})->first, 31U);
}

TEST_F(RecoveryTest, reports_damage_to_acknowledged_events_and_keeps_the_rest) {
  make();
  const auto events = frames(FrameType::kEvent);
  std::string changed = good_;
  changed[events[9] + 70] ^= 1;
  spit(segments()[0], changed);
  open();
  ASSERT_EQ(journal_->recovery().gaps.size(), 1U);
  const JournalGap gap = journal_->recovery().gaps[0];
  EXPECT_EQ(gap.first, 10U);
  EXPECT_EQ(gap.last, 10U);
  EXPECT_TRUE(gap.acknowledged);
  EXPECT_EQ(gap.offset, events[9]);
  EXPECT_EQ(gap.file, segment_name(1));
  std::vector<JournalGap> gaps;
  EXPECT_EQ(read(1, &gaps).size(), 29U);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].first, 10U);
  EXPECT_EQ(append({"x"})->first, 31U);
  EXPECT_EQ(read(31).size(), 1U);
}

TEST_F(RecoveryTest, never_gives_a_lost_number_to_another_event) {
  make();
  // Everything from event 20 on is destroyed but for a mark at the end that vouches for 30.
  const auto events = frames(FrameType::kEvent);
  const auto marks = frames(FrameType::kMark);
  std::string changed = good_;
  std::fill(changed.begin() + static_cast<std::ptrdiff_t>(events[19]), changed.begin() + static_cast<std::ptrdiff_t>(marks.back()), 'x');
  spit(segments()[0], changed);
  open();
  ASSERT_EQ(journal_->recovery().gaps.size(), 1U);
  EXPECT_EQ(journal_->recovery().gaps[0].first, 20U);
  EXPECT_EQ(journal_->recovery().gaps[0].last, 30U);
  EXPECT_TRUE(journal_->recovery().gaps[0].acknowledged);
  EXPECT_EQ(append({"x"})->first, 31U);
}

TEST_F(RecoveryTest, survives_every_changed_byte_without_a_wrong_event) {
  make();
  std::set<std::string> right;
  for (int i = 1; i <= 30; ++i) right.insert("event " + std::to_string(i));
  for (std::size_t at = kSegmentHeaderBytes; at < good_.size(); at += 7) {
    std::string changed = good_;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    for (const auto& file : segments()) std::filesystem::remove(file);
    spit(dir_ / "journal" / segment_name(1), changed);
    open();
    std::vector<JournalGap> gaps;
    const auto all = read(1, &gaps);
    EXPECT_GE(all.size(), 29U) << at;
    for (const Kept& event : all) EXPECT_EQ(event.payload, "event " + std::to_string(event.seq)) << at;
    if (all.size() < 30 && all.back().seq == 30) {
      EXPECT_EQ(gaps.size(), 1U) << "a lost event goes unreported, byte " << at;
    }
    journal_.reset();
  }
}

TEST_F(RecoveryTest, refuses_a_segment_whose_header_is_damaged) {
  make();
  std::string changed = good_;
  changed[20] ^= 1;
  spit(segments()[0], changed);
  auto journal = Journal::open(dir_ / "journal", clock_, {});
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, Errc::kCorrupt);
  EXPECT_THAT(journal.error().where, ::testing::HasSubstr("seg-"));
}

}  // namespace
}  // namespace tocsin::storage
