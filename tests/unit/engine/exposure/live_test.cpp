// Against a capture that tests/live/ways_out.py made from a real PostgreSQL, or mysql_ways_out.py from a MariaDB: for every
// statement the people in its result are inside the reported set, and where the answer should be the truth itself it is.
// Skipped unless TOCSIN_LIVE_CAPTURE names such a folder.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/engine/exposure/capture.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
using live::Answer;
using live::Answers;

struct Sum {
  std::size_t statements = 0, tight = 0, truly = 0, reported = 0;
  void add(std::size_t people, std::size_t named) {
    ++statements;
    truly += people;
    reported += named;
    tight += named == people ? 1U : 0U;
  }
};

void print(const char* title, const std::map<std::string, Sum>& sums) {
  std::printf("%-24s %10s %10s %10s %10s %10s\n", title, "statements", "tight", "true", "reported", "tightness");
  for (const auto& [name, s] : sums) {
    std::printf("%-24s %10zu %10zu %10zu %10zu %10.3f\n", name.c_str(), s.statements, s.tight, s.truly, s.reported,
                s.reported == 0 ? 1.0 : static_cast<double>(s.truly) / static_cast<double>(s.reported));
  }
}

// The rows come from elsewhere: nothing but "unknown" is an answer.
bool from_elsewhere(const std::string& way) { return way == "dblink" || way == "foreign file"; }
// Which rows came is not known to the judge, or none did.
bool uncounted(const std::string& way) { return way == "fetch" || way == "explain"; }
// One statement line only, and one reach.
bool is_export(const std::string& way) {
  return way.starts_with("copy") || way.starts_with("pg_dump") || way.starts_with("cursor") || way == "binary cursor" || way == "whole table";
}

struct Judged {
  std::map<std::string, Sum> ways, grades;
  std::size_t bad = 0;
};

Judged judge(const fs::path& folder, Answers& reported, bool postgresql) {
  Judged out;
  for (const live::Truth& truth : live::truths(folder)) {
    const Answer& a = reported.of(truth.tag);
    const std::set<std::string> named = reported.people(a);
    std::size_t missing = 0;
    for (const std::string& id : truth.ids) {
      // MariaDB's auto-increment: somebody whom no line of the log names is inside "anyone, and perhaps more than are known".
      const bool nameless = !postgresql && a.open && reported.known.count(id) == 0;
      missing += named.count(id) == 0 && !nameless ? 1U : 0U;
    }
    if (a.unknown && from_elsewhere(truth.way)) missing = 0;
    const bool counted = !uncounted(truth.way) && !a.unknown;
    const std::size_t truly = truth.ids.size();
    std::string wrong;
    if (missing > 0) wrong = std::to_string(missing) + " of " + std::to_string(truly) + " missing";
    else if (counted && a.at_most && *a.at_most < truly) wrong = "at most " + std::to_string(*a.at_most) + " of " + std::to_string(truly);
    else if (counted && a.at_least > truly) wrong = "at least " + std::to_string(a.at_least) + " of " + std::to_string(truly);
    else if (from_elsewhere(truth.way) && !a.unknown) wrong = "rows of another server, but not said to be unknown";
    else if (is_export(truth.way) && (a.reaches > 1 || (a.reaches == 0 && truly > 0))) wrong = std::to_string(a.reaches) + " reaches for one export";
    const bool measured = (truth.way.starts_with("exact by") || truth.way.starts_with("derived by")) && !truth.way.ends_with("after changes");
    if (measured && named.size() != truly && reported.kept) wrong = "not the truth itself: " + std::to_string(named.size()) + " for " + std::to_string(truly);
    if (!wrong.empty() && ++out.bad <= 25) {
      ADD_FAILURE() << truth.tag << " " << truth.way << ": " << wrong << "; reported " << named.size() << " (" << a.grades << ")\n  " << a.text << "\n  "
                    << a.reasons;
    }
    if (std::getenv("TOCSIN_LIVE_TALK") != nullptr && named.size() > truly) {
      std::printf("%s: %zu in %zu\n  %s\n  %s\n", truth.way.c_str(), truly, named.size(), a.text.c_str(), a.reasons.c_str());
    }
    if (uncounted(truth.way)) continue;
    out.ways[truth.way].add(truly, named.size());
    if (!a.grade.empty()) out.grades[a.grade].add(truly, named.size());
  }
  return out;
}

fs::path capture() {
  const char* named = std::getenv("TOCSIN_LIVE_CAPTURE");
  return named == nullptr ? fs::path() : fs::path(named);
}

class Live : public testing::TestWithParam<const char*> {};

