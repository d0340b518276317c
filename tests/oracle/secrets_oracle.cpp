#include "tests/oracle/secrets_oracle.hpp"

#include <re2/re2.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <stdexcept>

namespace tocsin::rules::secrets {
namespace {

std::string unicode_lower(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 3) == "\xe2\x84\xaa") {
      out += 'k';
      i += 2;
    } else if (text.substr(i, 2) == "\xc4\xb0") {
      out += 'i';
      i += 1;
    } else {
      out += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    }
  }
  return out;
}

// Runes counted, divided by bytes. A byte that begins no well-formed character is U+FFFD.
double shannon(const std::string& s) {
  if (s.empty()) return 0;
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < s.size();) {
    static const RE2 kRune("(?s:.)");
    re2::StringPiece rune;
    if (kRune.Match(s, i, s.size(), RE2::ANCHOR_START, &rune, 1)) {
      ++counts[std::string(rune)];
      i += rune.size();
    } else {
      ++counts["\xef\xbf\xbd"];
      ++i;
    }
  }
  double sum = 0;
  for (const auto& [rune, n] : counts) {
    const double f = static_cast<double>(n) / static_cast<double>(s.size());
    sum += f * std::log2(f);
  }
  return -sum;
}

const toml::node* get(const toml::table& table, const std::string& key) {
  for (const auto& [name, node] : table) {
    std::string lower(name.str());
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (lower == key) return &node;
  }
  return nullptr;
}

std::string string_of(const toml::table& table, const std::string& key) {
  const auto* node = get(table, key);
  return node == nullptr ? std::string() : node->value_or(std::string());
}

std::vector<std::string> strings_of(const toml::table& table, const std::string& key) {
  std::vector<std::string> out;
  const auto* node = get(table, key);
  if (node == nullptr || !node->is_array()) return out;
  for (const auto& item : *node->as_array()) out.push_back(item.value_or(std::string()));
  return out;
}

std::vector<const toml::table*> tables_of(const toml::table& table, const std::string& key) {
  std::vector<const toml::table*> out;
  const auto* node = get(table, key);
  if (node == nullptr) return out;
  if (node->is_table()) out.push_back(node->as_table());
  if (node->is_array()) {
    for (const auto& item : *node->as_array()) out.push_back(item.as_table());
  }
  return out;
}

struct Allow {
  bool all = false;
  std::string target;
  bool has_regexes = false, has_paths = false, has_commits = false;
  std::unique_ptr<RE2> joined;
  std::vector<std::string> stopwords;

  explicit Allow(const toml::table& table) {
    const std::string condition = unicode_lower(string_of(table, "condition"));
    all = condition == "and" || condition == "&&";
    target = string_of(table, "regextarget");
    const auto regexes = strings_of(table, "regexes");
    has_regexes = !regexes.empty();
    std::string pattern;
    for (const auto& regex : regexes) pattern += (pattern.empty() ? "" : "|") + regex;
    joined = std::make_unique<RE2>("(?:" + pattern + ")", RE2::Quiet);
    has_paths = !strings_of(table, "paths").empty();
    has_commits = !strings_of(table, "commits").empty();
    for (const auto& word : strings_of(table, "stopwords")) stopwords.push_back(unicode_lower(word));
  }

  bool allows(const std::string& secret, const std::string& match, const std::string& line) const {
    const std::string& looked_at = target == "match" ? match : target == "line" ? line : secret;
    const bool regex = has_regexes && RE2::PartialMatch(looked_at, *joined);
    const std::string lower = unicode_lower(secret);
    const bool word = std::any_of(stopwords.begin(), stopwords.end(), [&](const std::string& w) { return lower.find(w) != std::string::npos; });
    if (!all) return regex || word;
    if (has_commits || has_paths) return false;  // there are neither in a stream
    return (!has_regexes || regex) && (stopwords.empty() || word);
  }
};

struct Required {
  std::string id;
  int lines = -1, columns = -1;
};

struct OracleRule {
  std::string id;
  std::unique_ptr<RE2> regex;
  bool has_path = false;
  bool skip_report = false;
  int group = 0;
  double entropy = 0;
  std::vector<std::string> keywords;
  std::vector<Allow> allows;
  std::vector<Required> required;
};

struct Raw {
  std::string rule;
  std::size_t start, end;  // the secret
  long line, column;       // of the match, as upstream counts
  std::string secret;
};

}  // namespace

struct SecretsOracle::Inside {
  std::vector<OracleRule> rules;
  std::vector<Allow> global;
  std::vector<RuleText> texts;

