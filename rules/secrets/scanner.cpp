// The scanner: one pass of the literal matcher over the record opens the gates of the rules whose keywords occur and
// tells the extractor where naming words stand; then RE2 confirms each open rule, and the extractor reads around the
// words. Evaluation of a gitleaks rule follows gitleaks step by step (ops/docs/formats/secret-rules.md), with the
// record in the place of its 100 kB fragment.
#include "rules/secrets/scanner.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "rules/base/embedded.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/extract.hpp"
#include "rules/secrets/literals.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/ruleset.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"
#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

std::span<const EmbeddedFile> embedded_secrets();  // made by tocsin_embed

namespace {

constexpr std::string_view kVocabularyFile = "secrets/fields.toml";
constexpr int kMaxGroups = 32;  // capture groups looked at per rule

// One match of one rule.
struct Candidate {
  std::uint32_t rule = 0;
  std::size_t match_start = 0, match_end = 0;
  std::size_t start = 0, end = 0;  // the secret
  std::size_t line_start = 0;      // of the line that the match begins on
};

// Working memory of one thread; kept between records.
struct Work {
  std::vector<std::uint64_t> open;  // one bit per rule
  std::vector<StemHit> stems;
  std::vector<Candidate> candidates;
  std::vector<Found> found;
  std::vector<NumberFound> numbers;
};

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

bool matches(const std::unique_ptr<RE2>& regex, std::string_view text) {
  return regex && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
}

bool has_stopword(const AllowList& list, const std::string& lower) {
  if (list.many) {
    bool any = false;
    list.many->scan(lower, [](void* context, std::uint32_t, std::size_t) { *static_cast<bool*>(context) = true; }, &any);
    return any;
  }
  return std::any_of(list.stopwords.begin(), list.stopwords.end(), [&](const std::string& word) { return lower.find(word) != std::string::npos; });
}

}  // namespace

struct Scanner::Compiled {
  struct Entry {
    const Rule* rule;
    std::uint32_t set;
  };
  struct Gate {
    std::vector<std::uint32_t> rules;
    std::optional<StemKind> stem;
    std::uint32_t length = 0;
  };

  std::vector<RuleSet> sets;
  std::vector<Entry> rules;
  std::optional<Literals> literals;
  std::vector<Gate> gates;                // by literal
  std::vector<std::uint64_t> always;      // rules without keywords
  std::vector<std::uint64_t> streamable;  // rules that need no path
  Vocabulary vocabulary;
  std::optional<Extractor> extractor;
  Options options;

  Result<void> build();
  std::size_t words() const { return (rules.size() + 63) / 64; }

  void scan_piece(std::string_view record, std::size_t offset, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const;
  void evaluate(std::uint32_t index, std::string_view record, const Place& place, std::vector<Candidate>& out, std::vector<Drop>* drops, bool as_part = false) const;
  std::optional<std::string> allowed(const Rule& rule, const RuleSet& set, const Candidate& c, std::string_view record,
                                     std::string_view line, std::string_view path) const;
  bool required_met(const Rule& rule, std::uint32_t set, const Candidate& c, std::string_view record, const Place& place) const;
};

namespace {

struct Gathering {
  const Scanner::Compiled* compiled;
  Work* work;
};

void on_literal(void* context, std::uint32_t index, std::size_t end) {
  const auto* gathering = static_cast<const Gathering*>(context);
  const auto& gate = gathering->compiled->gates[index];
  for (const std::uint32_t rule : gate.rules) gathering->work->open[rule / 64] |= 1ULL << (rule % 64);
  if (gate.stem) {
    const auto to = static_cast<std::uint32_t>(end);
    gathering->work->stems.push_back({to - gate.length, to, *gate.stem});
  }
}

// Does an allow-list allow the whole path, before any text is looked at?
bool path_allowed(const AllowList& list, std::string_view path) {
  if (!list.all) return matches(list.paths, path);
  if (list.regexes || !list.stopwords.empty() || list.commits || !list.paths) return false;
  return matches(list.paths, path);
}

// Does it allow this finding?
bool finding_allowed(const AllowList& list, std::string_view target, const std::string& lower_secret, std::string_view path) {
  const bool regex = matches(list.regexes, target);
  if (!list.all) return regex || has_stopword(list, lower_secret);
  if (list.commits) return false;
  if (list.paths && (path.empty() || !matches(list.paths, path))) return false;
  if (list.regexes && !regex) return false;
  return list.stopwords.empty() || has_stopword(list, lower_secret);
}

std::string_view target_of(const AllowList& list, std::string_view secret, std::string_view match, std::string_view line) {
  return list.target == AllowList::Target::kMatch ? match : list.target == AllowList::Target::kLine ? line : secret;
}

// The lines around matches that come in order; a long line is measured once, not once per match.
class Lines {
 public:
  explicit Lines(std::string_view record) : record_(record) {}

