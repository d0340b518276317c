// Compiling openers into one literal matcher, and looking at the surroundings of what it finds.
#include "rules/secrets/gates.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "rules/base/text.hpp"
#include "rules/secrets/entropy.hpp"

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

// "://user:password@": without an '@' before the authority ends there is nothing to see. The stops are among those of
// the extractor's own reader.
bool has_authority(std::string_view text, std::size_t end) {
  constexpr std::size_t kMaxAuthority = 512;
  const std::size_t stop = std::min(text.size(), end + kMaxAuthority);
  for (std::size_t i = end; i < stop; ++i) {
    const char c = text[i];
    if (c == '@') return true;
    if (c == '/' || c == ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\n') return false;
  }
  return false;
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
  Gates out;
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
  for (auto& item : wanted) {
    const auto index = static_cast<std::uint32_t>(out.openers_.size());
    if (literals.empty() || literals.back().text != item.literal) {
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
    out.by_literal_.back().last = index + 1;
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

// One text: what each literal in it is worth.
class Gates::Places {
 public:
  Places(const Gates& gates, std::string_view text, const Look& look, Seen& out) : gates_(gates), text_(text), look_(look), out_(out) {}

  static void on_literal(void* context, std::uint32_t literal, std::size_t end) { static_cast<Places*>(context)->literal(literal, end); }

 private:
  void literal(std::uint32_t literal, std::size_t end) {
    const auto [first, last] = gates_.by_literal_.data()[literal];
    const Quick* const quick = gates_.quick_.data();
    for (std::uint32_t i = first; i < last; ++i) {
      if (counts(quick[i], i, end)) out_.events.push_back({static_cast<std::uint32_t>(end), i});
    }
  }

  bool counts(const Quick& opener, std::uint32_t index, std::size_t end) {
    switch (opener.what) {
      case Opener::What::kRules: {
        if (opener.needs_path && !look_.path_known) return false;
        const std::size_t start = end - opener.length;
        if (!opener.naming_word) return opener.bare || gates_.openers_[index].needle->fits(text_, end);
        return (opener.bare || gates_.openers_[index].needle->stands(text_, end)) && named_value(start, start + opener.word);
      }
      case Opener::What::kStem: {
        if (opener.stem == StemKind::kUrl && !has_authority(text_, end)) return false;
        return look_.everything || look_.extractor->worth_reading(text_, gates_.stem(index, static_cast<std::uint32_t>(end)));
      }
      case Opener::What::kLineWord: out_.line_words.push_back(static_cast<std::uint32_t>(end)); return false;
      default: return true;
    }
  }

  bool named_value(std::size_t start, std::size_t end) {
    const double least = gates_.least_entropy_;
    return values_.add(record_until_end(end), start, end, out_.values, [&](std::string_view secret) { return least == 0 || entropy_above(secret, least); }) &&
           (out_.values.back().random || look_.everything);
  }

  // The text up to the end of the record that holds the offset.
  std::string_view record_until_end(std::size_t at) {
    if (!look_.lines) return text_;
    if (at > line_end_ || line_end_ == 0) line_end_ = std::min(text_.find('\n', at), text_.size());
    const bool with_return = line_end_ > at && text_[line_end_ - 1] == '\r';
    return text_.substr(0, line_end_ - (with_return ? 1 : 0));
  }

  const Gates& gates_;
  std::string_view text_;
  const Look& look_;
  Seen& out_;
  NamedValues values_;
  std::size_t line_end_ = 0;  // of the line last asked for
};

void Gates::find(std::string_view text, const Look& look, Seen& out) const {
  Places places(*this, text, look, out);
  literals_->scan(text, Places::on_literal, &places);
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
