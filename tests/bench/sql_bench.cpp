// Statements a second: from the cache by shape, without it, beside the bare parser; and the whole way to reaches and findings.
#include <benchmark/benchmark.h>

#include <sstream>
#include <string>
#include <vector>

#include <pg_query.h>

#include "engine/detect/export.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/sql/mysql.hpp"
#include "engine/sql/reading.hpp"
#include "storage/register_store.hpp"

namespace {

using namespace tocsin;
using namespace tocsin::engine;

// What the clinic's programs prepare.
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

// What a day's log holds: prepared texts, texts with their constants in them, comments that differ each time, lists of
// all lengths, exports, and a long tail of texts whose shape is not in the cache any more when it comes again. 300,000 texts, always the same.
class Workload {
 public:
  explicit Workload(bool mysql) : mysql_(mysql) {
    for (std::size_t i = 0; i < 300'000; ++i) texts.push_back(one());
  }
  std::vector<std::string> texts;

 private:
  std::size_t below(std::size_t n) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state_ >> 33U) % n;
  }
  std::string id() { return std::to_string(1 + below(5'000'000)); }
  std::string ids() {
    std::string out = id();
    for (std::size_t more = below(20); more > 0; --more) out += ", " + id();
    return out;
  }
  std::string one() {
    const std::size_t dice = below(100);
    if (dice < 40) {
      std::string text = statements()[below(statements().size())];
      if (mysql_) {
        for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$')) text.replace(at, 2, "?");
      }
      return text;
    }
    if (dice < 55) return "SELECT id, name, email, birth_date, country FROM patient WHERE id = " + id();
    if (dice < 65) return "SELECT p.name, v.visited_at, v.ward FROM patient p JOIN visit v ON v.patient_id = p.id WHERE p.id = " + id() + " AND v.ward = 'W" + std::to_string(below(40)) + "' ORDER BY v.visited_at DESC LIMIT 10";
    if (dice < 72) return "SELECT name FROM patient WHERE email = 'p" + id() + "@example.org' /*traceparent='00-" + id() + "-01',user='nurse" + std::to_string(below(50)) + "'*/";
    if (dice < 77) return "SELECT id, name FROM patient WHERE id IN (" + ids() + ")";
    if (dice < 84) return "INSERT INTO visit (patient_id, visited_at, ward, reason) VALUES (" + id() + ", '2026-11-23 10:00:00', 'W3', 'control " + id() + "')";
    if (dice < 91) return "UPDATE patient SET email = 'p" + id() + "@example.org', country = 'DE' WHERE id = " + id();
    if (dice < 94) return "SELECT * FROM patient ORDER BY id LIMIT 100 OFFSET " + std::to_string(100 * below(1000));
    if (dice < 96) return mysql_ ? "SELECT /*!40001 SQL_NO_CACHE */ * FROM `patient`" : "COPY (SELECT * FROM patient WHERE id < " + id() + ") TO STDOUT";
    if (dice < 98) return mysql_ ? "START TRANSACTION" : "FETCH FORWARD 500 FROM c1";
    return "SELECT name, column_" + id() + " FROM report_" + id() + " r WHERE r.patient_id BETWEEN " + id() + " AND " + id();  // the tail
  }
  bool mysql_;
  std::uint64_t state_ = 1;
};

const Workload& workload(bool mysql) {
  static const Workload postgres(false), mariadb(true);
  return mysql ? mariadb : postgres;
}

template <class Each>
void over(benchmark::State& state, bool mysql, Each&& each) {
  const std::vector<std::string>& texts = workload(mysql).texts;
  const sql::CacheCounts before = sql::cache_counts();
  std::size_t i = 0, bytes = 0;
  for (auto _ : state) {
    const std::string& text = texts[i++ % texts.size()];
    bytes += text.size();
    each(text);
  }
  const sql::CacheCounts after = sql::cache_counts();
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  if (const auto asked = after.hits + after.misses - before.hits - before.misses; asked > 0) {
    state.counters["hits%"] = 100.0 * static_cast<double>(after.hits - before.hits) / static_cast<double>(asked);
  }
}

void Postgres_Cached(benchmark::State& state) {
  over(state, false, [](const std::string& text) { benchmark::DoNotOptimize(sql::read(text)); });
}
BENCHMARK(Postgres_Cached);

void Postgres_Afresh(benchmark::State& state) {
  over(state, false, [](const std::string& text) { benchmark::DoNotOptimize(sql::read_afresh(text)); });
}
BENCHMARK(Postgres_Afresh);

// Beside it: what libpg_query does with the same texts, and nothing is made of it.
void Postgres_BareParse(benchmark::State& state) {
  over(state, false, [](const std::string& text) {
    const PgQueryParseResult parsed = pg_query_parse(text.c_str());
    benchmark::DoNotOptimize(parsed.parse_tree);
    pg_query_free_parse_result(parsed);
  });
}
BENCHMARK(Postgres_BareParse);

void Postgres_BareFingerprint(benchmark::State& state) {
  over(state, false, [](const std::string& text) {
    const PgQueryFingerprintResult fingerprint = pg_query_fingerprint(text.c_str());
    benchmark::DoNotOptimize(fingerprint.fingerprint);
    pg_query_free_fingerprint_result(fingerprint);
  });
}
BENCHMARK(Postgres_BareFingerprint);

void Mariadb_Cached(benchmark::State& state) {
  over(state, true, [](const std::string& text) { benchmark::DoNotOptimize(sql::read_mysql(text)); });
}
BENCHMARK(Mariadb_Cached);

void Mariadb_Afresh(benchmark::State& state) {
  over(state, true, [](const std::string& text) { benchmark::DoNotOptimize(sql::read_mysql_afresh(text)); });
}
BENCHMARK(Mariadb_Afresh);

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
