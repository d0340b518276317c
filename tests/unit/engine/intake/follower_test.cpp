// Following real files: growth, rotation both ways, restarts, refusals. No record is lost and none comes twice.
#include "engine/intake/follower.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

// Stands for the journal: keeps lines and the place of each stream.
struct Store {
  std::vector<std::string> lines;    // "file:line bytes"
  std::map<std::uint64_t, std::uint64_t> places;
  std::set<std::uint64_t> streams;
  Result<void> answer{};             // what the sink says
  std::size_t refusals = 0;

  LineSink sink() {
    return [this](std::span<const Line> batch) -> Result<void> {
      if (!answer) {
        ++refusals;
        return answer;
      }
      for (const Line& line : batch) {
        lines.push_back(fs::path(line.file).filename().string() + ":" + std::to_string(line.line) + " " + std::string(line.bytes));
        EXPECT_GT(line.end.offset, places[line.stream]) << "a stream only goes forward";
        places[line.stream] = line.end.offset;
        streams.insert(line.stream);
      }
      return {};
    };
  }
  Resume resume() {
    return [this](std::uint64_t stream) -> std::optional<std::uint64_t> {
      const auto at = places.find(stream);
      return at == places.end() || at->second == 0 ? std::nullopt : std::optional(at->second);
    };
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }
};

using Lines = std::vector<std::string>;

class FollowerTest : public ::testing::Test {
 protected:
  FollowerOptions options(const std::string& pattern, const std::string& format = "text") {
    FollowerOptions o;
    o.source = "app";
    o.patterns = {folder.file(pattern)};
    o.format = format;
    o.poll = std::chrono::milliseconds(5);
    o.retry_most = std::chrono::milliseconds(20);
    return o;
  }
  std::unique_ptr<Follower> follow(FollowerOptions o) {
    meter = std::make_shared<SourceMeter>("app", "file", o.patterns[0], o.format);
    return std::make_unique<Follower>(std::move(o), store.resume(), store.sink(), clock, meter);
  }
  void append(const std::string& name, std::string_view text) { write_file(folder.file(name), text, true); }
  void later() { clock.advance(std::chrono::seconds(6)); }

  Folder folder;
  Store store;
  FixedClock clock{from_micros(1'795'442'733'000'000)};
  std::shared_ptr<SourceMeter> meter;
};

TEST_F(FollowerTest, ReadsWhatGrowsAndWaitsForTheRestOfALine) {
  auto follower = follow(options("a.log"));
  EXPECT_EQ(follower->poll_once(), 0U);
  EXPECT_EQ(meter->status().state, "waiting");
  append("a.log", "one\ntwo\nthr");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:2 two"}));
  EXPECT_EQ(meter->status().state, "following");
  later();
  follower->poll_once();
  EXPECT_EQ(store.take(), Lines{}) << "however long it takes";
  append("a.log", "ee\nfour\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:3 three", "a.log:4 four"}));
  EXPECT_EQ(follower->poll_once(), 0U);
}

TEST_F(FollowerTest, RotationByRename) {
  auto follower = follow(options("a.log"));
  append("a.log", "one\n");
  follower->poll_once();
  append("a.log", "two\n");  // not seen before the rename
  fs::rename(folder.file("a.log"), folder.file("a.log.1"));
  append("a.log", "new one\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:2 two", "a.log:1 new one"})) << "the old file first";
  append("a.log.1", "late\n");  // the writer still has the old file open
  follower->poll_once();
  EXPECT_EQ(store.take(), Lines{"a.log:3 late"});
  append("a.log.1", "no line break");
  follower->poll_once();
  later();
  follower->poll_once();
  EXPECT_EQ(store.take(), Lines{"a.log:4 no line break"}) << "when it is given up, what is there is taken";
  append("a.log", "new two\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), Lines{"a.log:2 new two"});
}

TEST_F(FollowerTest, RotationByRenameWithinThePattern) {
  auto follower = follow(options("a.log*"));
  append("a.log", "one\n");
  follower->poll_once();
  fs::rename(folder.file("a.log"), folder.file("a.log.1"));
  append("a.log", "new one\n");
  follower->poll_once();
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:1 new one"})) << "the renamed file is not read again";
}

