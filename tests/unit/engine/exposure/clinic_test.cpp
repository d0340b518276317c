// Against the truth: the labelled capture of a real PostgreSQL. For every statement the people that the client
// really received must be inside the reported set; and each export must be found, with its lines as evidence,
// while nobody else is accused. Prints how tight each case is. Skipped where the shared data is absent.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <simdjson.h>

#include "engine/detect/export.hpp"
#include "engine/exposure/reader.hpp"
#include "engine/intake/decoder.hpp"
#include "engine/intake/file_reader.hpp"
#include "storage/register_store.hpp"
#include "tests/unit/engine/exposure/restarting.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

fs::path shared_data() {
  const char* named = std::getenv("TOCSIN_SHARED_DATA");
  return named != nullptr ? fs::path(named) : fs::path(TOCSIN_SOURCE_DIR) / "../shared/data";
}

struct Truth {
  int n = 0;
  std::string kind, label, user, application, statement, start, end;
  std::set<std::string> ids;
  Time from{}, to{};
};

std::set<std::string> expand(std::string_view ranges) {
  std::set<std::string> out;
  while (!ranges.empty()) {
    const auto comma = ranges.find(',');
    std::string_view part = ranges.substr(0, comma);
    ranges = comma == std::string_view::npos ? std::string_view() : ranges.substr(comma + 1);
    const auto dash = part.find('-');
    const int low = std::stoi(std::string(part.substr(0, dash)));
    const int high = dash == std::string_view::npos ? low : std::stoi(std::string(part.substr(dash + 1)));
    for (int i = low; i <= high; ++i) out.insert(std::to_string(i));
  }
  return out;
}

std::vector<Truth> load_truth(const fs::path& file) {
  std::vector<Truth> out;
  std::ifstream in(file);
  std::string line;
  simdjson::dom::parser parser;
  while (std::getline(in, line)) {
    const simdjson::dom::element row = parser.parse(line);
    const auto text = [&](const char* key) {
      std::string_view value;
      return row[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
    };
    Truth t;
    t.n = static_cast<int>(static_cast<std::int64_t>(row["n"]));
    t.kind = text("case");
    t.label = text("label");
    t.user = text("user");
    t.application = text("application_name");
    t.statement = text("statement");
    t.ids = expand(text("ids"));
    t.from = *parse_rfc3339(text("start"), true);
    t.to = *parse_rfc3339(text("end"), true);
    out.push_back(std::move(t));
  }
  return out;
}

// One access with what came of it.
struct Seen {
  Access access;
  std::vector<Reach> reaches;
};

struct Replay {
  storage::Registers registers{storage::process_hash()};
  std::vector<Seen> seen;
  std::map<std::string, storage::Finding> findings;  // newest by id
};

enum class Setup { kConfigured, kOnlyRegister, kNothing };

void run(const fs::path& log, const fs::path& people, Setup setup, Replay& replay) {
  DatasetMap map;
  if (setup == Setup::kConfigured) {
    map.add({"patient", "id", {{"patient", "id"}, {"visit", "patient_id"}, {"patient_contact", "id"}}, {}});
  }
  if (setup != Setup::kNothing) {
    std::ifstream csv(people);
    storage::ImportOptions options;
    options.dataset = "patient";
    options.as_of = *parse_rfc3339("2026-11-23T14:55:50.850Z");
    auto report = storage::import_register(csv, options, replay.registers);
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->added, 5000U);
  }
  auto exposure = std::make_unique<ExposureReader>(std::move(map), replay.registers, ExposureReader::Options{});
  ExportDetector detector({});
  auto reader = FileReader::open(log.string(), {});
  ASSERT_TRUE(reader) << reader.error().text();
  auto decoder = make_decoder((*reader)->format(), {});
  ASSERT_TRUE(decoder);
  rules::Arena arena;
  std::vector<Decoded> decoded;
  for (;;) {
    auto frame = (*reader)->next();
    ASSERT_TRUE(frame) << frame.error().text();
    if (!*frame) break;
    decoded.clear();
    arena.reset();
    Origin origin{"clinic", log.filename().string(), (*frame)->line, 0};
    ASSERT_TRUE((*decoder)->decode((*frame)->bytes, origin, arena, decoded));
    for (Decoded& d : decoded) {
      Seen s;
      s.access = std::move(d.access);
      perhaps_restart(exposure, [&] { return std::make_unique<ExposureReader>(exposure->map(), replay.registers, ExposureReader::Options{}); });
      exposure->read(s.access, s.reaches);
      std::vector<storage::Finding> findings;
      detector.see(s.access, s.reaches, findings);
      for (auto& f : findings) {  // each brings the evidence that is new
        auto& kept = replay.findings[f.id];
        std::vector<storage::Evidence> evidence = std::move(kept.evidence);
        evidence.insert(evidence.end(), f.evidence.begin(), f.evidence.end());
        kept = std::move(f);
        kept.evidence = std::move(evidence);
      }
      replay.seen.push_back(std::move(s));
    }
  }
}

bool belongs(const Truth& t, const Access& a) {
  if (a.actor.account != t.user || a.via != t.application) return false;
  constexpr Duration kClockDoubt = std::chrono::milliseconds(2);
  if (a.time < t.from - kClockDoubt || a.time > t.to + kClockDoubt) return false;
  return true;
}

// The line's text is that of the truth, or the prepared text behind an EXECUTE.
bool same_text(const Truth& t, const Access& a) {
  if (t.kind.starts_with("pg_dump")) return true;
  if (a.statement.text == t.statement) return t.kind != "prepare_sql" || a.statement.command == "PREPARE";
  return t.kind == "prepared_sql" && a.statement.command == "SELECT" && a.statement.text.starts_with("PREPARE band");
}

