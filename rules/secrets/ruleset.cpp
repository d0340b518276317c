// Reading of rule files. TOML keys are matched without regard to case, as gitleaks' own reader does.
#include "rules/secrets/ruleset.hpp"

#include <algorithm>

#include <toml++/toml.h>

#include "rules/base/text.hpp"
#include "rules/secrets/needles.hpp"

namespace tocsin::rules::secrets {
namespace {

// Thrown inside this file only.
struct Bad {
  std::string message;
  int line;
};

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

[[noreturn]] void bad(const toml::node& node, std::string message) { throw Bad{std::move(message), line_of(node)}; }

const toml::node* find(const toml::table& table, std::string_view key) {
  for (const auto& [name, node] : table) {
    if (iequals(name.str(), key)) return &node;
  }
  return nullptr;
}

std::string text(const toml::table& table, std::string_view key) {
  const toml::node* node = find(table, key);
  if (node == nullptr) return {};
  const auto value = node->value<std::string>();
  if (!value) bad(*node, "'" + std::string(key) + "' must be a text");
  return *value;
}

std::vector<std::string> texts(const toml::table& table, std::string_view key) {
  std::vector<std::string> out;
  const toml::node* node = find(table, key);
  if (node == nullptr) return out;
  const toml::array* array = node->as_array();
  if (array == nullptr) bad(*node, "'" + std::string(key) + "' must be a list");
  for (const auto& item : *array) {
    const auto value = item.value<std::string>();
    if (!value) bad(item, "'" + std::string(key) + "' must hold texts");
    out.push_back(*value);
  }
  return out;
}

double number(const toml::table& table, std::string_view key) {
  const toml::node* node = find(table, key);
  if (node == nullptr) return 0;
  const auto value = node->value<double>();
  if (!value) bad(*node, "'" + std::string(key) + "' must be a number");
  return *value;
}

bool flag(const toml::table& table, std::string_view key) {
  const toml::node* node = find(table, key);
  if (node == nullptr) return false;
  const auto value = node->value<bool>();
  if (!value) bad(*node, "'" + std::string(key) + "' must be true or false");
  return *value;
}

const std::vector<const toml::table*> tables(const toml::table& table, std::string_view key) {
  std::vector<const toml::table*> out;
  const toml::node* node = find(table, key);
  if (node == nullptr) return out;
  if (const toml::table* single = node->as_table()) {
    out.push_back(single);
    return out;
  }
  const toml::array* array = node->as_array();
  if (array == nullptr) bad(*node, "'" + std::string(key) + "' must be a table or a list of tables");
  for (const auto& item : *array) {
    if (item.as_table() == nullptr) bad(item, "'" + std::string(key) + "' must hold tables");
    out.push_back(item.as_table());
  }
  return out;
}

std::unique_ptr<RE2> compile(const std::string& pattern, const toml::node& place, const std::string& what) {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(64 << 20);
  auto regex = std::make_unique<RE2>(pattern, options);
  if (!regex->ok()) bad(place, what + ": the regex does not compile: " + printable(regex->error(), 200));
  return regex;
}

// gitleaks joins the patterns of a list without grouping each one.
std::unique_ptr<RE2> compile_joined(const std::vector<std::string>& patterns, const toml::node& place, const std::string& what) {
  if (patterns.empty()) return nullptr;
  std::string joined = "(?:";
  for (const auto& pattern : patterns) {
    (void)compile(pattern, place, what);  // so that a bad one is named, not the join
    if (joined.size() > 3) joined += '|';
    joined += pattern;
  }
  return compile(joined + ")", place, what);
}

// The literals of which one must stand, letter by letter, in every text that the pattern matches; empty = not known.
std::vector<std::string> plain_literals(const std::string& pattern) {
  constexpr std::size_t kFew = 8;
  constexpr std::size_t kLong = 4;
  std::vector<std::string> out;
  for (const auto& needle : needles_of(pattern)) {
    auto literal = needle.exact();
    if (!literal || literal->size() < kLong || out.size() == kFew) return {};
    out.push_back(std::move(*literal));
  }
  return out;
}

AllowList read_allow(const toml::table& table, const std::string& what) {
  AllowList out;
  out.description = text(table, "description");
  const std::string condition = to_lower(text(table, "condition"));
  if (condition == "and" || condition == "&&") {
    out.all = true;
  } else if (!condition.empty() && condition != "or" && condition != "||") {
    bad(table, what + ": 'condition' must be OR or AND");
  }
  const std::string target = text(table, "regexTarget");
  if (target == "match") {
    out.target = AllowList::Target::kMatch;
  } else if (target == "line") {
    out.target = AllowList::Target::kLine;
  } else if (!target.empty() && target != "secret") {
    bad(table, what + ": 'regexTarget' must be secret, match or line");
  }
  out.regexes = compile_joined(texts(table, "regexes"), table, what);
  if (out.regexes) out.must_contain = plain_literals(out.regexes->pattern());
  if (out.regexes && out.target != AllowList::Target::kLine) out.refusal = RegexRefusal::compile(out.regexes->pattern());
  out.paths = compile_joined(texts(table, "paths"), table, what);
  out.commits = !texts(table, "commits").empty();
  for (auto& word : texts(table, "stopwords")) out.stopwords.push_back(to_lower(word));
  constexpr std::size_t kFew = 16;
  if (out.stopwords.size() > kFew && std::none_of(out.stopwords.begin(), out.stopwords.end(), [](const auto& word) { return word.empty(); })) {
    std::vector<Literals::Literal> literals;
    for (const auto& word : out.stopwords) literals.push_back({word, true});
    if (auto compiled = Literals::compile(literals)) out.many = std::move(*compiled);
    out.starts.emplace(out.stopwords);
  }
  if (!out.regexes && !out.paths && !out.commits && out.stopwords.empty()) {
    bad(table, what + ": an allow-list needs commits, paths, regexes or stopwords");
  }
  return out;
}

// The newer list of tables or the older single table; both together are an error.
std::vector<const toml::table*> allow_tables(const toml::table& table, const std::string& what) {
  auto newer = tables(table, "allowlists");
  auto older = tables(table, "allowlist");
  if (!newer.empty() && !older.empty()) bad(table, what + ": 'allowlist' and 'allowlists' exclude each other");
  return newer.empty() ? older : newer;
}

void read_samples(const toml::table& table, Rule& rule) {
  for (const toml::table* samples : tables(table, "samples")) {
    for (auto& line : texts(*samples, "match")) rule.must_match.push_back(std::move(line));
    for (auto& line : texts(*samples, "clean")) rule.must_not_match.push_back(std::move(line));
  }
  if (rule.must_match.empty() || rule.must_not_match.empty()) {
    bad(table, "rule '" + rule.id + "': an own rule needs samples that match and samples that are clean");
  }
}

constexpr const char* kLacksTokens = " asks how well a secret packs into tokens (failsTokenEfficiency); without a vocabulary the answer is 'not well', so nothing is dropped for it";

struct Reader {
  const RuleFile& file;
  std::shared_ptr<const TokenMeasure> tokens;
  RuleSet out;