  // The line or lines that the match lies on.
  std::string_view around(std::size_t start, std::size_t end) {
    if (!known_ || start < first_ || start > last_) {
      const auto before = start == 0 ? std::string_view::npos : record_.rfind('\n', start - 1);
      first_ = before == std::string_view::npos ? 0 : before + 1;
      last_ = std::min(record_.find('\n', start), record_.size());
      known_ = true;
      allowed_ = record_.substr(first_, last_ - first_).find("gitleaks:allow") != std::string_view::npos;
    }
    over_ = end > last_ ? std::min(record_.find('\n', end), record_.size()) : last_;
    return record_.substr(first_, over_ - first_);
  }
  std::size_t start() const { return first_; }  // of the line last asked for
  bool allowed() const {                        // it carries the comment that allows it
    return allowed_ || (over_ > last_ && record_.substr(last_, over_ - last_).find("gitleaks:allow") != std::string_view::npos);
  }

 private:
  std::string_view record_;
  std::size_t first_ = 0, last_ = 0, over_ = 0;
  bool known_ = false, allowed_ = false;
};

// Ranges that can be asked quickly whether they overlap or cover another one.
class Spans {
 public:
  void add(std::size_t start, std::size_t end) { spans_.emplace_back(start, end); }
  void close() {
    std::sort(spans_.begin(), spans_.end());
    std::size_t furthest = 0;
    for (const auto& span : spans_) furthest_.push_back(furthest = std::max(furthest, span.second));
  }
  bool overlaps(std::size_t start, std::size_t end) const {
    const auto behind = std::lower_bound(spans_.begin(), spans_.end(), std::pair(end, std::size_t{0}));
    return behind != spans_.begin() && furthest_[static_cast<std::size_t>(behind - spans_.begin()) - 1] > start;
  }
  bool covers(std::size_t start, std::size_t end) const {
    const auto behind = std::upper_bound(spans_.begin(), spans_.end(), std::pair(start, std::numeric_limits<std::size_t>::max()));
    return behind != spans_.begin() && furthest_[static_cast<std::size_t>(behind - spans_.begin()) - 1] >= end;
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> spans_;
  std::vector<std::size_t> furthest_;  // end among the spans up to here
};

// The secrets that specific rules found, by line.
struct Specific {
  static constexpr std::size_t kMaxCompared = 1000;  // different secrets of one line; further ones are not compared
  Spans spans;
  std::map<std::size_t, std::set<std::string_view>> lines;

  void add(const Candidate& c, std::string_view secret) {
    spans.add(c.start, c.end);
    auto& line = lines[c.line_start];
    if (line.size() < kMaxCompared) line.insert(secret);
  }
  bool holds(std::size_t line_start, std::string_view secret) const {
    const auto line = lines.find(line_start);
    if (line == lines.end()) return false;
    if (line->second.contains(secret)) return true;
    return std::any_of(line->second.begin(), line->second.end(), [&](std::string_view other) { return other.find(secret) != std::string_view::npos; });
  }
};

std::string short_number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2f", value);
  return buffer.data();
}

}  // namespace

Result<void> Scanner::Compiled::build() {
  for (std::uint32_t set = 0; set < sets.size(); ++set) {
    for (const auto& rule : sets[set].rules) rules.push_back({&rule, set});
  }
  always.assign(words(), 0);
  streamable.assign(words(), 0);
  std::map<std::string, Gate> gathered;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = *rules[i].rule;
    if (!rule.regex) {
      sets[rules[i].set].diagnostics.push_back({sets[rules[i].set].file + ":" + std::to_string(rule.line),
                                                "rule '" + printable(rule.id, 80) + "' looks at paths only and cannot fire on text"});
      continue;
    }
    if (!rule.path) streamable[i / 64] |= 1ULL << (i % 64);
    if (rule.keywords.empty()) always[i / 64] |= 1ULL << (i % 64);
    for (const auto& keyword : rule.keywords) gathered[keyword].rules.push_back(i);
  }
  if (extractor) {
    for (const auto& [stem, kind] : extractor->stems()) gathered[stem].stem = kind;
  }
  std::vector<Literals::Literal> texts;
  for (auto& [literal, gate] : gathered) {
    gate.length = static_cast<std::uint32_t>(literal.size());
    texts.push_back({literal, !gate.stem});
    gates.push_back(std::move(gate));
  }
  auto compiled = Literals::compile(texts);
  if (!compiled) return pass(std::move(compiled));
  literals = std::move(*compiled);
  return {};
}

