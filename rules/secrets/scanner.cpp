// Loading, and one record at a time: the gates say which rules are open and where the extractor must look; the rules
// are evaluated, the extractor reads, and what both found becomes hits without doubles.
#include "rules/secrets/scanner.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "rules/base/embedded.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/compiled.hpp"
#include "rules/secrets/contacts.hpp"
#include "rules/secrets/shapes.hpp"
#include "rules/secrets/tokens.hpp"

namespace tocsin::rules::secrets {

std::span<const EmbeddedFile> embedded_secrets();  // made by tocsin_embed

namespace {

constexpr std::string_view kVocabularyFile = "secrets/fields.toml";

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
class Specific {
 public:
  static constexpr std::size_t kMaxCompared = 1000;  // secrets of one line; further ones are not compared
  Spans spans;

  void add(const Candidate& c, std::string_view secret) {
    spans.add(c.start, c.end);
    secrets_.emplace_back(c.line_start, secret);
  }
  void close() {
    spans.close();
    std::sort(secrets_.begin(), secrets_.end());
    secrets_.erase(std::unique(secrets_.begin(), secrets_.end()), secrets_.end());
  }
  bool holds(std::size_t line_start, std::string_view secret) const {
    if (std::binary_search(secrets_.begin(), secrets_.end(), std::pair(line_start, secret))) return true;
    auto it = std::lower_bound(secrets_.begin(), secrets_.end(), std::pair(line_start, std::string_view()));
    for (std::size_t n = 0; it != secrets_.end() && it->first == line_start && n < kMaxCompared; ++it, ++n) {
      if (it->second.find(secret) != std::string_view::npos) return true;
    }
    return false;
  }

 private:
  std::vector<std::pair<std::size_t, std::string_view>> secrets_;
};

}  // namespace

Result<void> Scanner::Compiled::build() {
  std::vector<Gates::RuleInput> inputs;
  for (std::uint32_t set = 0; set < sets.size(); ++set) {
    for (const auto& rule : sets[set].rules) rules.push_back({&rule, set, rule.regex && is_generic_key_pattern(rule.regex->pattern())});
  }
  streamable.assign(words(), 0);
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = *rules[i].rule;
    inputs.push_back({rule.regex ? std::string_view(rule.regex->pattern()) : std::string_view(), &rule.keywords, rules[i].by_hand,
                      rule.path != nullptr, rule.entropy});
    if (!rule.regex) {
      sets[rules[i].set].diagnostics.push_back({sets[rules[i].set].file + ":" + std::to_string(rule.line),
                                                "rule '" + printable(rule.id, 80) + "' looks at paths only and cannot fire on text"});
      continue;
    }
    if (!rule.path) streamable[i / 64] |= 1ULL << (i % 64);
  }
  auto compiled = Gates::compile(inputs, extractor ? extractor->stems() : std::vector<std::pair<std::string, StemKind>>{});
  if (!compiled) return pass(std::move(compiled));
  gates = std::move(*compiled);
  return {};
}

Work& Scanner::Compiled::work() {
  thread_local Work work;
  return work;
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
    auto set = read_rules(file, false, compiled->options.tokens);
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
    const FilterInput source{path, {}, {}, {}, {}, {}, 0, 0, 0, 0};
    out.silenced_.push_back((set.prefilter && set.prefilter->holds(source)) || std::any_of(set.allow.begin(), set.allow.end(), [&](const AllowList& list) { return path_allowed(list, path); }));
  }
  for (std::uint32_t i = 0; i < c.rules.size(); ++i) {
    const Rule& rule = *c.rules[i].rule;
    if (!rule.regex || out.silenced_[c.rules[i].set]) continue;
    if (rule.path && !path_matches(rule, path)) continue;
    if (std::any_of(rule.allow.begin(), rule.allow.end(), [&](const AllowList& list) { return path_allowed(list, path); })) continue;
    out.active_[i / 64] |= 1ULL << (i % 64);
  }
  return out;
}

Gates::Look Scanner::Compiled::look(bool lines, const Place& place, bool explain) const {
  return {lines, place.given_, explain || !options.short_cuts, extractor ? &*extractor : nullptr};
}

void Scanner::Compiled::scan_piece(std::string_view record, std::size_t offset, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  Work& w = work();
  w.events.clear();
  gates->find(record, look(false, place, drops != nullptr), w.events);
  w.numbers.clear();
  if (extractor && options.personal) find_numbers(record, w.numbers);
  judge(record, 0, w.events, w.numbers, offset, place, out, drops);
}

