// Statements a second: read by the parser, read from the cache, and the whole way to reaches and findings.
#include <benchmark/benchmark.h>

#include <sstream>
#include <string>
#include <vector>

#include "engine/detect/export.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/sql/reading.hpp"
#include "storage/register_store.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::engine;

// An ordinary workload: what the clinic's programs send.
const std::vector<std::string>& statements() {
  static const std::vector<std::string> all = {
      "SELECT id, name, email, birth_date, country FROM patient WHERE id = $1",
      "SELECT id, name, birth_date FROM patient WHERE email = $1",
      "SELECT p.name, v.visited_at, v.ward FROM patient p JOIN visit v ON v.patient_id = p.id WHERE p.id = $1",
      "SELECT v.patient_id, v.visited_at, v.ward, v.reason FROM visit v WHERE v.patient_id = $1 ORDER BY v.visited_at DESC LIMIT 10",
      "SELECT count(*) FROM visit WHERE ward = $1",
      "INSERT INTO visit(patient_id, visited_at, ward, reason) VALUES ($1, now(), $2, $3)"};
  return all;
}

void ReadAfresh(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sql::read_afresh(statements()[i++ % statements().size()]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ReadAfresh);

void ReadCached(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sql::read(statements()[i++ % statements().size()]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ReadCached);

// Accesses of `people` patients by bound id, through exposure and export detection.
void Exposure(benchmark::State& state) {
  const auto people = static_cast<int>(state.range(0));
  storage::Registers registers(storage::process_hash());
  std::ostringstream csv;
  csv << "id,name,email,birth_date,country\n";
  for (int i = 1; i <= people; ++i) csv << i << ",Person " << i << ",p" << i << "@example.org,1970-01-01,DE\n";
  std::istringstream in(csv.str());
  storage::ImportOptions options;
  options.dataset = "patient";
  (void)storage::import_register(in, options, registers);
  DatasetMap map;
  map.add({"patient", "id", {{"patient", "id"}, {"visit", "patient_id"}}, {}});
  ExposureReader reader(std::move(map), registers, {});
  ExportDetector detector({});
  std::vector<Reach> reaches;
  std::vector<storage::Finding> findings;
  Access access;
  access.origin = {"db", "log", 0, 0};
  access.outcome = Outcome::kSuccess;
  access.statement.command = "SELECT";
  access.statement.audit_class = "READ";
  access.statement.parameters_known = true;
  access.rows = {1, Certainty::kExact};
  std::uint64_t n = 0;
  for (auto _ : state) {
    Access a = access;
    ++n;
    a.time = from_micros(static_cast<std::int64_t>(n) * 1'000'000);
    a.actor.account = "user" + std::to_string(n % 50);
    a.actor.session = a.actor.account;
    a.statement.number = n;
    a.statement.text = statements()[n % 2 == 0 ? 0 : 1];
    const std::string who = std::to_string(n * 7919 % static_cast<std::uint64_t>(people) + 1);
    a.statement.parameters = {n % 2 == 0 ? who : "p" + who + "@example.org"};
    reaches.clear();
    findings.clear();
    reader.read(a, reaches);
    detector.see(a, reaches, findings);
    benchmark::DoNotOptimize(reaches);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Exposure)->Arg(5'000)->Arg(200'000);

}  // namespace

BENCHMARK_MAIN();
