// Tables of what tells log sources apart.
#include "rules/sigma/source.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string_view text_of(const Value& value) noexcept {
  return value.kind() == Kind::kString ? value.as_string() : std::string_view();
}

std::int64_t number_of_event(const Value& id) noexcept {
  if (id.kind() == Kind::kInt) return id.as_int();
  std::int64_t number = -1;
  const std::string_view text = text_of(id);
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct Channel {
  std::string_view name;
  std::string_view service;
};
// Channels of the services that Sigma names (appendix "taxonomy" and the rules of SigmaHQ).
constexpr std::array kChannels = {
    Channel{"Security", "security"},
    Channel{"System", "system"},
    Channel{"Application", "application"},
    Channel{"Microsoft-Windows-Sysmon/Operational", "sysmon"},
    Channel{"Microsoft-Windows-PowerShell/Operational", "powershell"},
    Channel{"PowerShellCore/Operational", "powershell"},
    Channel{"Windows PowerShell", "powershell-classic"},
    Channel{"Microsoft-Windows-Windows Defender/Operational", "windefend"},
    Channel{"Microsoft-Windows-TaskScheduler/Operational", "taskscheduler"},
    Channel{"Microsoft-Windows-WMI-Activity/Operational", "wmi"},
    Channel{"Microsoft-Windows-NTLM/Operational", "ntlm"},
    Channel{"DNS Server", "dns-server"},
    Channel{"Microsoft-Windows-DNS-Server/Audit", "dns-server-audit"},
    Channel{"Microsoft-Windows-DNS-Server/Analytical", "dns-server-analytic"},
    Channel{"Microsoft-Windows-DNS-Client/Operational", "dns-client"},
    Channel{"Microsoft-Windows-DNS Client Events/Operational", "dns-client"},
    Channel{"Microsoft-Windows-DHCP-Server/Operational", "dhcp"},
    Channel{"Microsoft-Windows-Bits-Client/Operational", "bits-client"},
    Channel{"Microsoft-Windows-CodeIntegrity/Operational", "codeintegrity-operational"},
    Channel{"Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as"},
    Channel{"Microsoft-Windows-AppLocker/MSI and Script", "applocker"},
    Channel{"Microsoft-Windows-AppLocker/EXE and DLL", "applocker"},
    Channel{"Microsoft-Windows-AppLocker/Packaged app-Deployment", "applocker"},
    Channel{"Microsoft-Windows-AppLocker/Packaged app-Execution", "applocker"},
    Channel{"MSExchange Management", "msexchange-management"},
    Channel{"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", "terminalservices-localsessionmanager"},
    Channel{"Microsoft-Windows-LDAP-Client/Debug", "ldap"},
    Channel{"Microsoft-Windows-LSA/Operational", "lsa-server"},
    Channel{"OpenSSH/Operational", "openssh"},
    Channel{"Microsoft-Windows-PrintService/Admin", "printservice-admin"},
    Channel{"Microsoft-Windows-PrintService/Operational", "printservice-operational"},
    Channel{"Microsoft-Windows-SmbClient/Security", "smbclient-security"},
    Channel{"Microsoft-Windows-SmbClient/Connectivity", "smbclient-connectivity"},
    Channel{"Microsoft-Windows-SMBServer/Connectivity", "smbserver-connectivity"},
    Channel{"Microsoft-Windows-Security-Mitigations/Kernel Mode", "security-mitigations"},
    Channel{"Microsoft-Windows-Security-Mitigations/User Mode", "security-mitigations"},
    Channel{"Microsoft-Windows-Shell-Core/Operational", "shell-core"},
    Channel{"Microsoft-Windows-VHDMP/Operational", "vhdmp"},
    Channel{"Microsoft-Windows-BitLocker/BitLocker Management", "bitlocker"},
    Channel{"Microsoft-Windows-CAPI2/Operational", "capi2"},
    Channel{"Microsoft-Windows-SENSE/Operational", "sense"},
    Channel{"Microsoft-Windows-Ntfs/Operational", "ntfs"},
    Channel{"Microsoft-Windows-Hyper-V-Worker", "hyper-v-worker"},
    Channel{"Microsoft-Windows-Kernel-EventTracing", "kernel-event-tracing"},
    Channel{"Microsoft-Windows-Kernel-ShimEngine/Operational", "kernel-shimengine"},
    Channel{"Microsoft-Windows-Kernel-ShimEngine/Diagnostic", "kernel-shimengine"},
    Channel{"Microsoft-Windows-Application-Experience/Program-Telemetry", "application-experience"},
    Channel{"Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant", "application-experience"},
    Channel{"Microsoft-Windows-AppXDeploymentServer/Operational", "appxdeployment-server"},
    Channel{"Microsoft-Windows-AppxPackaging/Operational", "appxpackaging-om"},
    Channel{"Microsoft-Windows-AppModel-Runtime/Admin", "appmodel-runtime"},
    Channel{"Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational", "certificateservicesclient-lifecycle-system"},
    Channel{"Microsoft-Windows-Diagnosis-Scripted/Operational", "diagnosis-scripted"},
    Channel{"Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework"},
    Channel{"Microsoft-ServiceBus-Client", "microsoft-servicebus-client"},
    Channel{"Microsoft-ServiceBus-Client/Admin", "microsoft-servicebus-client"},
    Channel{"Microsoft-ServiceBus-Client/Operational", "microsoft-servicebus-client"},
    Channel{"Microsoft-IIS-Configuration/Operational", "iis-configuration"},
};

// Which category an event of a service is. 12 is left to its EventType.
struct Category {
  std::string_view service;
  std::int64_t id;
  std::string_view category;
};
constexpr std::array kCategories = {
    Category{"sysmon", 1, "process_creation"},
    Category{"sysmon", 2, "file_change"},
    Category{"sysmon", 3, "network_connection"},
    Category{"sysmon", 4, "sysmon_status"},
    Category{"sysmon", 5, "process_termination"},
    Category{"sysmon", 6, "driver_load"},
    Category{"sysmon", 7, "image_load"},
    Category{"sysmon", 8, "create_remote_thread"},
    Category{"sysmon", 9, "raw_access_thread"},
    Category{"sysmon", 10, "process_access"},
    Category{"sysmon", 11, "file_event"},
    Category{"sysmon", 12, "registry_event"},
    Category{"sysmon", 13, "registry_set"},
    Category{"sysmon", 14, "registry_rename"},
    Category{"sysmon", 15, "create_stream_hash"},
    Category{"sysmon", 16, "sysmon_status"},
    Category{"sysmon", 17, "pipe_created"},
    Category{"sysmon", 18, "pipe_created"},
    Category{"sysmon", 19, "wmi_event"},
    Category{"sysmon", 20, "wmi_event"},
    Category{"sysmon", 21, "wmi_event"},
    Category{"sysmon", 22, "dns_query"},
    Category{"sysmon", 23, "file_delete"},
    Category{"sysmon", 24, "clipboard_capture"},
    Category{"sysmon", 25, "process_tampering"},
    Category{"sysmon", 26, "file_delete_detected"},
    Category{"sysmon", 27, "file_block_executable"},
    Category{"sysmon", 28, "file_block_shredding"},
    Category{"sysmon", 29, "file_executable_detected"},
    Category{"sysmon", 255, "sysmon_error"},
    Category{"security", 4688, "process_creation"},
    Category{"powershell", 4103, "ps_module"},
    Category{"powershell", 4104, "ps_script"},
    Category{"powershell-classic", 400, "ps_classic_start"},
    Category{"powershell-classic", 600, "ps_classic_provider_start"},
    Category{"powershell-classic", 800, "ps_classic_script"},
    Category{"windefend", 1006, "antivirus"},
    Category{"windefend", 1007, "antivirus"},
    Category{"windefend", 1008, "antivirus"},
    Category{"windefend", 1009, "antivirus"},
    Category{"windefend", 1010, "antivirus"},
    Category{"windefend", 1011, "antivirus"},
    Category{"windefend", 1012, "antivirus"},
    Category{"windefend", 1017, "antivirus"},
    Category{"windefend", 1018, "antivirus"},
    Category{"windefend", 1019, "antivirus"},
    Category{"windefend", 1115, "antivirus"},
    Category{"windefend", 1116, "antivirus"},
};

// `data` holds what the event says of itself.
LogSource windows(std::string_view channel, std::int64_t id, const Value& data) noexcept {
  LogSource source{"windows", {}, {}};
  for (const Channel& known : kChannels) {
    if (iequals(known.name, channel)) source.service = known.service;
  }
  for (const Category& known : kCategories) {
    if (known.id == id && known.service == source.service) source.category = known.category;
  }
  if (source.category == "registry_event") {
    const std::string_view type = text_of(data.get("EventType"));
    if (iequals(type, "CreateKey")) source.category = "registry_add";
    if (iequals(type, "DeleteKey") || iequals(type, "DeleteValue")) source.category = "registry_delete";
  }
  return source;
}

bool has(const Value& root, std::initializer_list<std::string_view> names) noexcept {
  return std::all_of(names.begin(), names.end(), [&](std::string_view name) { return root.get(name).present(); });
}

// Collects the flat members of a Windows event.
class Flat {
 public:
  explicit Flat(Arena& arena) : arena_(arena) {}

  void add(std::string_view name, const Value& value) {
    fields_.push_back({name, value});
    if (name.find(' ') == std::string_view::npos) return;
    std::string stripped(name);
    stripped.erase(std::remove(stripped.begin(), stripped.end(), ' '), stripped.end());
    fields_.push_back({arena_.copy(stripped), value});
  }
  void attributes(std::string_view name, const Value& attributes) {
    if (attributes.kind() != Kind::kObject) return;
    for (const Field& attribute : attributes.fields()) {
      add(arena_.copy(std::string(name) + '_' + std::string(attribute.key)), attribute.value);
    }
  }
  void system(const Value& system) {
    if (system.kind() != Kind::kObject) return;
    for (const Field& member : system.fields()) {
      if (member.value.kind() != Kind::kObject) {
        add(member.key, member.value);
        continue;
      }
      attributes(member.key, member.value.get("#attributes"));
      if (member.value.get("#text").present()) add(member.key, member.value.get("#text"));
    }
  }
  // The leaves of EventData and UserData by their names; UserData has one object in between.
  void members(const Value& data, int depth) {
    if (data.kind() != Kind::kObject || depth > 4) return;
    for (const Field& member : data.fields()) {
      if (member.key == "#attributes") continue;
      if (member.value.kind() != Kind::kObject) add(member.key, member.value);
      else if (member.value.get("#text").present()) add(member.key, member.value.get("#text"));
      else members(member.value, depth + 1);
    }
  }
  [[nodiscard]] Value done() {
    const auto kept = arena_.make<Field>(fields_.size());
    std::copy(fields_.begin(), fields_.end(), kept.begin());
    return Value::object(kept);
  }

 private:
  Arena& arena_;
  std::vector<Field> fields_;
};

// Adds names without their blanks beside those that have some.
Value without_blanks(const Value& root, Arena& arena) {
  const auto blank = [](const Field& member) { return member.key.find(' ') != std::string_view::npos; };
  if (std::none_of(root.fields().begin(), root.fields().end(), blank)) return root;
  Flat flat(arena);
  for (const Field& member : root.fields()) flat.add(member.key, member.value);
  return flat.done();
}

}  // namespace

