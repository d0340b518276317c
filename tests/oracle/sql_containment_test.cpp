// Random SQL against the rule: whoever is in the result, as SQLite says, is inside the reported set, and their number
// inside the reported interval. Where only the register decides, and it is declared to be kept, the set is the truth
// itself. TOCSIN_LONG runs 100,000 queries instead of 4,000; TOCSIN_SEED repeats a run.
//
// Shown to fail, within the first 3,000 queries, when a page ends one person early or begins one late, when LIMIT n bounds the
// number by n - 1, and when whoever makes a condition NULL is taken to be on the list (paging.cpp, answer.cpp, evaluate.cpp).
#include <gtest/gtest.h>

#include <sqlite3.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "engine/exposure/reader.hpp"
#include "storage/register_store.hpp"
#include "tests/oracle/sql_generator.hpp"

namespace tocsin::engine {
namespace {

constexpr int kPeople = 60;

// The judge of truth.
class Sqlite {
 public:
  Sqlite() {
    if (sqlite3_open(":memory:", &db_) != SQLITE_OK) std::abort();
    run("pragma case_sensitive_like = on");
  }
  ~Sqlite() { sqlite3_close(db_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  // The first column of each row; NULL is "".
  std::vector<std::string> run(const std::string& sql) {
    std::vector<std::string> out;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      ADD_FAILURE() << sqlite3_errmsg(db_) << "\n" << sql;
      return out;
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* text = sqlite3_column_text(statement, 0);
      out.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
    }
    sqlite3_finalize(statement);
    return out;
  }

 private:
  sqlite3* db_ = nullptr;
};

// A reader with a register of its own.
struct Witness {
  storage::Registers registers{storage::process_hash()};
  std::unique_ptr<ExposureReader> reader;
  bool kept;
  Time now = *parse_rfc3339("2026-11-23T12:00:00Z");
  std::uint64_t number = 0;

  Witness(const std::string& csv, bool is_kept) : kept(is_kept) {
    std::istringstream in(csv);
    storage::ImportOptions options;
    options.dataset = "patient";
    options.as_of = now;
    EXPECT_TRUE(storage::import_register(in, options, registers));
    DatasetMap map;
    DatasetSpec spec{"patient", "id", {{"patient", "id"}, {"visit", "patient_id"}}, {}};
    spec.kept = kept;
    map.add(std::move(spec));
    reader = std::make_unique<ExposureReader>(std::move(map), registers, ExposureReader::Options{});
    now += std::chrono::hours(2);
  }

  std::vector<Reach> ask(const std::string& text, std::optional<std::uint64_t> rows) {
    Access a;
    now += std::chrono::milliseconds(10);
    a.time = now;
    a.time_known = true;
    a.origin = {"db", "log", ++number, 0};
    a.actor.account = "rita";
    a.actor.session = "s";
    a.outcome = Outcome::kSuccess;
    a.statement.command = "SELECT";
    a.statement.audit_class = "READ";
    a.statement.text = text;
    a.statement.parameters_known = true;
    a.statement.number = number;
    if (rows) a.rows = {*rows, Certainty::kExact};
    std::vector<Reach> out;
    reader->read(a, out);
    return out;
  }
};

struct Sum {
  std::size_t queries = 0, same = 0, truly = 0, reported = 0;
};

TEST(SqlContainment, RandomQueriesReachNobodyUnreported) {
  const char* named = std::getenv("TOCSIN_SEED");
  const std::uint64_t seed = named != nullptr ? std::strtoull(named, nullptr, 10) : 20261123;
  const std::size_t queries = std::getenv("TOCSIN_LONG") != nullptr ? 100'000 : 4'000;
  std::printf("seed %llu (TOCSIN_SEED), %zu queries (TOCSIN_LONG)\n", static_cast<unsigned long long>(seed), queries);
  oracle::SqlGenerator generator(seed, kPeople);
  Sqlite judge;
  for (const std::string& statement : generator.tables()) judge.run(statement);
  Witness kept(generator.csv(), true), late(generator.csv(), false);
  std::map<std::string, Sum> grades, measured;
  std::size_t bad = 0;
  for (std::size_t i = 0; i < queries && bad < 10; ++i) {
    const oracle::RandomQuery query = generator.query();
    std::set<std::string> truth;
    for (std::string& id : judge.run(query.who)) {
      if (!id.empty()) truth.insert(std::move(id));
    }
    const std::size_t rows = judge.run(query.text).size();
    const bool counted = generator.below(2) == 0;
    for (Witness* witness : {&kept, &late}) {
      const std::vector<Reach> reaches = witness->ask(query.text, counted ? std::optional<std::uint64_t>(rows) : std::nullopt);
      const storage::People& people = *witness->registers.find("patient");
      std::set<std::string> reported;
      std::uint64_t at_least = 0;
      std::optional<std::uint64_t> at_most = 0;
      std::string grade = "nobody", reasons;
      for (const Reach& r : reaches) {
        for (const auto no : r.whole ? people.everyone({r.known_from, r.last}) : r.people) reported.insert(people.at(no).id);
        grade = name(r.grade);
        at_least = r.at_least.value_or(0);
        at_most = r.at_most;
        reasons += r.reason;
      }
      // Visits of people who are in no register: "anyone in patient" cannot name them, but says that there may be more than it names.
      std::size_t missing = 0;
      for (const std::string& id : truth) {
        const bool stranger = std::stoi(id) > kPeople && !people.find(id);
        missing += reported.count(id) == 0 && !stranger ? 1U : 0U;
      }
      std::string wrong;
      if (missing > 0) wrong = std::to_string(missing) + " missing";
      else if (reaches.size() > 1) wrong = "counted twice";
      else if (at_most && *at_most < truth.size()) wrong = "at most " + std::to_string(*at_most);
      else if (!query.partly && at_least > truth.size()) wrong = "at least " + std::to_string(at_least);
      else if (query.tight && witness->kept && reported != truth) wrong = "not the truth itself: " + std::to_string(reported.size());
      if (!wrong.empty()) {
        ++bad;
        ADD_FAILURE() << "query " << i << ": " << wrong << " where " << truth.size() << " are true (" << grade << (counted ? ", counted" : "") << (witness->kept ? ", kept" : "")
                      << ")\n  " << query.text << "\n  " << reasons;
      }
      Sum& sum = grades[grade + (witness->kept ? ", register kept" : "")];
      ++sum.queries;
      sum.truly += truth.size();
      sum.reported += reported.size();
      sum.same += reported == truth ? 1U : 0U;
      if (query.tight && witness->kept) {
        Sum& tight = measured[grade];
        ++tight.queries;
        tight.truly += truth.size();
        tight.reported += reported.size();
        tight.same += reported == truth ? 1U : 0U;
      }
    }
  }
  for (const auto& [title, sums] : {std::pair("all", &grades), std::pair("decided by the register", &measured)}) {
    std::printf("%-24s %10s %10s %10s %10s %10s\n", title, "answers", "tight", "true", "reported", "tightness");
    for (const auto& [grade, s] : *sums) {
      std::printf("%-24s %10zu %10zu %10zu %10zu %10.3f\n", grade.c_str(), s.queries, s.same, s.truly, s.reported,
                  s.reported == 0 ? 1.0 : static_cast<double>(s.truly) / static_cast<double>(s.reported));
    }
  }
  EXPECT_EQ(bad, 0U);
}

}  // namespace
}  // namespace tocsin::engine