Result<Scanner::Loaded> Scanner::load(std::span<const RuleFile> files, Options options) {
  auto compiled = std::make_shared<Compiled>();
  compiled->options = std::move(options);
  if (compiled->options.own_pack) {
    for (const auto& file : embedded_secrets()) {
      const RuleFile own{std::string(file.name), std::string(file.text)};
      if (file.name == kVocabularyFile) {
        auto vocabulary = Vocabulary::read(own);
        if (!vocabulary) return pass(std::move(vocabulary));
        compiled->vocabulary = std::move(*vocabulary);
        compiled->extractor.emplace(compiled->vocabulary, compiled->options.personal);
        continue;
      }
      auto set = read_rules(own, true);
      if (!set) return pass(std::move(set));
      compiled->sets.push_back(std::move(*set));
    }
  }
  for (const auto& file : files) {
    auto set = read_rules(file, false);
    if (!set) return pass(std::move(set));
    compiled->sets.push_back(std::move(*set));
  }
  if (auto built = compiled->build(); !built) return pass(std::move(built));
  std::vector<Diagnostic> diagnostics;
  for (auto& set : compiled->sets) {
    for (auto& diagnostic : set.diagnostics) diagnostics.push_back(std::move(diagnostic));
  }
  return Loaded{Scanner(std::move(compiled)), std::move(diagnostics)};
}

Scanner::Place Scanner::place(std::string_view path) const {
  Place out;
  out.given_ = true;
  out.path_ = path;
  const Compiled& c = *compiled_;
  out.active_.assign(c.words(), 0);
  for (const auto& set : c.sets) {
    out.silenced_.push_back(std::any_of(set.allow.begin(), set.allow.end(), [&](const AllowList& list) { return path_allowed(list, path); }));
  }
  for (std::uint32_t i = 0; i < c.rules.size(); ++i) {
    const Rule& rule = *c.rules[i].rule;
    if (!rule.regex || out.silenced_[c.rules[i].set]) continue;
    if (rule.path && !matches(rule.path, path)) continue;
    if (std::any_of(rule.allow.begin(), rule.allow.end(), [&](const AllowList& list) { return path_allowed(list, path); })) continue;
    out.active_[i / 64] |= 1ULL << (i % 64);
  }
  return out;
}

std::optional<std::string> Scanner::Compiled::allowed(const Rule& rule, const RuleSet& set, const Candidate& c,
                                                      std::string_view record, std::string_view line, std::string_view path) const {
  const std::string_view secret = record.substr(c.start, c.end - c.start);
  const std::string_view match = record.substr(c.match_start, c.match_end - c.match_start);
  const std::string lower = to_lower(secret);
  for (const auto* lists : {&set.allow, &rule.allow}) {
    for (const auto& list : *lists) {
      if (!finding_allowed(list, target_of(list, secret, match, line), lower, path)) continue;
      return "allow-list: " + (list.description.empty() ? std::string("without description") : printable(list.description, 80));
    }
  }
  return std::nullopt;
}

