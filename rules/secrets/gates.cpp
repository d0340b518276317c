// Compiling openers into one literal matcher, and looking at the surroundings of what it finds.
#include "rules/secrets/gates.hpp"

#include <algorithm>
#include <map>

#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

// A needle is worth more than the keywords if it is not shorter than what tells a place from any other.
constexpr std::size_t kPlainNeedle = 4;   // bytes of a literal that needs nothing around it
constexpr std::size_t kShortLooks = 6;    // bytes around a shorter one

bool is_selective(const Needle& needle) {
  return needle.literal.size() >= kPlainNeedle || needle.assigned || needle.around.size() >= kShortLooks;
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

Result<Gates> Gates::compile(const std::vector<RuleInput>& rules, const std::vector<std::pair<std::string, StemKind>>& stems) {
  Gates out;
  struct Wanted {
    std::string literal;
    Opener opener;
  };
  std::vector<Wanted> wanted;
  const auto open_at = [&](const std::string& literal, const std::optional<Needle>& needle, std::uint32_t rule) {
    for (auto& have : wanted) {
      if (have.literal != literal || have.opener.needle != needle || have.opener.what != Opener::What::kRules) continue;
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
  for (std::uint32_t rule = 0; rule < rules.size(); ++rule) {
    if (rules[rule].pattern.empty()) continue;
    const auto& keywords = *rules[rule].keywords;
    for (const auto& keyword : keywords) by_keyword[keyword].push_back(rule);
    if (keywords.empty()) out.without_keywords_.push_back(rule);
    const auto needles = needles_of(rules[rule].pattern);
    if (!needles.empty() && std::all_of(needles.begin(), needles.end(), is_selective)) {
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
  for (const auto& [literal, what] : {std::pair{std::string_view("-----begin"), Opener::What::kKeyBlock}, std::pair{kLongS, Opener::What::kFolding},
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
    for (const auto rule : item.opener.rules) item.opener.naming_word = item.opener.naming_word || rules[rule].by_hand;
    item.opener.length = static_cast<std::uint32_t>(item.literal.size());
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

namespace {
struct Call {
  const Gates* gates;
  std::string_view text;
  std::vector<Gates::Event>* out;
};
}  // namespace

void Gates::on_literal(void* context, std::uint32_t literal, std::size_t end) {
  const auto& call = *static_cast<const Call*>(context);
  const auto [first, last] = call.gates->by_literal_[literal];
  for (std::uint32_t i = first; i < last; ++i) {
    const Opener& opener = call.gates->openers_[i];
    if (opener.needle && !opener.needle->fits(call.text, end)) continue;
    if (opener.what == Opener::What::kStem && opener.stem == StemKind::kUrl && !has_authority(call.text, end)) continue;
    call.out->push_back({static_cast<std::uint32_t>(end), i});
  }
}

void Gates::find(std::string_view text, std::vector<Event>& out) const {
  Call call{this, text, &out};
  literals_->scan(text, on_literal, &call);
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