  void note(const toml::node& node, std::string message) {
    out.diagnostics.push_back({file.name + ":" + std::to_string(line_of(node)), std::move(message)});
  }

  // Parts that change which findings remain: without them the rule would say something else than its author meant.
  bool honoured(const toml::table& table, Rule& rule, const std::string& what) {
    if (find(table, "filter") != nullptr) {
      auto filter = FilterExpr::parse(text(table, "filter"), tokens);
      if (!filter) {
        note(table, what + " is left out, its 'filter' cannot be evaluated: " + filter.error().message);
        return false;
      }
      if (filter->lacks_tokens()) note(table, what + kLacksTokens);
      rule.filter = std::move(*filter);
    }
    rule.specificity = static_cast<int>(number(table, "specificity"));
    if (find(table, "validate") != nullptr) note(table, what + ": 'validate' asks the network and is not run");
    return true;
  }

  void read_rule(const toml::table& table) {
    Rule rule;
    rule.line = line_of(table);
    rule.id = text(table, "id");
    if (trim(rule.id).empty()) bad(table, "a rule without id");
    const std::string what = "rule '" + printable(rule.id, 80) + "'";
    if (std::any_of(out.rules.begin(), out.rules.end(), [&](const Rule& r) { return r.id == rule.id; })) {
      bad(table, what + " stands twice");
    }
    rule.description = text(table, "description");
    rule.path_text = text(table, "path");
    const std::string pattern = text(table, "regex");
    if (pattern.empty() && rule.path_text.empty()) bad(table, what + " needs a regex or a path");
    if (!pattern.empty()) rule.regex = compile(pattern, table, what);
    if (!rule.path_text.empty()) rule.path = compile(rule.path_text, table, what);
    rule.entropy = number(table, "entropy");
    const double group = number(table, "secretGroup");
    const int groups = rule.regex ? rule.regex->NumberOfCapturingGroups() : 0;
    if (group < 0 || group > groups) bad(table, what + ": 'secretGroup' is not a group of its regex");
    rule.secret_group = static_cast<int>(group);
    for (auto& keyword : texts(table, "keywords")) {
      if (!keyword.empty()) rule.keywords.push_back(to_lower(keyword));
    }
    rule.skip_report = flag(table, "skipReport");
    rule.generic = to_lower(rule.id).find("generic") != std::string::npos;
    for (const toml::table* allow : allow_tables(table, what)) rule.allow.push_back(read_allow(*allow, what));
    for (const toml::table* part : tables(table, "required")) read_required(*part, rule, what);
    if (out.own) {
      read_own(table, rule, what);
    } else if (!honoured(table, rule, what)) {
      return;
    }
    out.rules.push_back(std::move(rule));
  }