// Runs one rule over the record and appends what remains.
void Scanner::Compiled::evaluate(std::uint32_t index, std::string_view record, const Place& place, std::vector<Candidate>& out,
                                 std::vector<Drop>* drops, bool as_part) const {
  const Rule& rule = *rules[index].rule;
  if (rule.skip_report && !as_part) return;
  const RE2& regex = *rule.regex;
  const re2::StringPiece text(record.data(), record.size());
  const int groups = std::min(regex.NumberOfCapturingGroups(), kMaxGroups - 1);
  std::array<re2::StringPiece, kMaxGroups> group;
  const auto drop = [&](const Candidate& c, std::string reason) {
    if (drops != nullptr) drops->push_back({rule.id, c.start, c.end, std::move(reason)});
  };
  Lines lines(record);
  std::size_t from = 0;
  while (from <= record.size()) {
    re2::StringPiece whole;
    if (!regex.Match(text, from, record.size(), RE2::UNANCHORED, &whole, 1)) return;
    std::string_view match = view(whole);
    const auto start = static_cast<std::size_t>(match.data() - record.data());
    from = match.empty() ? start + 1 : start + match.size();
    // Newlines around the match are no part of it; the end moves with the start, as upstream's does.
    while (!match.empty() && match.front() == '\n') match.remove_prefix(1);
    while (!match.empty() && match.back() == '\n') match.remove_suffix(1);
    Candidate c;
    c.rule = index;
    c.match_start = static_cast<std::size_t>(match.data() - record.data());
    c.match_end = c.match_start + match.size();
    std::string_view secret = match;
    // The groups come from a second run on the match alone, so that what surrounds it no longer counts.
    if (groups > 0 && regex.Match(re2::StringPiece(match.data(), match.size()), 0, match.size(), RE2::UNANCHORED, group.data(), groups + 1)) {
      if (rule.secret_group > 0 && rule.secret_group <= groups) {
        secret = view(group[static_cast<std::size_t>(rule.secret_group)]);
      } else {
        for (int g = 1; g <= groups; ++g) {
          if (group[static_cast<std::size_t>(g)].empty()) continue;
          secret = view(group[static_cast<std::size_t>(g)]);
          break;
        }
      }
    }
    if (secret.data() == nullptr) secret = match.substr(0, 0);
    c.start = static_cast<std::size_t>(secret.data() - record.data());
    c.end = c.start + secret.size();
    const std::string_view line = lines.around(c.match_start, c.match_end);
    c.line_start = lines.start();
    if (rule.entropy != 0) {
      const double bits = entropy(secret);
      if (!(bits > rule.entropy)) {
        drop(c, "entropy " + short_number(bits) + " is not above " + short_number(rule.entropy));
        continue;
      }
    }
    if (lines.allowed()) {
      drop(c, "gitleaks:allow");
      continue;
    }
    if (auto why = allowed(rule, sets[rules[index].set], c, record, line, place.path_)) {
      drop(c, std::move(*why));
      continue;
    }
    if (!rule.required.empty() && !as_part && !required_met(rule, rules[index].set, c, record, place)) {
      drop(c, "a required part is not near");
      continue;
    }
    out.push_back(c);
  }
}

bool Scanner::Compiled::required_met(const Rule& rule, std::uint32_t set, const Candidate& c, std::string_view record, const Place& place) const {
  const auto line_of = [&](std::size_t offset) { return std::count(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(offset), '\n'); };
  for (const auto& part : rule.required) {
    std::vector<Candidate> parts;
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
      if (rules[i].set == set && rules[i].rule->id == part.id && rules[i].rule->regex) evaluate(i, record, place, parts, nullptr, true);
    }
    const bool near = std::any_of(parts.begin(), parts.end(), [&](const Candidate& p) {
      if (part.within_lines >= 0 && std::abs(line_of(p.match_start) - line_of(c.match_start)) > part.within_lines) return false;
      const auto column = [](const Candidate& x) { return static_cast<std::ptrdiff_t>(x.match_start - x.line_start); };
      return part.within_columns < 0 || std::abs(column(p) - column(c)) <= part.within_columns;
    });
    if (!near) return false;
  }
  return true;
}