struct Tightness {
  std::size_t statements = 0, truly = 0, reported = 0, lines = 0;
  std::map<storage::Grade, std::size_t> grades;
};

void check_containment(Replay& replay, const std::vector<Truth>& truth, bool print) {
  std::map<std::string, Tightness> cases;
  std::size_t violations = 0;
  std::set<const Seen*> used;
  for (const Truth& t : truth) {
    std::set<std::string> reported;
    std::optional<std::uint64_t> at_most = 0;
    std::uint64_t at_least = 0;
    Tightness& c = cases[t.kind];
    ++c.statements;
    for (const Seen& s : replay.seen) {
      if (!belongs(t, s.access) || !same_text(t, s.access)) continue;
      // Statements with the same text in the same millisecond: each line belongs to one truth row.
      if (!t.kind.starts_with("pg_dump") && t.kind != "view" && used.count(&s) > 0) continue;
      used.insert(&s);
      ++c.lines;
      for (const Reach& r : s.reaches) {
        if (r.dataset != "patient") continue;
        c.grades[r.grade]++;
        const storage::People& people = *replay.registers.find("patient");
        const auto numbers = r.whole ? people.everyone({r.known_from, r.last}) : r.people;
        for (const auto no : numbers) reported.insert(people.at(no).id);
        if (!r.at_most) at_most.reset();
        else if (at_most) at_most = std::max(*at_most, *r.at_most);
        at_least = std::max(at_least, *r.at_least);
      }
    }
    std::size_t missing = 0;
    for (const auto& id : t.ids) missing += reported.count(id) == 0 ? 1U : 0U;
    if (missing > 0 || (at_most && t.ids.size() > *at_most && !t.kind.starts_with("cursor")) || at_least > std::max<std::size_t>(t.ids.size(), t.kind.starts_with("cursor") ? 6000 : 0)) {
      ++violations;
      ADD_FAILURE() << t.n << " " << t.kind << " " << t.user << ": " << missing << " of " << t.ids.size()
                    << " missing; reported " << reported.size() << ", at least " << at_least << ", at most "
                    << (at_most ? std::to_string(*at_most) : "?") << " [" << t.statement << "]";
      if (violations > 20) return;
    }
    c.truly += t.ids.size();
    c.reported += reported.size();
  }
  EXPECT_EQ(violations, 0U);
  if (!print) return;
  std::printf("%-20s %10s %8s %9s %9s  grades (exact derived bound unknown)\n", "case", "statements", "true", "reported", "tightness");
  for (auto& [name, c] : cases) {
    std::printf("%-20s %10zu %8zu %9zu %9.4f  %zu %zu %zu %zu\n", name.c_str(), c.statements, c.truly, c.reported,
                c.reported == 0 ? 1.0 : static_cast<double>(c.truly) / static_cast<double>(c.reported),
                c.grades[storage::Grade::kExact], c.grades[storage::Grade::kDerived], c.grades[storage::Grade::kBound],
                c.grades[storage::Grade::kUnknown]);
  }
}

void check_exports(const Replay& replay, const std::vector<Truth>& truth) {
  std::map<std::string, std::set<std::uint64_t>> evidence;  // actor -> lines
  for (const auto& [id, f] : replay.findings) {
    std::printf("%-13s %-26s %-9s %-34s evidence %4llu, %s..%s %s\n", f.actor.c_str(), f.rule.c_str(),
                std::string(name(f.level)).c_str(), f.title.c_str(), static_cast<unsigned long long>(f.evidence_count),
                f.exposure && f.exposure->at_least ? std::to_string(*f.exposure->at_least).c_str() : "?",
                f.exposure && f.exposure->at_most ? std::to_string(*f.exposure->at_most).c_str() : "?", f.reason.c_str());
    if (f.level > storage::Level::kLow) {
      EXPECT_TRUE(f.actor == "mallory" || f.actor == "etl") << f.actor << " " << f.rule << ": " << f.reason;
    }
    for (const auto& e : f.evidence) evidence[f.actor].insert(e.line);
  }
  for (const Truth& t : truth) {
    if (t.label != "export") continue;
    bool covered = false;
    for (const Seen& s : replay.seen) {
      if (belongs(t, s.access) && same_text(t, s.access)) covered = covered || evidence["mallory"].count(s.access.origin.line) > 0;
    }
    EXPECT_TRUE(covered) << t.n << " " << t.kind << " " << t.statement;
  }
}

class Clinic : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder_ = shared_data() / "pgaudit/clinic";
    if (!fs::exists(folder_ / GetParam())) GTEST_SKIP() << "no " << folder_ / GetParam();
    truth_ = load_truth(folder_ / "truth.ndjson");
  }
  fs::path folder_;
  std::vector<Truth> truth_;
};

TEST_P(Clinic, ConfiguredReportsHoldTheTruth) {
  Replay replay;
  run(folder_ / GetParam(), folder_ / "patient.csv", Setup::kConfigured, replay);
  check_containment(replay, truth_, true);
  check_exports(replay, truth_);
}

TEST_P(Clinic, TheRegisterAloneIsEnough) {
  Replay replay;
  run(folder_ / GetParam(), folder_ / "patient.csv", Setup::kOnlyRegister, replay);
  check_containment(replay, truth_, false);
  check_exports(replay, truth_);
}

TEST_P(Clinic, ExportsAreFoundWithoutAnyConfiguration) {
  Replay replay;
  run(folder_ / GetParam(), folder_ / "patient.csv", Setup::kNothing, replay);
  check_exports(replay, truth_);
}

INSTANTIATE_TEST_SUITE_P(Formats, Clinic, testing::Values("postgresql.json", "postgresql.csv"),
                         [](const auto& file) { return std::string(file.param).substr(11); });

}  // namespace
}  // namespace tocsin::engine
