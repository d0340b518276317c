// tocsin scan and tocsin assess as transcripts: what goes to standard output, and with which exit status.
#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "engine/app/cli.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Ran {
  int status = -1;
  std::string out, err;
  std::vector<json::object> lines() const {
    std::vector<json::object> objects;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) objects.push_back(json::parse(line).as_object());
    return objects;
  }
};

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("tocsin-commands-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string file(const std::string& name, const std::string& text) {
    fs::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name, std::ios::binary) << text;
    return (dir_ / name).string();
  }

  Ran run(std::vector<std::string> words) {
    const FixedClock clock(Time{});
    Context context{clock, "tocsin"};
    CLI::App app("test");
    add_scan(app, context);
    add_assess(app, context);
    if (words.front() == "scan") words.insert(words.end(), {"--data", (dir_ / "none").string()});
    std::reverse(words.begin(), words.end());
    Ran ran;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    app.parse(words);
    std::fflush(stdout);
    ran.out = testing::internal::GetCapturedStdout();
    ran.err = testing::internal::GetCapturedStderr();
    ran.status = context.exit_status;
    return ran;
  }

  fs::path dir_;
};

// What SARIF 2.1.0 demands of a log: its version, one run with a named driver, and results whose rules, levels,
// messages and places are what the schema allows.
TEST_F(Commands, ScanWritesSarif) {
  const std::string log = file("a b%.log", "all is well\npassword=hunter2canary\npassword=***\n");
  const Ran ran = run({"scan", "--sarif", "--explain", log});
  EXPECT_EQ(ran.status, kFoundWrong);
  EXPECT_EQ(ran.out.find("hunter2canary"), std::string::npos);
  const auto root = boost::json::parse(ran.out).as_object();
  EXPECT_EQ(root.at("version").as_string(), "2.1.0");
  ASSERT_EQ(root.at("runs").as_array().size(), 1U);
  const auto& sarif = root.at("runs").as_array()[0].as_object();
  const auto& driver = sarif.at("tool").at("driver").as_object();
  EXPECT_EQ(driver.at("name").as_string(), "tocsin");
  const auto& rules = driver.at("rules").as_array();
  std::set<std::string> ids;
  for (const auto& rule : rules) {
    EXPECT_FALSE(rule.at("shortDescription").at("text").as_string().empty());
    EXPECT_TRUE(ids.insert(std::string(rule.at("id").as_string())).second) << "rule ids are unique";
  }
  const auto& results = sarif.at("results").as_array();
  ASSERT_EQ(results.size(), 2U);
  for (const auto& result : results) {
    const auto index = static_cast<std::size_t>(result.at("ruleIndex").to_number<int>());
    EXPECT_EQ(rules.at(index).at("id"), result.at("ruleId"));
    const std::string level(result.at("level").as_string());
    EXPECT_TRUE(level == "none" || level == "note" || level == "warning" || level == "error") << level;
    EXPECT_FALSE(result.at("message").at("text").as_string().empty());
    const auto& place = result.at("locations").as_array()[0].at("physicalLocation");
    const std::string uri(place.at("artifactLocation").at("uri").as_string());
    EXPECT_TRUE(uri.starts_with("file:///") && uri.ends_with("a%20b%25.log")) << uri;
    EXPECT_GE(place.at("region").at("startLine").to_number<int>(), 1);
  }
  const auto& region = results[0].at("locations").as_array()[0].at("physicalLocation").at("region");
  EXPECT_EQ(region.at("startLine").to_number<int>(), 2);
  EXPECT_EQ(region.at("byteOffset").to_number<int>(), 21);
  EXPECT_EQ(region.at("byteLength").to_number<int>(), 13);
  EXPECT_FALSE(results[0].as_object().contains("suppressions"));
  EXPECT_EQ(results[1].at("suppressions").as_array()[0].at("kind").as_string(), "external");
  const auto empty = boost::json::parse(run({"scan", "--sarif", file("empty.log", "")}).out);
  EXPECT_EQ(empty.at("runs").as_array()[0].at("results").as_array().size(), 0U);
}

TEST_F(Commands, ScanPassesOverBinaryFilesOnlyOnTheWay) {
  const std::string binary = file("d/x.bin", std::string("\0\0", 2) + "password=hunter2canary\n");
  const Ran walked = run({"scan", (dir_ / "d").string()});
  EXPECT_EQ(walked.status, kAllWell);
  EXPECT_NE(walked.err.find("x.bin: binary, passed over"), std::string::npos) << walked.err;
  EXPECT_EQ(run({"scan", binary}).status, kFoundWrong);
}

TEST_F(Commands, ScanCutsFragmentsWhenAsked) {
  const std::string rules = file("r.toml", "[[rules]]\nid='x'\nregex='''zz-[0-9]+'''\nkeywords=['gatekeeper']\n");
  const std::string log = file("a.log", "the gatekeeper\nzz-1234\n");
  EXPECT_EQ(run({"scan", "--json", "--rules", rules, "--", log}).lines().size(), 0U) << "the keyword stands in another record";
  const auto lines = run({"scan", "--json", "--fragments", "--rules", rules, "--", log}).lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("line").to_number<int>(), 2);
  EXPECT_EQ(lines[0].at("start").to_number<int>(), 0);
}

