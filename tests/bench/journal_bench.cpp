// Durable events per second: what one append returns is on disk. Arguments: events per append, threads.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/journal/journal.hpp"

namespace tocsin::storage {
namespace {

constexpr std::size_t kPayloadBytes = 300;

// TOCSIN_BENCH_DIR names the disk to be measured; else the working directory's, never a tmpfs by accident.
std::filesystem::path fresh_directory() {
  const char* named = std::getenv("TOCSIN_BENCH_DIR");
  std::filesystem::path dir = std::filesystem::path(named != nullptr ? named : ".") / "journal-bench.tmp";
  std::filesystem::remove_all(dir);
  return dir;
}

void durable_append(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  const auto threads = static_cast<std::size_t>(state.range(1));
  const bool with_ids = state.range(2) != 0;
  const std::filesystem::path dir = fresh_directory();
  const SystemClock clock;
  auto journal = Journal::open(dir, clock, {});
  if (!journal) {
    state.SkipWithError(journal.error().text().c_str());
    return;
  }
  const std::string payload(kPayloadBytes, 'x');
  // The batches that one measured step appends, so that threads stay in step with the timer.
  const std::size_t per_step = batch >= 1000 ? 20 : 100;
  std::uint64_t next = 1;
  for (auto _ : state) {
    std::vector<std::thread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      workers.emplace_back([&, t, first = next] {
        std::vector<Record> records(batch);
        std::uint64_t n = first + t * per_step * batch;
        for (std::size_t i = 0; i < per_step; ++i) {
          for (Record& record : records) {
            record.source = "bench";
            record.file = "/var/log/bench.log";
            record.payload = payload;
            record.stream = t + 1;
            record.position = n;
            if (with_ids) std::memcpy(record.event_id.data(), &n, sizeof(n));
            ++n;
          }
          auto done = (*journal)->append(records);
          if (!done || done->accepted != batch) std::abort();
        }
      });
    }
    for (auto& worker : workers) worker.join();
    next += threads * per_step * batch;
  }
  const auto events = static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(threads * per_step * batch);
  state.SetItemsProcessed(events);
  state.SetBytesProcessed(events * static_cast<std::int64_t>(kPayloadBytes));
  journal->reset();
  std::filesystem::remove_all(dir);
}
BENCHMARK(durable_append)
    ->ArgNames({"batch", "threads", "ids"})
    ->Args({1, 1, 0})
    ->Args({100, 1, 0})
    ->Args({1000, 1, 0})
    ->Args({1000, 1, 1})
    ->Args({1000, 2, 0})
    ->Args({10000, 1, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MinTime(1.0);

void read_back(benchmark::State& state) {
  constexpr std::size_t kBatch = 1000, kBatches = 200;
  const std::filesystem::path dir = fresh_directory();
  const SystemClock clock;
  auto journal = Journal::open(dir, clock, {});
  const std::string payload(kPayloadBytes, 'x');
  std::vector<Record> records(kBatch);
  for (Record& record : records) {
    record.source = "bench";
    record.payload = payload;
  }
  for (std::size_t i = 0; i < kBatches; ++i) {
    if (!(*journal)->append(records)) std::abort();
  }
  for (auto _ : state) {
    auto cursor = (*journal)->read_from(1);
    JournalRecord record;
    std::size_t seen = 0;
    while (true) {
      auto more = cursor->next(record);
      if (!more || !*more) break;
      ++seen;
    }
    if (seen != kBatch * kBatches) std::abort();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kBatch * kBatches));
  journal->reset();
  std::filesystem::remove_all(dir);
}
BENCHMARK(read_back)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace tocsin::storage