TEST_F(FollowerTest, RotationByTruncation) {
  auto follower = follow(options("a.log"));
  append("a.log", "one\ntwo\n");
  follower->poll_once();
  fs::resize_file(folder.file("a.log"), 0);
  follower->poll_once();
  append("a.log", "three\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:2 two", "a.log:1 three"}));
  EXPECT_EQ(store.streams.size(), 2U);
}

TEST_F(FollowerTest, TruncationSeenOnlyAfterTheFileHasGrownPastTheOldPlace) {
  auto follower = follow(options("a.log"));
  append("a.log", "one\n");
  follower->poll_once();
  fs::resize_file(folder.file("a.log"), 0);
  append("a.log", "a new and longer first line\nanother\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:1 a new and longer first line", "a.log:2 another"}));
}

TEST_F(FollowerTest, TruncationWithTheSameFirstLineIsANewLife) {
  auto follower = follow(options("a.log"));
  append("a.log", "header\none\n");
  follower->poll_once();
  fs::resize_file(folder.file("a.log"), 0);
  follower->poll_once();
  append("a.log", "header\ntwo\nthree\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 header", "a.log:2 one", "a.log:1 header", "a.log:2 two", "a.log:3 three"}));
  EXPECT_EQ(store.streams.size(), 2U);
  // And a restart goes on in the second life.
  follower = follow(options("a.log"));
  append("a.log", "four\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), Lines{"a.log:4 four"});
}

TEST_F(FollowerTest, GoesOnAfterARestart) {
  append("a.log", "one\ntwo\n");
  follow(options("a.log"))->poll_once();
  append("a.log", "three\n");
  auto again = follow(options("a.log"));
  again->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:2 two", "a.log:3 three"}));
}

TEST_F(FollowerTest, FinishesAFileThatWasRenamedWhileNobodyWatched) {
  append("a.log", "one\n");
  follow(options("a.log"))->poll_once();
  append("a.log", "two\n");
  fs::rename(folder.file("a.log"), folder.file("a.log.1"));
  append("a.log", "new one\n");
  append("unrelated.log", "not ours\n");
  auto again = follow(options("a.log"));
  again->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log.1:2 two", "a.log:1 new one"}));
}

TEST_F(FollowerTest, CutWhileNobodyWatched) {
  append("a.log", "header\none\ntwo\n");
  follow(options("a.log"))->poll_once();
  fs::resize_file(folder.file("a.log"), 0);
  append("a.log", "header\nnew\n");
  auto again = follow(options("a.log"));
  again->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 header", "a.log:2 one", "a.log:3 two", "a.log:1 header", "a.log:2 new"}));
}

TEST_F(FollowerTest, RefusedBatchesComeAgain) {
  auto follower = follow(options("a.log"));
  append("a.log", "one\ntwo\n");
  store.answer = fail(Errc::kBusy, "the journal is full");
  std::thread opener([&] {
    while (meter->status().state != "held up") std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_NE(meter->status().error.find("journal is full"), std::string::npos);
    follower->stop();
  });
  follower->poll_once();
  opener.join();
  EXPECT_EQ(store.take(), Lines{});
  EXPECT_GE(store.refusals, 1U);
  store.answer = {};
  follow(options("a.log"))->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:2 two"}));
}

TEST_F(FollowerTest, TooLargeABatchIsHalved) {
  append("a.log", "one\ntwo\nthree\nfour\n");
  meter = std::make_shared<SourceMeter>("app", "file", "", "text");
  Lines got;
  Follower follower(options("a.log"), nullptr,
                    [&](std::span<const Line> batch) -> Result<void> {
                      if (batch.size() > 1) return fail(Errc::kTooLarge, "too much at once");
                      if (batch[0].bytes == "three") return fail(Errc::kTooLarge, "too long");
                      got.emplace_back(batch[0].bytes);
                      return {};
                    },
                    clock, meter);
  follower.poll_once();
  EXPECT_EQ(got, (Lines{"one", "two", "four"}));
  EXPECT_EQ(meter->status().rejected, 1U);
  ASSERT_EQ(meter->rejects().size(), 1U);
  EXPECT_EQ(meter->rejects()[0].line, 3U);
}

