// Loading, and one record at a time: the gates say which rules are open and where the extractor must look; the rules
// are evaluated, the extractor reads, and what both found becomes hits without doubles.
#include "rules/secrets/scanner.hpp"

#include <algorithm>
#include <array>

#include "rules/base/embedded.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/compiled.hpp"
#include "rules/secrets/contacts.hpp"
#include "rules/secrets/shapes.hpp"

namespace tocsin::rules::secrets {

std::span<const EmbeddedFile> embedded_secrets();  // made by tocsin_embed

namespace {

constexpr std::string_view kVocabularyFile = "secrets/fields.toml";

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
  std::vector<std::string> line_words;
  for (const auto& set : sets) {
    const auto add = [&](const AllowList& list) {
      if (list.target == AllowList::Target::kLine) line_words.insert(line_words.end(), list.must_contain.begin(), list.must_contain.end());
    };
    std::for_each(set.allow.begin(), set.allow.end(), add);
    for (const Rule& rule : set.rules) std::for_each(rule.allow.begin(), rule.allow.end(), add);
  }
  auto compiled = Gates::compile(inputs, extractor ? extractor->stems() : std::vector<std::pair<std::string, StemKind>>{}, line_words);
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
  w.seen.clear();
  gates->find(record, look(false, place, drops != nullptr), w.seen);
  w.numbers.clear();
  if (extractor && options.personal) find_numbers(record, w.numbers);
  judge(record, {0, w.seen.events, w.seen.values, w.numbers, !w.seen.line_words.empty()}, offset, place, out, drops);
}

void Scanner::Compiled::judge(std::string_view record, const RecordSeen& seen, std::size_t offset, const Place& place, std::vector<Hit>& out,
                              std::vector<Drop>* drops) const {
  // Most records that come one at a time hold nothing of interest.
  const bool nothing_seen = seen.events.empty() && seen.numbers.empty() && options.short_cuts && gates->always().empty();
  if (nothing_seen && !(extractor && (options.contacts || may_be_password_line(record)))) return;
  Work& w = work();
  w.open = gates->always();
  w.stems.clear();
  w.allow_comment = false;
  w.line_words = seen.line_words;
  ++w.round;
  bool short_cuts = options.short_cuts;
  for (const auto& event : seen.events) {
    const auto& opener = gates->opener(event.opener);
    const auto end = static_cast<std::uint32_t>(event.end - seen.base);
    switch (opener.what) {
      case Gates::Opener::What::kRules: w.open.insert(w.open.end(), opener.rules.begin(), opener.rules.end()); break;
      case Gates::Opener::What::kStem: w.stems.push_back(gates->stem(event.opener, end)); break;
      case Gates::Opener::What::kAllowComment: w.allow_comment = true; break;
      case Gates::Opener::What::kFolding: short_cuts = false; break;
      case Gates::Opener::What::kKeyBlock:
      case Gates::Opener::What::kLineWord: break;
    }
  }
  const std::size_t first_drop = drops != nullptr ? drops->size() : 0;
  w.candidates.clear();
  if (!short_cuts) {
    w.allow_comment = true;  // look for it
    w.line_words = true;
    w.open.clear();
    gates->open_by_keywords(record, w.open);
  } else if (w.open.size() > 1) {
    std::sort(w.open.begin(), w.open.end());
    w.open.erase(std::unique(w.open.begin(), w.open.end()), w.open.end());
  }
  const std::vector<std::uint64_t>& active = place.given_ ? place.active_ : streamable;
  for (const std::uint32_t index : w.open) {
    if ((active[index / 64] >> (index % 64) & 1) == 0) continue;
    const bool by_hand = short_cuts && rules[index].by_hand;
    if (short_cuts && !gates->keyword_in(index, record)) continue;
    evaluate(index, record, place, by_hand ? &seen : nullptr, w.candidates, drops);
  }
  w.found.clear();
  if (extractor && (!w.stems.empty() || may_be_password_line(record))) extractor->run(record, w.stems, w.found, drops);
  for (const auto& number : seen.numbers) {
    const std::size_t start = number.start - seen.base;
    const std::size_t end = number.end - seen.base;
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
