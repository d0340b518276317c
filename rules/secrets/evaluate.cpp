// One rule on one record, step by step as gitleaks does it (ops/docs/formats/secret-rules.md), with the record in the
// place of its 100 kB fragment.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>

#include "rules/base/text.hpp"
#include "rules/secrets/compiled.hpp"
#include "rules/secrets/entropy.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr int kMaxGroups = 64;  // capture groups looked at per rule

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

bool matches(const std::unique_ptr<RE2>& regex, std::string_view text) {
  return regex && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
}

bool has_stopword(const AllowList& list, const std::string& lower) {
  if (list.starts && !list.starts->possible(lower)) return false;
  if (list.many) {
    bool any = false;
    list.many->scan(lower, [](void* context, std::uint32_t, std::size_t) { *static_cast<bool*>(context) = true; }, &any);
    return any;
  }
  return std::any_of(list.stopwords.begin(), list.stopwords.end(), [&](const std::string& word) { return lower.find(word) != std::string::npos; });
}

// Does it allow this finding?
bool finding_allowed(const AllowList& list, std::string_view target, const std::string& lower_secret, std::string_view path) {
  if (list.all) {
    if (list.commits) return false;
    if (list.paths && (path.empty() || !matches(list.paths, path))) return false;
  }
  const bool possible = list.must_contain.empty() || std::any_of(list.must_contain.begin(), list.must_contain.end(), [&](const std::string& literal) {
                          return memmem(target.data(), target.size(), literal.data(), literal.size()) != nullptr;
                        });
  const bool regex = possible && !(list.refusal && list.refusal->refuses(target)) && matches(list.regexes, target);
  if (!list.all) return regex || has_stopword(list, lower_secret);
  if (list.regexes && !regex) return false;
  return list.stopwords.empty() || has_stopword(list, lower_secret);
}

std::string_view target_of(const AllowList& list, std::string_view secret, std::string_view match, std::string_view line) {
  return list.target == AllowList::Target::kMatch ? match : list.target == AllowList::Target::kLine ? line : secret;
}

// The lines around matches that come in order; a long line is measured once, not once per match.
class Lines {
 public:
  // `comments`: whether there is a comment to look for at all.
  Lines(std::string_view record, bool comments) : record_(record), comments_(comments) {}

  // The line or lines that the match lies on.
  std::string_view around(std::size_t start, std::size_t end) {
    if (!known_ || start < first_ || start > last_) {
      const void* const before = start == 0 ? nullptr : memrchr(record_.data(), '\n', start);
      first_ = before == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(before) - record_.data()) + 1;
      last_ = std::min(record_.find('\n', start), record_.size());
      known_ = true;
      allowed_ = comments_ && record_.substr(first_, last_ - first_).find("gitleaks:allow") != std::string_view::npos;
    }
    over_ = end > last_ ? std::min(record_.find('\n', end), record_.size()) : last_;
    return record_.substr(first_, over_ - first_);
  }
  std::size_t start() const { return first_; }  // of the line last asked for
  bool allowed() const {                        // it carries the comment that allows it
    return allowed_ || (comments_ && over_ > last_ && record_.substr(last_, over_ - last_).find("gitleaks:allow") != std::string_view::npos);
  }

 private:
  std::string_view record_;
  bool comments_;
  std::size_t first_ = 0, last_ = 0, over_ = 0;
  bool known_ = false, allowed_ = false;
};

std::string short_number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2f", value);
  return buffer.data();
}

}  // namespace

bool path_allowed(const AllowList& list, std::string_view path) {
  if (!list.all) return matches(list.paths, path);
  if (list.regexes || !list.stopwords.empty() || list.commits || !list.paths) return false;
  return matches(list.paths, path);
}

bool path_matches(const Rule& rule, std::string_view path) { return matches(rule.path, path); }

const AllowList* Scanner::Compiled::allowed(const Rule& rule, const RuleSet& set, const Candidate& c, std::string_view record,
                                            std::string_view line, std::string_view path) const {
  const std::string_view secret = record.substr(c.start, c.end - c.start);
  const std::string_view match = record.substr(c.match_start, c.match_end - c.match_start);
  std::string& lower = work().lower;
  lower.assign(secret);
  for (char& byte : lower) byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  for (const auto* lists : {&set.allow, &rule.allow}) {
    for (const auto& list : *lists) {
      if (list.target == AllowList::Target::kLine && list.stopwords.empty()) {
        if (!work().line_words && !list.must_contain.empty()) continue;
        // The answer is the line's, not the secret's: many findings on one long line ask once.
        auto& places = work().lines_asked;
        auto& last = places[static_cast<std::size_t>(&list - lists->data()) % places.size()];
        if (last.list != &list || last.line.data() != line.data() || last.line.size() != line.size() || last.round != work().round) {
          last = {&list, line, work().round, finding_allowed(list, line, lower, path)};
        }
        if (last.allowed) return &list;
        continue;
      }
      if (finding_allowed(list, target_of(list, secret, match, line), lower, path)) return &list;
    }
  }
  return nullptr;
}

