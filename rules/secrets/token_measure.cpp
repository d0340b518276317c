// Cut by cl100k_base's published expression, then merge neighbours, lowest rank first, until none can be merged.
#include "rules/secrets/token_measure.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <queue>
#include <tuple>
#include <vector>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kShort = 20;  // a secret shorter than this is measured without its line breaks
constexpr std::size_t kTiny = 12;   // one shorter than this is judged by a lower limit if it holds a word
constexpr double kPacksWell = 2.5, kTinyPacksWell = 2.1;  // bytes per token

// Upstream's expression ends in `\s+(?!\S)|\s+`, and RE2 cannot look ahead: blanks are cut by hand.
struct Cutter {
  RE2 solid{R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\t-\r \x{85}\p{Z}\p{L}\p{N}]+[\r\n]*|[\t-\r \x{85}\p{Z}]*[\r\n]+)", RE2::Quiet};
  RE2 blanks{R"([\t-\r \x{85}\p{Z}]*([\t-\r \x{85}\p{Z}]))", RE2::Quiet};

  // How long the piece at the start of `text` is. Never 0: `text` is UTF-8 and not empty.
  std::size_t next(std::string_view text) const {
    re2::StringPiece found[2];
    const re2::StringPiece whole(text.data(), text.size());
    if (solid.Match(whole, 0, whole.size(), RE2::ANCHOR_START, found, 1)) return found[0].size();
    if (!blanks.Match(whole, 0, whole.size(), RE2::ANCHOR_START, found, 2)) return 1;
    // The last blank before something else belongs to that, unless it is the only one.
    const bool last = found[0].size() == text.size();
    return last || found[1].size() == found[0].size() ? found[0].size() : found[0].size() - found[1].size();
  }
};

}  // namespace

Result<TokenMeasure> TokenMeasure::read(std::string_view vocabulary, std::string_view words) {
  if (vocabulary.size() > kMaxFile) return fail(Errc::kTooLarge, "a vocabulary may have at most " + std::to_string(kMaxFile) + " bytes");
  if (words.size() > kMaxFile) return fail(Errc::kTooLarge, "a list of words may have at most " + std::to_string(kMaxFile) + " bytes");
  TokenMeasure out;
  std::size_t number = 0;
  for (std::string_view line : split(vocabulary, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::size_t blank = std::min(line.find(' '), line.size());
    const auto token = from_base64(line.substr(0, blank));
    const std::string_view digits = line.substr(std::min(blank + 1, line.size()));
    std::uint32_t rank = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (!token || token->empty() || token->size() > kMaxToken || problem != std::errc() || end != digits.data() + digits.size() || rank == kNone) {
      return fail(Errc::kInvalid, "line " + std::to_string(number) + " is not base64 of a token, a blank and its rank");
    }
    out.longest_token_ = std::max(out.longest_token_, token->size());
    out.ranks_.emplace(*token, rank);
  }
  if (out.ranks_.empty()) return fail(Errc::kInvalid, "there are no tokens in it");
  for (const std::string_view line : split(words, '\n')) {
    std::string word = to_lower(trim(line));
    const bool letters = std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (word.empty() || !letters || word.size() > kMaxWord) continue;
    out.longest_word_ = std::max(out.longest_word_, word.size());
    out.words_.insert(std::move(word));
  }
  return out;
}

std::uint32_t TokenMeasure::rank(std::string_view token) const {
  if (token.size() > longest_token_) return kNone;
  const auto at = ranks_.find(token);
  return at == ranks_.end() ? kNone : at->second;
}

std::size_t TokenMeasure::merged(std::string_view piece) const {
  if (piece.size() < 2 || rank(piece) != kNone) return 1;
  // Parts begin at the bytes whose `next` is set; a pair waits under its rank until one of its parts has changed.
  const std::size_t n = piece.size();
  std::vector<std::size_t> next(n), previous(n);
  std::vector<bool> gone(n);
  for (std::size_t i = 0; i < n; ++i) {
    next[i] = i + 1;
    previous[i] = i == 0 ? n : i - 1;
  }
  using Pair = std::tuple<std::uint32_t, std::size_t, std::size_t>;  // rank, where it begins and ends
  std::priority_queue<Pair, std::vector<Pair>, std::greater<>> pairs;
  const auto offer = [&](std::size_t at) {
    if (next[at] >= n) return;
    const std::size_t end = next[next[at]];
    if (const auto r = rank(piece.substr(at, end - at)); r != kNone) pairs.emplace(r, at, end);
  };
  for (std::size_t i = 0; i < n; ++i) offer(i);
  std::size_t parts = n;
  while (!pairs.empty()) {
    const auto [r, at, end] = pairs.top();
    pairs.pop();
    if (gone[at] || next[at] >= n || next[next[at]] != end) continue;
    gone[next[at]] = true;
    next[at] = end;
    if (end < n) previous[end] = at;
    --parts;
    offer(at);
    if (previous[at] < n) offer(previous[at]);
  }
  return parts;
}

std::size_t TokenMeasure::count(std::string_view text) const {
  static const Cutter cutter;
  const std::string valid = to_utf8(text.substr(0, kMeasured));
  std::size_t tokens = 0;
  for (std::string_view rest = valid; !rest.empty();) {
    const std::size_t length = cutter.next(rest);
    tokens += merged(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  return tokens;
}

bool TokenMeasure::has_word(std::string_view text, std::size_t letters) const {
  const std::string lower = to_lower(text.substr(0, kMeasured));
  const std::string_view all = lower;
  for (std::size_t at = 0; at + letters <= all.size(); ++at) {
    for (std::size_t length = letters; length <= longest_word_ && at + length <= all.size(); ++length) {
      if (words_.contains(all.substr(at, length))) return true;
    }
  }
  return false;
}

bool TokenMeasure::fails_efficiency(std::string_view secret) const {
  std::string text(secret.substr(0, kMeasured));
  if (text.size() < kShort) std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  const std::size_t tokens = count(text);
  if (tokens == 0) return false;
  if (has_word(text, 5)) return true;
  const double limit = text.size() < kTiny && has_word(text, 4) ? kTinyPacksWell : kPacksWell;
  return static_cast<double>(text.size()) / static_cast<double>(tokens) >= limit;
}

}  // namespace tocsin::rules::secrets
