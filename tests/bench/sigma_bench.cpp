// Sigma: from text to matches, and each step alone; one thread, events/s is the figure to compare. Beside it stands what
// simdjson alone needs for the same texts: its DOM, and an on-demand walk over every name and value, which is the limit
// of any engine that looks at all of an event. Then loading: time, and memory in a process of its own.
// The pack is rules/packs/data-access; the public rules are used where they are at hand.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <simdjson.h>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/source.hpp"
#include "tests/bench/sigma_events.hpp"

namespace {

using namespace tocsin::rules;
using namespace tocsin::bench;
namespace fs = std::filesystem;

constexpr int kEvents = 1000;
constexpr LogSource kCloudTrail{"aws", {}, "cloudtrail"};
constexpr LogSource kProcess{"windows", "process_creation", "sysmon"};
constexpr LogSource kAccess{{}, "data_access", {}};

fs::path public_rules() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  return (named != nullptr ? fs::path(named) : fs::path(TOCSIN_SOURCE_DIR) / "../shared/data") / "sigma-rules/sigma";
}
fs::path pack() { return fs::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access"; }

// The public rules and the pack together; the pack alone where the public rules are not at hand.
const sigma::Engine& all_rules() {
  static const auto engine = [] {
    std::vector<fs::path> folders = {pack()};
    if (fs::exists(public_rules())) folders.push_back(public_rules());
    const auto sources = sigma::read_rule_files(folders);
    return sigma::load(sources ? *sources : std::vector<sigma::RuleSource>{}).engine;
  }();
  return *engine;
}

// --- events ---

struct Batch {
  std::vector<std::string> texts;
  Arena arena;
  std::vector<Event> events;
  std::size_t bytes = 0;
  Batch(std::vector<std::string> made, const LogSource& source) : texts(std::move(made)) {
    for (const std::string& text : texts) {
      events.push_back({source, *parse_json(text, arena), text});
      bytes += text.size();
    }
  }
};
const Batch& cloudtrail() {
  static const Batch batch(cloudtrail_events(kEvents), kCloudTrail);
  return batch;
}
const Batch& windows() {
  static const Batch batch(windows_events(kEvents), kProcess);
  return batch;
}
const Batch& accesses() {
  static const Batch batch(access_events(kEvents), kAccess);
  return batch;
}

void report(benchmark::State& state, const Batch& batch) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(batch.texts.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(batch.bytes));
}

void simdjson_dom(benchmark::State& state, const Batch& batch) {
  std::vector<simdjson::padded_string> texts(batch.texts.begin(), batch.texts.end());
  simdjson::dom::parser parser;
  for (auto _ : state) {
    for (const simdjson::padded_string& text : texts) benchmark::DoNotOptimize(parser.parse(text).error());
  }
  report(state, batch);
}

std::size_t walk(simdjson::ondemand::value value) {
  switch (value.type()) {
    case simdjson::ondemand::json_type::object: {
      std::size_t n = 0;
      for (auto field : value.get_object()) n += field.unescaped_key().value().size() + walk(field.value());
      return n;
    }
    case simdjson::ondemand::json_type::array: {
      std::size_t n = 0;
      for (auto item : value.get_array()) n += walk(item.value());
      return n;
    }
    case simdjson::ondemand::json_type::string: return value.get_string().value().size();
    case simdjson::ondemand::json_type::number: return static_cast<std::size_t>(value.get_double().value());
    case simdjson::ondemand::json_type::boolean: return value.get_bool().value() ? 1 : 0;
    case simdjson::ondemand::json_type::null: return 0;
  }
  return 0;
}
void simdjson_on_demand(benchmark::State& state, const Batch& batch) {
  std::vector<simdjson::padded_string> texts(batch.texts.begin(), batch.texts.end());
  simdjson::ondemand::parser parser;
  for (auto _ : state) {
    for (const simdjson::padded_string& text : texts) {
      simdjson::ondemand::document document = parser.iterate(text);
      benchmark::DoNotOptimize(walk(document.get_value()));
    }
  }
  report(state, batch);
}

void parse(benchmark::State& state, const Batch& batch) {
  Arena arena;
  for (auto _ : state) {
    for (const std::string& text : batch.texts) {
      arena.reset();
      benchmark::DoNotOptimize(parse_json(text, arena));
    }
  }
  report(state, batch);
}

void label(benchmark::State& state, std::size_t found) {
  state.SetLabel(std::to_string(all_rules().rules().size()) + " rules, " + std::to_string(found / static_cast<std::size_t>(state.iterations())) + " matches in " + std::to_string(kEvents));
}

void match(benchmark::State& state, const Batch& batch) {
  const sigma::Engine& engine = all_rules();
  std::vector<sigma::Match> matches;
  std::size_t found = 0;
  engine.match(batch.events.front(), matches);  // makes the route, once
  for (auto _ : state) {
    for (const Event& event : batch.events) {
      matches.clear();
      engine.match(event, matches);
      found += matches.size();
    }
  }
  report(state, batch);
  label(state, found);
}

void text_to_matches(benchmark::State& state, const Batch& batch) {
  const sigma::Engine& engine = all_rules();
  const LogSource source = batch.events.front().source;
  Arena arena;
  std::vector<sigma::Match> matches;
  std::size_t found = 0;
  engine.match(batch.events.front(), matches);
  for (auto _ : state) {
    for (const std::string& text : batch.texts) {
      arena.reset();
      matches.clear();
      const auto root = parse_json(text, arena);
      engine.match({source, *root, text}, matches);
      found += matches.size();
    }
  }
  report(state, batch);
  label(state, found);
}

