// Ledger entries and vault records per second, each durable when counted.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/ledger/ledger.hpp"
#include "storage/vault/vault.hpp"

namespace tocsin::storage {
namespace {

std::filesystem::path fresh_directory() {
  const char* named = std::getenv("TOCSIN_BENCH_DIR");
  std::filesystem::path dir = std::filesystem::path(named != nullptr ? named : ".") / "storage-bench.tmp";
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  return dir;
}

void ledger_record(benchmark::State& state) {
  const auto batch = state.range(0);
  const std::filesystem::path dir = fresh_directory();
  {
    auto db = Database::open(dir / "tocsin.db");
    auto ledger = Ledger::open(**db, dir / "ledger", dir / "keys", {});
    if (!ledger) std::abort();
    const Entry entry{"notice-sent", Time{}, "tocsin", {{"notice", "0123456789abcdef"}, {"recipient", "fedcba9876543210"}}};
    for (auto _ : state) {
      auto done = (*db)->write([&](Transaction& tx) -> Result<void> {
        for (std::int64_t i = 0; i < batch; ++i) {
          auto index = (*ledger)->record(tx, entry);
          if (!index) return pass(std::move(index));
        }
        return {};
      });
      if (!done) std::abort();
    }
    state.SetItemsProcessed(state.iterations() * batch);
  }
  std::filesystem::remove_all(dir);
}
BENCHMARK(ledger_record)->Arg(1)->Arg(1000)->Unit(benchmark::kMillisecond)->UseRealTime();

void vault_put(benchmark::State& state) {
  const std::filesystem::path dir = fresh_directory();
  {
    auto db = Database::open(dir / "tocsin.db");
    auto keys = Keys::open_or_create(dir / "keys");
    auto vault = Vault::open(**db, *keys);
    if (!vault) std::abort();
    std::int64_t next = 0;
    for (auto _ : state) {
      std::vector<Person> people;
      for (std::int64_t i = 0; i < state.range(0); ++i) {
        const std::string id = std::to_string(next++);
        people.push_back({"patient", id, {{"name", "Person " + id}, {"email", id + "@example.org"}}});
      }
      auto done = (*db)->write([&](Transaction& tx) { return (*vault)->put(tx, people, Time{}); });
      if (!done) std::abort();
    }
    state.SetItemsProcessed(next);
  }
  std::filesystem::remove_all(dir);
}
BENCHMARK(vault_put)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace tocsin::storage
