// Loading of law packs: YAML → rows, with every rule about what a row must carry checked here, so that the engine
// can trust what it is given.
#include "rules/law/pack.hpp"

#include <algorithm>

#include "rules/base/embedded.hpp"
#include "rules/base/text.hpp"
#include "rules/law/yaml.hpp"

namespace tocsin::rules::law {

std::span<const EmbeddedFile> embedded_law();  // made by tocsin_embed

namespace {

using yaml::bad;

// A predicate as written, with where it stands, to be checked once all files are read.
struct Pending {
  const Predicate* predicate;
  std::string where;
};

struct Loader {
  Pack pack;
  std::string file;
  std::size_t nodes = 0;  // of the predicate being read
  std::map<std::string, std::string, std::less<>> row_places;      // id → file:line
  std::map<std::string, std::string, std::less<>> derived_places;
};

std::string place(const Loader& loader, const YAML::Node& node) {
  return loader.file + ":" + std::to_string(node.Mark().line + 1);
}

Predicate read_predicate(Loader& loader, const YAML::Node& node, std::size_t depth);

std::vector<Predicate> read_parts(Loader& loader, const YAML::Node& node, std::size_t depth) {
  if (!node.IsSequence() || node.size() == 0) bad(node, "'all' and 'any' take a list of conditions");
  std::vector<Predicate> parts;
  for (const auto& item : node) parts.push_back(read_predicate(loader, item, depth + 1));
  return parts;
}

Predicate read_predicate(Loader& loader, const YAML::Node& node, std::size_t depth) {
  if (depth > kMaxPredicateDepth) bad(node, "a condition is nested too deeply", Errc::kTooLarge);
  if (++loader.nodes > kMaxPredicateNodes) bad(node, "a condition has too many parts", Errc::kTooLarge);
  Predicate out;
  if (node && node.IsScalar()) {
    out.op = Predicate::Op::kFact;
    out.name = trim(node.Scalar());
    if (out.name == "always") out.op = Predicate::Op::kAlways;
    return out;
  }
  if (!node || !node.IsMap() || node.size() != 1) {
    bad(node, "a condition is the name of a fact, or one of 'all', 'any', 'not', 'people', 'residents', 'data'");
  }
  yaml::only_keys(node, {"all", "any", "not", "people", "residents", "data"}, "a condition");
  const std::string key = node.begin()->first.Scalar();
  const YAML::Node value = node.begin()->second;
  if (key == "all" || key == "any") {
    out.op = key == "all" ? Predicate::Op::kAll : Predicate::Op::kAny;
    out.parts = read_parts(loader, value, depth);
  } else if (key == "not") {
    out.op = Predicate::Op::kNot;
    out.parts.push_back(read_predicate(loader, value, depth + 1));
  } else if (key == "people") {
    out.op = Predicate::Op::kPeople;
    yaml::only_keys(value, {"at_least"}, "'people'");
    out.at_least = yaml::number(value["at_least"], "'at_least'");
  } else if (key == "residents") {
    out.op = Predicate::Op::kResidents;
    yaml::only_keys(value, {"of", "at_least"}, "'residents'");
    out.name = yaml::text(value, "of", "'residents'");
    out.at_least = yaml::number(value["at_least"], "'at_least'");
  } else {
    out.op = Predicate::Op::kData;
    if (!value.IsScalar()) bad(value, "'data' takes one kind or category of data");
    out.name = trim(value.Scalar());
  }
  return out;
}

Predicate read_condition(Loader& loader, const YAML::Node& node) {
  loader.nodes = 0;
  return read_predicate(loader, node, 0);
}

Limit read_limit(const YAML::Node& node) {
  yaml::only_keys(node, {"hours", "counting", "days", "business_days", "months"}, "'hard'");
  for (const char* unit : {"days", "business_days", "months"}) {
    if (node[unit]) {
      bad(node[unit], std::string("limits in '") + unit + "' need the calendar of the authority, which is not there yet",
          Errc::kUnsupported);
    }
  }
  constexpr std::uint64_t kMaxHours = 24 * 366;
  Limit limit;
  const std::uint64_t hours = yaml::number(node["hours"], "'hours'");
  if (hours == 0 || hours > kMaxHours) bad(node["hours"], "'hours' must be 1 to 8784");
  limit.length = std::chrono::hours(hours);
  const std::string counting = yaml::text_or(node, "counting", "elapsed");
  if (counting == "eu-1182-71") {
    limit.counting = Counting::kEu1182_71;
  } else if (counting != "elapsed") {
    bad(node["counting"], "'counting' must be 'elapsed' or 'eu-1182-71'");
  }
  return limit;
}

std::vector<Conflict> read_conflicts(const YAML::Node& node, const YAML::Node& row) {
  if (!node || !node.IsSequence()) bad(row, "a duty needs 'conflicts', a list ([] if none is known)");
  std::vector<Conflict> out;
  for (const auto& item : node) {
    yaml::only_keys(item, {"claim", "source", "seen_on", "resolution"}, "a conflict");
    Conflict conflict;
    conflict.claim = yaml::text(item, "claim", "a conflict");
    conflict.source = yaml::text(item, "source", "a conflict");
    conflict.seen_on = yaml::text_or(item, "seen_on");
    conflict.resolution = yaml::text_or(item, "resolution");
    out.push_back(std::move(conflict));
  }
  return out;
}

std::vector<Content> read_content(const YAML::Node& node) {
  std::vector<Content> out;
  if (!node || node.IsNull()) return out;
  if (!node.IsSequence()) bad(node, "'content' must be a list");
  for (const auto& item : node) {
    yaml::only_keys(item, {"id", "text", "citation"}, "a content element");
    out.push_back({yaml::text(item, "id", "a content element"), yaml::text(item, "text", "a content element"),
                   yaml::text(item, "citation", "a content element")});
  }
  return out;
}

std::vector<Exemption> read_exemptions(Loader& loader, const YAML::Node& node) {
  std::vector<Exemption> out;
  if (!node || node.IsNull()) return out;
  if (!node.IsSequence()) bad(node, "'exemptions' must be a list");
  for (const auto& item : node) {
    yaml::only_keys(item, {"id", "citation", "text", "instead", "when"}, "an exemption");
    Exemption exemption;
    exemption.id = yaml::text(item, "id", "an exemption");
    exemption.citation = yaml::text(item, "citation", "an exemption");
    exemption.text = yaml::text(item, "text", "an exemption");
    exemption.instead = yaml::text_or(item, "instead");
    exemption.when = read_condition(loader, item["when"]);
    out.push_back(std::move(exemption));
  }
  return out;
}

// Who compared the row with the official text and when; or, honestly, that nobody has, and what it rests on.
void read_verification(const YAML::Node& node, Row& row) {
  const YAML::Node verified = node["verified_on"];
  if (!verified) bad(node, "a duty needs 'verified_on': the day a person read the official text, or null");
  if (!verified.IsNull()) {
    (void)yaml::day(verified, "'verified_on'");
    row.verified_on = verified.Scalar();
    row.verified_by = yaml::text(node, "verified_by", "a verified duty");
    if (node["unverified"]) bad(node["unverified"], "a duty is either verified or 'unverified', not both");
    return;
  }
  const YAML::Node mark = node["unverified"];
  if (!mark || !mark.IsMap()) {
    bad(node, "a duty that no person compared with the official text loads only with 'unverified: {basis: …, seen: …}'");
  }
  yaml::only_keys(mark, {"basis", "seen"}, "'unverified'");
  row.basis = yaml::text(mark, "basis", "'unverified'");
  if (row.basis != "T" && row.basis != "S" && row.basis != "K") {
    bad(mark["basis"], "'basis' must be T (operative words seen), S (secondary source) or K (general knowledge)");
  }
  (void)yaml::day(mark["seen"], "'seen'");
  row.seen = mark["seen"].Scalar();
}

void check_confidence(const YAML::Node& node, const Row& row) {
  if (row.confidence != "H" && row.confidence != "M" && row.confidence != "L") {
    bad(node["confidence"], "'confidence' must be H, M or L");
  }
  const bool open = std::any_of(row.conflicts.begin(), row.conflicts.end(),
                                [](const Conflict& c) { return c.resolution.empty(); });
  if (open && row.confidence == "H") bad(node["conflicts"], "a duty with an unresolved conflict cannot have confidence H");
  if (row.confidence == "L" && row.hard) bad(node["hard"], "a duty with confidence L must not run a clock");
}

Row read_row(Loader& loader, const YAML::Node& node, const std::string& law) {
  yaml::only_keys(node,
                  {"id", "title", "citation", "quote", "source_url", "verified_on", "verified_by", "unverified",
                   "confidence", "conflicts", "status", "in_force_from", "in_force_to", "towards", "anchor", "when",
                   "exemptions", "hard", "soft", "late", "content"},
                  "a duty");
  Row row;
  row.law = law;
  row.id = yaml::text(node, "id", "a duty");
  const std::string what = "the duty '" + printable(row.id, 60) + "'";
  row.title = yaml::text(node, "title", what);
  row.citation = yaml::text(node, "citation", what);
  row.quote = yaml::text(node, "quote", what);
  row.source_url = yaml::text(node, "source_url", what);
  read_verification(node, row);
  row.confidence = yaml::text(node, "confidence", what);
  row.conflicts = read_conflicts(node["conflicts"], node);
  row.status = yaml::text_or(node, "status", "in_force");
  if (row.status != "in_force" && row.status != "adopted_not_in_force" && row.status != "proposed") {
    bad(node["status"], "'status' must be in_force, adopted_not_in_force or proposed");
  }
  row.in_force_from = yaml::day(node["in_force_from"], "'in_force_from' of " + what);
  if (node["in_force_to"] && !node["in_force_to"].IsNull()) row.in_force_to = yaml::day(node["in_force_to"], "'in_force_to'");
  row.towards = yaml::text(node, "towards", what);
  row.anchors = yaml::list(node["anchor"], "'anchor'");
  if (row.anchors.empty()) bad(node, what + " needs 'anchor'");
  if (!node["when"]) bad(node, what + " needs 'when'");
  row.when = read_condition(loader, node["when"]);
  row.exemptions = read_exemptions(loader, node["exemptions"]);
  if (node["hard"] && !node["hard"].IsNull()) row.hard = read_limit(node["hard"]);
  row.soft = yaml::text_or(node, "soft");
  row.late = yaml::text_or(node, "late");
  row.content = read_content(node["content"]);
  check_confidence(node, row);
  return row;
}

void read_facts_section(Loader& loader, const YAML::Node& node) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) bad(node, "'facts' must be a mapping");
  for (const auto& pair : node) {
    FactDefinition fact;
    fact.name = pair.first.as<std::string>();
    yaml::only_keys(pair.second, {"ask", "help", "say"}, "a fact");
    fact.ask = yaml::text(pair.second, "ask", "the fact '" + printable(fact.name, 60) + "'");
    fact.help = yaml::text_or(pair.second, "help");
    fact.say = yaml::text_or(pair.second, "say");
    if (!loader.pack.facts.emplace(fact.name, fact).second) bad(pair.first, "the fact '" + fact.name + "' stands twice");
  }
}