TEST_F(Commands, ScanPrintsOneObjectPerFindingAndNeverTheSecret) {
  const std::string log = file("app.log", "all is well\nlogin user=anna password=hunter2canary ip=10.0.0.7\r\npassword=$1\n{\"password\":\"hunter2canary\"}");
  const Ran ran = run({"scan", "--json", log});
  EXPECT_EQ(ran.status, kFoundWrong);
  const auto lines = ran.lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("file").as_string(), log);
  EXPECT_EQ(lines[0].at("line").to_number<int>(), 2);
  EXPECT_EQ(lines[0].at("start").to_number<int>(), 25);
  EXPECT_EQ(lines[0].at("end").to_number<int>(), 38);
  EXPECT_EQ(lines[0].at("rule").as_string(), "tocsin.password-field");
  EXPECT_EQ(lines[0].at("kind").as_string(), "secret");
  EXPECT_EQ(lines[0].at("tier").as_string(), "pattern");
  EXPECT_EQ(lines[0].at("preview").as_string(), "hu…y");
  EXPECT_EQ(lines[0].at("fingerprint").as_string().size(), 32U);
  EXPECT_EQ(lines[0].at("fingerprint"), lines[1].at("fingerprint")) << "the same secret";
  EXPECT_EQ(lines[1].at("line").to_number<int>(), 4) << "the last line needs no newline";
  EXPECT_EQ((ran.out + ran.err).find("hunter2canary"), std::string::npos);
  EXPECT_EQ(run({"scan", log}).out.find("hunter2canary"), std::string::npos);
}

TEST_F(Commands, ScanOfCleanTextFindsNothing) {
  const Ran ran = run({"scan", "--json", file("a.log", "password=***\nall well\n")});
  EXPECT_EQ(ran.status, kAllWell);
  EXPECT_EQ(ran.out, "");
}

TEST_F(Commands, ScanExplains) {
  const Ran ran = run({"scan", "--json", "--explain", file("a.log", "password=***\n")});
  ASSERT_EQ(ran.lines().size(), 1U);
  EXPECT_EQ(ran.lines()[0].at("dropped").as_string(), "masked");
  EXPECT_EQ(ran.status, kAllWell);
}

TEST_F(Commands, ScanWalksDirectoriesAndUnpacksGzip) {
  file("d/one.log", "password=hunter2\n");
  file("d/sub/two.log", "password=hunter3\n");
  file("d/binary", std::string("\0\0\0password=hunter4\n", 20));
  file("d/.git/three", "password=hunter5\n");
  gzFile gz = gzopen((dir_ / "d/four.log.gz").c_str(), "wb");
  gzputs(gz, "x\npassword=hunter6\n");
  gzclose(gz);
  const auto lines = run({"scan", "--json", (dir_ / "d").string()}).lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[0].at("file").as_string().ends_with("d/four.log.gz"));
  EXPECT_EQ(lines[0].at("line").to_number<int>(), 2);
  EXPECT_TRUE(lines[1].at("file").as_string().ends_with("d/one.log"));
  EXPECT_TRUE(lines[2].at("file").as_string().ends_with("two.log"));
}

TEST_F(Commands, ScanSaysWhatItCannotRead) {
  const Ran missing = run({"scan", (dir_ / "nowhere.log").string()});
  EXPECT_EQ(missing.status, kFailure);
  EXPECT_NE(missing.err.find("nowhere.log"), std::string::npos);
  // A gzip file that is cut short: what is in it counts, and the cut is said.
  gzFile gz = gzopen((dir_ / "cut.gz").c_str(), "wb");
  std::string text = "password=hunter2\n";
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  fs::resize_file(dir_ / "cut.gz", fs::file_size(dir_ / "cut.gz") / 2);
  const Ran cut = run({"scan", "--json", (dir_ / "cut.gz").string()});
  EXPECT_EQ(cut.status, kFailure);
  EXPECT_EQ(cut.lines().size(), 1U);
  EXPECT_NE(cut.err.find("cut.gz"), std::string::npos) << cut.err;
}

TEST_F(Commands, ScanTakesMoreRules) {
  const std::string rules = file("r.toml", "[[rules]]\nid='mine'\ndescription='My own'\nregex='''zz-(\\d{4})'''\nkeywords=['zz-']\n");
  const auto lines = run({"scan", "--json", "--rules", rules, "--", file("a.log", "x zz-1234\n")}).lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("rule").as_string(), "mine");
  const Ran bad = run({"scan", "--rules", file("bad.toml", "[[rules]]\nid='x'\nregex='''('''\n"), "--", file("a.log", "")});
  EXPECT_EQ(bad.status, kFailure) << "not 1: nothing was found";
  EXPECT_NE(bad.err.find("bad.toml:1"), std::string::npos) << bad.err;
}

