// Real logs, with counts that were established independently of these decoders.
#include <algorithm>
#include <map>

#include "engine/intake/file_reader.hpp"
#include "intake_test.hpp"

namespace tocsin::engine {
namespace {

struct Totals {
  std::string format;
  std::size_t records = 0;
  std::vector<std::uint64_t> faulty;  // lines
  std::vector<Access> accesses;
};

Totals decode_file(const std::filesystem::path& path, std::string_view format = {}) {
  Totals out;
  ReadOptions options;
  options.format = format;
  auto reader = FileReader::open(path.string(), options);
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().text());
  if (!reader) return out;
  out.format = (*reader)->format();
  auto decoder = make_decoder(out.format, {});
  EXPECT_TRUE(decoder);
  rules::Arena arena;
  std::vector<Decoded> decoded;
  for (;;) {
    auto frame = (*reader)->next();
    EXPECT_TRUE(frame) << (frame ? "" : frame.error().text());
    if (!frame || !*frame) return out;
    ++out.records;
    arena.reset();
    decoded.clear();
    Origin origin;
    origin.line = (*frame)->line;
    if (!(*frame)->error.empty() || !(*decoder)->decode((*frame)->bytes, origin, arena, decoded)) {
      out.faulty.push_back((*frame)->line);
    }
    for (Decoded& one : decoded) out.accesses.push_back(std::move(one.access));
  }
}

class SharedData : public ::testing::Test {
 protected:
  void SetUp() override {
    data = shared_data();
    if (data.empty()) GTEST_SKIP() << "no shared data here (TOCSIN_SHARED_DATA)";
  }
  std::filesystem::path data;
};

TEST_F(SharedData, ClinicCsvlogAndJsonlogSayTheSame) {
  const Totals csv = decode_file(data / "pgaudit/clinic/postgresql.csv");
  const Totals json = decode_file(data / "pgaudit/clinic/postgresql.json");
  EXPECT_EQ(csv.format, "pgaudit-csv");
  EXPECT_EQ(json.format, "pgaudit-json");
  EXPECT_EQ(csv.records, 10823U);
  EXPECT_EQ(json.records, 10823U);
  EXPECT_TRUE(csv.faulty.empty());
  EXPECT_TRUE(json.faulty.empty());
  ASSERT_EQ(csv.accesses.size(), json.accesses.size());
  // All AUDIT lines, 33 connections, one denied read.
  EXPECT_EQ(csv.accesses.size(), 10711U + 33U + 1U);
  std::map<std::string, std::string> by_id;
  const auto shown = [](Access a) {
    a.format.clear();
    a.origin = {};
    std::string text;
    write_access(a, text);
    return text + a.statement.relation + std::to_string(a.statement.number) + a.statement.audit_class;
  };
  for (const Access& a : csv.accesses) by_id[a.event_id] = shown(a);
  EXPECT_EQ(by_id.size(), csv.accesses.size()) << "ids are unique";
  for (const Access& a : json.accesses) EXPECT_EQ(by_id[a.event_id], shown(a));
  const auto denied = std::count_if(csv.accesses.begin(), csv.accesses.end(),
                                    [](const Access& a) { return a.outcome == Outcome::kFailure; });
  EXPECT_EQ(denied, 1);
}

TEST_F(SharedData, FirstSample) {
  const Totals csv = decode_file(data / "pgaudit/first-sample/pgaudit.csvlog.csv");
  const Totals json = decode_file(data / "pgaudit/first-sample/pgaudit.jsonlog.json");
  for (const Totals* totals : {&csv, &json}) {
    EXPECT_EQ(totals->records, 353U);
    EXPECT_TRUE(totals->faulty.empty());
    const auto audit = std::count_if(totals->accesses.begin(), totals->accesses.end(),
                                     [](const Access& a) { return !a.statement.audit_class.empty(); });
    EXPECT_EQ(audit, 333);
  }
}

TEST_F(SharedData, CloudTrail) {
  std::size_t files = 0, events = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data / "cloudtrail-stratus/docs/detonation-logs")) {
    const Totals totals = decode_file(entry.path());
    EXPECT_EQ(totals.format, "cloudtrail") << entry.path();
    EXPECT_TRUE(totals.faulty.empty()) << entry.path();
    ++files;
    events += totals.accesses.size();
    for (const Access& a : totals.accesses) {
      EXPECT_TRUE(a.time_known);
      EXPECT_NE(a.actor.account, "");
      EXPECT_NE(a.event_id, "");
      EXPECT_NE(a.action, Action::kUnknown) << a.operation;
    }
    if (entry.path().filename().string().starts_with("aws.exfiltration") &&
        entry.path().filename().string().find("share") != std::string::npos) {
      ASSERT_EQ(totals.accesses.size(), 1U);
      EXPECT_EQ(totals.accesses[0].action, Action::kShare) << entry.path();
    }
  }
  EXPECT_EQ(files, 35U);
  EXPECT_EQ(events, 310U);
}