TEST_F(FollowerTest, FaultyFramesAreCountedAndStopNothing) {
  auto follower = follow(options("a.log"));
  append("a.log", "one\n" + std::string(2 << 20, 'x') + "\x1b[31m\ntwo\n");
  follower->poll_once();
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"a.log:1 one", "a.log:3 two"}));
  ASSERT_EQ(meter->rejects().size(), 1U);
  const Reject reject = meter->rejects()[0];
  EXPECT_EQ(reject.line, 2U);
  EXPECT_NE(reject.error.find("1 MiB"), std::string::npos);
  EXPECT_LE(reject.preview.size(), Reject::kMaxPreview + 4);
}

TEST_F(FollowerTest, RecognisesTheFormat) {
  auto follower = follow(options("*.log", ""));
  append("a.log", "Dear diary,\nnothing\n");
  follower->poll_once();
  EXPECT_EQ(meter->status().state, "error");
  EXPECT_NE(meter->status().error.find("not recognised"), std::string::npos);
  fs::remove(folder.file("a.log"));
  append("b.log", "{\"a\":1}\n{\"b\":2}\n");
  follower->poll_once();
  EXPECT_EQ(store.take(), (Lines{"b.log:1 {\"a\":1}", "b.log:2 {\"b\":2}"}));
  EXPECT_EQ(meter->status().format, "json");
  later();
  follower->poll_once();
  follower->poll_once();
  EXPECT_EQ(meter->status().state, "following") << meter->status().error;
}

