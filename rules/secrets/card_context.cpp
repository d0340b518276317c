// Is a run of digits with a right Luhn digit a card, or one of the many numbers of which every tenth passes too? Order
// numbers, offsets and time stamps are told by the name of their field; digits without a name need a word near them.
// Digits in groups as on a card are believed as they are.
#include <algorithm>
#include <array>

#include "rules/base/text.hpp"
#include "rules/secrets/numbers.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kBefore = 64, kAfter = 40;  // bytes in which a word counts
constexpr std::size_t kMaxKey = 60;

constexpr auto kCardWords = std::to_array<std::string_view>({
    "card", "cards", "pan", "visa", "mastercard", "amex", "maestro", "diners", "unionpay", "cardnumber", "cardno", "cardnum", "ccnumber", "ccnum", "ccn", "cc",
    "creditcard", "creditcardnumber", "credit", "debit", "cvv", "cvc", "karte", "kreditkarte", "kartennummer", "carte", "tarjeta", "carta", "karta", "kort", "kaart",
    "kart", "paid", "pay", "payment", "charge", "charged", "zahlung", "paiement", "pago", "pagamento"});
// A field that is named so holds a card's number only if something else says so.
constexpr auto kOpenKeys = std::to_array<std::string_view>({"number", "no", "nr", "num", "value", "numero", "nummer", "with", "to", "from"});
constexpr auto kAboutWords = std::to_array<std::string_view>({"id", "ref", "reference", "token", "hash", "time", "ts", "count", "seq", "offset", "order", "last4"});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }

template <std::size_t N>
bool any_word(std::string_view text, const std::array<std::string_view, N>& words) {
  for (std::size_t i = 0; i < text.size();) {
    if (!is_letter(text[i])) {
      ++i;
      continue;
    }
    // camelCase counts as one word and as its parts.
    std::size_t end = i;
    while (end < text.size() && is_letter(text[end])) ++end;
    // Letters that touch digits are a piece of an identifier: "e0aa69cc07".
    if ((i > 0 && is_digit(text[i - 1])) || (end < text.size() && is_digit(text[end]))) {
      i = end;
      continue;
    }
    std::size_t part = i;
    for (std::size_t k = i + 1; k <= end; ++k) {
      const bool hump = k < end && text[k] >= 'A' && text[k] <= 'Z' && text[k - 1] >= 'a';
      if (k < end && !hump) continue;
      const std::string word = to_lower(text.substr(part, k - part));
      if (std::find(words.begin(), words.end(), word) != words.end()) return true;
      part = k;
    }
    const std::string whole = to_lower(text.substr(i, end - i));
    if (std::find(words.begin(), words.end(), whole) != words.end()) return true;
    i = end;
  }
  return false;
}

}  // namespace

std::string_view why_no_card(std::string_view text, std::size_t start, std::size_t end) {
  const std::string_view run = text.substr(start, end - start);
  if (run.find_first_of(" -") != std::string_view::npos) return {};  // in groups
  std::size_t i = start;
  while (i > 0 && start - i < 6 && (text[i - 1] == '"' || text[i - 1] == '\'' || text[i - 1] == '\\' || text[i - 1] == ' ')) --i;
  const bool named = i > 0 && (text[i - 1] == '=' || text[i - 1] == ':');
  const std::string_view before = text.substr(start > kBefore ? start - kBefore : 0, std::min(start, kBefore));
  const std::string_view after = text.substr(end, kAfter);
  if (named) {
    std::size_t key_end = i - 1;
    while (key_end > 0 && i - key_end < 6 && !is_word(text[key_end - 1])) --key_end;
    std::size_t key = key_end;
    while (key > 0 && key_end - key < kMaxKey && is_word(text[key - 1])) --key;
    const std::string_view name = text.substr(key, key_end - key);
    if (any_word(name, kAboutWords)) return "identifier key";
    if (any_word(name, kCardWords)) return {};
    if (std::find(kOpenKeys.begin(), kOpenKeys.end(), to_lower(name)) == kOpenKeys.end()) return "the field's name is not a card's";
  }
  return any_word(before, kCardWords) || any_word(after, kCardWords) ? std::string_view() : "no word near it speaks of a card";
}

}  // namespace tocsin::rules::secrets