TEST_F(Commands, ScanTellsRuleFilesFromInputs) {
  const std::string one = file("one.toml", "[[rules]]\nid='one'\nregex='''zz-(\\d{4})'''\n");
  const std::string two = file("two.toml", "[[rules]]\nid='two'\nregex='''yy-(\\d{4})'''\n");
  const std::string log = file("a.log", "x zz-1234\ny yy-1234\n");
  const std::vector<std::vector<std::string>> ways = {
      {"scan", "--json", "--rules", one, two, log},          {"scan", "--json", "--rules", one, two, "--", log},
      {"scan", "--json", "--rules", one, "--rules", two, log}, {"scan", log, "--json", "--rules", one, two},
      {"scan", "--rules", one, two, "--json", log},
  };
  for (const auto& words : ways) EXPECT_EQ(run(words).lines().size(), 2U) << words[1] << " " << words[2];
  EXPECT_EQ(run({"scan", "--json", "--rules", one, (dir_ / "none.log").string()}).status, kFailure);
}

TEST_F(Commands, ScanAsksTheVocabularyThatIsGiven) {
  const std::string rules = file("r.toml", "[[rules]]\nid='mine'\nregex='''zz-(\\w+)'''\nfilter='''failsTokenEfficiency(finding[\"secret\"])'''\n");
  const std::string log = file("a.log", "zz-abababab\nzz-horse77x\nzz-q8r4l1m0\n");
  const Ran without = run({"scan", "--json", "--rules", rules, log});
  EXPECT_EQ(without.lines().size(), 3U);
  EXPECT_NE(without.err.find("rule 'mine' asks how well a secret packs into tokens"), std::string::npos) << without.err;
  const std::string tokens = file("v.tiktoken", "YWI= 0\nYWJhYg== 1\n");  // ab, abab
  const std::string words = file("words", "Horse\n");
  const Ran with = run({"scan", "--json", "--rules", rules, "--tokens", tokens, log});
  EXPECT_EQ(with.lines().size(), 2U) << "abababab is two tokens";
  EXPECT_EQ(with.err.find("packs into tokens"), std::string::npos) << with.err;
  EXPECT_EQ(run({"scan", "--json", "--rules", rules, "--tokens", tokens, "--words", words, log}).lines().size(), 1U);
  const Ran bad = run({"scan", "--tokens", file("bad", "YWI= 0\n?\n"), log});
  EXPECT_EQ(bad.status, kFailure);
  EXPECT_NE(bad.err.find("line 2"), std::string::npos) << bad.err;
}

TEST_F(Commands, ScanFindsAKeyOverSeveralLines) {
  const std::string body = "MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAq7BFUpkGp3LQmlQ\n";
  const auto lines = run({"scan", "--json", file("k.pem", "a\n-----BEGIN PRIVATE KEY-----\n" + body + body + "-----END PRIVATE KEY-----\npassword=hunter2\n")}).lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("rule").as_string(), "tocsin.private-key");
  EXPECT_EQ(lines[0].at("line").to_number<int>(), 2);
  EXPECT_EQ(lines[1].at("line").to_number<int>(), 6);
}

TEST_F(Commands, AssessAnswersWithDutiesAndTheirFooting) {
  const std::string facts = file("facts.yaml", "facts: {personal_data: yes, controller: yes, eu_establishment: yes}\ntimes: {aware: 2026-11-20T16:40:00+01:00}\ndata: [name, email]\n");
  const Ran ran = run({"assess", "--json", facts});
  EXPECT_EQ(ran.status, kAllWell);
  const auto object = ran.lines().at(0);
  EXPECT_EQ(object.at("earliest_due").as_string(), "2026-11-23T15:40:00Z");
  const auto& first = object.at("duties").as_array().at(0).as_object();
  EXPECT_EQ(first.at("id").as_string(), "eu.gdpr.33.1");
  EXPECT_EQ(first.at("applies").as_string(), "yes");
  EXPECT_EQ(first.at("limit").as_string(), "2026-11-23T16:00:00Z");
  EXPECT_TRUE(first.at("verification").as_string().starts_with("not verified against the official text"));
  const Ran text = run({"assess", facts});
  EXPECT_NE(text.out.find("not verified against the official text"), std::string::npos);
  EXPECT_NE(text.out.find("Is a high risk to the people likely?"), std::string::npos);
}

TEST_F(Commands, AssessNamesMistakes) {
  const Ran ran = run({"assess", file("f.yaml", "facts:\n  personal_data: perhaps\n")});
  EXPECT_EQ(ran.status, kFoundWrong);
  EXPECT_NE(ran.err.find("f.yaml:2: 'personal_data' must be yes, no or unknown"), std::string::npos) << ran.err;
  EXPECT_NE(run({"assess", file("g.yaml", "facts: {personal_dat: yes}\n")}).err.find("no law asks about 'personal_dat'"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::engine
