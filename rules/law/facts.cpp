// Facts, and the reading of a facts document.
#include "rules/law/facts.hpp"

#include "rules/base/text.hpp"
#include "rules/law/yaml.hpp"

namespace tocsin::rules::law {
namespace {

using yaml::bad;

Count read_count(const YAML::Node& node, std::string_view what) {
  Count count;
  if (node.IsScalar()) {
    count.at_least = yaml::number(node, what);
    count.at_most = count.at_least;
    return count;
  }
  yaml::only_keys(node, {"at_least", "at_most"}, what);
  if (node["at_least"]) count.at_least = yaml::number(node["at_least"], "'at_least'");
  if (node["at_most"] && !node["at_most"].IsNull()) count.at_most = yaml::number(node["at_most"], "'at_most'");
  if (count.at_most && *count.at_most < count.at_least) bad(node, "'at_most' is below 'at_least'");
  return count;
}

bool read_bool(const YAML::Node& node, std::string_view what) {
  if (!node || node.IsNull()) return false;
  const auto value = node.IsScalar() ? tri_from(node.Scalar()) : std::nullopt;
  if (!value || *value == Tri::kUnknown) bad(node, std::string(what) + " must be yes or no");
  return *value == Tri::kYes;
}

Adjustment read_adjustment(const YAML::Node& node, std::string_view what) {
  yaml::only_keys(node, {"value", "reason"}, what);
  Adjustment adjustment;
  const std::uint64_t value = yaml::number(node["value"], "'value'");
  if (value < 1 || value > 4) bad(node["value"], std::string(what) + " must be 1, 2, 3 or 4");
  adjustment.value = static_cast<int>(value);
  adjustment.reason = yaml::text(node, "reason", what);
  return adjustment;
}

bool is_country(std::string_view code) {
  return code.size() == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z';
}

void read_answers(const YAML::Node& node, Facts& out) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) bad(node, "'facts' must be a mapping of names to yes, no or unknown");
  for (const auto& pair : node) {
    const std::string key = pair.first.as<std::string>();
    const auto value = pair.second.IsNull()     ? std::optional(Tri::kUnknown)
                       : pair.second.IsScalar() ? tri_from(pair.second.Scalar())
                                                : std::nullopt;
    if (!value) bad(pair.second, "'" + printable(key, 60) + "' must be yes, no or unknown");
    out.answers[key] = *value;
  }
}

void read_times(const YAML::Node& node, Facts& out) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) bad(node, "'times' must be a mapping of names to times");
  for (const auto& pair : node) {
    const std::string key = pair.first.as<std::string>();
    if (pair.second.IsNull()) continue;
    const auto time = pair.second.IsScalar() ? parse_rfc3339(pair.second.Scalar()) : std::nullopt;
    if (!time) {
      bad(pair.second, "the time of '" + printable(key, 60) + "' must be written with its zone, as 2026-11-23T16:40:00+01:00");
    }
    out.times[key] = *time;
  }
}

void read_countries(const YAML::Node& node, Facts& out) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) bad(node, "'countries' must be a mapping of country codes to numbers of people");
  for (const auto& pair : node) {
    const std::string code = pair.first.as<std::string>();
    if (!is_country(code)) bad(pair.first, "'" + printable(code, 20) + "' is not a country code of two capital letters");
    out.countries[code] = read_count(pair.second, "the number of people in " + code);
  }
}

Facts read_root(const YAML::Node& root) {
  Facts out;
  if (root.IsNull() || !root.IsDefined()) return out;
  yaml::only_keys(root,
                  {"facts", "times", "people", "countries", "countries_complete", "data", "data_complete",
                   "credentials_open", "processing_context", "identification"},
                  "the facts document");
  read_answers(root["facts"], out);
  read_times(root["times"], out);
  if (root["people"] && !root["people"].IsNull()) out.people = read_count(root["people"], "'people'");
  read_countries(root["countries"], out);
  out.countries_complete = read_bool(root["countries_complete"], "'countries_complete'");
  for (auto& kind : yaml::list(root["data"], "'data'")) out.data.insert(std::move(kind));
  out.data_complete = read_bool(root["data_complete"], "'data_complete'");
  for (auto& kind : yaml::list(root["credentials_open"], "'credentials_open'")) {
    out.credentials_open.insert(std::move(kind));
  }
  if (root["processing_context"]) out.processing_context = read_adjustment(root["processing_context"], "'processing_context'");
  if (root["identification"]) out.identification = read_adjustment(root["identification"], "'identification'");
  return out;
}

}  // namespace

std::string_view name(Tri value) noexcept {
  switch (value) {
    case Tri::kUnknown: return "unknown";
    case Tri::kNo: return "no";
    case Tri::kYes: return "yes";
  }
  return "unknown";
}

std::optional<Tri> tri_from(std::string_view text) noexcept {
  if (text == "yes" || text == "true" || text == "Yes" || text == "True") return Tri::kYes;
  if (text == "no" || text == "false" || text == "No" || text == "False") return Tri::kNo;
  if (text.empty() || text == "unknown" || text == "null" || text == "~" || text == "Unknown") return Tri::kUnknown;
  return std::nullopt;
}

Tri Facts::answer(std::string_view fact) const noexcept {
  const auto found = answers.find(fact);
  return found == answers.end() ? Tri::kUnknown : found->second;
}

Result<Facts> read_facts(std::string_view document, const std::string& source) {
  return yaml::guarded(document, source, kMaxDocument, [](const YAML::Node& root) { return read_root(root); });
}

}  // namespace tocsin::rules::law
