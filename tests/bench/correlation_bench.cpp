// Correlations: events/s on one core through Correlator::see() for events that are matched already, the same with
// match() before it, and what a group and an entry cost in memory.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <malloc.h>

#include "rules/json_event.hpp"
#include "rules/sigma/correlator.hpp"
#include "rules/sigma/engine.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::rules;

// 64k reads by `actors` people of `values` records, in an event of twelve members.
struct Lane {
  Lane(const std::string& section, std::size_t actors, std::size_t values) {
    const sigma::RuleSource source{"bench.yml", "title: Read\nname: read\nlogsource: {product: shop}\ndetection: {s: {action: read}, condition: s}\n---\ntitle: C\ncorrelation: {" + section + "}\n"};
    loaded = sigma::load({&source, 1});
    if (loaded.engine->correlations().size() != 1) std::abort();
    constexpr std::size_t kEvents = 65536;
    for (std::size_t i = 0; i < kEvents; ++i) {
      const std::size_t actor = i * 2654435761U % actors;
      const std::size_t value = i * 40503U % values;
      texts.push_back(R"({"time":"2026-11-23T10:00:00Z","format":"pgaudit-csv","session":"6b0453f6.)" + std::to_string(i) + R"(","action":"read","system":"postgresql","store":"clinic","dataset":"patient","user":"clerk)" +
                      std::to_string(actor) + R"(","record":"patient-)" + std::to_string(value) + R"(","rows":)" + std::to_string(i % 97) + R"(,"client_ip":"10.0.3.17","outcome":"success"})");
    }
    for (const std::string& text : texts) {
      Event event;
      event.root = *parse_json(text, arena);
      event.source.product = "shop";
      events.push_back(event);
    }
    loaded.engine->match(events[0], matches);
  }
  sigma::Loaded loaded;
  std::vector<std::string> texts;
  Arena arena;
  std::vector<Event> events;
  std::vector<sigma::Match> matches;
};

// One event a millisecond.
void run(benchmark::State& state, Lane& lane, bool matching, std::size_t subjects = 0) {
  sigma::Correlator correlator(lane.loaded.engine, {});
  std::vector<sigma::CorrelationAlert> alerts;
  std::vector<sigma::Match> found;
  std::int64_t number = 0;
  const std::vector<std::string_view> people(subjects, "patient-1");
  for (auto _ : state) {
    const Event& event = lane.events[static_cast<std::size_t>(number) % lane.events.size()];
    if (matching) {
      found.clear();
      lane.loaded.engine->match(event, found);
    }
    ++number;
    const sigma::EventPlace place{"pg", "postgresql.csv", static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(number)};
    correlator.see({event, from_micros(1'800'000'000'000'000 + number * 1000), matching ? std::span<const sigma::Match>(found) : lane.matches, place, people}, alerts);
  }
  const auto statistics = correlator.statistics();
  state.counters["events/s"] = benchmark::Counter(static_cast<double>(number), benchmark::Counter::kIsRate);
  state.counters["groups"] = static_cast<double>(statistics.groups);
  state.counters["entries"] = static_cast<double>(statistics.entries);
  state.counters["alerts"] = static_cast<double>(alerts.size());
}

void event_count(benchmark::State& state) {
  Lane lane("type: event_count, rules: [read], group-by: [user], timespan: 1m, condition: {gte: 1000000}", static_cast<std::size_t>(state.range(0)), 1000);
  run(state, lane, false);
}
BENCHMARK(event_count)->Arg(1)->Arg(1000)->Arg(50000);

void event_count_with_match(benchmark::State& state) {
  Lane lane("type: event_count, rules: [read], group-by: [user], timespan: 1m, condition: {gte: 1000000}", 1000, 1000);
  run(state, lane, true);
}
BENCHMARK(event_count_with_match);

void event_count_while_alerting(benchmark::State& state) {
  Lane lane("type: event_count, rules: [read], group-by: [user], timespan: 1m, condition: {gte: 10}", 1000, 1000);
  run(state, lane, false, 1);
}
BENCHMARK(event_count_while_alerting);

// 1,800 distinct values in every window.
void value_count(benchmark::State& state) {
  Lane lane("type: value_count, rules: [read], group-by: [store], timespan: 10s, condition: {field: record, gte: 1000000}", 1, 1800);
  run(state, lane, false);
}
BENCHMARK(value_count);

void value_count_with_match(benchmark::State& state) {
  Lane lane("type: value_count, rules: [read], group-by: [store], timespan: 10s, condition: {field: record, gte: 1000000}", 1, 1800);
  run(state, lane, true);
}
BENCHMARK(value_count_with_match);

void value_sum(benchmark::State& state) {
  Lane lane("type: value_sum, rules: [read], group-by: [user], timespan: 1m, condition: {field: rows, gte: 1000000000}", 1000, 1000);
  run(state, lane, false);
}
BENCHMARK(value_sum);

void value_percentile(benchmark::State& state) {
  Lane lane("type: value_percentile, rules: [read], group-by: [store], timespan: 1m, condition: {field: rows, percentile: 95, gte: 1000000000}", 1, 1000);
  run(state, lane, false);
}
BENCHMARK(value_percentile);

// Bytes that the allocator has given out, for a million groups with one entry each, and for a million entries in one group.
void memory(benchmark::State& state) {
  const bool many_groups = state.range(0) == 0;
  const std::string section = state.range(0) == 2 ? "type: value_count, rules: [read], group-by: [store], timespan: 1h, condition: {field: record, gte: 100000000}"
                                                  : "type: event_count, rules: [read], group-by: [user], timespan: 1h, condition: {gte: 100000000}";
  constexpr std::int64_t kCount = 900'000;
  for (auto _ : state) {
    Lane lane(section, 1, 1000);
    Arena arena;
    std::vector<sigma::CorrelationAlert> alerts;
    sigma::Correlator::Options options;
    options.limits.entries_per_group = 10'000'000;
    options.limits.exact_values_per_group = 10'000'000;
    malloc_trim(0);
    const auto before = mallinfo2();
    sigma::Correlator correlator(lane.loaded.engine, options);
    for (std::int64_t i = 0; i < kCount; ++i) {
      arena.reset();
      Event event;
      const std::string text = R"({"user":"clerk)" + (many_groups ? std::to_string(i) : std::string("1")) + R"(","store":"s","record":"patient-)" + std::to_string(i) + "\"}";
      event.root = *parse_json(text, arena);
      const sigma::EventPlace place{"pg", "postgresql.csv", static_cast<std::uint64_t>(i), 0};
      correlator.see({event, from_micros(1'800'000'000'000'000 + i * 1000), lane.matches, place, {}}, alerts);
    }
    const auto after = mallinfo2();
    const auto held = static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd);
    const auto statistics = correlator.statistics();
    state.counters[many_groups ? "bytes/group" : "bytes/entry"] = held / static_cast<double>(kCount);
    state.counters["stated"] = static_cast<double>(statistics.bytes) / static_cast<double>(kCount);
  }
}
BENCHMARK(memory)->Name("memory_of_groups")->Arg(0)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(memory)->Name("memory_of_entries")->Arg(1)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(memory)->Name("memory_of_distinct_values")->Arg(2)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
