// A rule's field is found wherever logs of its log source keep it.
#include "rules/sigma/alias.hpp"
#include "sigma_testing.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string rule(const std::string& source, const std::string& item) {
  return "title: T\nlogsource: {" + source + "}\ndetection:\n  s: {" + item + "}\n  condition: s\n";
}

TEST(Aliases, FindTheFieldOfRawLogs) {
  struct Row { const char* source; const char* item; const char* event; };
  const Row rows[] = {
      {"product: gcp, service: gcp.audit", "gcp.audit.method_name: a.b", R"({"protoPayload":{"methodName":"a.b"}})"},
      {"product: gcp, service: gcp.audit", "gcp.audit.method_name: a.b", R"({"data":{"protoPayload":{"methodName":"a.b"}}})"},
      {"product: gcp, service: gcp.audit", "gcp.audit.method_name: a.b", R"({"gcp":{"audit":{"method_name":"a.b"}}})"},
      {"product: gcp, service: gcp.audit", "data.protoPayload.authorizationInfo.granted: 'true'", R"({"protoPayload":{"authorizationInfo":[{"granted":false},{"granted":true}]}})"},
      {"product: gcp, service: gcp.audit", "data.protoPayload.logName|contains: x", R"({"logName":"axb"})"},
      {"product: gcp, service: gcp.audit", "protoPayload.methodName: m", R"({"data":{"protoPayload":{"methodName":"m"}}})"},
      {"product: gcp, service: google_workspace.admin", "eventName: GRANT", R"({"events":[{"name":"X"},{"name":"GRANT"}]})"},
      {"product: gcp, service: google_workspace.admin", "eventService: admin.googleapis.com", R"({"protoPayload":{"serviceName":"admin.googleapis.com"}})"},
      {"product: gcp, service: google_workspace.admin", "setting_name|startswith: Context, new_value: off",
       R"({"events":[{"name":"X","parameters":[{"name":"SETTING_NAME","value":"ContextAware"},{"name":"NEW_VALUE","value":"off"}]}]})"},
      {"product: gcp, service: google_workspace.admin", "setting_name: a", R"({"protoPayload":{"metadata":{"event":[{"parameter":[{"name":"SETTING_NAME","value":"a"}]}]}}})"},
      {"product: gcp, service: google_workspace.login", "protoPayload.Servicename: login.googleapis.com", R"({"protoPayload":{"serviceName":"login.googleapis.com"}})"},
      {"product: azure, service: activitylogs", "operationName: W/DELETE", R"({"operationName":{"value":"W/DELETE","localizedValue":"Delete"}})"},
      {"product: azure, service: activitylogs", "operationName: W/DELETE", R"({"OperationNameValue":"W/DELETE"})"},
      {"product: azure, service: activitylogs", "OperationNameValue: W/DELETE", R"({"operationName":"W/DELETE"})"},
      {"product: azure, service: activitylogs", "CategoryValue: Administrative", R"({"category":{"value":"Administrative"}})"},
      {"product: azure, service: activitylogs", "ResourceProviderValue: X", R"({"resourceProviderName":{"value":"X"}})"},
      {"product: azure, service: auditlogs", "properties.message: Add user", R"({"activityDisplayName":"Add user"})"},
      {"product: azure, service: auditlogs", "properties.message: Add user", R"({"properties":{"activityDisplayName":"Add user"}})"},
      {"product: azure, service: auditlogs", "TargetResources.ModifiedProperties.NewValue|contains: x", R"({"properties":{"targetResources":[{"modifiedProperties":[{"newValue":"axb"}]}]}})"},
      {"product: azure, service: signinlogs", "ResultType: 50057", R"({"properties":{"resultType":"50057"}})"},
      {"product: azure, service: signinlogs", "resultType: 50057", R"({"ResultType":50057})"},
      {"product: azure, service: signinlogs", "DeviceDetail.trusttype: ''", R"({"properties":{"deviceDetail":{"trustType":""}}})"},
      {"product: azure, service: signinlogs", "properties.authenticationRequirement: s", R"({"AuthenticationRequirement":"s"})"},
      {"product: azure, service: riskdetection", "riskEventType: x", R"({"properties":{"riskEventType":"x"}})"},
      {"product: m365, service: threat_management", "eventSource: SecurityComplianceCenter, eventName: n, status: success", R"({"Workload":"SecurityComplianceCenter","Name":"n","ResultStatus":"Success"})"},
      {"product: kubernetes, service: audit", "apiGroup: a", R"({"objectRef":{"apiGroup":"a"}})"},
      {"product: kubernetes, service: audit", "hostPath: '*'", R"({"requestObject":{"spec":{"volumes":[{"name":"a"},{"hostPath":{"path":"/"}}]}}})"},
      {"product: aws, service: cloudtrail", "src_ip|cidr: 10.0.0.0/8", R"({"sourceIPAddress":"10.1.2.3"})"},
      {"product: windows, category: process_creation", "Image|endswith: \\cmd.exe", R"({"NewProcessName":"C:\\cmd.exe"})"},
      {"product: windows, category: process_creation", "ParentImage|endswith: \\cmd.exe", R"({"ParentProcessName":"C:\\cmd.exe"})"},
      {"product: windows, service: windefend", "ThreatName: x", R"({"Threat Name":"x"})"},
      {"category: antivirus", "Signature: x, Filename: y", R"({"ThreatName":"x","Path":"y"})"},
  };
  for (const Row& row : rows) {
    const Loaded loaded = load_text(rule(row.source, row.item));
    EXPECT_EQ(matches(loaded, row.event), 1U) << row.item << "\n" << row.event << "\n" << canonical(loaded);
  }
}

TEST(Aliases, OnlyCountWhereTheFieldIsMissing) {
  const Loaded loaded = load_text(rule("product: windows, category: process_creation", "Image: a"));
  EXPECT_EQ(matches(loaded, R"({"Image":"b","NewProcessName":"a"})"), 0U);
  EXPECT_EQ(matches(loaded, R"({"Image":null,"NewProcessName":"a"})"), 0U) << "null is there";
  EXPECT_EQ(matches(loaded, R"({"NewProcessName":"a","ParentProcessName":"b"})"), 1U);
  const Loaded absent = load_text(rule("product: windows, category: process_creation", "Image: null, ParentImage|exists: true"));
  EXPECT_EQ(matches(absent, R"({"ParentProcessName":"b"})"), 1U);
  EXPECT_EQ(matches(absent, R"({"NewProcessName":"a","ParentProcessName":"b"})"), 0U);
}

TEST(Aliases, BelongToTheRulesLogSource) {
  EXPECT_EQ(matches(load_text(rule("product: linux, category: process_creation", "Image: a")), R"({"NewProcessName":"a"})"), 0U);
  EXPECT_EQ(places("linux", "process_creation", "", "Image").size(), 1U);
  EXPECT_EQ(places("aws", "", "cloudtrail", "eventName"), std::vector<Place>{(Place{"eventName", ""})});
  for (const char* const field : {"operationName", "ResultType", "x.y"}) {  // no field loses its own name
    const std::vector<Place> all = places("azure", "", "signinlogs", field);
    EXPECT_NE(std::find(all.begin(), all.end(), Place{field, ""}), all.end()) << field;
  }
}

}  // namespace
}  // namespace tocsin::rules::sigma