void recognise(benchmark::State& state, const Batch& batch) {
  for (auto _ : state) {
    for (const Event& event : batch.events) benchmark::DoNotOptimize(sigma::recognise_source(event.root));
  }
  report(state, batch);
}

#define EACH_STEP(name)                                                                            \
  BENCHMARK_CAPTURE(simdjson_dom, name, name())->Unit(benchmark::kMillisecond);                    \
  BENCHMARK_CAPTURE(simdjson_on_demand, name, name())->Unit(benchmark::kMillisecond);              \
  BENCHMARK_CAPTURE(parse, name, name())->Unit(benchmark::kMillisecond);                           \
  BENCHMARK_CAPTURE(match, name, name())->Unit(benchmark::kMillisecond);                           \
  BENCHMARK_CAPTURE(text_to_matches, name, name())->Unit(benchmark::kMillisecond);                 \
  BENCHMARK_CAPTURE(recognise, name, name())->Unit(benchmark::kMillisecond)
EACH_STEP(cloudtrail);
EACH_STEP(windows);
EACH_STEP(accesses);

// --- loading ---

// Rules as a large site may have them, every one different: a program, words of its command line, an exception.
std::vector<sigma::RuleSource> generated_rules(int count) {
  static constexpr const char* kSources[] = {"product: windows\n  category: process_creation", "product: windows\n  category: file_event", "product: linux\n  category: process_creation",
                                             "product: aws\n  service: cloudtrail", "product: windows\n  category: registry_set"};
  std::vector<sigma::RuleSource> sources;
  std::string text;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    if (!text.empty()) text += "---\n";
    text += "title: Generated rule " + n + "\nid: 00000000-0000-4000-8000-" + std::string(12 - n.size(), '0') + n + "\nlogsource:\n  " +
            kSources[static_cast<std::size_t>(i) % std::size(kSources)] +
            "\ndetection:\n  selection:\n    Image|endswith:\n      - '\\tool" + std::to_string(i % 5000) + ".exe'\n      - '\\copy" + n +
            ".exe'\n    CommandLine|contains|all:\n      - '-option" + std::to_string(i % 700) + "'\n      - 'word" + n +
            "'\n  filter:\n    ParentImage|startswith: 'C:\\Program Files\\Vendor" + std::to_string(i % 90) + "\\'\n  condition: selection and not filter\nlevel: medium\n";
    if (i % 1000 == 999 || i + 1 == count) {
      sources.push_back({"generated" + std::to_string(sources.size()) + ".yml", std::move(text)});
      text.clear();
    }
  }
  return sources;
}
constexpr int kMany = 100000;

std::vector<sigma::RuleSource> sources_named(const std::string& what) {
  if (what == "generated") return generated_rules(kMany);
  const fs::path folder = public_rules();
  auto sources = sigma::read_rule_files({&folder, 1});
  return sources ? std::move(*sources) : std::vector<sigma::RuleSource>{};
}

long resident_kib(const char* line_name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(line_name, 0) == 0) return std::strtol(line.c_str() + std::string(line_name).size() + 1, nullptr, 10);
  }
  return 0;
}

// What loading costs a fresh process: the program starts itself once more, and that process does nothing else.
constexpr const char* kChild = "TOCSIN_BENCH_LOAD";
struct Child {
  Child() {
    const char* what = std::getenv(kChild);
    if (what == nullptr) return;
    const long before = resident_kib("VmRSS");
    std::size_t rules = 0;
    double seconds = 0;
    double first_event = 0;
    {
      const auto now = [] { return std::chrono::steady_clock::now(); };
      const auto since = [&](auto start) { return std::chrono::duration<double>(now() - start).count(); };
      std::shared_ptr<const sigma::Engine> engine;
      {
        const auto start = now();
        const std::vector<sigma::RuleSource> sources = sources_named(what);
        engine = sigma::load(sources).engine;
        seconds = since(start);
      }
      rules = engine->rules().size();
      Arena arena;
      const std::string text = windows_events(1).front();
      const Event event{kProcess, *parse_json(text, arena), text};
      std::vector<sigma::Match> matches;
      const auto start = now();
      engine->match(event, matches);
      first_event = since(start);
      std::printf("%zu %f %f %ld %ld\n", rules, seconds, first_event, resident_kib("VmRSS") - before, resident_kib("VmHWM"));
    }
    std::fflush(stdout);
    std::_Exit(0);
  }
};
const Child child;

void load_in_a_fresh_process(benchmark::State& state, const char* what) {
  double seconds = 0;
  double first_event = 0;
  std::size_t rules = 0;
  long grown = 0;
  long peak = 0;
  for (auto _ : state) {
    const std::string command = std::string(kChild) + "=" + what + " " + fs::read_symlink("/proc/self/exe").string();
    FILE* const out = ::popen(command.c_str(), "r");
    const bool read = out != nullptr && std::fscanf(out, "%zu %lf %lf %ld %ld", &rules, &seconds, &first_event, &grown, &peak) == 5;
    if (out != nullptr) ::pclose(out);
    if (!read || rules == 0) {
      state.SkipWithError("the rules are not at hand");
      return;
    }
    state.SetIterationTime(seconds);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(rules));
  char text[160];
  std::snprintf(text, sizeof text, "%zu rules, files and all; then resident +%ld MiB, peak %ld MiB; route and first event %.1f ms", rules, grown / 1024, peak / 1024, first_event * 1e3);
  state.SetLabel(text);
}
BENCHMARK_CAPTURE(load_in_a_fresh_process, public_rules, "public")->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(3);
BENCHMARK_CAPTURE(load_in_a_fresh_process, generated_100000, "generated")->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(1);

}  // namespace
