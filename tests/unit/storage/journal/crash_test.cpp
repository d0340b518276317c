// kill -9 at seeded moments while several threads append: whatever was acknowledged is there, exactly once, and
// the numbers have no hole. The child reports each acknowledgement through a pipe; what it could not report any
// more it does not claim.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "storage/journal/journal.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

constexpr int kCrashes = 60;
constexpr int kThreads = 3;
constexpr unsigned kSeed = 20261123;

Journal::Options options() {
  Journal::Options out;
  out.segment_bytes = 300'000;  // many segments come and go
  return out;
}

EventId id_of(std::uint64_t n) {
  EventId out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(n >> (8 * i));
  out[15] = 1;
  return out;
}

// Appends until it is killed. Events are named round · 10^9 + thread · 10^7 + counter.
[[noreturn]] void child(const std::filesystem::path& dir, int pipe, std::uint64_t round) {
  const SystemClock clock;
  auto journal = Journal::open(dir, clock, options());
  if (!journal) ::_exit(3);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(round * 10 + t);
      std::uint64_t next = round * 1'000'000'000 + t * 10'000'000;
      while (true) {
        const std::size_t count = 1 + random() % 20;
        std::vector<std::string> payloads;
        std::vector<Record> records(count);
        std::vector<std::uint64_t> names;
        for (std::size_t i = 0; i < count; ++i) {
          names.push_back(next++);
          payloads.push_back(std::to_string(names.back()) + " " + std::string(random() % 300, 'x'));
        }
        for (std::size_t i = 0; i < count; ++i) {
          records[i].source = "crash";
          records[i].stream = round * 10 + t;
          records[i].position = names[i];
          records[i].event_id = id_of(names[i]);
          records[i].payload = payloads[i];
        }
        auto done = (*journal)->append(records);
        if (!done || done->accepted != count) ::_exit(4);
        const auto bytes = names.size() * sizeof(names[0]);
        if (::write(pipe, names.data(), bytes) != static_cast<ssize_t>(bytes)) ::_exit(5);  // atomic: under PIPE_BUF
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ::_exit(6);
}

TEST(Crash, at_any_moment_loses_nothing_that_was_acknowledged) {
  const TemporaryDirectory dir;
  std::mt19937 random(kSeed);
  std::set<std::uint64_t> acknowledged;
  for (std::uint64_t round = 1; round <= kCrashes; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      ::close(ends[0]);
      child(dir / "journal", ends[1], round);
    }
    ::close(ends[1]);
    // Every fourth time it dies while it still recovers, else somewhat after its n-th acknowledgement: counted, not
    // timed, so that a slow machine has as much to lose as a quick one.
    const bool early = round % 4 == 0;
    const std::size_t enough = early ? 0 : 1 + random() % 300;
    const auto pause = std::chrono::microseconds(random() % (early ? 20'000 : 3'000));
    std::size_t came = 0;
    bool alive = true;
    std::uint64_t names[512];
    ssize_t n = 0;
    do {
      if (alive && came >= enough) {
        std::this_thread::sleep_for(pause);
        ::kill(pid, SIGKILL);
        alive = false;
      }
      n = ::read(ends[0], names, sizeof(names));
      for (std::size_t i = 0; n > 0 && i < static_cast<std::size_t>(n) / sizeof(names[0]); ++i, ++came) {
        acknowledged.insert(names[i]);
      }
    } while (n > 0);
    ::close(ends[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  }

  const SystemClock clock;
  auto journal = Journal::open(dir / "journal", clock, options());
  ASSERT_TRUE(journal) << journal.error().text();
  for (const JournalGap& gap : (*journal)->recovery().gaps) ADD_FAILURE() << "gap " << gap.first << "–" << gap.last;
  std::map<std::uint64_t, int> kept;
  std::map<std::uint64_t, std::uint64_t> newest;
  auto cursor = (*journal)->read_from(1);
  Seq last = 0;
  while (true) {
    JournalRecord r;
    auto more = cursor->next(r);
    ASSERT_TRUE(more) << more.error().text();
    if (!*more) break;
    ASSERT_EQ(r.seq, ++last);
    const std::uint64_t name = std::stoull(std::string(r.payload));
    ++kept[name];
    EXPECT_EQ(r.position, name);
    newest[r.stream] = std::max(newest[r.stream], name);
  }
  EXPECT_TRUE(cursor->take_gaps().empty());
  std::size_t lost = 0, doubled = 0;
  for (const std::uint64_t name : acknowledged) lost += kept[name] == 0;
  for (const auto& [name, count] : kept) doubled += count > 1;
  EXPECT_EQ(lost, 0U);
  EXPECT_EQ(doubled, 0U);
  EXPECT_GT(acknowledged.size(), 1000U) << "the test must have had something to lose";
  for (const auto& [stream, name] : newest) {
    auto at = (*journal)->last_position("crash", stream);
    ASSERT_TRUE(at);
    EXPECT_EQ(at->position, name);
  }
  std::printf("%d crashes, %zu acknowledged, %zu kept\n", kCrashes, acknowledged.size(), kept.size());
}

}  // namespace
}  // namespace tocsin::storage
