// Rule files as they are evaluated: gitleaks TOML (and betterleaks', as far as it is the same), and our own pack,
// which is gitleaks' form plus kind, check and samples.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "rules/base/result.hpp"
#include "rules/secrets/filter_expr.hpp"
#include "rules/secrets/literals.hpp"
#include "rules/secrets/regex_refusal.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/secrets/word_starts.hpp"

namespace tocsin::rules::secrets {

// One allow-list. Several patterns are joined by '|' without grouping each, as gitleaks does: a flag inside one
// pattern therefore reaches the following ones, and "^a|b" is not "^(a|b)".
struct AllowList {
  enum class Target : std::uint8_t { kSecret, kMatch, kLine };
  std::string description;
  bool all = false;  // condition AND: every kind of check that is present must hold
  Target target = Target::kSecret;
  std::unique_ptr<RE2> regexes;
  std::vector<std::string> must_contain;  // one of these stands in every text that `regexes` matches; empty = unknown
  std::optional<RegexRefusal> refusal;    // of `regexes`, where they are asked of a secret or a match
  std::unique_ptr<RE2> paths;
  bool commits = false;  // present; there are no commits in a log, so it never holds
  std::vector<std::string> stopwords;  // lower case
  std::optional<Literals> many;        // the stopwords, where they are too many to be tried one by one …
  std::optional<WordStarts> starts;    // … and what says that there are none
};

struct RequiredPart {
  std::string id;
  int within_lines = -1;  // -1: anywhere in the record
  int within_columns = -1;
};

struct Rule {
  std::string id;
  std::string description;
  std::unique_ptr<RE2> regex;  // null for a rule by path only
  std::unique_ptr<RE2> path;
  std::string path_text;
  double entropy = 0;
  int secret_group = 0;
  std::vector<std::string> keywords;  // lower case
  std::vector<AllowList> allow;
  std::vector<RequiredPart> required;
  bool skip_report = false;
  std::optional<FilterExpr> filter;  // betterleaks: drops a finding where it holds
  int specificity = 0;               // betterleaks: a finding gives way to one of a higher that covers it
  bool generic = false;  // its id contains "generic"
  Kind kind = Kind::kSecret;
  std::string check;     // own pack: the validator that decides the tier, or empty
  std::vector<std::string> must_match;
  std::vector<std::string> must_not_match;
  int line = 0;          // in its file
};

struct RuleSet {
  std::string file;
  bool own = false;
  bool graded = false;  // some rule has a specificity
  std::vector<Rule> rules;
  std::vector<AllowList> allow;  // global
  std::optional<FilterExpr> filter;     // global: drops a finding
  std::optional<FilterExpr> prefilter;  // global: drops a whole source by its path
  std::vector<Diagnostic> diagnostics;
};

// Reads and compiles one file. `own` asks for samples on every rule and allows the own keys; `tokens`
// answers what betterleaks' filters ask of a tokeniser.
[[nodiscard]] Result<RuleSet> read_rules(const RuleFile& file, bool own, std::shared_ptr<const TokenMeasure> tokens = nullptr);

}  // namespace tocsin::rules::secrets