namespace {

// The matches of a rule's regex, leftmost first, none overlapping.
class Matches {
 public:
  // With `seen`: those of the generic key, from its values.
  Matches(const RE2& regex, std::string_view record, const RecordSeen* seen) : regex_(regex), record_(record), by_hand_(seen != nullptr) {
    if (seen != nullptr) base_ = seen->base, values_ = seen->values;
  }

  bool next() {
    if (from_ > record_.size()) return false;
    if (by_hand_) {
      if (!next_generic_key(record_, base_, values_, from_, hand_)) return false;
      match_ = record_.substr(hand_.start, hand_.end - hand_.start);
    } else {
      re2::StringPiece whole;
      const re2::StringPiece text(record_.data(), record_.size());
      if (!regex_.Match(text, from_, record_.size(), RE2::UNANCHORED, &whole, 1)) return false;
      match_ = view(whole);
    }
    found_at_ = static_cast<std::size_t>(match_.data() - record_.data());
    from_ = match_.empty() ? found_at_ + 1 : found_at_ + match_.size();
    // Newlines around the match are no part of it.
    while (!match_.empty() && match_.front() == '\n') match_.remove_prefix(1);
    while (!match_.empty() && match_.back() == '\n') match_.remove_suffix(1);
    return true;
  }

  // The secret, from a second run on the match alone, so that what surrounds it no longer counts. The generic key finds
  // there what it found: its first naming word, its operator and all that the secret may consist of lie inside.
  std::string_view secret(int secret_group) {
    if (by_hand_) return record_.substr(hand_.secret_start, hand_.secret_end - hand_.secret_start);
    const int groups = std::min(regex_.NumberOfCapturingGroups(), kMaxGroups - 1);
    if (groups == 0) return match_;
    const re2::StringPiece alone(match_.data(), match_.size());
    std::array<re2::StringPiece, kMaxGroups> group;
    if (!regex_.Match(alone, 0, match_.size(), RE2::UNANCHORED, group.data(), groups + 1)) return match_;
    const auto piece = [&](int g) { return view(group[static_cast<std::size_t>(g)]); };
    if (secret_group > 0 && secret_group <= groups) return piece(secret_group).data() != nullptr ? piece(secret_group) : match_.substr(0, 0);
    for (int g = 1; g <= groups; ++g) {
      if (!piece(g).empty()) return piece(g);
    }
    return match_;
  }

  std::string_view text() const { return match_; }
  std::size_t offset() const { return static_cast<std::size_t>(match_.data() - record_.data()); }
  std::size_t found_at() const { return found_at_; }
  // What is known of entropy(secret) > limit from the search for values.
  std::optional<bool> random(double limit, double least) const {
    if (!by_hand_ || limit < least) return std::nullopt;
    if (!hand_.random) return false;
    return limit == least ? std::optional(true) : std::nullopt;
  }

 private:
  const RE2& regex_;
  std::string_view record_;
  bool by_hand_;
  std::size_t base_ = 0;
  std::span<const NamedValue> values_;
  GenericKeyMatch hand_;
  std::string_view match_;
  std::size_t from_ = 0;
  std::size_t found_at_ = 0;
};

// Where the matches of a required rule begin.
class Parts {
 public:
  static constexpr std::size_t kMaxCompared = 1000;  // parts on the lines around one match; further ones are not near

