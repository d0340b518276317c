#include "tests/unit/engine/exposure/capture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include <simdjson.h>

#include "engine/intake/decoder.hpp"
#include "engine/intake/file_reader.hpp"
#include "rules/base/text.hpp"
#include "tests/unit/engine/exposure/restarting.hpp"

namespace tocsin::engine::live {

namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "/*17#*/" inside a statement; pg_dump's own statements by what they are.
std::string tag_of(const Access& access) {
  const std::string& text = access.statement.text;
  const auto end = text.rfind("#*/");
  const auto begin = end == std::string::npos ? end : text.rfind("/*", end);
  if (begin != std::string::npos) return text.substr(begin, end + 3 - begin);
  if (access.via == "pg_dump" || access.client.user_agent == "pg_dump") {
    if (text.starts_with("COPY public.patient ")) return "pg_dump copy";
    if (text.find("FROM ONLY public.patient") != std::string::npos || text.starts_with("FETCH")) return "pg_dump cursor";
  }
  return {};
}

std::set<std::string> expand(std::string_view ranges) {
  std::set<std::string> out;
  for (const std::string_view part : split(ranges, ',')) {
    if (part.empty()) continue;
    const std::size_t dash = part.find('-');
    const int from = std::stoi(std::string(part.substr(0, dash)));
    const int to = dash == std::string_view::npos ? from : std::stoi(std::string(part.substr(dash + 1)));
    for (int i = from; i <= to; ++i) out.insert(std::to_string(i));
  }
  return out;
}

struct Log {
  std::string format, text;
  std::vector<std::string> records;
  DecoderOptions options;
  std::size_t faulty = 0;
};

Log log_of(const fs::path& folder, const char* name) {
  Log out;
  ReadOptions options;
  if (std::string_view(name) == "postgresql.log") {
    out.format = "pgaudit-stderr";
    out.options.prefix = contents(folder / "prefix");
    options.format = out.format;
  }
  auto reader = FileReader::open((folder / name).string(), options);
  EXPECT_TRUE(reader);
  if (!reader) return out;
  out.format = (*reader)->format();
  for (;;) {
    auto frame = (*reader)->next();
    if (!frame || !*frame) break;
    if ((*frame)->error.empty()) out.records.emplace_back((*frame)->bytes);
    else ++out.faulty;
  }
  return out;
}

DatasetMap map_of(bool kept) {
  DatasetMap map;
  DatasetSpec spec{"patient", "id",
                   {{"patient", "id"}, {"visit", "patient_id"}, {"measure", "patient_id"}, {"crm.letter", "patient_id"}, {"crm.Kunden Ü", "Nummer Ö"}}, {}};
  spec.kept = kept;
  map.add(std::move(spec));
  return map;
}

}  // namespace

std::vector<Truth> truths(const fs::path& folder) {
  std::vector<Truth> out;
  std::ifstream in(folder / "truth.ndjson");
  std::string line;
  simdjson::dom::parser parser;
  while (std::getline(in, line)) {
    const simdjson::dom::element row = parser.parse(line);
    out.push_back({std::string(static_cast<std::string_view>(row["tag"])), std::string(static_cast<std::string_view>(row["way"])),
                   expand(static_cast<std::string_view>(row["ids"]))});
  }
  return out;
}

const Answer& Answers::of(const std::string& tag) { return by_tag[tag]; }

std::set<std::string> Answers::people(const Answer& answer) const {
  std::set<std::string> out;
  const storage::People& all = *registers.find("patient");
  for (const Reach& r : answer.all) {
    if (r.dataset.empty()) continue;
    for (const auto no : r.whole ? all.everyone({r.known_from, r.last}) : r.people) out.insert(all.at(no).id);
  }
  return out;
}