void read_derived(Loader& loader, const YAML::Node& node) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) bad(node, "'derived' must be a mapping");
  for (const auto& pair : node) {
    const std::string key = pair.first.as<std::string>();
    const bool said = pair.second.IsMap() && pair.second["when"];
    if (said) {
      yaml::only_keys(pair.second, {"say", "when"}, "a derived fact");
      loader.pack.derived_say[key] = yaml::text(pair.second, "say", "a derived fact with 'when'");
    }
    if (!loader.pack.derived.emplace(key, read_condition(loader, said ? pair.second["when"] : pair.second)).second) {
      bad(pair.first, "the derived fact '" + printable(key, 60) + "' stands twice");
    }
    loader.derived_places[key] = place(loader, pair.first);
  }
}

void read_groups(Loader& loader, const YAML::Node& node) {
  if (!node || node.IsNull()) return;
  if (!node.IsMap()) bad(node, "'groups' must be a mapping");
  for (const auto& pair : node) {
    auto& group = loader.pack.groups[pair.first.as<std::string>()];
    for (auto& code : yaml::list(pair.second, "a group of countries")) {
      if (code.size() != 2) bad(pair.second, "'" + printable(code, 20) + "' is not a country code");
      group.insert(std::move(code));
    }
  }
}

int small_number(const YAML::Node& node, std::string_view what, std::uint64_t most) {
  const std::uint64_t value = yaml::number(node, what);
  if (value > most) bad(node, std::string(what) + " must be at most " + std::to_string(most));
  return static_cast<int>(value);
}

