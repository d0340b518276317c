// The exposure index at scale, and the same questions put to plain SQLite tables in the same run. One thread.
//   TOCSIN_BENCH_ACCESSES=100000000   accesses (default 5 million; SQLite gets at most TOCSIN_BENCH_SQLITE, default as many)
//   TOCSIN_BENCH_DAYS=30              the days they spread over (default 30)
//   TOCSIN_BENCH_DIR=DIR              the disk to be measured (default: the working directory's)
// 10,000 actors and 10 million people, both Zipf (s = 1), numbers of people scrambled; sixteen attributes, of which
// each actor has one in nine of ten accesses. The index goes the whole way: added one by one by name, sealed, synced,
// opened again from disk.
#include <benchmark/benchmark.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "storage/exposure/builder.hpp"
#include "storage/exposure/query.hpp"
#include "storage/files/durable_file.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::storage::exposure {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

// What this process has computed so far: on a shared machine, the time that one core would have needed.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

constexpr std::uint32_t kActors = 10'000, kPeople = 10'000'000;
constexpr Second kBegin = 20'000 * kDay;
constexpr std::size_t kBatch = 1'000'000;
constexpr std::size_t kAttributes = 16;

std::size_t number_from(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

// 0 … n-1 with probability proportional to 1 / (1 + value): by inversion of the integral, with rejection.
std::uint32_t zipf(Random& random, std::uint32_t n) {
  const double whole = std::log(static_cast<double>(n) + 1);
  while (true) {
    const double k = std::floor(std::exp(random.unit() * whole));
    if (k > n) continue;
    if (random.unit() * 1.4427 <= 1 / (k * std::log1p(1 / k))) return static_cast<std::uint32_t>(k) - 1;
  }
}

struct One {
  std::uint32_t actor, person, attribute;
  Second second;
};

// The same accesses in every run, a batch at a time.
class Generator {
 public:
  Generator(std::size_t count, std::size_t days) : count_(count), seconds_(static_cast<double>(days * kDay)) {}
  bool next(std::vector<One>& out) {
    out.clear();
    for (; at_ < count_ && out.size() < kBatch; ++at_) {
      One one{};
      one.actor = zipf(random_, kActors);
      one.person = person(zipf(random_, kPeople));
      one.attribute = random_.next() % 10 == 0 ? static_cast<std::uint32_t>(random_.next() % kAttributes) : one.actor % kAttributes;
      one.second = kBegin + static_cast<Second>(static_cast<double>(at_) / static_cast<double>(count_) * seconds_);
      out.push_back(one);
    }
    return !out.empty();
  }
  // Scrambled, so that neighbours in the register are not alike: 6,700,417 has no factor in common with 10 million.
  static std::uint32_t person(std::uint32_t rank) { return static_cast<std::uint32_t>((std::uint64_t{rank} * 6'700'417 + 12'345) % kPeople); }

 private:
  std::size_t count_, at_ = 0;
  double seconds_;
  Random random_{42};
};

Attribute attribute_of(std::size_t i) {
  static const char* const kFields[] = {"name", "name\x1f" "email", "diagnosis", "*"};
  return {i % 2 == 0 ? Grade::kExact : Grade::kDerived, i % 3 != 0, 0, 0, kFields[i % 4], i < 8 ? "select" : "prepared", "The event names 1 person."};
}

std::size_t resident_kib() {
  std::ifstream in("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

std::size_t peak_kib() {
  struct rusage usage {};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::size_t>(usage.ru_maxrss) : 0;
}

struct Built {
  std::size_t accesses = 0, days = 0, bytes = 0, open_memory = 0, table_memory = 0;
  double seconds = 0, cpu = 0;
  std::uint64_t chunks = 0, postings = 0;
  Segments segments;
  fs::path dir;
};

fs::path fresh(const char* name) {
  const char* named = std::getenv("TOCSIN_BENCH_DIR");
  fs::path dir = fs::path(named != nullptr ? named : ".") / name;
  fs::remove_all(dir);
  fs::create_directories(dir);
  return dir;
}

// Built once, when first needed.
const Built& built() {
  static const Built once = [] {
    Built b;
    b.accesses = number_from("TOCSIN_BENCH_ACCESSES", 5'000'000);
    b.days = number_from("TOCSIN_BENCH_DAYS", 30);
    b.dir = fresh("exposure-index-bench.tmp");
    std::vector<std::string> names;
    for (std::uint32_t a = 0; a < kActors; ++a) names.push_back("actor-" + std::to_string(a));
    std::vector<fs::path> files;
    SegmentBuilder open(slice_of(kBegin));
    std::array<std::uint32_t, kAttributes> kinds{};
    const auto ready = [&] {
      for (std::size_t i = 0; i < kAttributes; ++i) kinds[i] = *open.attribute(attribute_of(i));
    };
    const auto seal = [&](Second next_slice) {
      if (open.size() > 0) {
        b.open_memory = std::max(b.open_memory, open.memory());
        files.push_back(b.dir / ("exp-" + std::to_string(files.size()) + ".tes"));
        if (!write_durably(files.back(), open.seal())) std::abort();
      }
      open = SegmentBuilder(next_slice);
      ready();
    };
    ready();
    Generator generator(b.accesses, b.days);
    std::vector<One> batch;
    while (generator.next(batch)) {
      const auto begin = SteadyClock::now();
      const double cpu = cpu_seconds();
      for (const One& one : batch) {
        if (slice_of(one.second) != open.slice()) seal(slice_of(one.second));
        if (!open.add(names[one.actor], "patient", kinds[one.attribute], one.second, {&one.person, 1})) {
          seal(open.slice());
          if (!open.add(names[one.actor], "patient", kinds[one.attribute], one.second, {&one.person, 1})) std::abort();
        }
      }
      b.seconds += std::chrono::duration<double>(SteadyClock::now() - begin).count();
      b.cpu += cpu_seconds() - cpu;
    }
    const auto begin = SteadyClock::now();
    const double cpu = cpu_seconds();
    seal(0);
    b.seconds += std::chrono::duration<double>(SteadyClock::now() - begin).count();
    b.cpu += cpu_seconds() - cpu;
    for (const fs::path& file : files) {
      auto segment = Segment::open(file);
      if (!segment) std::abort();
      b.bytes += (*segment)->bytes();
      b.table_memory += (*segment)->memory();
      for (const Chunk& c : (*segment)->tables().chunks) b.chunks += c.length + kBlockSum;
      for (const PostingBlock& c : (*segment)->tables().blocks) b.postings += c.length + kBlockSum;
      b.segments.push_back(std::move(*segment));
    }
    return b;
  }();
  return once;
}

void add_and_seal(benchmark::State& state) {
  for (auto _ : state) state.SetIterationTime(built().cpu);
  const Built& b = built();
  state.SetItemsProcessed(static_cast<std::int64_t>(b.accesses));
  const auto each = [&](std::uint64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(b.accesses); };
  char label[320];
  std::snprintf(label, sizeof(label), "CPU time (wall %.1f s); %zu accesses, %zu days, %zu segments; %.2f B/access on disk (by actor %.2f, by person %.2f); "
                "memory: open %zu MB, tables %zu MB, process %zu MB, peak %zu MB", b.seconds,
                b.accesses, b.days, b.segments.size(), each(b.bytes), each(b.chunks), each(b.postings), b.open_memory >> 20,
                b.table_memory >> 20, resident_kib() >> 10, peak_kib() >> 10);
  state.SetLabel(label);
}

Seconds month() { return {kBegin + kDay / 3 + 17, kBegin + kDay / 3 + 17 + 30 * kDay}; }  // cut at both ends, to the second
Seconds year() { return {kBegin - 300 * kDay + 4'711, kBegin + 364 * kDay - 815}; }

void actor_month(benchmark::State& state, std::uint32_t actor) {
  const Built& b = built();
  std::size_t people = 0;
  for (auto _ : state) {
    Damage damage;
    const auto found = find_people(b.segments, {"actor-" + std::to_string(actor), "patient", month()}, damage);
    people = found.empty() ? 0 : found.begin()->second.everyone().size();
    if (!damage.errors.empty()) state.SkipWithError("damage");
  }
  state.SetLabel(std::to_string(people) + " people");
}

// The middle of the slowest: of a hundred actors all over the list.
void worst_actor(benchmark::State& state) {
  const Built& b = built();
  double worst = 0;
  for (auto _ : state) {
    for (std::uint32_t actor = 0; actor < kActors; actor += actor < 20 ? 1 : 117) {
      const auto begin = SteadyClock::now();
      Damage damage;
      benchmark::DoNotOptimize(find_people(b.segments, {"actor-" + std::to_string(actor), "", month()}, damage));
      worst = std::max(worst, std::chrono::duration<double>(SteadyClock::now() - begin).count());
    }
    state.SetIterationTime(worst);
  }
  state.SetLabel("slowest of 105 actors");
}

void actor_month_described(benchmark::State& state) {
  const Built& b = built();
  std::size_t people = 0;
  for (auto _ : state) {
    Damage damage;
    const Question question{"actor-0", "patient", month()};
    const auto found = find_people(b.segments, question, damage);
    people = describe_people(b.segments, question, found.begin()->second.everyone(), damage).people.size();
  }
  state.SetLabel(std::to_string(people) + " people, each with grade, fields, first and last second");
}

void who_saw(benchmark::State& state, std::uint32_t rank) {
  const Built& b = built();
  std::size_t actors = 0;
  std::uint64_t reaches = 0;
  for (auto _ : state) {
    Damage damage;
    const ActorSums sums = find_actors(b.segments, "patient", Generator::person(rank), year(), damage);
    actors = sums.actors.size();
    reaches = 0;
    for (const auto& [actor, sum] : sums.actors) reaches += sum.reaches;
  }
  state.SetLabel(std::to_string(actors) + " actors, " + std::to_string(reaches) + " reaches");
}

// ---- the same in plain SQLite: one clustered table, one index for the other direction

struct Plain {
  std::unique_ptr<Database> db;
  std::size_t accesses = 0;
  double seconds = 0, cpu = 0;
  std::uintmax_t bytes = 0;
};

const Plain& plain() {
  static const Plain once = [] {
    Plain p;
    const fs::path dir = fresh("exposure-sqlite-bench.tmp");
    p.accesses = std::min(built().accesses, number_from("TOCSIN_BENCH_SQLITE", built().accesses));
    p.db = std::move(*Database::open(dir / "plain.db"));
    static const Migration steps[] = {{1,
                                       "CREATE TABLE access(actor INTEGER, second INTEGER, person INTEGER, attribute INTEGER, n INTEGER, "
                                       "PRIMARY KEY(actor, second, person, n)) WITHOUT ROWID;"
                                       "CREATE INDEX access_by_person ON access(person, actor, second);"}};
    if (!p.db->migrate("plain", steps)) std::abort();
    Generator generator(built().accesses, built().days);
    std::vector<One> batch;
    std::size_t n = 0;
    while (n < p.accesses && generator.next(batch)) {
      const auto begin = SteadyClock::now();
      const double cpu = cpu_seconds();
      for (std::size_t from = 0; from < batch.size(); from += 100'000) {
        auto done = p.db->write([&](Transaction& tx) -> Result<void> {
          for (std::size_t i = from; i < std::min(from + 100'000, batch.size()); ++i, ++n) {
            const One& one = batch[i];
            if (auto run = tx.run("INSERT INTO access VALUES(?1, ?2, ?3, ?4, ?5)", one.actor, one.second, one.person, one.attribute, n); !run) return run;
          }
          return {};
        });
        if (!done) std::abort();
      }
      p.seconds += std::chrono::duration<double>(SteadyClock::now() - begin).count();
      p.cpu += cpu_seconds() - cpu;
    }
    p.accesses = n;
    if (!p.db->checkpoint()) std::abort();
    p.bytes = fs::file_size(dir / "plain.db");
    return p;
  }();
  return once;
}

void sqlite_add(benchmark::State& state) {
  for (auto _ : state) state.SetIterationTime(plain().cpu);
  state.SetItemsProcessed(static_cast<std::int64_t>(plain().accesses));
  char label[128];
  std::snprintf(label, sizeof(label), "CPU time (wall %.1f s); %zu accesses, %.1f B/access on disk", plain().seconds, plain().accesses,
                static_cast<double>(plain().bytes) / static_cast<double>(plain().accesses));
  state.SetLabel(label);
}

void sqlite_actor_month(benchmark::State& state, std::uint32_t actor) {
  const Plain& p = plain();
  std::size_t people = 0;
  for (auto _ : state) {
    auto rows = p.db->read([&](Reader& r) {
      return r.rows<std::int64_t>("SELECT DISTINCT person FROM access WHERE actor = ?1 AND second >= ?2 AND second <= ?3",
                                  [](const Columns& c) { return c.integer(0); }, actor, month().from, month().to);
    });
    people = rows->size();
  }
  state.SetLabel(std::to_string(people) + " people");
}

void sqlite_who_saw(benchmark::State& state, std::uint32_t rank) {
  const Plain& p = plain();
  std::size_t actors = 0;
  for (auto _ : state) {
    auto rows = p.db->read([&](Reader& r) {
      return r.rows<std::int64_t>(
          "SELECT actor, MIN(second), MAX(second), COUNT(*) FROM access WHERE person = ?1 AND second >= ?2 AND second <= ?3 GROUP BY actor",
          [](const Columns& c) { return c.integer(0); }, Generator::person(rank), year().from, year().to);
    });
    actors = rows->size();
  }
  state.SetLabel(std::to_string(actors) + " actors");
}

BENCHMARK(add_and_seal)->Name("exposure/index/add_seal_sync")->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(actor_month, hottest, 0U)->Name("exposure/index/hottest_actor_30_days")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(actor_month, middle, 100U)->Name("exposure/index/middle_actor_30_days")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(actor_month, tail, 9'999U)->Name("exposure/index/rarest_actor_30_days")->Unit(benchmark::kMillisecond);
BENCHMARK(worst_actor)->Name("exposure/index/any_actor_30_days")->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(actor_month_described)->Name("exposure/index/hottest_actor_described")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(who_saw, hottest, 0U)->Name("exposure/index/who_saw_hottest_person_year")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(who_saw, thousandth, 999U)->Name("exposure/index/who_saw_1000th_person_year")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(who_saw, middle, 1'000'000U)->Name("exposure/index/who_saw_middle_person_year")->Unit(benchmark::kMillisecond);
BENCHMARK(sqlite_add)->Name("exposure/sqlite/add")->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sqlite_actor_month, hottest, 0U)->Name("exposure/sqlite/hottest_actor_30_days")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sqlite_actor_month, middle, 100U)->Name("exposure/sqlite/middle_actor_30_days")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sqlite_who_saw, hottest, 0U)->Name("exposure/sqlite/who_saw_hottest_person_year")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sqlite_who_saw, thousandth, 999U)->Name("exposure/sqlite/who_saw_1000th_person_year")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tocsin::storage::exposure

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  for (const char* dir : {"exposure-index-bench.tmp", "exposure-sqlite-bench.tmp"}) {
    const char* named = std::getenv("TOCSIN_BENCH_DIR");
    std::error_code ec;
    std::filesystem::remove_all(std::filesystem::path(named != nullptr ? named : ".") / dir, ec);
  }
  return 0;
}