  static void read_required(const toml::table& table, Rule& rule, const std::string& what) {
    RequiredPart part;
    part.id = text(table, "id");
    if (part.id.empty()) bad(table, what + ": 'required' needs an id");
    if (find(table, "withinLines") != nullptr) part.within_lines = static_cast<int>(number(table, "withinLines"));
    if (find(table, "withinColumns") != nullptr) part.within_columns = static_cast<int>(number(table, "withinColumns"));
    rule.required.push_back(std::move(part));
  }

  static void read_own(const toml::table& table, Rule& rule, const std::string& what) {
    const std::string kind = text(table, "kind");
    if (kind != "secret" && kind != "personal") bad(table, what + ": 'kind' must be secret or personal");
    rule.kind = kind == "personal" ? Kind::kPersonal : Kind::kSecret;
    rule.check = text(table, "check");
    read_samples(table, rule);
  }

  void read_global_filter(const toml::table& root, const char* key, std::optional<FilterExpr>& to) {
    const toml::node* node = find(root, key);
    if (node == nullptr) return;
    auto filter = FilterExpr::parse(text(root, key), tokens);
    if (filter) {
      if (filter->lacks_tokens()) note(*node, std::string("the global '") + key + "'" + kLacksTokens);
      to = std::move(*filter);
    } else {
      note(*node, std::string("the global '") + key + "' is not applied, it cannot be evaluated: " + filter.error().message);
    }
  }

  // Global allow-lists; with targetRules they belong to those rules only.
  void read_global_allow(const toml::table& root) {
    for (const toml::table* table : allow_tables(root, "the global allow-list")) {
      const auto targets = texts(*table, "targetRules");
      if (targets.empty()) {
        out.allow.push_back(read_allow(*table, "a global allow-list"));
        continue;
      }
      for (const auto& id : targets) {
        const auto rule = std::find_if(out.rules.begin(), out.rules.end(), [&](const Rule& r) { return r.id == id; });
        if (rule == out.rules.end()) bad(*table, "a global allow-list names the rule '" + printable(id, 80) + "', which does not exist");
        rule->allow.push_back(read_allow(*table, "a global allow-list"));
      }
    }
  }