void read_categories(const YAML::Node& node, SeverityTables& out) {
  if (!node || !node.IsMap()) bad(node, "'severity' needs 'categories'");
  for (const auto& pair : node) {
    yaml::only_keys(pair.second, {"base", "kinds"}, "a category");
    const std::string category = pair.first.as<std::string>();
    SeverityTables::Category entry;
    entry.base = small_number(pair.second["base"], "'base'", 4);
    if (entry.base < 1) bad(pair.second["base"], "'base' must be 1 to 4");
    out.categories[category] = entry;
    for (const auto& kind : yaml::list(pair.second["kinds"], "'kinds'")) out.kinds[kind] = category;
  }
}

void read_severity(Loader& loader, const YAML::Node& node) {
  if (!node || node.IsNull()) return;
  yaml::only_keys(node, {"method", "citation", "categories", "credentials", "identifiers", "circumstances"}, "'severity'");
  SeverityTables& out = loader.pack.severity;
  if (!out.method.empty()) bad(node, "a severity method is already loaded");
  out.method = yaml::text(node, "method", "'severity'");
  out.citation = yaml::text(node, "citation", "'severity'");
  read_categories(node["categories"], out);
  for (const auto& kind : yaml::list(node["credentials"], "'credentials'")) out.kinds[kind] = "credentials";
  for (const auto& item : node["identifiers"]) {
    yaml::only_keys(item, {"data", "ei4"}, "an identifier");
    SeverityTables::Identifier identifier;
    identifier.data = yaml::list(item["data"], "'data'");
    identifier.ei4 = small_number(item["ei4"], "'ei4'", 4);
    if (identifier.ei4 < 1 || identifier.data.empty()) bad(item, "an identifier needs 'data' and 'ei4' of 1 to 4");
    out.identifiers.push_back(std::move(identifier));
  }
  for (const auto& item : node["circumstances"]) {
    yaml::only_keys(item, {"name", "steps"}, "a circumstance");
    SeverityTables::Circumstance circumstance;
    circumstance.name = yaml::text(item, "name", "a circumstance");
    for (const auto& step : item["steps"]) {
      yaml::only_keys(step, {"when", "quarters", "text"}, "a step");
      circumstance.steps.push_back({read_condition(loader, step["when"]),
                                    small_number(step["quarters"], "'quarters'", 2), yaml::text(step, "text", "a step")});
    }
    out.circumstances.push_back(std::move(circumstance));
  }
}