void Scanner::Compiled::judge(std::string_view record, std::size_t base, std::span<const Gates::Event> events, std::span<const NumberFound> numbers,
                              std::size_t offset, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  Work& w = work();
  w.open = gates->always();
  w.words.clear();
  w.stems.clear();
  w.allow_comment = false;
  ++w.round;
  bool short_cuts = options.short_cuts;
  for (const auto& event : events) {
    const auto& opener = gates->opener(event.opener);
    const auto end = static_cast<std::uint32_t>(event.end - base);
    if (event.weak != 0) {
      w.words.push_back({end - opener.length, end - opener.length + static_cast<std::uint32_t>(opener.needle->length)});
      continue;
    }
    switch (opener.what) {
      case Gates::Opener::What::kRules:
        w.open.insert(w.open.end(), opener.rules.begin(), opener.rules.end());
        if (opener.naming_word) w.words.push_back({end - opener.length, end - opener.length + static_cast<std::uint32_t>(opener.needle->length)});
        break;
      case Gates::Opener::What::kStem: w.stems.push_back({end - opener.length, end, opener.stem}); break;
      case Gates::Opener::What::kAllowComment: w.allow_comment = true; break;
      case Gates::Opener::What::kFolding: short_cuts = false; break;
      case Gates::Opener::What::kKeyBlock: break;
    }
  }
  const std::size_t first_drop = drops != nullptr ? drops->size() : 0;
  w.candidates.clear();
  if (!short_cuts) {
    w.allow_comment = true;  // look for it
    w.open.clear();
    gates->open_by_keywords(record, w.open);
  } else if (w.open.size() > 1) {
    std::sort(w.open.begin(), w.open.end());
    w.open.erase(std::unique(w.open.begin(), w.open.end()), w.open.end());
  }
  const std::vector<std::uint64_t>& active = place.given_ ? place.active_ : streamable;
  for (const std::uint32_t index : w.open) {
    if ((active[index / 64] >> (index % 64) & 1) == 0) continue;
    std::span<const Word> words(w.words);
    const bool by_hand = short_cuts && rules[index].by_hand;
    if (short_cuts && !gates->keyword_in(index, record)) continue;
    evaluate(index, record, place, by_hand ? &words : nullptr, w.candidates, drops);
  }
  w.found.clear();
  if (extractor && (!w.stems.empty() || may_be_password_line(record))) extractor->run(record, w.stems, w.found, drops);
  for (const auto& number : numbers) {
    const std::size_t start = number.start - base;
    const std::size_t end = number.end - base;
    if (!number.iban) {
      const std::string_view why = why_no_card(record, start, end);
      if (!why.empty()) {
        if (drops != nullptr) drops->push_back({kFieldRuleIds[static_cast<std::size_t>(FieldRule::kCard)], start, end, std::string(why)});
        continue;
      }
    }
    w.found.push_back({number.iban ? FieldRule::kIban : FieldRule::kCard, Tier::kVerified, start, end, std::string(record.substr(start, end - start)), {}});
  }
  if (extractor && options.personal && options.contacts) {
    std::vector<ContactFound> contacts;
    find_contacts(record, contacts);
    for (const auto& contact : contacts) {
      w.found.push_back({contact.phone ? FieldRule::kPhone : FieldRule::kEmail, contact.tier, contact.start, contact.end,
                         std::string(record.substr(contact.start, contact.end - contact.start)), {}});
    }
  }
  if (!w.candidates.empty() || !w.found.empty()) emit(w, record, offset, out, drops);
  if (drops != nullptr && offset > 0) {
    for (std::size_t i = first_drop; i < drops->size(); ++i) (*drops)[i].start += offset, (*drops)[i].end += offset;
  }
}

