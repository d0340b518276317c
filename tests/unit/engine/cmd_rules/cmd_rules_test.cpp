// tocsin rules …, run in this process: what it prints and with which status it ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "engine/app/cli.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;

class RulesCommand : public ::testing::Test {
 protected:
  struct Run {
    int status = 0;
    std::string out;
    std::string err;
    [[nodiscard]] std::size_t lines() const { return static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')); }
  };
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::string file(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  static Run run(std::vector<std::string> arguments) {
    SystemClock clock;
    Context context{clock, "tocsin"};
    CLI::App app;
    add_rules(app, context);
    std::reverse(arguments.begin(), arguments.end());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Run result;
    try {
      app.parse(arguments);
      result.status = context.exit_status;
    } catch (const CLI::ParseError&) {
      result.status = kUsage;
    }
    std::fflush(stdout);
    result.out = ::testing::internal::GetCapturedStdout();
    result.err = ::testing::internal::GetCapturedStderr();
    return result;
  }
  fs::path folder_ = fs::temp_directory_path() / ("tocsin_cmd_rules_" + std::to_string(::getpid()));
  static constexpr const char* kGood = "title: Good\nid: 00000000-0000-4000-8000-000000000001\nlevel: high\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {eventName: StopLogging}, condition: s}\n";
};

TEST_F(RulesCommand, CheckSaysOneLinePerRuleAndEndsWithOneIfAnyWasRejected) {
  const std::string good = file("good.yml", kGood);
  const std::string bad = file("bad.yml", "title: Bad\nlogsource: {product: x}\ndetection: {s: {f|contians: x}, condition: s}\n");
  const Run well = run({"rules", "check", "--json", good});
  EXPECT_EQ(well.status, kAllWell);
  EXPECT_EQ(well.lines(), 1U);
  EXPECT_NE(well.out.find(R"("rule":"00000000-0000-4000-8000-000000000001","title":"Good","status":"ok","code":null,"message":null)"), std::string::npos) << well.out;
  const Run both = run({"rules", "check", "--json", folder_.string()});
  EXPECT_EQ(both.status, kFoundWrong);
  EXPECT_EQ(both.lines(), 2U);
  EXPECT_NE(both.out.find(R"("line":3,"rule":null,"title":"Bad","status":"rejected","code":"unknown-modifier")"), std::string::npos) << both.out;
  const Run table = run({"rules", "check", bad});
  EXPECT_NE(table.out.find("bad.yml:3: rejected: the modifier 'contians' does not exist in Sigma 2.1 [unknown-modifier] (did you mean 'contains'?)"), std::string::npos) << table.out;
  EXPECT_EQ(run({"rules", "check", (folder_ / "missing").string()}).status, kFoundWrong);
  EXPECT_EQ(run({"rules", "check"}).status, kUsage);
  EXPECT_EQ(run({"rules"}).status, kUsage);
}

TEST_F(RulesCommand, MatchReadsEveryFormOfJson) {
  const std::string rule = file("good.yml", kGood);
  const std::string hit = R"({"eventVersion":"1","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging"})";
  const std::string miss = R"({"eventVersion":"1","eventSource":"s3.amazonaws.com","eventName":"GetObject"})";
  struct Row { const char* name; std::string text; const char* event; };
  const Row rows[] = {
      {"NDJSON", miss + "\n" + hit + "\n", "\"event\":1"},
      {"array", "[" + miss + "," + miss + ",\n" + hit + "]", "\"event\":2"},
      {"one object", hit, "\"event\":0"},
      {"objects one after another", miss + hit + " " + miss, "\"event\":1"},
      {"pretty printed", "{\n  \"eventVersion\": 1,\n  \"eventSource\": \"a}b\",\n  \"eventName\": \"StopLogging\"\n}\n", "\"event\":0"},
      {"Records", "{\"Records\":[" + miss + "," + hit + "]}", "\"event\":1"},
  };
  for (const Row& row : rows) {
    const Run result = run({"rules", "match", "--rules", rule, "--json", file("events.json", row.text)});
    EXPECT_EQ(result.status, kAllWell) << row.name << result.err;
    EXPECT_EQ(result.lines(), 1U) << row.name;
    EXPECT_NE(result.out.find(row.event), std::string::npos) << row.name << ": " << result.out;
    EXPECT_NE(result.out.find(R"("rule":"00000000-0000-4000-8000-000000000001","title":"Good","level":"high","kind":"detection")"), std::string::npos) << row.name;
  }
}

TEST_F(RulesCommand, MatchGoesOnAfterABrokenEvent) {
  const std::string rule = file("good.yml", kGood);
  const std::string events = file("events.ndjson", "{\"eventName\":\n{\"eventName\":\"StopLogging\"}\n[1]\n{\"eventName\":\"StopLogging\"}\n");
  const Run result = run({"rules", "match", "--rules", rule, "--json", events});
  EXPECT_EQ(result.status, kFoundWrong);
  EXPECT_GE(result.lines(), 1U);
  EXPECT_NE(result.err.find("event 0"), std::string::npos) << result.err;
}

TEST_F(RulesCommand, RoutingCanBeSwitchedOff) {
  const std::string rule = file("r.yml", "title: R\nlogsource: {product: windows}\ndetection: {s: {eventName: x}, condition: s}\n");
  const std::string events = file("e.json", R"({"eventVersion":"1","eventSource":"s3","eventName":"x"})");
  EXPECT_EQ(run({"rules", "match", "--rules", rule, events}).lines(), 0U);
  EXPECT_EQ(run({"rules", "match", "--rules", rule, "--all-logsources", events}).lines(), 1U);
}

TEST_F(RulesCommand, PlaceholdersComeFromATable) {
  const std::string rule = file("r.yml", "title: R\nlogsource: {product: x}\ndetection: {s: {user|expand: '%admins%'}, condition: s}\n");
  const std::string table = file("table.yaml", "admins: [alice]\n");
  EXPECT_EQ(run({"rules", "check", rule}).status, kFoundWrong);
  EXPECT_EQ(run({"rules", "check", "--placeholders", table, rule}).status, kAllWell);
  EXPECT_EQ(run({"rules", "match", "--rules", rule, "--placeholders", table, file("e.json", R"({"user":"Alice"})")}).lines(), 1U);
}

TEST_F(RulesCommand, MatchDecodesLogsThatAreNoJson) {
  const std::string rule = file("r.yml", "title: R\nlogsource: {category: data_access}\ndetection: {s: {operation: GET, dataset|endswith: .sql}, condition: s}\n");
  std::string log;
  for (int i = 0; i < 5; ++i) log += "198.51.100.7 - - [23/Nov/2026:03:14:15 +0000] \"GET /" + std::string(i == 3 ? "dump.sql" : "index.html") + " HTTP/1.1\" 200 5 \"-\" \"curl/7\"\n";
  const Run result = run({"rules", "match", "--rules", rule, "--json", file("access.log", log)});
  EXPECT_EQ(result.status, kAllWell) << result.err;
  EXPECT_NE(result.out.find("\"event\":3"), std::string::npos) << result.out << result.err;
  EXPECT_EQ(result.lines(), 1U);
}

TEST_F(RulesCommand, TestRefusesARuleWithoutSamples) {
  file("good.yml", kGood);
  const Run without = run({"rules", "test", folder_.string()});
  EXPECT_EQ(without.status, kFoundWrong);
  EXPECT_NE(without.out.find("has no samples"), std::string::npos);
  file("good.samples.ndjson", "{\"match\":true,\"event\":{\"eventName\":\"StopLogging\"}}\n{\"match\":false,\"event\":{}}\n");
  EXPECT_EQ(run({"rules", "test", folder_.string()}).status, kAllWell);
}

constexpr const char* kReads =
    "title: Read\nname: read\nlogsource: {product: shop}\ndetection: {s: {action: read}, condition: s}\n---\n"
    "title: Many people\nid: 00000000-0000-4000-8000-0000000000c1\nlevel: high\ncorrelation: {type: value_count, rules: [read], group-by: [user], timespan: 1m, condition: {field: person, gte: 3}}\n";

std::string read_at(int second, const char* user, int person) {
  const std::string two = (second % 60 < 10 ? "0" : "") + std::to_string(second % 60);
  return "{\"time\":\"2026-11-23T10:0" + std::to_string(second / 60) + ":" + two + "Z\",\"action\":\"read\",\"user\":\"" + user + "\",\"person\":\"p" + std::to_string(person) + "\"}\n";
}

TEST_F(RulesCommand, MatchRunsCorrelationsInEventTimeAcrossFiles) {
  const std::string rules = file("reads.yml", kReads);
  const std::string second = file("second.json", read_at(70, "eve", 9) + read_at(20, "eve", 3));
  const std::string first = file("first.json", read_at(0, "eve", 1) + read_at(1, "bob", 1) + read_at(10, "eve", 2) + read_at(11, "bob", 2));
  const Run matched = run({"rules", "match", "--json", "--rules", rules, second, first});
  EXPECT_EQ(matched.status, kAllWell) << matched.err;
  EXPECT_EQ(matched.lines(), 1U) << "the rule itself is silent: " << matched.out;
  for (const std::string& part : {std::string("\"file\":\"") + second + "\"", std::string("\"event\":1,"), std::string("\"rule\":\"00000000-0000-4000-8000-0000000000c1\""),
                                  std::string("\"title\":\"Many people\""), std::string("\"level\":\"high\""), std::string("\"kind\":\"correlation\""),
                                  "\"events\":[{\"file\":\"" + first + "\",\"event\":0},{\"file\":\"" + first + "\",\"event\":2},1]", std::string("\"group\":{\"user\":\"eve\"}"),
                                  std::string("\"value\":3,"), std::string("\"first\":\"2026-11-23T10:00:00Z\""), std::string("\"last\":\"2026-11-23T10:00:20Z\"")}) {
    EXPECT_NE(matched.out.find(part), std::string::npos) << part << "\n" << matched.out;
  }
  const Run plain = run({"rules", "match", "--rules", rules, first, second});
  EXPECT_NE(plain.out.find("second.json event 1  high           Many people: 3 of 3 events user=eve"), std::string::npos) << plain.out;
}

TEST_F(RulesCommand, MatchTakesEventsAsTheyComeWhereALatenessIsGiven) {
  const std::string rules = file("reads.yml", kReads);
  const std::string events = file("events.json", read_at(0, "eve", 1) + read_at(70, "eve", 9) + read_at(10, "eve", 2) + read_at(20, "eve", 3));
  const Run strict = run({"rules", "match", "--json", "--lateness", "55s", "--rules", rules, events});
  EXPECT_EQ(strict.lines(), 0U) << strict.out;
  EXPECT_NE(strict.err.find("1 events came later than --lateness allows"), std::string::npos) << strict.err;
  const Run patient = run({"rules", "match", "--json", "--lateness", "2m", "--rules", rules, events});
  EXPECT_EQ(patient.lines(), 1U) << patient.out;
  EXPECT_EQ(run({"rules", "match", "--lateness", "soon", "--rules", rules, events}).status, kUsage);
}

TEST_F(RulesCommand, MatchJudgesAbsenceAtTheEndAndSaysWhichEventsHadNoTime) {
  const std::string rules = file("absence.yml",
                                 "title: A\nname: a\nlogsource: {product: x}\ndetection: {s: {e: a}, condition: s}\n---\n"
                                 "title: B\nname: b\nlogsource: {product: x}\ndetection: {s: {e: b}, condition: s}\n---\n"
                                 "title: Alone\nid: 00000000-0000-4000-8000-0000000000c2\ncorrelation: {type: temporal, rules: [a, b], timespan: 1h, condition: a and not b}\n");
  const std::string events = file("events.json", "{\"e\":\"a\",\"ts\":1795424055}\n{\"e\":\"a\"}\n{\"e\":\"other\"}\n");
  const Run alone = run({"rules", "match", "--json", "--rules", rules, events});
  EXPECT_EQ(alone.lines(), 1U) << alone.out;
  EXPECT_NE(alone.out.find("\"event\":0,"), std::string::npos) << alone.out;
  EXPECT_NE(alone.err.find("1 events have no time"), std::string::npos) << alone.err;
  const std::string both = file("both.json", "{\"e\":\"a\",\"ts\":1795424055}\n{\"e\":\"b\",\"ts\":1795424056}\n");
  EXPECT_EQ(run({"rules", "match", "--json", "--rules", rules, both}).lines(), 0U);
}

TEST_F(RulesCommand, MatchShowsRulesUnderACorrelationThatSaysGenerate) {
  const std::string rules = file("reads.yml", std::string(kReads) + "generate: true\n");
  const std::string events = file("events.json", read_at(0, "eve", 1) + read_at(1, "eve", 2) + read_at(2, "eve", 3));
  const Run matched = run({"rules", "match", "--json", "--rules", rules, events});
  EXPECT_EQ(matched.lines(), 4U) << matched.out;
}

}  // namespace
}  // namespace tocsin::engine
