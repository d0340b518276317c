// tocsin scan and tocsin assess as transcripts: what goes to standard output, and with which exit status.
#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/json.hpp>
#include <cctype>
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

// What SARIF 2.1.0 demands of a log, as far as this tool writes it: each object has the properties that it must have, none
// that the standard does not know, and values of the kinds and from the lists that it allows.
class SarifCheck {
 public:
  std::vector<std::string> wrong;

  void log(const json::value& value) {
    const auto* root = object(value, "log", {"$schema", "version", "runs"}, {"version", "runs"});
    if (root == nullptr) return;
    require(root->at("version") == "2.1.0", "version");
    for (const auto& one : root->at("runs").as_array()) run(one);
  }

 private:
  using Names = std::set<std::string_view>;

  void require(bool holds, const std::string& what) {
    if (!holds) wrong.push_back(what);
  }
  const json::object* object(const json::value& value, const std::string& what, const Names& known, const Names& needed) {
    if (!value.is_object()) {
      wrong.push_back(what + " is no object");
      return nullptr;
    }
    for (const auto& [name, part] : value.as_object()) require(known.contains(std::string_view(name)), what + " has " + std::string(name));
    for (const auto name : needed) require(value.as_object().contains(name), what + " lacks " + std::string(name));
    return wrong.empty() ? &value.as_object() : nullptr;
  }
  void one_of(const json::value& value, const std::string& what, const Names& allowed) {
    require(value.is_string() && allowed.contains(std::string_view(value.as_string())), what);
  }
  void message(const json::value& value, const std::string& what) {
    if (const auto* m = object(value, what, {"text"}, {"text"})) require(m->at("text").is_string() && !m->at("text").as_string().empty(), what + " is empty");
  }
  std::int64_t number(const json::value& value, const std::string& what, std::int64_t least) {
    const bool whole = value.is_int64() || value.is_uint64();
    const auto n = whole ? value.to_number<std::int64_t>() : -1;
    require(whole && n >= least, what + " is " + json::serialize(value));
    return n;
  }