bool read_file(Loader& loader, const YAML::Node& root) {
  yaml::only_keys(root, {"pack", "law", "title", "facts", "derived", "groups", "anchors", "severity", "duties"}, "a law pack");
  (void)yaml::text(root, "pack", "a law pack");
  read_facts_section(loader, root["facts"]);
  read_derived(loader, root["derived"]);
  read_groups(loader, root["groups"]);
  for (auto& anchor : yaml::list(root["anchors"], "'anchors'")) loader.pack.anchors.push_back(std::move(anchor));
  read_severity(loader, root["severity"]);
  const YAML::Node duties = root["duties"];
  if (!duties || duties.IsNull()) return true;
  if (!duties.IsSequence()) bad(duties, "'duties' must be a list");
  const std::string law = yaml::text(root, "law", "a law pack with duties");
  for (const auto& item : duties) {
    if (loader.pack.rows.size() >= kMaxRows) bad(item, "too many duties", Errc::kTooLarge);
    Row row = read_row(loader, item, law);
    if (!loader.row_places.emplace(row.id, place(loader, item)).second) bad(item, "the duty '" + row.id + "' stands twice");
    loader.pack.rows.push_back(std::move(row));
  }
  return true;
}

// ---- checks across files: every name that a predicate uses must exist, and derived facts must not go in circles.