TEST_F(SharedData, ApacheHasOneMalformedLine) {
  const Totals totals = decode_file(data / "web-access/apache_logs.gz");
  EXPECT_EQ(totals.format, "combined");
  EXPECT_EQ(totals.records, 10'000U);
  EXPECT_EQ(totals.faulty, std::vector<std::uint64_t>{8899});
  EXPECT_EQ(totals.accesses.size(), 9999U);
  std::map<std::string, std::size_t> errors;
  for (const Access& a : totals.accesses) ++errors[a.error];
  EXPECT_EQ(errors["status 404"], 213U);
  EXPECT_EQ(errors["status 500"], 3U);
  EXPECT_EQ(errors["status 403"], 2U);
  EXPECT_EQ(errors["status 416"], 2U);
}

TEST_F(SharedData, NginxPlusStatusIsJson) {
  const Totals totals = decode_file(data / "web-access/nginxplus_json_logs.gz");
  EXPECT_EQ(totals.format, "json");
  EXPECT_EQ(totals.records, 500U);
  EXPECT_TRUE(totals.faulty.empty());
}

TEST_F(SharedData, DecoderSamples) {
  struct Row { const char* file; const char* format; std::size_t records, faulty; };
  for (const Row& row : {
           Row{"apache2-logs/apache2-logs.log", "combined", 9, 2},               // two lines of an error log
           Row{"apache2-malformed/apache2-logs.log", "combined", 11, 0},
           Row{"nginx_http-logs/nginx_http-logs.log", "combined", 9, 1},         // one line of an error log
           Row{"nginx-http-malformed/nginx_http-logs.log", "combined", 12, 0},
           Row{"aws-cloudtrail/aws-cloudtrail.log", "cloudtrail", 2, 0},
       }) {
    const Totals totals = decode_file(data / "decoder-samples" / row.file);
    EXPECT_EQ(totals.format, row.format) << row.file;
    EXPECT_EQ(totals.records, row.records) << row.file;
    EXPECT_EQ(totals.faulty.size(), row.faulty) << row.file;
  }
  const Totals trail = decode_file(data / "decoder-samples/aws-cloudtrail/aws-cloudtrail.log");
  ASSERT_EQ(trail.accesses.size(), 2U);
  EXPECT_EQ(trail.accesses[0].operation, "ConsoleLogin");
  EXPECT_EQ(trail.accesses[0].outcome, Outcome::kFailure);
  EXPECT_EQ(trail.accesses[0].client.ip, "1.2.3.4");
}

TEST(OwnRecording, IsRead) {
  const std::filesystem::path folder = std::filesystem::path(TOCSIN_SOURCE_DIR) / "ops/demo/recording";
  const Totals csv = decode_file(folder / "postgresql.csv"), json = decode_file(folder / "postgresql.json");
  EXPECT_GT(csv.accesses.size(), 100U);
  EXPECT_EQ(csv.accesses.size(), json.accesses.size());
  EXPECT_TRUE(csv.faulty.empty());
  EXPECT_TRUE(json.faulty.empty());
  EXPECT_TRUE(decode_file(folder / "clinic-app.log", "text").faulty.empty());
}

}  // namespace
}  // namespace tocsin::engine
