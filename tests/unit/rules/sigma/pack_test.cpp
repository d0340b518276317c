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
  EXPECT_GE(report->rules, 10U);
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

}  // namespace
}  // namespace tocsin::rules::sigma