struct Checker {
  const Pack& pack;

  Result<void> check(const Predicate& p, const std::string& where, std::vector<std::string>& path) const {
    switch (p.op) {
      case Predicate::Op::kAlways:
      case Predicate::Op::kPeople: return {};
      case Predicate::Op::kFact: return check_fact(p, where, path);
      case Predicate::Op::kResidents: {
        const bool country = p.name.size() == 2;
        if (country || pack.groups.contains(p.name)) return {};
        return fail(Errc::kInvalid, "'" + printable(p.name, 60) + "' is neither a country nor a group of countries", where);
      }
      case Predicate::Op::kData:
        if (pack.severity.categories.contains(p.name) || pack.severity.kinds.contains(p.name)) return {};
        return fail(Errc::kInvalid, "'" + printable(p.name, 60) + "' is no kind of data that the severity tables know", where);
      case Predicate::Op::kAll:
      case Predicate::Op::kAny:
      case Predicate::Op::kNot:
        for (const auto& part : p.parts) {
          if (auto done = check(part, where, path); !done) return done;
        }
        return {};
    }
    return {};
  }

  Result<void> check_fact(const Predicate& p, const std::string& where, std::vector<std::string>& path) const {
    if (pack.facts.contains(p.name)) return {};
    const auto derived = pack.derived.find(p.name);
    if (derived == pack.derived.end()) {
      return fail(Errc::kInvalid, "'" + printable(p.name, 60) + "' is not defined as a fact", where,
                  "add it to 'facts' with the question to ask");
    }
    if (std::find(path.begin(), path.end(), p.name) != path.end() || path.size() >= kMaxPredicateDepth) {
      return fail(Errc::kInvalid, "the derived fact '" + p.name + "' goes in a circle or too deep", where);
    }
    path.push_back(p.name);
    auto done = check(derived->second, where, path);
    path.pop_back();
    return done;
  }
};

Result<void> check_all(const Loader& loader) {
  const Checker checker{loader.pack};
  std::vector<std::string> path;
  for (const auto& [key, predicate] : loader.pack.derived) {
    path.assign(1, key);
    if (auto done = checker.check(predicate, loader.derived_places.at(key), path); !done) return done;
    if (loader.pack.facts.contains(key)) {
      return fail(Errc::kInvalid, "'" + printable(key, 60) + "' is both asked and derived", loader.derived_places.at(key));
    }
  }
  for (const auto& circumstance : loader.pack.severity.circumstances) {
    for (const auto& step : circumstance.steps) {
      path.clear();
      if (auto done = checker.check(step.when, "severity circumstance '" + circumstance.name + "'", path); !done) return done;
    }
  }
  for (const auto& row : loader.pack.rows) {
    const std::string& where = loader.row_places.at(row.id);
    path.clear();
    if (auto done = checker.check(row.when, where, path); !done) return done;
    for (const auto& exemption : row.exemptions) {
      if (auto done = checker.check(exemption.when, where, path); !done) return done;
    }
    for (const auto& anchor : row.anchors) {
      if (std::find(loader.pack.anchors.begin(), loader.pack.anchors.end(), anchor) == loader.pack.anchors.end()) {
        return fail(Errc::kInvalid, "'" + printable(anchor, 60) + "' is not defined under 'anchors'", where);
      }
    }
  }
  return {};
}

