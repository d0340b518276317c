// Nesting and flattening; groups are split by member, everything else is one value.
#include "engine/respond/facts.hpp"

#include <algorithm>
#include <array>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kGroups = {"facts", "times", "scope", "story"};
constexpr std::array<std::string_view, 8> kSingles = {"people",        "countries",        "countries_complete", "data",
                                                      "data_complete", "credentials_open", "processing_context",
                                                      "identification"};
constexpr std::array<std::string_view, 2> kScopeNames = {"datasets", "actors"};
constexpr std::array<std::string_view, 4> kStoryNames = {"what", "cause", "consequences", "measures"};

bool is_group(std::string_view name) { return std::find(kGroups.begin(), kGroups.end(), name) != kGroups.end(); }
bool for_law(std::string_view name) { return !name.starts_with("scope.") && !name.starts_with("story."); }

json::object nest(std::span<const storage::Fact> facts, bool only_law) {
  json::object out;
  for (const storage::Fact& fact : facts) {
    if (only_law && !for_law(fact.name)) continue;
    boost::system::error_code ec;
    json::value value = json::parse(fact.value, ec);
    if (ec) continue;  // the store holds only what was serialised; a damaged value is an unknown fact
    const auto dot = fact.name.find('.');
    if (dot == std::string::npos) {
      out[fact.name] = std::move(value);
      continue;
    }
    if (!only_law && fact.name.starts_with("facts.")) {
      out[std::string_view(fact.name).substr(dot + 1)] = std::move(value);
      continue;
    }
    json::value& group = out[std::string_view(fact.name).substr(0, dot)];
    if (!group.is_object()) group = json::object();
    group.get_object()[std::string_view(fact.name).substr(dot + 1)] = std::move(value);
  }
  return out;
}

std::vector<std::string_view> names_in(std::string_view group, const Counsel& counsel) {
  std::vector<std::string_view> out;
  if (group == "facts") {
    for (const Question& question : counsel.questions()) out.emplace_back(question.fact);
  } else if (group == "times") {
    for (const std::string& anchor : counsel.anchors()) out.emplace_back(anchor);
  } else if (group == "scope") {
    out.assign(kScopeNames.begin(), kScopeNames.end());
  } else {
    out.assign(kStoryNames.begin(), kStoryNames.end());
  }
  return out;
}

tl::unexpected<Error> unknown_name(std::string_view name, const std::vector<std::string_view>& known) {
  const std::string_view near = nearest(name, known);
  std::string remedy;
  if (!near.empty()) remedy = "did you mean '" + std::string(near) + "'?";
  return fail(Errc::kInvalid, "there is no fact of this name", "facts." + printable(name, 80), std::move(remedy));
}

Result<void> check_time(std::string_view name, const json::value& value, Time now) {
  const auto* text = value.if_string();
  const auto time = text != nullptr ? parse_rfc3339(*text) : std::nullopt;
  const std::string where = "facts.times." + std::string(name);
  if (!time) return fail(Errc::kInvalid, "the time must be written with its zone, as 2026-11-23T16:40:00+01:00", where);
  if (*time > now) return fail(Errc::kInvalid, "the time lies in the future", where);
  return {};
}

// Answers are "yes", "no" or "unknown"; true and false say the same.
Result<json::value> answer(const std::string& name, const json::value& value) {
  if (value.is_bool()) return json::value(value.get_bool() ? "yes" : "no");
  if (value.is_string()) {
    const std::string_view text = value.get_string();
    if (text == "yes" || text == "no" || text == "unknown") return value;
  }
  return fail(Errc::kInvalid, "the answer must be yes, no or unknown", "facts." + name);
}

std::string canonical(std::string_view group, const json::value& value) {
  if (group == "times" && value.is_string()) {
    if (const auto time = parse_rfc3339(value.get_string())) {
      return json::serialize(json::value(format_rfc3339(*time)));
    }
  }
  return json::serialize(value);
}

}  // namespace

json::object facts_object(std::span<const storage::Fact> facts) { return nest(facts, false); }
std::string law_document(std::span<const storage::Fact> facts) { return json::serialize(nest(facts, true)); }

Result<FactChanges> read_fact_changes(const json::object& patch, const Counsel& counsel, Time now) {
  FactChanges out;
  const auto add = [&](std::string name, std::string_view group, const json::value& value) -> Result<void> {
    if (value.is_null()) {
      out.emplace_back(std::move(name), std::nullopt);
      return {};
    }
    std::string text = canonical(group, value);
    if (text.size() > kMaxFactBytes) return fail(Errc::kTooLarge, "this fact is too long", "facts." + name);
    out.emplace_back(std::move(name), std::move(text));
    return {};
  };
  for (const auto& member : patch) {
    const std::string key(member.key());
    if (!is_group(key)) {
      const auto asked = names_in("facts", counsel);
      if (std::find(asked.begin(), asked.end(), key) != asked.end()) {
        json::value value = member.value();
        if (!value.is_null()) {
          auto checked = answer(key, value);
          if (!checked) return pass(std::move(checked));
          value = std::move(*checked);
        }
        if (auto done = add("facts." + key, "facts", value); !done) return pass(std::move(done));
        continue;
      }
      if (std::find(kSingles.begin(), kSingles.end(), key) == kSingles.end()) {
        std::vector<std::string_view> known = asked;
        known.insert(known.end(), kGroups.begin(), kGroups.end());
        known.insert(known.end(), kSingles.begin(), kSingles.end());
        return unknown_name(key, known);
      }
      if (auto done = add(key, key, member.value()); !done) return pass(std::move(done));
      continue;
    }
    const auto* group = member.value().if_object();
    if (group == nullptr) return fail(Errc::kInvalid, "'" + key + "' must be an object", "facts." + key);
    const auto known = names_in(key, counsel);
    for (const auto& entry : *group) {
      const std::string name(entry.key());
      if (std::find(known.begin(), known.end(), name) == known.end()) return unknown_name(name, known);
      json::value value = entry.value();
      if (key == "facts" && !value.is_null()) {
        auto checked = answer(name, value);
        if (!checked) return pass(std::move(checked));
        value = std::move(*checked);
      }
      if (key == "times" && !value.is_null()) {
        if (auto checked = check_time(name, value, now); !checked) return pass(std::move(checked));
      }
      if (key == "story" && !value.is_null() && !value.is_string()) {
        return fail(Errc::kInvalid, "'" + name + "' must be a text", "facts.story." + name);
      }
      if (key == "scope" && !value.is_null() && !value.is_array()) {
        return fail(Errc::kInvalid, "'" + name + "' must be a list of texts", "facts.scope." + name);
      }
      if (auto done = add(key + "." + name, key, value); !done) return pass(std::move(done));
    }
  }
  return out;
}

std::optional<std::string> fact_text(std::span<const storage::Fact> facts, std::string_view name) {
  for (const storage::Fact& fact : facts) {
    if (fact.name != name) continue;
    boost::system::error_code ec;
    const json::value value = json::parse(fact.value, ec);
    if (ec || !value.is_string()) return std::nullopt;
    return std::string(value.get_string());
  }
  return std::nullopt;
}

std::optional<Time> fact_time(std::span<const storage::Fact> facts, std::string_view name) {
  const auto text = fact_text(facts, name);
  return text ? parse_rfc3339(*text) : std::nullopt;
}

Result<Assessed> assess_incident(const Counsel& counsel, std::span<const storage::Fact> facts) {
  return counsel.assess(law_document(facts));
}

}  // namespace tocsin::engine
