// Log sources told from events, Windows events made flat, placeholder tables, rule files on disk.
#include <gtest/gtest.h>

#include <fstream>

#include <unistd.h>

#include "rules/sigma/source.hpp"
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

TEST(Source, IsToldFromTheEventsMembers) {
  struct Row { const char* event; const char* want; };
  const Row rows[] = {
      {R"({"eventVersion":"1","eventSource":"s3","eventName":"x"})", "aws//cloudtrail"},
      {R"({"protoPayload":{"@type":"x","methodName":"y"}})", "gcp//gcp.audit"},
      {R"({"kind":"admin#reports#activity"})", "gcp//google_workspace.admin"},
      {R"({"kind":"Event","apiVersion":"audit.k8s.io/v1"})", "kubernetes//audit"},
      {R"({"uuid":"1","published":"2","eventType":"3","actor":{}})", "okta//okta"},
      {R"({"RecordType":1,"Workload":"Exchange","Operation":"x"})", "m365//audit"},
      {R"({"operationName":"x","category":"SignInLogs","resourceId":"y"})", "azure//signinlogs"},
      {R"({"Channel":"Security","EventID":4625})", "windows//security"},
      {R"({"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":"1"})", "windows/process_creation/sysmon"},
      {R"({"Channel":"Security","EventID":4688})", "windows/process_creation/security"},
      {R"({"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":13})", "windows/registry_set/sysmon"},
      {R"({"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":12,"EventType":"CreateKey"})", "windows/registry_add/sysmon"},
      {R"({"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":12,"EventType":"DeleteValue"})", "windows/registry_delete/sysmon"},
      {R"({"Event":{"System":{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":12},"EventData":{"EventType":"DeleteKey"}}})", "windows/registry_delete/sysmon"},
      {R"({"Channel":"Microsoft-Windows-PowerShell/Operational","EventID":4104})", "windows/ps_script/powershell"},
      {R"({"Channel":"Windows PowerShell","EventID":600})", "windows/ps_classic_provider_start/powershell-classic"},
      {R"({"Channel":"Microsoft-Windows-Windows Defender/Operational","EventID":1116})", "windows/antivirus/windefend"},
      {R"({"Channel":"Microsoft-Windows-AppLocker/EXE and DLL","EventID":8004})", "windows//applocker"},
      {R"({"RecordType":40,"Workload":"SecurityComplianceCenter","Operation":"AlertTriggered"})", "m365//"},
      {R"({"operationName":"x","category":"UserRiskEvents","resourceId":"y"})", "azure//riskdetection"},
      {R"({"auditType":{"category":"Projects","action":"x"}})", "bitbucket//audit"},
      {R"({"protoPayload":{"serviceName":"admin.googleapis.com"}})", "gcp//google_workspace.admin"},
      {R"({"Event":{"System":{"Channel":"System","EventID":{"#text":7045}}}})", "windows//system"},
      {R"({"actor":"a","action":"read","operation":"SELECT","outcome":"success"})", "/data_access/"},
      {R"({"anything":1})", "//"},
      {R"([1])", "//"},
  };
  for (const Row& row : rows) {
    Arena arena;
    const LogSource source = recognise_source(*parse_json(row.event, arena));
    EXPECT_EQ(std::string(source.product) + "/" + std::string(source.category) + "/" + std::string(source.service), row.want) << row.event;
  }
}