// Without doubles: a generic rule gives way to a specific one, the own pack to a loaded file, the extractor to a rule.
void Scanner::Compiled::emit(Work& w, std::string_view record, std::size_t offset, std::vector<Hit>& out, std::vector<Drop>* drops) const {
  const auto drop = [&](std::string_view rule, std::size_t start, std::size_t end, const char* why) {
    if (drops != nullptr) drops->push_back({rule, start, end, why});
  };
  const auto give = [&](std::string_view id, std::string_view description, Kind kind, Tier tier, std::size_t start, std::size_t end,
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
  std::vector<std::pair<std::size_t, std::size_t>> foreign;
  for (const Candidate& c : w.candidates) {
    if (rules[c.rule].rule->generic) continue;
    specific.add(c, secret_of(c));
    if (!sets[rules[c.rule].set].own) foreign.emplace_back(c.start, c.end);
  }
  specific.close();
  std::sort(foreign.begin(), foreign.end());
  for (const Found& f : w.found) fields.add(f.start, f.end);
  fields.close();

  // Of a file that grades its rules, the more specific one stands.
  std::map<std::pair<std::uint32_t, int>, Spans> grades;  // by file and specificity
  for (const Candidate& c : w.candidates) {
    if (sets[rules[c.rule].set].graded) grades[{rules[c.rule].set, rules[c.rule].rule->specificity}].add(c.start, c.end);
  }
  for (auto& [grade, spans] : grades) spans.close();
  const auto outdone = [&](const Candidate& c) {
    const std::uint32_t set = rules[c.rule].set;
    for (auto it = grades.upper_bound({set, rules[c.rule].rule->specificity}); it != grades.end() && it->first.first == set; ++it) {
      if (it->second.covers(c.start, c.end)) return true;
    }
    return false;
  };
  for (const Candidate& c : w.candidates) {
    const Rule& rule = *rules[c.rule].rule;
    if (sets[rules[c.rule].set].graded && outdone(c)) {
      drop(rule.id, c.start, c.end, "a more specific rule found it");
      continue;
    }
    // A generic rule gives way to a specific one that found the same secret on the same line.
    const bool shadowed = rule.generic && (specific.holds(c.line_start, secret_of(c)) || fields.covers(c.start, c.end));
    if (shadowed) {
      drop(rule.id, c.start, c.end, "a specific rule found it");
      continue;
    }
    // Of two rules at the same place, the loaded file's stands beside its own kind only.
    const bool own = sets[rules[c.rule].set].own;
    const bool doubled = own && std::binary_search(foreign.begin(), foreign.end(), std::pair(c.start, c.end));
    TokenFacts facts = inspect_token(secret_of(c));
    // The secret half of an AWS key pair is mute; the id before it names the account.
    if (!facts.known) facts = inspect_token(record.substr(c.match_start, c.match_end - c.match_start));
    if (doubled && !(facts.known && facts.tier == Tier::kVerified)) {
      drop(rule.id, c.start, c.end, "duplicate");
      continue;
    }
    Tier tier = facts.known ? facts.tier : Tier::kPattern;
    if (rule.check == "structure") tier = std::min(tier, Tier::kStructure);
    give(rule.id, rule.description, rule.kind, tier, c.start, c.end, secret_of(c), facts.note);
  }
  std::stable_sort(w.found.begin(), w.found.end(), [](const Found& a, const Found& b) { return a.start != b.start ? a.start < b.start : a.end > b.end; });
  std::size_t other_end = 0;
  for (const Found& f : w.found) {
    const std::string_view id = kFieldRuleIds[static_cast<std::size_t>(f.rule)];
    const bool by_rule = specific.spans.overlaps(f.start, f.end);
    const bool by_other = f.start < other_end;
    if (by_rule || by_other) {
      drop(id, f.start, f.end, "duplicate");
      continue;
    }
    other_end = std::max(other_end, f.end);
    const FieldRuleInfo& info = vocabulary.info(f.rule);
    give(id, info.description, info.kind, f.tier, f.start, f.end, f.secret, f.note);
  }
}

void order_hits(std::vector<Hit>& out, std::size_t first) {
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(first);
  if (out.end() - begin < 2) return;
  std::stable_sort(begin, out.end(), [](const Hit& a, const Hit& b) { return a.start != b.start ? a.start < b.start : a.end > b.end; });
  const auto last = std::unique(begin, out.end(), [](const Hit& a, const Hit& b) { return a.start == b.start && a.end == b.end && a.rule == b.rule; });
  out.erase(last, out.end());
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
  order_hits(out, first);
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
  // Visible ASCII, as nearly always: characters are bytes.
  if (std::all_of(secret.begin(), secret.end(), [](char c) { return c >= ' ' && c < 0x7f && c != '\\'; })) {
    const std::size_t shown = std::min<std::size_t>(4, secret.size() / 4);
    const std::size_t back = shown / 2;
    std::string out(secret.substr(0, shown - back));
    out += "…";
    return out.append(secret.substr(secret.size() - back));
  }
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
  Options all;
  all.contacts = true;
  auto loaded = Scanner::load({}, all);
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