  void run(const json::value& value) {
    const auto* run = object(value, "run", {"columnKind", "results", "tool", "invocations"}, {"tool", "columnKind", "results", "invocations"});
    if (run == nullptr) return;
    one_of(run->at("columnKind"), "columnKind", {"utf16CodeUnits", "unicodeCodePoints"});
    const auto* driver = object(run->at("tool").at("driver"), "driver", {"name", "version", "semanticVersion", "rules"}, {"name", "rules"});
    if (driver == nullptr) return;
    std::vector<std::string> ids;
    std::set<std::string> known;
    for (const auto& rule : driver->at("rules").as_array()) {
      const auto* r = object(rule, "rule", {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"},
                             {"id", "shortDescription", "fullDescription", "help", "defaultConfiguration"});
      if (r == nullptr) return;
      for (const char* part : {"shortDescription", "fullDescription", "help"}) message(r->at(part), part);
      one_of(r->at("defaultConfiguration").at("level"), "default level", {"none", "note", "warning", "error"});
      const std::string id(r->at("id").as_string());
      require(!id.empty() && known.insert(id).second, "rule id " + id + " stands twice");
      ids.push_back(id);
    }
    for (const auto& result : run->at("results").as_array()) this->result(result, ids);
    for (const auto& invocation : run->at("invocations").as_array()) {
      const auto* i = object(invocation, "invocation", {"executionSuccessful", "exitCode", "toolExecutionNotifications", "toolConfigurationNotifications"},
                             {"executionSuccessful", "exitCode", "toolExecutionNotifications", "toolConfigurationNotifications"});
      if (i == nullptr) return;
      require(i->at("executionSuccessful").is_bool(), "executionSuccessful");
      number(i->at("exitCode"), "exitCode", 0);
      for (const char* list : {"toolExecutionNotifications", "toolConfigurationNotifications"}) {
        for (const auto& notification : i->at(list).as_array()) {
          const auto* n = object(notification, "notification", {"level", "message", "locations"}, {"level", "message"});
          if (n == nullptr) return;
          message(n->at("message"), "notification's message");
          one_of(n->at("level"), "notification's level", {"none", "note", "warning", "error"});
        }
      }
    }
  }

  void result(const json::value& value, const std::vector<std::string>& ids) {
    const auto* r = object(value, "result", {"ruleId", "ruleIndex", "kind", "level", "message", "locations", "partialFingerprints", "suppressions", "properties"},
                           {"ruleId", "ruleIndex", "kind", "level", "message", "locations"});
    if (r == nullptr) return;
    message(r->at("message"), "message");
    one_of(r->at("kind"), "kind", {"notApplicable", "pass", "fail", "review", "open", "informational"});
    one_of(r->at("level"), "level", {"none", "note", "warning", "error"});
    require((r->at("kind") == "fail") == (r->at("level") != "none"), "a level other than none is for failures");
    const auto index = static_cast<std::size_t>(number(r->at("ruleIndex"), "ruleIndex", 0));
    require(index < ids.size() && std::string_view(r->at("ruleId").as_string()) == ids[index], "ruleId and ruleIndex differ");
    if (r->contains("partialFingerprints")) {
      for (const auto& [name, print] : r->at("partialFingerprints").as_object()) require(print.is_string() && !print.as_string().empty(), "fingerprint");
    }
    if (r->contains("suppressions")) {
      for (const auto& s : r->at("suppressions").as_array()) {
        one_of(s.at("kind"), "suppression's kind", {"inSource", "external"});
        one_of(s.at("status"), "suppression's status", {"accepted", "underReview", "rejected"});
      }
    }
    for (const auto& location : r->at("locations").as_array()) {
      const auto& place = location.at("physicalLocation");
      uri(std::string(place.at("artifactLocation").at("uri").as_string()));
      const auto* region = object(place.at("region"), "region", {"startLine", "startColumn", "endLine", "endColumn", "byteOffset", "byteLength"},
                                  {"startLine", "byteOffset", "byteLength"});
      if (region == nullptr) return;
      const auto line = number(region->at("startLine"), "startLine", 1);
      number(region->at("byteOffset"), "byteOffset", 0);
      number(region->at("byteLength"), "byteLength", 0);
      require(region->contains("startColumn") == region->contains("endColumn") && region->contains("startColumn") == region->contains("endLine"), "half a region");
      if (!wrong.empty() || !region->contains("startColumn")) return;
      const auto column = number(region->at("startColumn"), "startColumn", 1), end = number(region->at("endColumn"), "endColumn", 1);
      const auto end_line = number(region->at("endLine"), "endLine", 1);
      require(end_line > line || (end_line == line && end >= column), "a region ends before it begins");
    }
  }

  // RFC 3986: what stands in a path, escapes of two hex digits; a scheme only before an absolute one.
  void uri(const std::string& uri) {
    std::string_view path = uri;
    if (path.starts_with("file://")) {
      path.remove_prefix(7);
      require(path.starts_with("/"), uri);
    } else {
      require(path.substr(0, path.find('/')).find(':') == std::string_view::npos, uri + " would be read as a scheme");
    }
    const auto is = [](char c, int (*kind)(int)) { return kind(static_cast<unsigned char>(c)) != 0; };
    for (std::size_t i = 0; i < path.size(); ++i) {
      const bool plain = is(path[i], std::isalnum) || std::string_view("-._~/").find(path[i]) != std::string_view::npos;
      const bool escape = path[i] == '%' && i + 2 < path.size() && is(path[i + 1], std::isxdigit) && is(path[i + 2], std::isxdigit);
      require(plain || escape, "a character in the uri " + uri);
      if (escape) i += 2;
    }
  }
};

json::array sarif_results(const std::string& out) {
  const json::value root = json::parse(out);
  SarifCheck check;
  check.log(root);
  for (const auto& wrong : check.wrong) ADD_FAILURE() << wrong;
  return root.at("runs").as_array()[0].at("results").as_array();
}

TEST_F(Commands, ScanWritesSarif) {
  const std::string log = file("a b%:\xff\"ü.log", "all is well\npassword=hunter2canary\npassword=***\n");
  const Ran ran = run({"scan", "--sarif", "--explain", log});
  EXPECT_EQ(ran.status, kFoundWrong);
  EXPECT_EQ(ran.out.find("hunter2canary"), std::string::npos);
  const auto results = sarif_results(ran.out);
  ASSERT_EQ(results.size(), 2U);
  const auto& place = results[0].at("locations").as_array()[0].at("physicalLocation");
  const std::string uri(place.at("artifactLocation").at("uri").as_string());
  EXPECT_TRUE(uri.starts_with("file:///") && uri.ends_with("/a%20b%25%3A%FF%22%C3%BC.log")) << uri;
  EXPECT_EQ(json::serialize(place.at("region")), R"({"startLine":2,"byteOffset":21,"byteLength":13,"startColumn":10,"endLine":2,"endColumn":23})");
  EXPECT_EQ(results[0].at("level").as_string(), "warning");
  EXPECT_FALSE(results[0].as_object().contains("suppressions"));
  EXPECT_EQ(results[0].at("partialFingerprints").at("tocsinSecret/v1").as_string().size(), 32U);
  EXPECT_EQ(results[1].at("suppressions").as_array()[0].at("justification").as_string(), "masked");
  EXPECT_TRUE(sarif_results(run({"scan", "--sarif", file("empty.log", "")}).out).empty());
}

TEST_F(Commands, SarifCountsColumnsInUtf16) {
  const std::string body = "MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAq7BFUpkGp3LQmlQ\n";
  struct Case {
    const char* name;
    std::string text, region;
  };
  const Case cases[] = {
      {"two units for what is beyond the first plane", "ü🐘 password=hunter2\n", R"({"startLine":1,"byteOffset":16,"byteLength":7,"startColumn":14,"endLine":1,"endColumn":21})"},
      {"one for each byte that is no UTF-8", "\xff\xfe password=hunter2\n", R"({"startLine":1,"byteOffset":12,"byteLength":7,"startColumn":13,"endLine":1,"endColumn":20})"},
      {"a secret that is not ASCII", "password=\"ühü\"\n", R"({"startLine":1,"byteOffset":10,"byteLength":5,"startColumn":11,"endLine":1,"endColumn":14})"},
      {"a key over lines", "x\n-----BEGIN PRIVATE KEY-----\n" + body + body + "-----END PRIVATE KEY-----\n",
       R"({"startLine":2,"byteOffset":2,"byteLength":181,"startColumn":1,"endLine":5,"endColumn":26})"},
      {"a line that is longer than a read: bytes only", std::string(1'200'000, '.') + " password=hunter2\n", R"({"startLine":1,"byteOffset":1200010,"byteLength":7})"},
  };
  for (const auto& c : cases) {
    const auto results = sarif_results(run({"scan", "--sarif", file("a.log", c.text)}).out);
    ASSERT_EQ(results.size(), 1U) << c.name;
    EXPECT_EQ(json::serialize(results[0].at("locations").as_array()[0].at("physicalLocation").at("region")), c.region) << c.name;
  }
}

TEST_F(Commands, SarifSaysHowTheRunWent) {
  const std::string rules = file("r.toml", "[[rules]]\nid='mine'\nregex='''zz-(\\d{4})'''\nvalidate='''x'''\n");
  const Ran ran = run({"scan", "--sarif", "--rules", rules, file("a.log", "zz-1234\n"), (dir_ / "missing.log").string()});
  EXPECT_EQ(ran.status, kFailure);
  EXPECT_EQ(sarif_results(ran.out).size(), 1U) << "what was found is reported all the same";
  const json::value root = json::parse(ran.out);
  const auto& invocation = root.at("runs").as_array()[0].at("invocations").as_array()[0];
  EXPECT_FALSE(invocation.at("executionSuccessful").as_bool());
  EXPECT_EQ(invocation.at("exitCode").to_number<int>(), kFailure);
  EXPECT_NE(json::serialize(invocation.at("toolExecutionNotifications")).find("missing.log"), std::string::npos);
  EXPECT_NE(json::serialize(invocation.at("toolConfigurationNotifications")).find("asks the network"), std::string::npos);
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
  EXPECT_NE(missing.err.find("nowhere.log: cannot be opened: No such file or directory"), std::string::npos) << missing.err;
  // A gzip file that is cut short: what is in it counts, and the cut is said.
  gzFile gz = gzopen((dir_ / "cut.gz").c_str(), "wb");
  std::string text = "password=hunter2\n";
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  fs::resize_file(dir_ / "cut.gz", fs::file_size(dir_ / "cut.gz") / 2);
  const Ran cut = run({"scan", "--json", (dir_ / "cut.gz").string()});
  EXPECT_EQ(cut.status, kFailure);
  ASSERT_EQ(cut.lines().size(), 2U);
  EXPECT_EQ(cut.lines()[0].at("rule").as_string(), "tocsin.password-field");
  EXPECT_TRUE(cut.lines()[1].at("error").as_string().starts_with("ends in the middle"));
  EXPECT_NE(cut.err.find("cut.gz"), std::string::npos) << cut.err;
}

TEST_F(Commands, ScanTakesMoreRules) {
  const std::string rules = file("r.toml", "[[rules]]\nid='mine'\ndescription='My own'\nregex='''zz-(\\d{4})'''\nkeywords=['zz-']\n");
  const auto lines = run({"scan", "--json", "--rules", rules, "--", file("a.log", "x zz-1234\n")}).lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("rule").as_string(), "mine");
  const Ran none = run({"scan", "--rules", file("slip.toml", "[[rulez]]\nid='x'\n"), "--", file("a.log", "")});
  EXPECT_EQ(none.status, kAllWell);
  EXPECT_NE(none.err.find("slip.toml: holds no rules"), std::string::npos) << none.err;
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