std::string joined(const std::vector<Predicate>& parts, std::string_view word) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += word;
    const bool group = part.op == Predicate::Op::kAll || part.op == Predicate::Op::kAny;
    out += group ? "(" + part.text() + ")" : part.text();
  }
  return out;
}

}  // namespace

std::string Predicate::text() const {
  switch (op) {
    case Op::kAlways: return "always";
    case Op::kFact: return name;
    case Op::kAll: return joined(parts, " and ");
    case Op::kAny: return joined(parts, " or ");
    case Op::kNot: return "not " + joined(parts, "");
    case Op::kPeople: return "people >= " + std::to_string(at_least);
    case Op::kResidents: return "residents of " + name + " >= " + std::to_string(at_least);
    case Op::kData: return "data: " + name;
  }
  return {};
}

std::string Pack::say(const Predicate& p) const {
  switch (p.op) {
    case Predicate::Op::kAlways: return "always";
    case Predicate::Op::kFact: {
      if (const auto said = derived_say.find(p.name); said != derived_say.end()) return said->second;
      const auto fact = facts.find(p.name);
      if (fact != facts.end() && !fact->second.say.empty()) return fact->second.say;
      const auto hidden = derived.find(p.name);
      return hidden == derived.end() ? p.name : say(hidden->second);
    }
    case Predicate::Op::kNot: return "it is not so that " + say(p.parts.front());
    case Predicate::Op::kPeople: return "at least " + std::to_string(p.at_least) + " people are affected";
    case Predicate::Op::kResidents: return "at least " + std::to_string(p.at_least) + " of the people live in " + p.name;
    case Predicate::Op::kData: return "data of the kind '" + p.name + "' are concerned";
    case Predicate::Op::kAll:
    case Predicate::Op::kAny: {
      std::string out;
      for (std::size_t i = 0; i < p.parts.size(); ++i) {
        if (i > 0) out += p.op == Predicate::Op::kAny ? ", or " : i + 1 == p.parts.size() ? ", and " : ", ";
        out += say(p.parts[i]);
      }
      return out;
    }
  }
  return {};
}

std::string Pack::question(std::string_view unknown_fact) const {
  const auto fact = facts.find(unknown_fact);
  if (fact != facts.end()) return fact->second.ask;
  constexpr std::string_view kTime = "time of ";
  constexpr std::string_view kPeople = "people in ";
  if (unknown_fact.starts_with(kTime)) return "When did this happen: " + std::string(unknown_fact.substr(kTime.size())) + "?";
  if (unknown_fact.starts_with(kPeople)) return "How many of the people live in " + std::string(unknown_fact.substr(kPeople.size())) + "?";
  if (unknown_fact == "number of people") return "How many people are affected?";
  return std::string(unknown_fact);
}

std::string Row::verification() const {
  if (!verified_on.empty()) return "verified on " + verified_on + " by " + verified_by + " against the official text";
  std::string out = "not verified against the official text; ";
  out += basis == "T"   ? "its operative words were seen quoted elsewhere"
         : basis == "S" ? "it rests on a secondary description"
                        : "it rests on general knowledge";
  return out + " (as of " + seen + ")";
}

Result<Pack> load(std::span<const Source> files) {
  Loader loader;
  for (const auto& file : files) {
    loader.file = file.name;
    auto done = yaml::guarded(file.text, file.name, kMaxDocument,
                              [&](const YAML::Node& root) { return read_file(loader, root); });
    if (!done) return pass(std::move(done));
  }
  if (auto done = check_all(loader); !done) return pass(std::move(done));
  return std::move(loader.pack);
}

std::span<const Source> built_in_sources() {
  static const std::vector<Source> sources = [] {
    std::vector<Source> out;
    for (const auto& file : embedded_law()) out.push_back({std::string(file.name), std::string(file.text)});
    return out;
  }();
  return sources;
}

Result<Pack> load_built_in() { return load(built_in_sources()); }

}  // namespace tocsin::rules::law
