// A setting is odd from the moment it may have another value than PostgreSQL's own, and stays so until it is surely
// put back: by a SET outside of a transaction. Only texts that it can change are then not believed.
//
// Not here, because conditions are evaluated so that they hold whatever these are: DateStyle, IntervalStyle, TimeZone,
// lc_*, bytea_output, extra_float_digits (values.hpp compares dates in ISO form only, and times two days apart);
// backslash_quote (refuses statements, changes none); row_security (shows fewer rows, never more).
#include "engine/exposure/settings.hpp"

#include <algorithm>
#include <optional>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::string_view kAny = "*";              // set_config with a name that the log does not show
constexpr std::string_view kDefaults = "\x1f" "settings";  // where those of ALTER ROLE … SET stand among the relations

struct Odd {
  std::string_view name;
  bool (*odd)(std::string_view value);        // whether this value is another than PostgreSQL's own
  bool (*concerns)(std::string_view text);    // whether a statement can mean something else by it
};

bool on(std::string_view value) {
  const std::string v = to_lower(trim(value));
  return v == "on" || v == "true" || v == "yes" || v == "1" || v == "t" || v == "y";
}
bool off(std::string_view value) {
  const std::string v = to_lower(trim(value));
  return v == "off" || v == "false" || v == "no" || v == "0" || v == "f" || v == "n";
}

bool says_null(std::string_view text) { return to_lower(text).find("null") != std::string::npos; }

// Operators are sought in pg_catalog first, unless the path names it later.
bool hides_operators(std::string_view path) {
  bool first = true;
  for (const std::string_view part : split(path, ',')) {
    const bool catalog = to_lower(trim(part)).find("pg_catalog") != std::string::npos;
    if (catalog && !first) return true;
    first = first && trim(part).empty();
  }
  return false;
}

constexpr Odd kOdd[] = {
    {"standard_conforming_strings", [](std::string_view v) { return !on(v); }, [](std::string_view text) { return text.find('\\') != std::string_view::npos; }},
    {"transform_null_equals", [](std::string_view v) { return !off(v); }, says_null},
    {"array_nulls", [](std::string_view v) { return !on(v); }, says_null},
    {"search_path", hides_operators, [](std::string_view) { return true; }},
};

const Odd* find(std::string_view name) {
  const auto found = std::find_if(std::begin(kOdd), std::end(kOdd), [&](const Odd& o) { return iequals(o.name, name); });
  return found == std::end(kOdd) ? nullptr : found;
}

void add(std::vector<std::string>& list, std::string_view name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.emplace_back(name);
}

// `sure`: it holds until the next SET.
void set(StatementLine& line, const std::string& name, const std::optional<std::string>& value, bool sure) {
  Session& s = line.session;
  if (iequals(name, "search_path")) {
    s.search_path.clear();
    if (value && sure) {
      for (const std::string_view part : split(*value, ',')) {
        if (!trim(part).empty()) s.search_path.emplace_back(trim(part));
      }
    }
  }
  if (iequals(name, "role")) s.role = !value ? "" : *value == "none" ? "" : *value;
  if (iequals(name, "session_authorization")) s.role = value ? *value : "";
  if (name == kAny) {
    s.search_path.clear();
    add(s.odd, kAny);
    return;
  }
  const Odd* known = find(name);
  if (known == nullptr) return;
  if (!value || known->odd(*value)) add(s.odd, known->name);
  else if (sure) std::erase(s.odd, std::string(known->name));
}

Catalogue& defaults(const StatementLine& line) {
  const std::string key = line.access.origin.source + '\x1f';  // of no database
  return line.state.catalogues.try_emplace(key, line.state.options.max_relations).first->second;
}

}  // namespace

void note_settings(StatementLine& line, const sql::Statement& s) {
  const bool sure = !s.local && !line.session.transaction;
  if (s.kind == sql::Kind::kSet) set(line, s.name, s.setting, sure);
  if (s.kind == sql::Kind::kReset) {
    if (s.name.empty() || s.name == "role" || s.name == "session_authorization") line.session.role.clear();
    if (s.name.empty() || s.name == "search_path") line.session.search_path.clear();
    if (!sure) return;
    if (s.name.empty()) line.session.odd.clear();
    else std::erase(line.session.odd, s.name);
  }
  for (const sql::Setting& one : s.settings) {
    const std::optional<std::string> value = one.value.known && one.value.parameter == 0 ? std::optional(one.value.text) : std::nullopt;
    if (s.kind != sql::Kind::kDefaults) {
      set(line, one.name.empty() ? std::string(kAny) : to_lower(one.name), value, false);
      continue;
    }
    const Odd* known = find(one.name);
    if (known == nullptr || (value && !known->odd(*value))) continue;
    defaults(line).feed(std::string(kDefaults), std::string(known->name));
  }
}

std::string odd_reason(const StatementLine& line) {
  const std::string& text = line.access.statement.text;
  const auto of = [&](std::string_view name) -> std::string {
    for (const Odd& odd : kOdd) {
      if ((name != odd.name && name != kAny) || !odd.concerns(text)) continue;
      return "its session may have set " + std::string(odd.name) + ", so the text may mean something else";
    }
    return "";
  };
  for (const std::string& name : line.session.odd) {
    if (std::string why = of(name); !why.empty()) return why;
  }
  if (const Catalogue::Entry* all = defaults(line).find(kDefaults)) {
    for (const std::string& name : all->fed_by) {
      if (std::string why = of(name); !why.empty()) return why;
    }
  }
  return "";
}

}  // namespace tocsin::engine
