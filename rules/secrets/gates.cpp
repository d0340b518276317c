// Compiling openers into one literal matcher and the table of hot words; what keywords alone open.
#include "rules/secrets/gates.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>

#include "rules/base/text.hpp"
#include "rules/secrets/byte_classes.hpp"

namespace tocsin::rules::secrets {
namespace {

// A needle is worth more than the keywords if it is not shorter than what tells a place from any other.
constexpr std::size_t kPlainNeedle = 4;   // bytes of a literal that needs nothing around it
constexpr std::size_t kShortLooks = 6;    // bytes around a shorter one

bool is_selective(const Needle& needle) {
  return needle.literal.size() >= kPlainNeedle || needle.assigned || needle.around.size() >= kShortLooks;
}

// Short literals stand everywhere; keywords that are all longer are rarer, whatever is around.
bool keywords_are_better(const std::vector<Needle>& needles, const std::vector<std::string>& keywords) {
  if (needles.empty()) return true;
  const auto shortest = [](const auto& list, auto size) {
    std::size_t least = static_cast<std::size_t>(-1);
    for (const auto& item : list) least = std::min(least, size(item));
    return least;
  };
  const std::size_t needle = shortest(needles, [](const Needle& n) { return n.literal.size(); });
  const std::size_t keyword = keywords.empty() ? 0 : shortest(keywords, [](const std::string& k) { return k.size(); });
  return !std::all_of(needles.begin(), needles.end(), is_selective) || (needle < kPlainNeedle && keyword > needle);
}

// Bytes at the start of a literal that may stand in a key.
std::size_t name_run(std::string_view literal) {
  return static_cast<std::size_t>(std::find_if_not(literal.begin(), literal.end(), is_name_byte) - literal.begin());
}

}  // namespace

std::string lower_as_upstream(std::string_view text) {
  std::string out = to_lower(text);
  for (const auto& [mark, letter] : {std::pair{kKelvin, "k"}, std::pair{kDottedI, "i"}}) {
    for (std::size_t at = 0; (at = out.find(mark, at)) != std::string::npos; ++at) out.replace(at, mark.size(), letter);
  }
  return out;
}

Result<Gates> Gates::compile(const std::vector<RuleInput>& rules, const std::vector<std::pair<std::string, StemKind>>& stems,
                             const std::vector<std::string>& line_words) {
  static std::atomic<std::uint64_t> last_id{0};
  Gates out;
  out.id_ = ++last_id;
  struct Wanted {
    std::string literal;
    Opener opener;
  };
  std::vector<Wanted> wanted;
  const auto open_at = [&](const std::string& literal, const std::optional<Needle>& needle, std::uint32_t rule) {
    for (auto& have : wanted) {
      if (have.literal != literal || have.opener.needle != needle || have.opener.what != Opener::What::kRules) continue;
      // Those by hand and those that need a path stay among themselves.
      const auto& first = rules[have.opener.rules.front()];
      if (first.by_hand != rules[rule].by_hand || first.needs_path != rules[rule].needs_path) continue;
      if (have.opener.rules.back() != rule) have.opener.rules.push_back(rule);
      return;
    }
    Wanted item;
    item.literal = literal;
    item.opener.needle = needle;
    item.opener.rules = {rule};
    wanted.push_back(std::move(item));
  };

  std::map<std::string, std::vector<std::uint32_t>> by_keyword;
  out.ask_.resize(rules.size());
  out.least_entropy_ = std::numeric_limits<double>::max();
  for (std::uint32_t rule = 0; rule < rules.size(); ++rule) {
    if (rules[rule].pattern.empty()) continue;
    if (rules[rule].by_hand) out.least_entropy_ = std::min(out.least_entropy_, rules[rule].entropy);
    const auto& keywords = *rules[rule].keywords;
    for (const auto& keyword : keywords) by_keyword[keyword].push_back(rule);
    if (keywords.empty()) out.without_keywords_.push_back(rule);
    const auto needles = needles_of(rules[rule].pattern);
    if (!keywords_are_better(needles, keywords)) {
      bool implied = true;
      for (const auto& needle : needles) {
        open_at(needle.literal, needle, rule);
        implied = implied && std::any_of(keywords.begin(), keywords.end(),
                                         [&](const std::string& keyword) { return needle.literal.find(keyword) != std::string::npos; });
      }
      if (!implied) out.ask_[rule] = keywords;
    } else if (keywords.empty()) {
      out.always_.push_back(rule);
    } else {
      for (const auto& keyword : keywords) open_at(keyword, std::nullopt, rule);
    }
  }
  for (const auto& [stem, kind] : stems) {
    Wanted item;
    item.literal = stem;
    item.opener.what = Opener::What::kStem;
    item.opener.stem = kind;
    wanted.push_back(std::move(item));
  }
  for (const auto& word : line_words) {
    Wanted item;
    item.literal = to_lower(word);
    item.opener.what = Opener::What::kLineWord;
    wanted.push_back(std::move(item));
  }
  for (const auto& [literal, what] : {std::pair{std::string_view("-----begin"), Opener::What::kKeyBlock},
                                      std::pair{std::string_view("gitleaks:allow"), Opener::What::kAllowComment}, std::pair{kLongS, Opener::What::kFolding},
                                      std::pair{kKelvin, Opener::What::kFolding}, std::pair{kDottedI, Opener::What::kFolding}}) {
    Wanted item;
    item.literal = literal;
    item.opener.what = what;
    wanted.push_back(std::move(item));
  }

  std::stable_sort(wanted.begin(), wanted.end(), [](const Wanted& a, const Wanted& b) { return a.literal < b.literal; });
  std::vector<Literals::Literal> literals;
  std::string last_literal;
  for (auto& item : wanted) {
    const auto index = static_cast<std::uint32_t>(out.openers_.size());
    const std::size_t hot = hot_word_of(item.literal);
    const bool is_new = index == 0 || last_literal != item.literal;
    last_literal = item.literal;
    if (is_new && hot != kNoHotWord) {
      out.by_hot_word_[hot].push_back({item.literal, {index, index}});
      const std::size_t name_end = name_run(item.literal);
      if (name_end < item.literal.size()) out.beyond_keys_.push_back(item.literal.substr(name_end));
    } else if (is_new) {
      literals.push_back({item.literal, false});
      out.by_literal_.push_back({index, index});
    }
    if (!item.opener.rules.empty()) {
      item.opener.naming_word = rules[item.opener.rules.front()].by_hand;
      item.opener.needs_path = rules[item.opener.rules.front()].needs_path;
    }
    item.opener.length = static_cast<std::uint32_t>(item.literal.size());
    const auto& needle = item.opener.needle;
    const bool bare = !needle || (needle->around.empty() && needle->lead == 0 && needle->length == item.literal.size() && !needle->edge_before &&
                                  (!needle->assigned || item.opener.naming_word));
    out.quick_.push_back({item.opener.what, item.opener.stem, item.opener.naming_word, item.opener.needs_path, bare, Extractor::is_inside_key(item.literal),
                          static_cast<std::uint8_t>(item.literal.size()), static_cast<std::uint8_t>(needle ? needle->length : item.literal.size())});
    out.openers_.push_back(std::move(item.opener));
    (hot != kNoHotWord ? out.by_hot_word_[hot].back().openers : out.by_literal_.back()).last = index + 1;
  }
  for (auto& literals_of_word : out.by_hot_word_) {
    std::stable_sort(literals_of_word.begin(), literals_of_word.end(), [](const auto& a, const auto& b) { return a.text.size() < b.text.size(); });
  }
  auto compiled = Literals::compile(literals);
  if (!compiled) return pass(std::move(compiled));
  out.literals_ = std::move(*compiled);

  std::vector<Literals::Literal> keywords;
  for (auto& [keyword, opened] : by_keyword) {
    keywords.push_back({keyword, true});
    out.by_keyword_.push_back(std::move(opened));
  }
  compiled = Literals::compile(keywords);
  if (!compiled) return pass(std::move(compiled));
  out.keywords_ = std::move(*compiled);
  return out;
}

bool Gates::keyword_in(std::uint32_t rule, std::string_view record) const {
  const auto& keywords = ask_[rule];
  if (keywords.empty()) return true;
  const std::string lower = lower_as_upstream(record);
  return std::any_of(keywords.begin(), keywords.end(), [&](const std::string& keyword) { return lower.find(keyword) != std::string::npos; });
}

void Gates::open_by_keywords(std::string_view record, std::vector<std::uint32_t>& out) const {
  out.insert(out.end(), without_keywords_.begin(), without_keywords_.end());
  struct Opened {
    const Gates* gates;
    std::vector<std::uint32_t>* rules;
  } opened{this, &out};
  keywords_->scan(
      lower_as_upstream(record),
      [](void* context, std::uint32_t keyword, std::size_t) {
        const auto& o = *static_cast<const Opened*>(context);
        const auto& rules = o.gates->by_keyword_[keyword];
        o.rules->insert(o.rules->end(), rules.begin(), rules.end());
      },
      &opened);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

}  // namespace tocsin::rules::secrets
