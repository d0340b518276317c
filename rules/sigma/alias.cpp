// One function for each family of log sources. Sources: the rules of SigmaHQ beside the vendors' own records.
#include "rules/sigma/alias.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

class Places {
 public:
  void add(std::string name, std::string member = {}) {
    Place place{std::move(name), std::move(member)};
    if (std::find(list_.begin(), list_.end(), place) == list_.end()) list_.push_back(std::move(place));
  }
  [[nodiscard]] std::vector<Place> take() && { return std::move(list_); }

 private:
  std::vector<Place> list_;
};

struct Pair {
  std::string_view field;
  std::string_view place;
};
void add_pairs(std::span<const Pair> pairs, std::string_view field, Places& out) {
  for (const Pair& pair : pairs) {
    if (pair.field == field) out.add(std::string(pair.place));
  }
}

// Every part of a path with its first letter in lower or upper case.
std::string with_first_letters(std::string_view field, bool upper) {
  std::string out(field);
  bool first = true;
  for (char& c : out) {
    if (first && c >= 'A' && c <= 'Z' && !upper) c = static_cast<char>(c + 32);
    else if (first && c >= 'a' && c <= 'z' && upper) c = static_cast<char>(c - 32);
    first = c == '.';
  }
  return out;
}

// "method_name" → "methodName"
std::string camel_case(std::string_view snake) {
  std::string out;
  bool upper = false;
  for (const char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    upper = false;
  }
  return out;
}

// "ThreatName" → "Threat Name"
std::string with_blanks(std::string_view field) {
  std::string out;
  for (const char c : field) {
    const bool starts = c >= 'A' && c <= 'Z' && !out.empty() && out.back() >= 'a' && out.back() <= 'z';
    if (starts) out += ' ';
    out += c;
  }
  return out;
}

// Azure Monitor writes tables with capital letters, its raw records small ones, most of them below `properties`.
void azure(std::string_view field, Places& out) {
  static constexpr std::string_view kBelow = "properties.";
  const auto cases = [&](std::string_view name) {
    out.add(std::string(name));
    out.add(with_first_letters(name, false));
    out.add(with_first_letters(name, true));
  };
  struct Family {
    std::array<std::string_view, 2> of;  // the rule's field, whatever the case of its first letter
    std::array<std::string_view, 4> places;
  };
  static constexpr Family kFamilies[] = {
      {{"operationName", "operationNameValue"}, {"operationName.value", "operationName", "operationNameValue", "activityDisplayName"}},
      {{"category", "categoryValue"}, {"category.value", "category", "categoryValue", ""}},
      {{"resourceProviderValue", ""}, {"resourceProviderName.value", "resourceProviderName", "resourceProviderValue", "resourceProvider"}},
      {{"properties.message", ""}, {"properties.message", "activityDisplayName", "operationName.value", "operationName"}},
      {{"resultdescription", ""}, {"resultDescription", "", "", ""}},
      {{"initiatedby", "initiatied.By"}, {"initiatedBy", "", "", ""}},
      {{"deviceDetail.trusttype", ""}, {"deviceDetail.trustType", "", "", ""}},
      {{"callerIpAddress", "ipAddress"}, {"callerIpAddress", "ipAddress", "IPAddress", ""}},
      {{"username", ""}, {"userPrincipalName", "", "", ""}},
      {{"clientApp", ""}, {"clientAppUsed", "", "", ""}},
      {{"activityType", "activityDisplayName"}, {"activityDisplayName", "operationName.value", "operationName", ""}},
  };
  const std::string small = with_first_letters(field, false);
  const Family* family = nullptr;
  for (const Family& one : kFamilies) {
    for (const std::string_view name : one.of) {
      if (!name.empty() && with_first_letters(name, false) == small) family = &one;
    }
  }
  std::vector<std::string> names;
  // An object {value, localizedValue} must be met before the member that holds it.
  if (family == nullptr || !family->places[0].ends_with(".value")) names.emplace_back(field);
  for (std::size_t i = 0; family != nullptr && i < family->places.size(); ++i) {
    if (!family->places[i].empty()) names.emplace_back(family->places[i]);
  }
  names.emplace_back(field);
  for (const std::string& name : names) cases(name);
  for (const std::string& name : names) {
    if (to_lower(name).starts_with(kBelow)) cases(std::string_view(name).substr(kBelow.size()));
    else cases(std::string(kBelow) + name);
  }
}