  std::vector<Raw> run(const OracleRule& rule, const std::string& text) const {
    std::vector<Raw> out;
    std::size_t from = 0;
    while (from <= text.size()) {
      re2::StringPiece whole;
      if (!rule.regex->Match(text, from, text.size(), RE2::UNANCHORED, &whole, 1)) break;
      const auto start = static_cast<std::size_t>(whole.data() - text.data());
      from = start + std::max<std::size_t>(whole.size(), 1);
      std::size_t first = start;
      std::size_t last = start + whole.size();
      while (first < last && text[first] == '\n') ++first;
      while (first < last && text[last - 1] == '\n') --last;
      const std::string match = text.substr(first, last - first);

      // Lines: newlines belong to the line behind them.
      const std::size_t line_begin_at = start < text.size() && text[start] == '\n' ? start + 1 : start;
      const auto newline_before = line_begin_at == 0 ? std::string::npos : text.rfind('\n', line_begin_at - 1);
      const std::size_t line_start = newline_before == std::string::npos ? 0 : newline_before + 1;
      const std::size_t end = std::max(line_begin_at, start + match.size());
      const std::size_t line_end = std::min(text.find('\n', end), text.size());
      const std::string line = text.substr(line_start, line_end - line_start);
      if (line.find("gitleaks:allow") != std::string::npos) continue;

      std::size_t secret_at = first;
      std::string secret = match;
      const int groups = rule.regex->NumberOfCapturingGroups();
      std::vector<re2::StringPiece> group(static_cast<std::size_t>(groups) + 1);
      if (groups > 0 && rule.regex->Match(match, 0, match.size(), RE2::UNANCHORED, group.data(), groups + 1)) {
        const auto take = [&](const re2::StringPiece& piece) {
          secret = std::string(piece);
          secret_at = piece.data() == nullptr ? first : first + static_cast<std::size_t>(piece.data() - match.data());
        };
        if (rule.group > 0) {
          take(group[static_cast<std::size_t>(rule.group)]);
        } else {
          const auto filled = std::find_if(group.begin() + 1, group.end(), [](const auto& piece) { return !piece.empty(); });
          if (filled != group.end()) take(*filled);
        }
      }
      if (rule.entropy != 0 && !(shannon(secret) > rule.entropy)) continue;
      const auto allowed = [&](const Allow& allow) { return allow.allows(secret, match, line); };
      if (std::any_of(global.begin(), global.end(), allowed) || std::any_of(rule.allows.begin(), rule.allows.end(), allowed)) continue;
      const long line_number = static_cast<long>(std::count(text.begin(), text.begin() + static_cast<long>(line_start), '\n'));
      const long column = line_number == 0 ? static_cast<long>(start) + 1 : static_cast<long>(start) - static_cast<long>(line_start) + 2;
      out.push_back({rule.id, secret_at, secret_at + secret.size(), line_number, column, secret});
    }
    return out;
  }
};

SecretsOracle::SecretsOracle(const std::string& text) : inside_(std::make_unique<Inside>()) {
  const toml::table root = toml::parse(text);
  for (const auto* table : tables_of(root, "rules")) {
    OracleRule rule;
    rule.id = string_of(*table, "id");
    const std::string regex = string_of(*table, "regex");
    if (regex.empty()) continue;  // by path only
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(64 << 20);
    rule.regex = std::make_unique<RE2>(regex, options);
    if (!rule.regex->ok()) throw std::runtime_error(rule.id + ": " + rule.regex->error());
    rule.has_path = !string_of(*table, "path").empty();
    if (const auto* node = get(*table, "secretgroup")) rule.group = static_cast<int>(node->value_or(0));
    if (const auto* node = get(*table, "entropy")) rule.entropy = node->value_or(0.0);
    if (const auto* node = get(*table, "skipreport")) rule.skip_report = node->value_or(false);
    for (const auto& keyword : strings_of(*table, "keywords")) rule.keywords.push_back(unicode_lower(keyword));
    for (const char* key : {"allowlist", "allowlists"}) {
      for (const auto* allow : tables_of(*table, key)) rule.allows.emplace_back(*allow);
    }
    for (const auto* part : tables_of(*table, "required")) {
      Required required{string_of(*part, "id"), -1, -1};
      if (const auto* node = get(*part, "withinlines")) required.lines = node->value_or(-1);
      if (const auto* node = get(*part, "withincolumns")) required.columns = node->value_or(-1);
      rule.required.push_back(required);
    }
    inside_->texts.push_back({rule.id, regex, rule.keywords});
    inside_->rules.push_back(std::move(rule));
  }
  for (const char* key : {"allowlist", "allowlists"}) {
    for (const auto* table : tables_of(root, key)) {
      const auto targets = strings_of(*table, "targetrules");
      if (targets.empty()) inside_->global.emplace_back(*table);
      for (auto& rule : inside_->rules) {
        if (std::find(targets.begin(), targets.end(), rule.id) != targets.end()) rule.allows.emplace_back(*table);
      }
    }
  }
}

SecretsOracle::~SecretsOracle() = default;

const std::vector<SecretsOracle::RuleText>& SecretsOracle::rules() const { return inside_->texts; }

std::vector<OracleFinding> SecretsOracle::scan(std::string_view fragment) const {
  const std::string text(fragment);
  const std::string lower = unicode_lower(text);
  std::vector<Raw> raw;
  for (const auto& rule : inside_->rules) {
    if (rule.skip_report || rule.has_path) continue;
    const bool open = rule.keywords.empty() || std::any_of(rule.keywords.begin(), rule.keywords.end(), [&](const std::string& keyword) {
                        return lower.find(keyword) != std::string::npos;
                      });
    if (!open) continue;
    auto found = inside_->run(rule, text);
    for (const auto& required : rule.required) {
      std::vector<Raw> parts;
      for (const auto& other : inside_->rules) {
        if (other.id == required.id) parts = inside_->run(other, text);
      }
      std::erase_if(found, [&](const Raw& primary) {
        return std::none_of(parts.begin(), parts.end(), [&](const Raw& part) {
          return (required.lines < 0 || std::labs(part.line - primary.line) <= required.lines) &&
                 (required.columns < 0 || std::labs(part.column - primary.column) <= required.columns);
        });
      });
    }
    raw.insert(raw.end(), found.begin(), found.end());
  }
  std::vector<OracleFinding> out;
  const auto generic = [](const Raw& r) { return unicode_lower(r.rule).find("generic") != std::string::npos; };
  for (const auto& finding : raw) {
    const bool shadowed = generic(finding) && std::any_of(raw.begin(), raw.end(), [&](const Raw& other) {
                            return !generic(other) && other.line == finding.line && other.secret.find(finding.secret) != std::string::npos;
                          });
    if (!shadowed) out.push_back({finding.rule, finding.start, finding.end});
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace tocsin::rules::secrets
