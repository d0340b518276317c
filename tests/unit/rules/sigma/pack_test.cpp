// The packs that are shipped keep their promises, and a pack that does not is told so.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include <unistd.h>

#include "rules/sigma/pack.hpp"

namespace tocsin::rules::sigma {
namespace {

namespace fs = std::filesystem;

TEST(Pack, DataAccessKeepsItsPromises) {
  const auto report = test_pack(fs::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access");
  ASSERT_TRUE(report.has_value()) << report.error().text();
  for (const Report& refused : report->refused) ADD_FAILURE() << refused.text();
  for (const PackMistake& mistake : report->mistakes) ADD_FAILURE() << mistake.file << ":" << mistake.line << ": " << mistake.message;
  EXPECT_GE(report->rules, 60U);
  EXPECT_GE(report->samples, report->rules * 2);
}

TEST(Pack, RulesOfDataAccessLoadWithoutAWarning) {
  const fs::path folder = fs::path(TOCSIN_SOURCE_DIR) / "rules/packs/data-access";
  const auto sources = read_rule_files({&folder, 1});
  ASSERT_TRUE(sources.has_value());
  for (const Report& report : load(*sources).reports) EXPECT_EQ(report.status, Status::kOk) << report.text();
}

class PackMistakes : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const char* name, const char* text) const { std::ofstream(folder_ / name) << text; }
  [[nodiscard]] std::vector<std::string> mistakes() const {
    std::vector<std::string> messages;
    const auto report = test_pack(folder_);
    if (!report) return {report.error().text()};
    for (const PackMistake& mistake : report->mistakes) messages.push_back(mistake.message);
    return messages;
  }
  fs::path folder_ = fs::temp_directory_path() / ("tocsin_pack_test_" + std::to_string(::getpid()));
  static constexpr const char* kRule = "title: R\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: p}\ndetection: {s: {f: 1}, condition: s}\n";
};

TEST_F(PackMistakes, ARuleWithoutSamplesIsRefused) {
  write("r.yml", kRule);
  ASSERT_EQ(mistakes().size(), 1U);
  EXPECT_NE(mistakes()[0].find("no samples"), std::string::npos);
  write("r.samples.ndjson", "{\"match\":true,\"event\":{\"f\":1}}\n");
  ASSERT_EQ(mistakes().size(), 1U);
  EXPECT_EQ(mistakes()[0], "the rule has no sample that must not match");
}

TEST_F(PackMistakes, EachWrongSampleIsNamed) {
  write("r.yml", kRule);
  write("pack.yml", "name: test\n");
  write("r.samples.ndjson",
        "{\"match\":true,\"event\":{\"f\":2},\"name\":\"first\"}\n"
        "{\"match\":false,\"event\":{\"f\":1},\"name\":\"second\"}\n"
        "{\"match\":true}\n"
        "{broken\n"
        "{\"match\":true,\"rule\":\"nobody\",\"event\":{\"f\":1}}\n"
        "{\"match\":true,\"event\":{\"f\":1}}\n"
        "{\"match\":false,\"event\":{\"f\":1},\"source\":{\"product\":\"q\"}}\n");
  const auto found = mistakes();
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0], "does not match, but must (first)");
  EXPECT_EQ(found[1], "matches, but must not (second): f = 1");
  EXPECT_NE(found[2].find("needs \"match\""), std::string::npos);
  EXPECT_NE(found[3].find("not one JSON object"), std::string::npos);
  EXPECT_NE(found[4].find("does not hold"), std::string::npos);
}

TEST_F(PackMistakes, AFolderThatIsNotThereIsNamed) {
  const auto report = test_pack(folder_ / "missing");
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, Errc::kNotFound);
}

class PackCorrelations : public PackMistakes {
 protected:
  static constexpr const char* kBoth =
      "title: R\nid: 00000000-0000-4000-8000-000000000001\nname: r\nlogsource: {product: p}\ndetection: {s: {f: 1}, condition: s}\n---\n"
      "title: C\nid: 00000000-0000-4000-8000-000000000002\ncorrelation: {type: value_count, rules: [r], group-by: [u], timespan: 1m, condition: {field: v, gte: 5}}\n";
  static constexpr const char* kRuleSamples =
      "{\"rule\":\"00000000-0000-4000-8000-000000000001\",\"match\":true,\"event\":{\"f\":1}}\n{\"rule\":\"00000000-0000-4000-8000-000000000001\",\"match\":false,\"event\":{\"f\":2}}\n";
  // Samples of the correlation, and what is wrong with them.
  [[nodiscard]] std::vector<std::string> wrong(const std::vector<std::string>& samples) const {
    std::string text = kRuleSamples;
    for (const std::string& sample : samples) text += "{\"rule\":\"00000000-0000-4000-8000-000000000002\"," + sample + "}\n";
    write("r.yml", kBoth);
    write("r.samples.ndjson", text.c_str());
    return mistakes();
  }
  static constexpr const char* kFive = R"("match":true,"value":5,"group":{"u":"x"},"events":[{"at":0,"event":{"f":1,"u":"x","v":"file {n}"},"repeat":5,"every":15}])";
  static constexpr const char* kSlow = R"("match":false,"events":[{"at":0,"event":{"f":1,"u":"x","v":"file {n}"},"repeat":50,"every":15.1}])";
};