  Parts(std::string_view record, const std::vector<Candidate>& found) {
    for (std::size_t at = 0; (at = record.find('\n', at)) != std::string_view::npos; ++at) newlines_.push_back(at);
    for (const auto& c : found) places_.push_back(place(c));
    std::sort(places_.begin(), places_.end());
  }
  // Line, and column as upstream counts it: behind the first line from the newline itself.
  std::pair<std::ptrdiff_t, std::ptrdiff_t> place(const Candidate& c) const {
    const auto line = std::lower_bound(newlines_.begin(), newlines_.end(), c.line_start) - newlines_.begin();
    const auto column = static_cast<std::ptrdiff_t>(c.found_at) - static_cast<std::ptrdiff_t>(c.line_start) + (c.line_start > 0 ? 1 : 0);
    return {line, column};
  }
  bool near(std::pair<std::ptrdiff_t, std::ptrdiff_t> to, const RequiredPart& part) const {
    constexpr auto kFar = std::numeric_limits<std::ptrdiff_t>::max() / 2;
    const std::ptrdiff_t lines = part.within_lines >= 0 ? part.within_lines : kFar;
    const std::ptrdiff_t columns = part.within_columns >= 0 ? part.within_columns : kFar;
    auto it = std::lower_bound(places_.begin(), places_.end(), std::pair(to.first - lines, std::numeric_limits<std::ptrdiff_t>::min()));
    for (std::size_t n = 0; it != places_.end() && it->first <= to.first + lines && n < kMaxCompared; ++it, ++n) {
      if (std::abs(it->second - to.second) <= columns) return true;
    }
    return false;
  }

 private:
  std::vector<std::size_t> newlines_;
  std::vector<std::pair<std::ptrdiff_t, std::ptrdiff_t>> places_;
};

}  // namespace

void Scanner::Compiled::evaluate(std::uint32_t index, std::string_view record, const Place& place, const RecordSeen* seen,
                                 std::vector<Candidate>& out, std::vector<Drop>* drops, bool as_part) const {
  const Rule& rule = *rules[index].rule;
  if (rule.skip_report && !as_part) return;
  const auto drop = [&](const Candidate& c, std::string reason) {
    if (drops != nullptr) drops->push_back({rule.id, c.start, c.end, std::move(reason)});
  };
  Lines lines(record, work().allow_comment);
  Matches matches(*rule.regex, record, seen);
  const std::size_t first = out.size();
  while (matches.next()) {
    Candidate c;
    c.rule = index;
    c.found_at = matches.found_at();
    c.match_start = matches.offset();
    c.match_end = c.match_start + matches.text().size();
    const std::string_view secret = matches.secret(rule.secret_group);
    c.start = static_cast<std::size_t>(secret.data() - record.data());
    c.end = c.start + secret.size();
    if (rule.entropy != 0) {
      const auto known = matches.random(rule.entropy, gates->least_entropy());
      if (!(known ? *known : entropy_above(secret, rule.entropy))) {
        if (drops != nullptr) drop(c, "entropy " + short_number(entropy(secret)) + " is not above " + short_number(rule.entropy));
        continue;
      }
    }
    // A match that begins with a newline counts to the line behind that newline.
    const std::size_t line_from = c.found_at < record.size() && record[c.found_at] == '\n' ? c.found_at + 1 : c.found_at;
    const std::string_view line = lines.around(line_from, std::max(line_from, c.found_at + matches.text().size()));
    c.line_start = lines.start();
    if (lines.allowed()) {
      drop(c, "gitleaks:allow");
      continue;
    }
    if (const AllowList* list = allowed(rule, sets[rules[index].set], c, record, line, place.path_)) {
      if (drops != nullptr) drop(c, "allow-list: " + (list->description.empty() ? std::string("without description") : printable(list->description, 80)));
      continue;
    }
    const RuleSet& set = sets[rules[index].set];
    if (set.filter || rule.filter) {
      FilterInput input{place.path_, rule.id, record, secret, matches.text(), line, c.match_start, c.match_end, c.line_start, c.line_start + line.size()};
      if ((set.filter && set.filter->holds(input)) || (rule.filter && rule.filter->holds(input))) {
        drop(c, "filter");
        continue;
      }
    }
    out.push_back(c);
  }
  if (!rule.required.empty() && !as_part) keep_with_parts(rule, rules[index].set, record, place, first, out, drops);
}

// Of the candidates from `first` on, keeps those that have each required part near.
void Scanner::Compiled::keep_with_parts(const Rule& rule, std::uint32_t set, std::string_view record, const Place& place, std::size_t first,
                                        std::vector<Candidate>& out, std::vector<Drop>* drops) const {
  if (first == out.size()) return;
  for (const auto& part : rule.required) {
    std::vector<Candidate> found;
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
      if (rules[i].set == set && rules[i].rule->id == part.id && rules[i].rule->regex) evaluate(i, record, place, nullptr, found, nullptr, true);
    }
    const Parts parts(record, found);
    const auto gone = std::remove_if(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), [&](const Candidate& c) {
      if (parts.near(parts.place(c), part)) return false;
      if (drops != nullptr) drops->push_back({rule.id, c.start, c.end, "a required part is not near"});
      return true;
    });
    out.erase(gone, out.end());
  }
}

}  // namespace tocsin::rules::secrets