TEST_F(FollowerTest, GzipIsReadOnce) {
  std::string text;
  Lines want;
  for (int i = 1; i <= 20'000; ++i) {
    text += "{\"n\":" + std::to_string(i) + "}\n";
    want.push_back("a.gz:" + std::to_string(i) + " {\"n\":" + std::to_string(i) + "}");
  }
  write_file(folder.file("a.gz"), gzip(text));
  FollowerOptions o = options("*.gz", "");
  o.batch_records = 700;
  auto follower = follow(o);
  for (int i = 0; i < 5; ++i) follower->poll_once();
  EXPECT_EQ(store.take(), want);
  // Interrupted in the middle: the rest, and nothing twice.
  auto& place = store.places.begin()->second;
  place = text.find("{\"n\":12001}");
  follower = follow(o);
  for (int i = 0; i < 5; ++i) follower->poll_once();
  EXPECT_EQ(store.take(), Lines(want.begin() + 12'000, want.end()));

  write_file(folder.file("b.gz"), gzip(text).substr(0, 5000));
  follower->poll_once();
  later();
  follower->poll_once();
  EXPECT_EQ(meter->status().state, "error");
  EXPECT_NE(meter->status().error.find("cut short"), std::string::npos) << meter->status().error;
}

TEST_F(FollowerTest, UnreadableFilesAreShownAndTriedAgain) {
  append("a.log", "one\n");
  ::chmod(folder.file("a.log").c_str(), 0);
  auto follower = follow(options("a.log"));
  {
    const Unprivileged nobody(folder);
    follower->poll_once();
  }
  EXPECT_EQ(meter->status().state, "error");
  EXPECT_NE(meter->status().error.find("may not be read"), std::string::npos);
  ::chmod(folder.file("a.log").c_str(), 0600);
  follower->poll_once();
  EXPECT_EQ(store.take(), Lines{"a.log:1 one"});
  EXPECT_EQ(meter->status().state, "following");
}

TEST_F(FollowerTest, ADirectoryOrPipeIsNoLogFile) {
  fs::create_directory(folder.file("a.log"));
  auto follower = follow(options("a.log"));
  follower->poll_once();
  EXPECT_EQ(meter->status().state, "error");
  EXPECT_NE(meter->status().error.find("not a regular file"), std::string::npos);
}

TEST_F(FollowerTest, CloudTrailFilesInOnePiece) {
  write_file(folder.file("t.json"), R"({"Records":[{"eventSource":"a","eventName":"b","n":1},{"eventSource":"a","eventName":"b","n":2}]})");
  auto follower = follow(options("*.json", "cloudtrail"));
  follower->poll_once();
  later();  // shorter than 256 bytes and no line break: only time tells that it is whole
  follower->poll_once();
  EXPECT_EQ(store.lines.size(), 2U);
  follower = follow(options("*.json", "cloudtrail"));
  follower->poll_once();
  later();
  follower->poll_once();
  EXPECT_EQ(store.lines.size(), 2U) << "not read again after a restart";
}

// The whole in its own thread, against a writer that rotates in both ways while it writes.
TEST_F(FollowerTest, LosesAndDoublesNothingUnderAWriterThatRotates) {
  const SystemClock real;
  std::mutex mutex;
  std::vector<int> got;
  std::map<std::uint64_t, std::uint64_t> places;
  const LineSink sink = [&](std::span<const Line> batch) -> Result<void> {
    const std::lock_guard lock(mutex);
    static int calls = 0;
    if (++calls % 5 == 0) return fail(Errc::kBusy, "busy now and then");
    for (const Line& line : batch) {
      got.push_back(std::stoi(std::string(line.bytes)));
      places[line.stream] = line.end.offset;
    }
    return {};
  };
  const Resume resume = [&](std::uint64_t stream) -> std::optional<std::uint64_t> {
    const std::lock_guard lock(mutex);
    const auto at = places.find(stream);
    return at == places.end() ? std::nullopt : std::optional(at->second);
  };
  FollowerOptions o = options("a.log");
  o.poll = std::chrono::milliseconds(1);
  o.rotated_wait = std::chrono::milliseconds(200);
  o.batch_records = 50;
  const auto make = [&] {
    meter = std::make_shared<SourceMeter>("app", "file", "", "text");
    return std::make_unique<Follower>(o, resume, sink, real, meter);
  };
  auto follower = make();
  follower->start();
  constexpr int kLines = 6000;
  const auto waited_for = [&](int n) {
    for (int i = 0; i < 10'000; ++i) {
      {
        const std::lock_guard lock(mutex);
        if (got.size() >= static_cast<std::size_t>(n)) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  };
  for (int i = 0; i < kLines; ++i) {
    append("a.log", std::to_string(i) + "\n");
    if (i % 1000 == 499) {
      ASSERT_TRUE(waited_for(i - 490));  // a file must have been seen once under its name
      fs::rename(folder.file("a.log"), folder.file("a.log." + std::to_string(i)));
    }
    if (i % 1000 == 999) {  // truncation loses what was not read: wait, as logrotate's users must
      ASSERT_TRUE(waited_for(i + 1));
      fs::resize_file(folder.file("a.log"), 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (i % 1500 == 1200) {
      follower->stop();
      follower = make();
      follower->start();
    }
  }
  ASSERT_TRUE(waited_for(kLines));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  follower->stop();
  follower->stop();
  EXPECT_EQ(meter->status().state, "stopped");
  std::vector<int> want(kLines);
  for (int i = 0; i < kLines; ++i) want[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(got, want) << "each line once, in order";
}

TEST(SourceBoard, CountsAndKeepsAFewRejects) {
  SourceBoard board;
  auto meter = board.meter("db", "file", "/var/log/x", "pgaudit-csv");
  EXPECT_EQ(board.meter("db", "http").get(), meter.get());
  EXPECT_EQ(board.find("none"), nullptr);
  EXPECT_FALSE(meter->status().lag_seconds());
  meter->accepted(10, from_micros(20'000'000));
  meter->decoded(9, from_micros(5'000'000));
  meter->decoded(1, from_micros(3'000'000));
  meter->duplicates(2);
  for (std::uint64_t i = 0; i < Reject::kMaxKept + 5; ++i) meter->rejected({"f", i, "why", std::string(500, 'x') + "\n", {}});
  const SourceStatus status = board.all().at(0);
  EXPECT_EQ(status.accepted, 10U);
  EXPECT_EQ(status.decoded, 10U);
  EXPECT_EQ(status.duplicates, 2U);
  EXPECT_EQ(status.rejected, Reject::kMaxKept + 5);
  EXPECT_EQ(status.lag_seconds(), 15.0);
  EXPECT_EQ(meter->rejects().size(), Reject::kMaxKept);
  EXPECT_EQ(meter->rejects()[0].line, Reject::kMaxKept + 4) << "newest first";
}

}  // namespace
}  // namespace tocsin::engine