TEST_F(PackCorrelations, AreTestedOnStreams) {
  EXPECT_EQ(wrong({kFive, kSlow}), std::vector<std::string>{});
  EXPECT_EQ(wrong({kFive, R"("match":false,"events":[{"at":0,"event":{"f":1,"u":"x","v":"same"},"repeat":50}])"}), std::vector<std::string>{});
}

TEST_F(PackCorrelations, NeedBothKindsOfSamplesToo) {
  EXPECT_EQ(wrong({}), std::vector<std::string>{"the correlation has no samples; it needs one that must match and one that must not, in r.samples.ndjson"});
  EXPECT_EQ(wrong({kFive}), std::vector<std::string>{"the correlation has no sample that must not match"});
}

TEST_F(PackCorrelations, WhatIsWrongWithAStreamIsSaid) {
  const auto only = [&](const char* sample) {
    const std::vector<std::string> all = wrong({kFive, kSlow, sample});
    return all.size() == 1 ? all.front() : "there are " + std::to_string(all.size());
  };
  EXPECT_EQ(only(R"("match":true,"name":"too few","events":[{"at":0,"event":{"f":1,"u":"x","v":1}}])"), "does not match, but must (too few)");
  EXPECT_EQ(only(R"("match":false,"events":[{"at":0,"event":{"f":1,"u":"x","v":"{n}"},"repeat":6}])"), "matches, but must not: the value is 5");
  EXPECT_EQ(only(R"("match":true,"value":6,"events":[{"at":0,"event":{"f":1,"u":"x","v":"{n}"},"repeat":6}])"), "the value of the first alert is 5, and must be 6");
  EXPECT_EQ(only(R"("match":true,"group":{"u":"y"},"events":[{"at":0,"event":{"f":1,"u":"x","v":"{n}"},"repeat":6}])"), "the group's 'u' is 'x', and must be 'y'");
  EXPECT_EQ(only(R"("match":true,"group":{"w":"y"},"events":[{"at":0,"event":{"f":1,"u":"x","v":"{n}"},"repeat":6}])"), "the alert is not grouped by 'w'");
  EXPECT_EQ(only(R"("match":true)").substr(0, 44), "a sample of a correlation needs \"events\": a ");
  EXPECT_EQ(only(R"("match":true,"events":[{"event":{}}])").substr(0, 31), "each of the events needs \"at\" (");
  EXPECT_EQ(only(R"("match":true,"events":[{"at":0,"event":{},"repeat":0}])").substr(0, 31), "each of the events needs \"at\" (");
  EXPECT_EQ(only(R"("match":true,"events":[{"at":0,"event":{},"repeat":100001}])"), "the sample has more than 100000 events");
}

TEST_F(PackCorrelations, ASilentLowerOneIsTestedToo) {
  write("r.yml", (std::string(kBoth) + "---\ntitle: H\nid: 00000000-0000-4000-8000-000000000003\ncorrelation: {type: event_count, rules: [00000000-0000-4000-8000-000000000002], timespan: 1h, condition: {gte: 2}}\n").c_str());
  std::string text = kRuleSamples;
  for (const char* sample : {kFive, kSlow}) text += "{\"rule\":\"00000000-0000-4000-8000-000000000002\"," + std::string(sample) + "}\n";
  text += R"({"rule":"00000000-0000-4000-8000-000000000003","match":true,"value":2,"events":[{"at":0,"event":{"f":1,"u":"x","v":"{n}"},"repeat":9},{"at":99,"event":{"f":1,"u":"y","v":"{n}"},"repeat":5}]})" "\n";
  text += R"({"rule":"00000000-0000-4000-8000-000000000003","match":false,"events":[{"at":0,"event":{"f":1,"u":"x","v":"{n}"},"repeat":9}]})" "\n";
  write("r.samples.ndjson", text.c_str());
  EXPECT_EQ(mistakes(), std::vector<std::string>{});
}

}  // namespace
}  // namespace tocsin::rules::sigma