void Scanner::Compiled::scan_piece(std::string_view record, std::size_t offset, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  thread_local Work work;
  work.open = always;
  work.stems.clear();
  Gathering gathering{this, &work};
  literals->scan(record, on_literal, &gathering);

  const std::vector<std::uint64_t>& active = place.given_ ? place.active_ : streamable;
  work.candidates.clear();
  const std::size_t first_drop = drops != nullptr ? drops->size() : 0;
  for (std::size_t word = 0; word < work.open.size(); ++word) {
    for (std::uint64_t bits = work.open[word] & active[word]; bits != 0; bits &= bits - 1) {
      const auto index = static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits)));
      evaluate(index, record, place, work.candidates, drops);
    }
  }
  work.found.clear();
  if (extractor && !work.stems.empty()) extractor->run(record, work.stems, work.found, drops);
  if (extractor && options.personal) {
    work.numbers.clear();
    find_numbers(record, work.numbers);
    for (const auto& number : work.numbers) {
      work.found.push_back({number.iban ? FieldRule::kIban : FieldRule::kCard, Tier::kVerified, number.start, number.end,
                            std::string(record.substr(number.start, number.end - number.start)), {}});
    }
  }
  if (work.candidates.empty() && work.found.empty()) {
    if (drops != nullptr) {
      for (std::size_t i = first_drop; i < drops->size(); ++i) (*drops)[i].start += offset, (*drops)[i].end += offset;
    }
    return;
  }

  const auto drop = [&](std::string_view rule, std::size_t start, std::size_t end, const char* why) {
    if (drops != nullptr) drops->push_back({rule, start, end, why});
  };
  const auto emit = [&](std::string_view id, std::string_view description, Kind kind, Tier tier, std::size_t start, std::size_t end,
                        std::string_view secret, std::string note) {
    Hit hit;
    hit.rule = id;
    hit.description = description;
    hit.kind = kind;
    hit.tier = tier;
    hit.start = start + offset;
    hit.end = end + offset;
    hit.preview = preview(secret);
    if (options.fingerprint) hit.fingerprint = options.fingerprint(secret);
    hit.note = std::move(note);
    out.push_back(std::move(hit));
  };
  const auto secret_of = [&](const Candidate& c) { return record.substr(c.start, c.end - c.start); };

  Specific specific;
  Spans fields;
  std::set<std::pair<std::size_t, std::size_t>> foreign;
  for (const Candidate& c : work.candidates) {
    if (rules[c.rule].rule->generic) continue;
    specific.add(c, secret_of(c));
    if (!sets[rules[c.rule].set].own) foreign.emplace(c.start, c.end);
  }
  specific.spans.close();
  for (const Found& f : work.found) fields.add(f.start, f.end);
  fields.close();

  for (const Candidate& c : work.candidates) {
    const Rule& rule = *rules[c.rule].rule;
    // A generic rule gives way to a specific one that found the same secret on the same line.
    const bool shadowed = rule.generic && (specific.holds(c.line_start, secret_of(c)) || fields.covers(c.start, c.end));
    if (shadowed) {
      drop(rule.id, c.start, c.end, "a specific rule found it");
      continue;
    }
    // Of two rules at the same place, the loaded file's stands beside its own kind only.
    const bool own = sets[rules[c.rule].set].own;
    const bool doubled = own && foreign.contains({c.start, c.end});
    const TokenFacts facts = inspect_token(secret_of(c));
    if (doubled && !(facts.known && facts.tier == Tier::kVerified)) {
      drop(rule.id, c.start, c.end, "duplicate");
      continue;
    }
    Tier tier = facts.known ? facts.tier : Tier::kPattern;
    if (rule.check == "structure") tier = std::min(tier, Tier::kStructure);
    emit(rule.id, rule.description, rule.kind, tier, c.start, c.end, secret_of(c), facts.note);
  }
  std::stable_sort(work.found.begin(), work.found.end(), [](const Found& a, const Found& b) { return a.start != b.start ? a.start < b.start : a.end > b.end; });
  std::size_t other_end = 0;
  for (const Found& f : work.found) {
    const std::string_view id = kFieldRuleIds[static_cast<std::size_t>(f.rule)];
    const bool by_rule = specific.spans.overlaps(f.start, f.end);
    const bool by_other = f.start < other_end;
    if (by_rule || by_other) {
      drop(id, f.start, f.end, "duplicate");
      continue;
    }
    other_end = std::max(other_end, f.end);
    const FieldRuleInfo& info = vocabulary.info(f.rule);
    emit(id, info.description, info.kind, f.tier, f.start, f.end, f.secret, f.note);
  }
  if (drops != nullptr && offset > 0) {
    for (std::size_t i = first_drop; i < drops->size(); ++i) (*drops)[i].start += offset, (*drops)[i].end += offset;
  }
}

void Scanner::scan(std::string_view record, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  static const Place nowhere;
  scan(record, nowhere, out, drops);
}

void Scanner::scan(std::string_view record, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  const std::size_t first = out.size();
  if (record.size() <= kPiece) {
    compiled_->scan_piece(record, 0, place, out, drops);
  } else {
    // Pieces overlap, so that a secret at a cut is seen whole in one of them; what both saw counts once.
    for (std::size_t at = 0;; at += kPiece - kOverlap) {
      compiled_->scan_piece(record.substr(at, kPiece), at, place, out, drops);
      if (at + kPiece >= record.size()) break;
    }
  }
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(first);
  if (out.end() - begin < 2) return;
  std::stable_sort(begin, out.end(), [](const Hit& a, const Hit& b) { return a.start != b.start ? a.start < b.start : a.end > b.end; });
  const auto last = std::unique(begin, out.end(), [](const Hit& a, const Hit& b) { return a.start == b.start && a.end == b.end && a.rule == b.rule; });
  out.erase(last, out.end());
}