Answers answers(const fs::path& folder, const char* log, bool kept, const Tamper& tamper) {
  Answers out;
  out.kept = kept;
  std::ifstream csv(folder / "patient.csv");
  storage::ImportOptions options;
  options.dataset = "patient";
  options.as_of = *parse_rfc3339(contents(folder / "as_of"));
  EXPECT_TRUE(storage::import_register(csv, options, out.registers));
  auto exposure = std::make_unique<ExposureReader>(map_of(kept), out.registers, ExposureReader::Options{});
  Log read = log_of(folder, log);
  out.undecoded = read.faulty;
  if (tamper) tamper(read.records);
  auto decoder = make_decoder(read.format, read.options);
  EXPECT_TRUE(decoder);
  rules::Arena arena;
  std::vector<Decoded> decoded;
  std::vector<Reach> reaches;
  std::map<std::string, Reach> newest;                // by key
  std::map<std::string, std::set<std::string>> keys;  // tag -> keys
  std::uint64_t at = 0;
  for (const std::string& record : read.records) {
    decoded.clear();
    arena.reset();
    const Origin origin{"live", log, ++at, 0};
    if (!(*decoder)->decode(record, origin, arena, decoded)) {
      ++out.undecoded;
      out.told.insert(at);
      continue;
    }
    for (Decoded& d : decoded) {
      reaches.clear();
      perhaps_restart(exposure, [&] { return std::make_unique<ExposureReader>(map_of(kept), out.registers, ExposureReader::Options{}); });
      exposure->read(d.access, reaches);
      const std::string tag = tag_of(d.access);
      if (!tag.empty()) {
        Answer& answer = out.by_tag[tag];
        answer.text = d.access.statement.text;
        if (answer.first == 0) answer.first = at;
        answer.last = at;
      }
      for (Reach& r : reaches) {
        if (r.way == "gap" || r.reason.find("unknown encoding") != std::string::npos) out.told.insert(at);
        if (r.way == "gap") continue;
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
  const storage::People& people = *out.registers.find("patient");
  for (auto& [tag, answer] : out.by_tag) {
    std::set<std::string> all = keys[tag];
    for (const std::string& k : keys[tag]) {
      if (k.starts_with("number ") && keys.count(k) > 0) all.insert(keys[k].begin(), keys[k].end());
    }
    storage::Grade weakest = storage::Grade::kExact;
    bool any = false;
    for (const std::string& key : all) {
      const auto found = newest.find(key);
      if (found == newest.end()) continue;
      const Reach& r = found->second;
      answer.all.push_back(r);
      ++answer.reaches;
      answer.open = answer.open || (r.whole && !r.known_all);
      answer.unknown = answer.unknown || r.grade == storage::Grade::kUnknown;
      if (!r.at_most) answer.at_most.reset();
      else if (answer.at_most) *answer.at_most += *r.at_most;
      answer.at_least = std::max(answer.at_least, r.at_least.value_or(0));
      answer.grades += std::string(name(r.grade)) + " ";
      answer.reasons += r.reason + " ";
      weakest = any ? std::max(weakest, r.grade) : r.grade;
      any = true;
    }
    if (any) answer.grade = name(weakest);
  }
  for (storage::PersonNo no = 0; no < people.size(); ++no) out.known.insert(people.at(no).id);
  return out;
}

std::string Said::text() const {
  return std::to_string(time.time_since_epoch().count()) + " " + account + " " + operation + " " + std::to_string(number) + " " + relation + " " +
         (counted ? std::to_string(rows) : "?") + " " + error + "\n" + statement + "\n" + parameters;
}

std::vector<Said> said(const fs::path& folder, const char* log) {
  std::vector<Said> out;
  Log read = log_of(folder, log);
  auto decoder = make_decoder(read.format, read.options);
  EXPECT_TRUE(decoder);
  rules::Arena arena;
  std::vector<Decoded> decoded;
  for (const std::string& record : read.records) {
    decoded.clear();
    arena.reset();
    const auto done = (*decoder)->decode(record, Origin{"live", log, 1, 0}, arena, decoded);
    EXPECT_TRUE(done) << log << ": " << (done ? "" : done.error().message);
    for (const Decoded& d : decoded) {
      const Access& a = d.access;
      Said s{a.time, a.actor.account, a.operation, a.statement.text, {}, a.statement.relation, a.error, a.statement.number, a.rows.value, a.rows.certainty == Certainty::kExact};
      for (const std::string& p : a.statement.parameters) s.parameters += p + "\x1f";
      out.push_back(std::move(s));
    }
  }
  return out;
}

}  // namespace tocsin::engine::live
