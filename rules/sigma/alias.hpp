// Rules and raw logs do not always call a field by the same name: a rule for Azure says ResultType where the log says
// properties.resultType, a rule for Google Cloud says gcp.audit.method_name where it says protoPayload.methodName. The
// table says, for each log source, where else the field of a rule is to be looked for.
//
// Only the rule's log source counts, not the event's, so that what a rule means never depends on the event.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::rules::sigma {

// A place where a field may be. Places are tried in order and the first that is there counts, even if it is null.
struct Place {
  std::string name;    // as fields are looked up: literal name, then path
  std::string member;  // not empty: `name` is a list of {"name": …, "value": …}, and the value under this name is meant
  friend bool operator==(const Place&, const Place&) = default;
};

// The places of `field` for rules of this log source (in lower case), the field's own name among them. Just that one
// for fields that have no other.
[[nodiscard]] std::vector<Place> places(std::string_view product, std::string_view category, std::string_view service, std::string_view field);

}  // namespace tocsin::rules::sigma
