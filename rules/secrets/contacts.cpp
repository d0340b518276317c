// The search for addresses and numbers.
#include "rules/secrets/contacts.hpp"

#include <algorithm>
#include <array>

#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kMaxLocal = 64, kMaxHost = 253, kMaxLabel = 63;
constexpr std::size_t kLeastDigits = 8, kMostDigits = 15;  // with the calling code
constexpr std::size_t kLeastNational = 6;
constexpr std::size_t kMaxGap = 6;  // between the word and the number

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
bool is_local(char c) { return is_alnum(c) || std::string_view(".!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos; }

// Words for telephone in the languages of key names.
constexpr auto kPhoneWords = std::to_array<std::string_view>({
    "phone", "phonenumber", "telephone", "tel", "telefon", "telefonnummer", "mobile", "mobil", "mobilenumber", "cell", "cellphone", "handy", "handynummer", "fax", "msisdn",
    "telefono", "telefone", "celular", "movil", "portable", "telefoon", "telefoonnummer", "mobiel", "gsm", "tlf", "puhelin", "matkapuhelin", "telefonszam", "rufnummer",
    "whatsapp", "komorka"});

// By the first letter of such a word: bit n = one of n letters begins so. Most words of a text end here.
constexpr std::array<std::uint32_t, 26> kWordLengths = [] {
  std::array<std::uint32_t, 26> out{};
  for (const std::string_view word : kPhoneWords) out[static_cast<std::size_t>(word[0] - 'a')] |= 1U << word.size();
  return out;
}();
static_assert(std::all_of(kPhoneWords.begin(), kPhoneWords.end(), [](std::string_view word) { return word.size() < 32; }));

bool is_phone_word(std::string_view word) {
  if (word.empty() || word.size() >= 32) return false;
  const auto first = static_cast<std::size_t>((word[0] | 0x20) - 'a');
  if (first >= kWordLengths.size() || (kWordLengths[first] >> word.size() & 1) == 0) return false;
  return std::any_of(kPhoneWords.begin(), kPhoneWords.end(), [&](std::string_view known) { return iequals(known, word); });
}

// What begins a contact or a word; everything else is passed over.
constexpr std::array<bool, 256> kBegins = [] {
  std::array<bool, 256> out{};
  for (int c = 'a'; c <= 'z'; ++c) out[static_cast<std::size_t>(c)] = out[static_cast<std::size_t>(c - 'a' + 'A')] = true;
  out['@'] = out['+'] = true;
  return out;
}();
constexpr std::array<bool, 256> kInWord = [] {
  std::array<bool, 256> out = kBegins;
  out['@'] = out['+'] = false;
  out['_'] = out['-'] = true;
  return out;
}();

// Calling codes of two digits; 1 and 7 have one, the rest three.
constexpr auto kTwo = std::to_array<int>({20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84,
                                       86, 90, 91, 92, 93, 94, 95, 98});

bool has_calling_code(std::string_view digits) {
  if (digits[0] == '1' || digits[0] == '7') return digits.size() == 11;
  const int two = (digits[0] - '0') * 10 + (digits[1] - '0');
  if (std::find(kTwo.begin(), kTwo.end(), two) != kTwo.end()) return true;
  const int three = two * 10 + (digits[2] - '0');
  // Zones 2, 3, 4, 5, 6, 8, 9 with three digits, without those that nobody has.
  if (two == 21 || two == 22 || two == 23 || two == 24 || two == 25 || two == 26 || two == 29) return three != 214 && three != 215 && three != 217 && three != 219;
  if (two == 35 || two == 37 || two == 38 || two == 42) return true;
  if (two == 50 || two == 59 || two == 67 || two == 68 || two == 69) return true;
  return two == 80 || two == 85 || two == 87 || two == 88 || two == 96 || two == 97 || two == 99;
}

// The digits of a number written with blanks, dots, dashes, slashes and brackets; `end` behind the last digit.
std::size_t read_digits(std::string_view text, std::size_t i, std::array<char, kMostDigits + 1>& digits, std::size_t& end) {
  std::size_t count = 0;
  std::size_t gap = 0;
  end = i;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      if (count == digits.size()) return count;
      digits[count++] = c;
      end = i + 1;
      gap = 0;
    } else if (c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')') {
      if (++gap > 2) break;
    } else {
      break;
    }
  }
  return count;
}

bool ends_well(std::string_view text, std::size_t end) {
  if (end >= text.size()) return true;
  return !is_alnum(text[end]) && text[end] != '_' && text[end] != ':' && text[end] != '@';
}