TEST_P(Live, TrueSetInsideReportedSet) {
  if (capture().empty()) GTEST_SKIP() << "TOCSIN_LIVE_CAPTURE is not set (see tests/live)";
  if (!fs::exists(capture() / GetParam())) GTEST_SKIP() << "this capture has no " << GetParam();
  const bool postgresql = std::string_view(GetParam()).starts_with("postgresql");
  for (const bool kept : {true, false}) {
    if (!kept && (!postgresql || live::truths(capture()).size() > 1400)) continue;  // once is enough, with the smaller captures
    Answers reported = live::answers(capture(), GetParam(), kept);
    Judged judged = judge(capture(), reported, postgresql);
    EXPECT_EQ(judged.bad, 0U) << (kept ? "with a register declared to be kept" : "with a register that may be late");
    EXPECT_EQ(reported.undecoded, 0U);
    if (!kept) continue;
    print("way", judged.ways);
    print("grade", judged.grades);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Live, testing::Values("postgresql.csv", "server_audit.log"),
                         [](const auto& file) { return std::string(file.param) == "server_audit.log" ? "mariadb" : "postgresql"; });

// A damaged log: each statement is still covered, or it is said there, or at the next records, that something is missing
// or cannot be read.
struct Damage {
  const char* name;
  void (*apply)(std::vector<std::string>& records, std::mt19937& random);
};

void drop(std::vector<std::string>& records, std::mt19937& random) {
  std::erase_if(records, [&](const std::string&) { return random() % 33 == 0; });
}
void reorder(std::vector<std::string>& records, std::mt19937& random) {
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (random() % 33 == 0) std::swap(records[i - 1], records[i]);
  }
}
void cut(std::vector<std::string>& records, std::mt19937& random) {
  for (std::string& r : records) {
    if (random() % 33 == 0) r.resize(r.size() / 2);
  }
}
// A byte of LATIN1 in place of a letter.
void garble(std::vector<std::string>& records, std::mt19937& random) {
  for (std::string& r : records) {
    const std::size_t audit = r.find("AUDIT: ");
    if (audit == std::string::npos || random() % 33 != 0) continue;
    const std::size_t at = r.find_first_of("abcdefghijklmnopqrstuvwxyz", audit + random() % (r.size() - audit));
    if (at != std::string::npos) r[at] = '\xE9';
  }
}
void repeat(std::vector<std::string>& records, std::mt19937& random) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (random() % 33 == 0) records.insert(records.begin() + static_cast<std::ptrdiff_t>(i), records[i]), ++i;
  }
}

TEST(LiveDamage, NothingIsLostUnsaid) {
  constexpr std::size_t kFew = 1400;  // of the captures, the small ones: each is read five times
  if (capture().empty() || !fs::exists(capture() / "postgresql.csv")) GTEST_SKIP() << "TOCSIN_LIVE_CAPTURE names no PostgreSQL capture (see tests/live)";
  const std::vector<live::Truth> truths = live::truths(capture());
  if (truths.size() > kFew) GTEST_SKIP() << "the smaller captures are damaged";
  for (const Damage& damage : {Damage{"records dropped", drop}, Damage{"records out of order", reorder}, Damage{"records cut", cut},
                               Damage{"bytes of another encoding", garble}, Damage{"records twice", repeat}}) {
    std::mt19937 random(20261123);
    Answers reported = live::answers(capture(), "postgresql.csv", true, [&](std::vector<std::string>& records) { damage.apply(records, random); });
    std::size_t bad = 0, covered = 0, said = 0, unseen = 0;
    for (const live::Truth& truth : truths) {
      const Answer& a = reported.of(truth.tag);
      if (a.first == 0) {  // not one line of it is left
        ++unseen;
        continue;
      }
      const std::set<std::string> named = reported.people(a);
      const bool earlier = !reported.told.empty() && *reported.told.begin() <= a.last;
      std::size_t missing = 0;
      for (const std::string& id : truth.ids) {
        // Whom a lost INSERT brought is inside "anyone, and perhaps more than are known".
        missing += named.count(id) == 0 && !(earlier && a.open && reported.known.count(id) == 0) ? 1U : 0U;
      }
      constexpr std::size_t kSoon = 12;
      const auto next = reported.told.lower_bound(a.first > kSoon ? a.first - kSoon : 0);
      if (missing == 0) {
        ++covered;
      } else if (a.unknown || (next != reported.told.end() && *next <= a.last + kSoon)) {
        ++said;
      } else if (++bad <= 5) {
        ADD_FAILURE() << damage.name << ": " << truth.tag << " " << truth.way << ": " << missing << " of " << truth.ids.size() << " missing, and nothing said (" << a.grades
                      << ")\n  " << a.text << "\n  " << a.reasons;
      }
    }
    EXPECT_EQ(bad, 0U) << damage.name;
    EXPECT_LE(unseen, truths.size() / 10) << damage.name;
    std::printf("%-28s covered %5zu, said to be uncertain %4zu, gone with their lines %3zu; said %4zu times\n", damage.name, covered, said, unseen, reported.told.size());
  }
}

// The three logs of one server say the same.
TEST(LiveFormats, TheLogsOfOneServerSayTheSame) {
  if (capture().empty() || !fs::exists(capture() / "postgresql.csv")) GTEST_SKIP() << "TOCSIN_LIVE_CAPTURE names no PostgreSQL capture (see tests/live)";
  const std::vector<live::Said> csv = live::said(capture(), "postgresql.csv");
  ASSERT_FALSE(csv.empty());
  for (const char* other : {"postgresql.json", "postgresql.log"}) {
    const std::vector<live::Said> said = live::said(capture(), other);
    ASSERT_EQ(said.size(), csv.size()) << other;
    for (std::size_t i = 0; i < csv.size(); ++i) ASSERT_EQ(said[i].text(), csv[i].text()) << other << ", record " << i;
  }
}

}  // namespace
}  // namespace tocsin::engine
