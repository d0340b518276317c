// Against a capture that tests/live/ways_out.py made from a real PostgreSQL, or mysql_ways_out.py from a MariaDB: for every statement the people in its
// result are inside the reported set. Skipped unless TOCSIN_LIVE_CAPTURE names such a folder.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <simdjson.h>

#include "engine/exposure/reader.hpp"
#include "engine/intake/decoder.hpp"
#include "engine/intake/file_reader.hpp"
#include "storage/register_store.hpp"
#include "tests/unit/engine/exposure/restarting.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

// "/*17#*/" inside a statement.
std::string tag_of(const std::string& text) {
  const auto end = text.rfind("#*/");
  const auto begin = end == std::string::npos ? end : text.rfind("/*", end);
  return begin == std::string::npos ? "" : text.substr(begin, end + 3 - begin);
}

struct Answer {
  std::set<std::string> ids;
  std::optional<std::uint64_t> at_most = 0;
  std::uint64_t at_least = 0;
  std::string grades, text, reasons;
  bool open = false;  // everyone, and more people than the register names
};

std::unordered_map<std::string, Answer> answers(const fs::path& folder, const char* log, std::set<std::string>& known) {
  std::unordered_map<std::string, Answer> out;
  storage::Registers registers(storage::process_hash());
  std::ifstream csv(folder / "patient.csv");
  std::ifstream as_of(folder / "as_of");
  std::string moment;
  as_of >> moment;
  storage::ImportOptions options;
  options.dataset = "patient";
  options.as_of = *parse_rfc3339(moment);
  EXPECT_TRUE(storage::import_register(csv, options, registers));
  DatasetMap map;
  map.add({"patient", "id", {{"patient", "id"}, {"visit", "patient_id"}}, {}});
  auto exposure = std::make_unique<ExposureReader>(std::move(map), registers, ExposureReader::Options{});
  auto reader = FileReader::open((folder / log).string(), {});
  EXPECT_TRUE(reader);
  auto decoder = make_decoder((*reader)->format(), {});
  rules::Arena arena;
  std::vector<Decoded> decoded;
  std::vector<Reach> reaches;
  std::map<std::string, Reach> newest;                 // by key
  std::map<std::string, std::set<std::string>> keys;   // tag -> keys
  for (;;) {
    auto frame = (*reader)->next();
    if (!frame || !*frame) break;
    decoded.clear();
    arena.reset();
    const Origin origin{"live", log, (*frame)->line, 0};
    EXPECT_TRUE((*decoder)->decode((*frame)->bytes, origin, arena, decoded));
    for (Decoded& d : decoded) {
      reaches.clear();
      perhaps_restart(exposure, [&] { return std::make_unique<ExposureReader>(exposure->map(), registers, ExposureReader::Options{}); });
      exposure->read(d.access, reaches);
      const std::string tag = tag_of(d.access.statement.text);
      if (!tag.empty()) out[tag].text = d.access.statement.text;
      for (Reach& r : reaches) {
        if (r.dataset != "patient" && !r.dataset.empty()) continue;
        // An inner statement of a function has no tag; it belongs to the outer one by its number.
        keys[tag.empty() ? "number " + r.statement_key : tag].insert(r.key);
        if (!tag.empty()) keys[tag].insert("number " + r.statement_key);
        newest[r.key] = std::move(r);
      }
      if (!tag.empty() && d.access.statement.number > 0) {
        keys[tag].insert("number live/" + d.access.actor.session + "/" + std::to_string(d.access.statement.number));
      }
    }
  }
  const storage::People& people = *registers.find("patient");
  for (auto& [tag, answer] : out) {
    std::set<std::string> all = keys[tag];
    for (const std::string& k : keys[tag]) {
      if (k.starts_with("number ") && keys.count(k) > 0) all.insert(keys[k].begin(), keys[k].end());
    }
    for (const std::string& key : all) {
      const auto found = newest.find(key);
      if (found == newest.end()) continue;
      const Reach& r = found->second;
      for (const auto no : r.whole ? people.everyone({r.known_from, r.last}) : r.people) answer.ids.insert(people.at(no).id);
      answer.open = answer.open || (r.whole && !r.known_all);
      if (!r.at_most) answer.at_most.reset();
      else if (answer.at_most) *answer.at_most += *r.at_most;
      answer.at_least = std::max(answer.at_least, r.at_least.value_or(0));
      answer.grades += std::string(name(r.grade)) + " ";
      answer.reasons += r.reason + " ";
    }
  }
  for (storage::PersonNo no = 0; no < people.size(); ++no) known.insert(people.at(no).id);
  return out;
}