void try_mail(std::string_view text, std::size_t at, std::vector<ContactFound>& out) {
  std::size_t start = at;
  while (start > 0 && at - start < kMaxLocal && is_local(text[start - 1])) --start;
  // A key and its '=' are no part of the address; nor what a query or a path puts before it.
  for (const char mark : {'=', '/', '?', '&', '\'', '`', '{', '|'}) {
    const auto last = text.substr(start, at - start).rfind(mark);
    if (last != std::string_view::npos) start += last + 1;
  }
  while (start < at && !is_alnum(text[start])) ++start;
  if (start == at || text[at - 1] == '.' || text.substr(0, start).ends_with("://")) return;  // https://user@host
  std::size_t end = at + 1;
  std::size_t label = 0, labels = 0, last_dot = at;
  while (end < text.size() && end - at <= kMaxHost) {
    const char c = text[end];
    if (c == '.') {
      if (label == 0 || end + 1 >= text.size() || !is_alnum(text[end + 1])) break;
      last_dot = end;
      ++labels;
      label = 0;
    } else if (is_alnum(c) || (c == '-' && label > 0)) {
      if (++label > kMaxLabel) return;
    } else {
      break;
    }
    ++end;
  }
  const std::string_view top = text.substr(last_dot + 1, end - last_dot - 1);
  if (labels == 0 || top.size() < 2 || !std::all_of(top.begin(), top.end(), is_letter)) return;
  // "git@github.com:org/repository", "user:secret@host.example": not a mail address.
  if (end < text.size() && text[end] == ':' && end + 1 < text.size() && is_alnum(text[end + 1])) return;
  if (start > 0 && text[start - 1] == ':' && start > 1 && is_alnum(text[start - 2]) && text.substr(0, start).ends_with("mailto:") == false) return;
  out.push_back({false, Tier::kPattern, start, end});
}

// '+' at `at`.
std::size_t try_international(std::string_view text, std::size_t at, std::vector<ContactFound>& out) {
  if (at > 0 && (is_alnum(text[at - 1]) || text[at - 1] == '+' || text[at - 1] == '/')) return at + 1;
  std::array<char, kMostDigits + 1> digits{};
  std::size_t end = 0;
  const std::size_t count = read_digits(text, at + 1, digits, end);
  const std::string_view number(digits.data(), std::min(count, kMostDigits));
  if (count < kLeastDigits || count > kMostDigits || number[0] == '0' || !ends_well(text, end) || !has_calling_code(number)) return at + 1;
  out.push_back({true, Tier::kStructure, at, end});
  return end;
}

// A word for telephone ends at `at`: what follows, behind a separator, is a number in a national form.
std::size_t try_named(std::string_view text, std::size_t at, std::vector<ContactFound>& out) {
  std::size_t i = at;
  bool separated = false;
  while (i < text.size() && i < at + kMaxGap && !is_digit(text[i]) && text[i] != '+' && text[i] != '(') {
    const char c = text[i];
    separated = separated || c == ':' || c == '=' || c == ' ' || c == '>';
    if (c != ':' && c != '=' && c != ' ' && c != '"' && c != '\'' && c != '\\' && c != '>' && c != '.') return at;
    ++i;
  }
  if (!separated || i >= text.size()) return at;
  if (text[i] == '+') return at;  // read as an international one
  std::array<char, kMostDigits + 1> digits{};
  std::size_t end = 0;
  const std::size_t start = i;
  const std::size_t count = read_digits(text, i, digits, end);
  if (count < kLeastNational || count > kMostDigits || !ends_well(text, end)) return at;
  const bool trunk = digits[0] == '0' || text[start] == '(';  // most countries outside America dial 0 first
  const bool grouped = text.substr(start, end - start).find_first_of(" -./(") != std::string_view::npos;
  const bool american = count == 10 && digits[0] >= '2' && digits[3] >= '2';
  if (!trunk && !american && !(grouped && count >= 7) && !(count >= 9 && count <= 13)) return at;
  out.push_back({true, Tier::kPattern, start, end});
  return end;
}

}  // namespace

void find_contacts(std::string_view text, std::vector<ContactFound>& out) {
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (!kBegins[static_cast<unsigned char>(c)]) {
      ++i;
    } else if (c == '@') {
      try_mail(text, i, out);
      ++i;
    } else if (c == '+') {
      i = try_international(text, i, out);
    } else {
      std::size_t end = i + 1;
      while (end < text.size() && kInWord[static_cast<unsigned char>(text[end])]) ++end;
      // The last part of "user_phone", or "phone" of "phone_number".
      std::string_view word = text.substr(i, end - i);
      if (word.back() == 'r' || word.back() == 'o') {
        for (const std::string_view tail : {"_number", "_no", "_nr", "Number", "-number", "No"}) {
          if (word.size() > tail.size() && word.ends_with(tail)) {
            word.remove_suffix(tail.size());
            break;
          }
        }
      }
      const auto joint = word.find_last_of("_-");
      if (joint != std::string_view::npos) word.remove_prefix(joint + 1);
      i = is_phone_word(word) ? std::max(end, try_named(text, end, out)) : end;
    }
  }
}

}  // namespace tocsin::rules::secrets