  // Rules whose required parts are missing (or were left out) are left out too.
  void check_required() {
    for (bool again = true; again;) {
      again = false;
      for (auto it = out.rules.begin(); it != out.rules.end(); ++it) {
        const auto missing = std::find_if(it->required.begin(), it->required.end(), [&](const RequiredPart& part) {
          return std::none_of(out.rules.begin(), out.rules.end(), [&](const Rule& r) { return r.id == part.id; });
        });
        if (missing == it->required.end()) continue;
        out.diagnostics.push_back({file.name + ":" + std::to_string(it->line),
                                   "rule '" + printable(it->id, 80) + "' is left out: it requires '" + printable(missing->id, 80) + "', which is not there"});
        out.rules.erase(it);
        again = true;
        break;
      }
    }
  }

  void read(const toml::table& root) {
    if (const toml::node* extend = find(root, "extend"); extend != nullptr && !file.base) {
      note(*extend, "'extend' is not followed: the file that it extends is not at hand");
    }
    read_global_filter(root, "prefilter", out.prefilter);
    read_global_filter(root, "filter", out.filter);
    for (const toml::table* table : tables(root, "rules")) read_rule(*table);
    read_global_allow(root);
    check_required();
    // A slip in "[[rules]]" is an unknown key, and those are passed over as upstream does it.
    if (tables(root, "rules").empty()) out.diagnostics.push_back({file.name, "holds no rules ([[rules]] begins one)"});
    out.graded = std::any_of(out.rules.begin(), out.rules.end(), [](const Rule& r) { return r.specificity != 0; });
  }
};

// ---- [extend]

// A list of a rule or of the file; a single table counts as a list of one.
toml::array list_of(const toml::table& table, std::initializer_list<std::string_view> keys) {
  toml::array out;
  for (const auto key : keys) {
    const toml::node* node = find(table, key);
    if (node == nullptr) continue;
    if (const toml::array* array = node->as_array()) {
      for (const auto& item : *array) out.push_back(item);
    } else if (const toml::table* single = node->as_table()) {
      out.push_back(*single);
    }
  }
  return out;
}

void put(toml::table& table, std::string_view key, const toml::node& node) {
  for (auto it = table.begin(); it != table.end();) it = iequals(it->first.str(), key) ? table.erase(it) : std::next(it);
  node.visit([&](const auto& value) { table.insert_or_assign(key, value); });
}

void put_list(toml::table& table, std::string_view key, toml::array list) {
  if (!list.empty()) put(table, key, list);
}

toml::array joined(toml::array first, const toml::array& second) {
  for (const auto& item : second) first.push_back(item);
  return first;
}

// The base's rule with what the child says otherwise: lists are joined, parts required and skipReport stay the base's.
toml::table merged_rule(const toml::table& base, const toml::table& child) {
  toml::table out = base;
  for (const char* key : {"description", "regex", "path"}) {
    if (const toml::node* node = find(child, key); node != nullptr && !text(child, key).empty()) put(out, key, *node);
  }
  for (const char* key : {"entropy", "secretGroup"}) {
    if (const toml::node* node = find(child, key); node != nullptr && number(child, key) != 0) put(out, key, *node);
  }
  for (const char* key : {"keywords", "tags"}) put_list(out, key, joined(list_of(base, {key}), list_of(child, {key})));
  toml::array allow = joined(list_of(base, {"allowlist", "allowlists"}), list_of(child, {"allowlist", "allowlists"}));
  for (auto it = out.begin(); it != out.end();) it = iequals(it->first.str(), "allowlist") ? out.erase(it) : std::next(it);
  put_list(out, "allowlists", std::move(allow));
  return out;
}

// The file with its base worked in, as upstream merges them; notes what cannot be.
toml::table read_with_base(const RuleFile& file, int depth, std::vector<Diagnostic>& notes) {
  toml::table root = toml::parse(file.text);
  const toml::node* node = find(root, "extend");
  if (node == nullptr) return root;
  const toml::table* extend = node->as_table();
  if (extend == nullptr) bad(*node, "'extend' must be a table");
  if (!text(*extend, "path").empty() && flag(*extend, "useDefault")) bad(*extend, "'extend' may name a path or useDefault, not both");
  if (!file.base) return root;
  if (depth >= kMaxExtendDepth) {
    notes.push_back({file.name, "'extend' goes deeper than " + std::to_string(kMaxExtendDepth) + " files; the rest is not followed"});
    return root;
  }
  const toml::table base = read_with_base(*file.base, depth + 1, notes);
  auto disabled = texts(*extend, "disabledRules");
  toml::array rules = list_of(root, {"rules"});
  for (const auto& item : list_of(base, {"rules"})) {
    if (item.as_table() == nullptr) bad(item, "'rules' must hold tables");
    const toml::table& rule = *item.as_table();
    const std::string id = text(rule, "id");
    if (const auto off = std::find(disabled.begin(), disabled.end(), id); off != disabled.end()) {
      disabled.erase(off);
      continue;
    }
    toml::table* own = nullptr;
    for (auto& other : rules) {
      if (other.as_table() != nullptr && text(*other.as_table(), "id") == id) own = other.as_table();
    }
    if (own != nullptr) {
      *own = merged_rule(rule, *own);
    } else {
      rules.push_back(rule);
    }
  }
  for (const auto& id : disabled) notes.push_back({file.name, "'disabledRules' names '" + printable(id, 80) + "', which is not in the base"});
  toml::array allow = list_of(root, {"allowlist", "allowlists"});
  for (const auto& item : list_of(base, {"allowlist", "allowlists"})) {
    if (item.as_table() != nullptr && find(*item.as_table(), "targetRules") == nullptr) allow.push_back(item);
  }
  for (auto it = root.begin(); it != root.end();) it = iequals(it->first.str(), "allowlist") ? root.erase(it) : std::next(it);
  put_list(root, "allowlists", std::move(allow));
  put_list(root, "rules", std::move(rules));
  return root;
}

}  // namespace

std::optional<Extends> rule_file_extends(const RuleFile& file) {
  try {
    const toml::table root = toml::parse(file.text);
    const toml::node* node = find(root, "extend");
    const toml::table* extend = node != nullptr ? node->as_table() : nullptr;
    if (extend == nullptr) return std::nullopt;
    Extends out{text(*extend, "path")};
    if (out.path.empty() && !flag(*extend, "useDefault")) return std::nullopt;
    return out;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  } catch (const Bad&) {
    return std::nullopt;
  }
}

Result<RuleSet> read_rules(const RuleFile& file, bool own, std::shared_ptr<const TokenMeasure> tokens) {
  if (file.text.size() > Scanner::kMaxRuleFile) {
    return fail(Errc::kTooLarge, "a rule file may have at most " + std::to_string(Scanner::kMaxRuleFile) + " bytes", file.name);
  }
  Reader reader{file, std::move(tokens), {}};
  reader.out.file = file.name;
  reader.out.own = own;
  try {
    std::vector<Diagnostic> notes;
    const toml::table root = read_with_base(file, 0, notes);
    reader.out.diagnostics = std::move(notes);
    reader.read(root);
  } catch (const toml::parse_error& problem) {
    return fail(Errc::kInvalid, "not readable as TOML: " + printable(problem.description(), 200),
                file.name + ":" + std::to_string(problem.source().begin.line));
  } catch (const Bad& problem) {
    return fail(Errc::kInvalid, problem.message, file.name + ":" + std::to_string(problem.line));
  }
  return std::move(reader.out);
}

}  // namespace tocsin::rules::secrets