LogSource recognise_source(const Value& root) noexcept {
  if (root.kind() != Kind::kObject) return {};
  if (has(root, {"eventVersion", "eventSource", "eventName"})) return {"aws", {}, "cloudtrail"};
  if (const Value payload = root.get("protoPayload"); payload.present()) {
    const std::string_view service = text_of(payload.get("serviceName"));
    if (service == "login.googleapis.com") return {"gcp", {}, "google_workspace.login"};
    if (service == "admin.googleapis.com") return {"gcp", {}, "google_workspace.admin"};
    return {"gcp", {}, "gcp.audit"};
  }
  if (text_of(root.get("kind")) == "admin#reports#activity") return {"gcp", {}, "google_workspace.admin"};
  if (text_of(root.get("apiVersion")).starts_with("audit.k8s.io/")) return {"kubernetes", {}, "audit"};
  if (has(root, {"uuid", "published", "eventType", "actor"})) return {"okta", {}, "okta"};
  if (has(root, {"RecordType", "Workload", "Operation"})) {
    // Its alerts are what rules for threat_management and threat_detection look for.
    if (text_of(root.get("Workload")) == "SecurityComplianceCenter") return {"m365", {}, {}};
    return {"m365", {}, "audit"};
  }
  if (const Value event = root.get("Event"); event.get("System").present()) {
    const Value id = event.get("System").get("EventID");
    return windows(text_of(event.get("System").get("Channel")), number_of_event(id.kind() == Kind::kObject ? id.get("#text") : id), event.get("EventData"));
  }
  if (has(root, {"Channel", "EventID"})) return windows(text_of(root.get("Channel")), number_of_event(root.get("EventID")), root);
  if (has(root, {"operationName", "category", "resourceId"})) {
    const std::string_view category = text_of(root.get("category"));
    if (iequals(category, "SignInLogs") || iequals(category, "NonInteractiveUserSignInLogs")) return {"azure", {}, "signinlogs"};
    if (iequals(category, "AuditLogs")) return {"azure", {}, "auditlogs"};
    if (iequals(category, "UserRiskEvents") || iequals(category, "ServicePrincipalRiskEvents") || iequals(category, "RiskyUsers")) {
      return {"azure", {}, "riskdetection"};
    }
    return {"azure", {}, "activitylogs"};
  }
  if (has(root, {"action", "actor", "_document_id"})) return {"github", {}, "audit"};
  if (root.get("auditType").get("category").present()) return {"bitbucket", {}, "audit"};
  if (has(root, {"event_type_id", "account_id"})) return {"onelogin", {}, "onelogin.events"};
  if (has(root, {"logtype", "node_id", "logdata"})) return {"opencanary", "application", {}};
  if (has(root, {"actor", "action", "operation", "outcome"})) return {{}, "data_access", {}};
  return {};
}

Value flatten_windows(const Value& root, Arena& arena) {
  const Value event = root.get("Event");
  if (!event.get("System").present()) return has(root, {"Channel", "EventID"}) ? without_blanks(root, arena) : root;
  Flat flat(arena);
  flat.system(event.get("System"));
  flat.members(event.get("EventData"), 0);
  flat.members(event.get("UserData"), 0);
  return flat.done();
}

}  // namespace tocsin::rules::sigma