void gcp_audit(std::string_view field, Places& out) {
  static constexpr std::string_view kTaxonomy = "gcp.audit.";
  static constexpr std::string_view kExported = "data.";
  static constexpr std::string_view kPayload = "protoPayload.";
  out.add(std::string(field));
  if (field.starts_with(kTaxonomy)) {
    const std::string name = std::string(kPayload) + camel_case(field.substr(kTaxonomy.size()));
    out.add(name);
    out.add(std::string(kExported) + name);
  } else if (field.starts_with(kExported)) {
    const std::string_view inner = field.substr(kExported.size());
    out.add(std::string(inner));
    if (inner.starts_with(kPayload)) out.add(std::string(inner.substr(kPayload.size())));
  } else if (field.starts_with(kPayload)) {
    out.add(std::string(kExported) + std::string(field));
  }
}

// Workspace speaks two forms: its own (events with parameters) and that of Cloud Logging (protoPayload.metadata).
void workspace(std::string_view field, Places& out) {
  static constexpr Pair kPairs[] = {
      {"eventService", "protoPayload.serviceName"},
      {"eventService", "id.applicationName"},
      {"eventName", "protoPayload.metadata.event.eventName"},
      {"eventName", "events.name"},
      {"protoPayload.metadata.event.eventName", "events.name"},
      {"protoPayload.Servicename", "protoPayload.serviceName"},
      {"protoPayload.serviceName", "id.applicationName"},
  };
  out.add(std::string(field));
  add_pairs(kPairs, field, out);
  if (field.find('.') != std::string_view::npos || field.starts_with("event")) return;
  std::string upper(field);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  for (const char* const list : {"events.parameters", "protoPayload.metadata.event.parameter"}) {
    out.add(list, upper);
    out.add(list, std::string(field));
  }
}

// Alerts of the compliance center are named one way in rules and another in the unified audit log.
void m365(std::string_view field, Places& out) {
  static constexpr Pair kPairs[] = {
      {"eventSource", "Workload"}, {"eventSource", "Source"},      {"eventName", "Name"},
      {"eventName", "Operation"},  {"status", "Status"},           {"status", "ResultStatus"},
  };
  out.add(std::string(field));
  add_pairs(kPairs, field, out);
}

void kubernetes(std::string_view field, Places& out) {
  static constexpr Pair kPairs[] = {
      {"apiGroup", "objectRef.apiGroup"},
      {"hostPath", "requestObject.spec.volumes.hostPath"},
      {"hostPath", "requestObject.spec.template.spec.volumes.hostPath"},
      {"capabilities", "requestObject.spec.containers.securityContext.capabilities"},
      {"capabilities", "requestObject.spec.template.spec.containers.securityContext.capabilities"},
  };
  out.add(std::string(field));
  add_pairs(kPairs, field, out);
}

// Security 4688 has names of its own for what Sysmon calls Image.
void process_creation(std::string_view field, Places& out) {
  static constexpr Pair kPairs[] = {{"Image", "NewProcessName"}, {"ParentImage", "ParentProcessName"}};
  out.add(std::string(field));
  add_pairs(kPairs, field, out);
}

// Defender's names have blanks, which the specification drops.
void defender(std::string_view field, Places& out) {
  static constexpr Pair kPairs[] = {{"Signature", "ThreatName"}, {"Signature", "Threat Name"}, {"Filename", "Path"}};
  out.add(std::string(field));
  out.add(with_blanks(field));
  add_pairs(kPairs, field, out);
}

}  // namespace

std::vector<Place> places(std::string_view product, std::string_view category, std::string_view service, std::string_view field) {
  Places out;
  if (product == "azure") azure(field, out);
  else if (product == "gcp" && service.starts_with("google_workspace")) workspace(field, out);
  else if (product == "gcp") gcp_audit(field, out);
  else if (product == "m365" && service != "audit") m365(field, out);
  else if (product == "kubernetes") kubernetes(field, out);
  else if (product == "windows" && category == "process_creation") process_creation(field, out);
  else if (category == "antivirus" || service == "windefend") defender(field, out);
  else out.add(std::string(field));
  if (product == "aws" && field == "src_ip") out.add("sourceIPAddress");
  return std::move(out).take();
}

}  // namespace tocsin::rules::sigma
