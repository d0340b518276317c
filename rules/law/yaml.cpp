// The few readings of YAML that packs, facts and playbooks share.
#include "rules/law/yaml.hpp"

#include <algorithm>
#include <charconv>

#include "rules/base/text.hpp"

namespace tocsin::rules::law::yaml {

void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known, std::string_view what) {
  if (!map.IsMap()) bad(map, std::string(what) + " must be a mapping of keys to values");
  for (const auto& pair : map) {
    if (!pair.first.IsScalar()) bad(pair.first, "a key of " + std::string(what) + " must be a word");
    const std::string& key = pair.first.Scalar();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string message = "unknown key '" + printable(key, 60) + "' in " + std::string(what);
    const std::string_view near = nearest(key, {known.begin(), known.end()});
    if (!near.empty()) message += " (did you mean '" + std::string(near) + "'?)";
    bad(pair.first, message);
  }
}

std::string text(const YAML::Node& map, const char* key, std::string_view what) {
  const YAML::Node node = map[key];
  if (!node || node.IsNull() || !node.IsScalar() || trim(node.Scalar()).empty()) {
    bad(node && node.IsDefined() ? node : map, std::string(what) + " needs '" + key + "'");
  }
  return std::string(trim(node.Scalar()));
}

std::string text_or(const YAML::Node& map, const char* key, std::string fallback) {
  const YAML::Node node = map[key];
  if (!node || node.IsNull()) return fallback;
  if (!node.IsScalar()) bad(node, std::string("'") + key + "' must be a text");
  return std::string(trim(node.Scalar()));
}

std::uint64_t number(const YAML::Node& node, std::string_view what) {
  std::uint64_t value = 0;
  if (node && node.IsScalar()) {
    const std::string& s = node.Scalar();
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
    if (error == std::errc{} && end == s.data() + s.size() && !s.empty()) return value;
  }
  bad(node, std::string(what) + " must be a whole number, 0 or more");
}

std::vector<std::string> list(const YAML::Node& node, std::string_view what) {
  std::vector<std::string> out;
  if (!node || node.IsNull()) return out;
  if (node.IsScalar()) {
    out.emplace_back(trim(node.Scalar()));
    return out;
  }
  if (!node.IsSequence()) bad(node, std::string(what) + " must be a list");
  for (const auto& item : node) {
    if (!item.IsScalar() || trim(item.Scalar()).empty()) bad(item, std::string(what) + " must hold words");
    out.emplace_back(trim(item.Scalar()));
  }
  return out;
}

Time day(const YAML::Node& node, std::string_view what) {
  if (node && node.IsScalar() && node.Scalar().size() == 10) {
    if (const auto time = parse_rfc3339(node.Scalar() + "T00:00:00Z")) return *time;
  }
  bad(node, std::string(what) + " must be a day, written 2026-11-23");
}

}  // namespace tocsin::rules::law::yaml