class Live : public testing::TestWithParam<const char*> {};

TEST_P(Live, TrueSetInsideReportedSet) {
  const char* named = std::getenv("TOCSIN_LIVE_CAPTURE");
  if (named == nullptr) GTEST_SKIP() << "TOCSIN_LIVE_CAPTURE is not set (see tests/live)";
  if (!fs::exists(fs::path(named) / GetParam())) GTEST_SKIP() << "this capture has no " << GetParam();
  std::set<std::string> known;
  auto reported = answers(named, GetParam(), known);
  std::ifstream in(fs::path(named) / "truth.ndjson");
  std::string line;
  simdjson::dom::parser parser;
  struct Sum {
    std::size_t statements = 0, truly = 0, reported = 0, precise = 0;
  };
  std::map<std::string, Sum> ways;
  std::size_t bad = 0;
  while (std::getline(in, line)) {
    const simdjson::dom::element row = parser.parse(line);
    const std::string tag(static_cast<std::string_view>(row["tag"])), way(static_cast<std::string_view>(row["way"]));
    const Answer& a = reported[tag];
    std::size_t truly = 0, missing = 0;
    for (const auto id : static_cast<simdjson::dom::array>(row["ids"])) {
      ++truly;
      const std::string spelt = std::to_string(static_cast<std::int64_t>(id));
      // Somebody whom no log names is inside "anyone in the table, and perhaps more than are known".
      missing += a.ids.count(spelt) == 0 && !(a.open && known.count(spelt) == 0) ? 1U : 0U;
    }
    const bool counted = way != "fetch" && way != "explain";
    if (missing > 0 || (counted && ((a.at_most && *a.at_most < truly) || a.at_least > truly))) {
      if (++bad <= 25) {
        ADD_FAILURE() << tag << " " << way << ": " << missing << " of " << truly << " missing; reported " << a.ids.size()
                      << " (" << a.grades << "), at least " << a.at_least << ", at most "
                      << (a.at_most ? std::to_string(*a.at_most) : "?") << "\n  " << a.text << "\n  " << a.reasons;
      }
    }
    if (std::getenv("TOCSIN_LIVE_TALK") != nullptr && a.ids.size() > truly) {
      std::printf("%s: %zu in %zu\n  %s\n  %s\n", way.c_str(), truly, a.ids.size(), a.text.c_str(), a.reasons.c_str());
    }
    Sum& s = ways[way];
    ++s.statements;
    s.truly += truly;
    s.reported += a.ids.size();
    s.precise += a.ids.size() == truly ? 1U : 0U;
  }
  EXPECT_EQ(bad, 0U);
  std::printf("%-12s %10s %10s %10s %10s\n", "way", "statements", "tight", "true", "reported");
  for (const auto& [way, s] : ways) {
    std::printf("%-12s %10zu %10zu %10zu %10zu\n", way.c_str(), s.statements, s.precise, s.truly, s.reported);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Live, testing::Values("postgresql.json", "postgresql.csv", "server_audit.log"),
                         [](const auto& file) {
                           const std::string name(file.param);
                           return name == "server_audit.log" ? "mariadb" : name.substr(name.find('.') + 1);
                         });

}  // namespace
}  // namespace tocsin::engine