std::size_t Scanner::rule_count() const noexcept {
  return compiled_->rules.size() + (compiled_->extractor ? kFieldRuleIds.size() : 0);
}

std::vector<Scanner::RuleInfo> Scanner::rules() const {
  std::vector<RuleInfo> out;
  for (const auto& entry : compiled_->rules) {
    out.push_back({entry.rule->id, entry.rule->description, entry.rule->kind, compiled_->sets[entry.set].file});
  }
  if (compiled_->extractor) {
    for (std::size_t i = 0; i < kFieldRuleIds.size(); ++i) {
      const auto& info = compiled_->vocabulary.info(static_cast<FieldRule>(i));
      out.push_back({kFieldRuleIds[i], info.description, info.kind, kVocabularyFile});
    }
  }
  return out;
}

std::string_view name(Kind kind) noexcept { return kind == Kind::kPersonal ? "personal" : "secret"; }

std::string_view name(Tier tier) noexcept {
  return tier == Tier::kVerified ? "verified" : tier == Tier::kStructure ? "structure" : "pattern";
}

std::string preview(std::string_view secret) {
  const std::string text = to_utf8(secret);
  std::vector<std::size_t> starts;  // of the characters
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) starts.push_back(i);
  }
  const std::size_t shown = std::min<std::size_t>(4, starts.size() / 4);
  const std::size_t front = (shown + 1) / 2;
  const std::size_t back = shown / 2;
  std::string out = printable(std::string_view(text).substr(0, front < starts.size() ? starts[front] : 0));
  out += "…";
  if (back > 0) out += printable(std::string_view(text).substr(starts[starts.size() - back]));
  return out;
}

std::string redact(std::string_view text, std::span<const Hit> hits) {
  std::vector<const Hit*> ordered;
  for (const auto& hit : hits) ordered.push_back(&hit);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Hit* a, const Hit* b) { return a->start < b->start; });
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < ordered.size();) {
    const std::size_t start = std::min(ordered[i]->start, text.size());
    std::size_t end = std::min(ordered[i]->end, text.size());
    const Hit* shown = ordered[i];
    for (++i; i < ordered.size() && ordered[i]->start < end; ++i) end = std::max(end, std::min(ordered[i]->end, text.size()));
    if (end <= start) continue;
    out += text.substr(at, start - at);
    out += "‹" + shown->preview + "›";
    at = end;
  }
  out += text.substr(std::min(at, text.size()));
  return out;
}

namespace {

void check_rule_samples(const Scanner& scanner, std::string_view id, const std::vector<std::string>& match,
                        const std::vector<std::string>& clean, std::vector<std::string>& problems) {
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < match.size(); ++i) {
    hits.clear();
    scanner.scan(match[i], hits);
    if (std::none_of(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.rule == id; })) {
      problems.push_back(std::string(id) + ": sample match[" + std::to_string(i) + "] gives no hit of this rule");
    }
  }
  for (std::size_t i = 0; i < clean.size(); ++i) {
    hits.clear();
    scanner.scan(clean[i], hits);
    if (!hits.empty()) {
      problems.push_back(std::string(id) + ": sample clean[" + std::to_string(i) + "] gives a hit of " + std::string(hits.front().rule));
    }
  }
}

}  // namespace

std::vector<std::string> check_own_samples() {
  std::vector<std::string> problems;
  auto loaded = Scanner::load({}, Options{});
  if (!loaded) return {loaded.error().text()};
  for (const auto& file : embedded_secrets()) {
    const RuleFile own{std::string(file.name), std::string(file.text)};
    if (file.name == kVocabularyFile) {
      const auto vocabulary = Vocabulary::read(own);
      for (std::size_t i = 0; i < kFieldRuleIds.size(); ++i) {
        const auto& info = vocabulary->info(static_cast<FieldRule>(i));
        check_rule_samples(loaded->scanner, kFieldRuleIds[i], info.must_match, info.must_not_match, problems);
      }
      continue;
    }
    const auto set = read_rules(own, true);
    for (const auto& rule : set->rules) check_rule_samples(loaded->scanner, rule.id, rule.must_match, rule.must_not_match, problems);
  }
  return problems;
}

}  // namespace tocsin::rules::secrets