TEST(Source, NarrowCategoriesReachRulesOfTheWideOne) {
  const auto rule = [](const char* source) { return load_text("title: T\nlogsource: {" + std::string(source) + "}\ndetection: {s: {f: 1}, condition: s}\n"); };
  struct Row { const char* rule; LogSource event; std::size_t want; };
  const Row rows[] = {
      {"product: windows, category: registry_event", {"windows", "registry_set", "sysmon"}, 1},
      {"product: windows, category: registry_event", {"windows", "registry_delete", {}}, 1},
      {"product: windows, category: registry_set", {"windows", "registry_set", "sysmon"}, 1},
      {"product: windows, category: registry_set", {"windows", "registry_add", "sysmon"}, 0},
      {"product: windows, category: registry_set", {"windows", "registry_event", "sysmon"}, 0},
      {"product: windows, category: file_delete", {"windows", "file_delete_detected", "sysmon"}, 1},
      {"product: windows, category: file_delete", {"windows", "file_delete_logged", "sysmon"}, 0},
      {"product: windows, category: process_creation", {"windows", "process_creation", "security"}, 1},
      {"product: windows, service: security", {"windows", "process_creation", "security"}, 1},
      {"product: windows, service: sysmon", {"windows", "process_creation", "security"}, 0},
      {"category: antivirus", {"windows", "antivirus", "windefend"}, 1},
  };
  for (const Row& row : rows) {
    const Loaded loaded = rule(row.rule);
    EXPECT_EQ(matches(loaded, R"({"f":1})", {"windows", "file_delete_logged", {}}), 0U + (std::string_view(row.rule).find("service") != std::string_view::npos ? 1U : 0U)) << "a category that no rule names, asked first";
    EXPECT_EQ(matches(loaded, R"({"f":1})", row.event), row.want) << row.rule << " / " << row.event.category;
  }
}

TEST(Source, WindowsEventsBecomeFlat) {
  Arena arena;
  const auto root = parse_json(
      R"({"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"P","Guid":"G"}},"EventID":{"#attributes":{"Qualifiers":0},"#text":4625},"Channel":"Security"},)"
      R"("EventData":{"TargetUserName":"bob","Threat Name":"T"},"UserData":{"Inner":{"#attributes":{"a":1},"Param":"v"}}}})",
      arena);
  std::string flat;
  write_json(flatten_windows(*root, arena), flat);
  EXPECT_EQ(flat, R"({"Provider_Name":"P","Provider_Guid":"G","EventID_Qualifiers":0,"EventID":4625,"Channel":"Security","TargetUserName":"bob","Threat Name":"T","ThreatName":"T","Param":"v"})");
  std::string added;
  write_json(flatten_windows(*parse_json(R"({"Channel":"c","EventID":1,"Threat Name":"T"})", arena), arena), added);
  EXPECT_EQ(added, R"({"Channel":"c","EventID":1,"Threat Name":"T","ThreatName":"T"})");
  std::string same;
  write_json(flatten_windows(*parse_json(R"({"a":1})", arena), arena), same);
  EXPECT_EQ(same, R"({"a":1})");
}

TEST(Placeholders, AreAMapOfNamesToValues) {
  const auto tables = parse_placeholders("admins: [alice, 'bob*']\nhost: db1\n", "p.yml");
  ASSERT_TRUE(tables.has_value());
  EXPECT_EQ(tables->at("admins"), (std::vector<std::string>{"alice", "bob*"}));
  EXPECT_EQ(tables->at("host"), std::vector<std::string>{"db1"});
  for (const char* bad : {"- a\n", "a: {b: c}\n", "a: [[1]]\n", "a: [\n"}) {
    const auto refused = parse_placeholders(bad, "p.yml");
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_TRUE(refused.error().where.starts_with("p.yml:")) << bad;
  }
}

TEST(Files, AreReadInOrderWithoutWhatIsNoRule) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("tocsin_sigma_files_" + std::to_string(::getpid()));
  fs::create_directories(folder / "sub");
  for (const char* name : {"b.yml", "a.yaml", "sub/c.YML", "pack.yml", "a.samples.ndjson", "README.md"}) std::ofstream(folder / name) << name;
  const auto sources = read_rule_files({&folder, 1});
  ASSERT_TRUE(sources.has_value());
  std::vector<std::string> texts;
  for (const RuleSource& source : *sources) texts.push_back(source.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"a.yaml", "b.yml", "sub/c.YML"}));
  const fs::path again[] = {folder / "b.yml", folder, folder / "sub" / ".." / "b.yml"};
  EXPECT_EQ(read_rule_files(again).value().size(), 3U) << "a file named twice is read once";
  const fs::path missing = folder / "missing";
  const auto refused = read_rule_files({&missing, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::kNotFound);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tocsin::rules::sigma
