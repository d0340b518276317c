// The extractor. Each shape is a small reader over the record; all of them end in `judge`, which decides by the class
// of the key whether a value is a secret.
#include "rules/secrets/extract.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "rules/base/text.hpp"
#include "rules/secrets/byte_classes.hpp"
#include "rules/secrets/entropy.hpp"
#include "rules/secrets/layers.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/ruleset.hpp"
#include "rules/secrets/shapes.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
constexpr bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
constexpr bool is_key(char c) { return is_name(c) || c == '-' || c == '.' || is_high(c); }

constexpr std::array<bool, 256> kKeyBytes = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = is_key(static_cast<char>(c));
  return out;
}();

struct KeySpan {
  std::size_t start, end;
};

#if defined(__SSE2__)
// The same where nothing is unusual: fewer than sixteen bytes of ASCII before and behind the stem, and no escape.
bool short_key_span(std::string_view text, const StemHit& stem, KeySpan& key) {
  if (!stem.inside_key || stem.start < 16 || stem.end + 16U > text.size()) return false;
  const __m128i before = sixteen(text.data() + stem.start - 16);
  const __m128i behind = sixteen(text.data() + stem.end);
  const unsigned not_before = ~mask_of(_mm_or_si128(name_bytes(before), before)) & 0xffffU;  // a high byte counts as one of a key
  const unsigned not_behind = ~mask_of(_mm_or_si128(name_bytes(behind), behind)) & 0xffffU;
  if (not_before == 0 || not_behind == 0) return false;
  const auto front = static_cast<std::uint32_t>(__builtin_clz(not_before) - 16);
  const auto back = static_cast<std::uint32_t>(__builtin_ctz(not_behind));
  if ((mask_of(behind) & ((1U << back) - 1)) != 0) return false;
  key = {stem.start - front, stem.end + back};
  const char* const bytes = text.data();
  const char left = bytes[key.start - 1];
  if (left == '%' || left == '\\') return false;
  while (key.start < stem.start && (bytes[key.start] == '-' || bytes[key.start] == '.')) ++key.start;
  while (key.end > stem.end && (bytes[key.end - 1] == '-' || bytes[key.end - 1] == '.')) --key.end;
  return true;
}
#endif

// The key around a stem.
KeySpan key_span(std::string_view text, const StemHit& stem) {
#if defined(__SSE2__)
  if (KeySpan key{}; short_key_span(text, stem, key)) return key;
#endif
  const char* const bytes = text.data();
  const auto in_key = [&](std::size_t i) { return kKeyBytes[static_cast<unsigned char>(bytes[i])]; };
  KeySpan key{stem.start, stem.end};
  // A stem may bring what ends the key: "ssn=", "sin is ".
  static constexpr std::string_view kTails[] = {" is ", "%3d", "%3D", "\\\"", " =", "=", ":", "\"", ">"};
  for (const std::string_view tail : kTails) {
    if (text[key.end - 1] == tail.back() && text.substr(key.start, key.end - key.start).ends_with(tail)) {
      key.end -= tail.size();
      break;
    }
  }
  if (key.end - key.start > 2 && is_digit(text[key.end - 1]) && text[key.end - 2] == ' ') key.end -= 2;
  const std::size_t stem_end = key.end;
  // Words with a blank between are a key of their own: "za id", but not the end and the start of two others.
  if (text.substr(key.start, stem_end - key.start).find(' ') != std::string_view::npos) {
    const bool joined = (key.start > 0 && is_key(text[key.start - 1]) && text[key.start - 1] != '-' && text[key.start - 1] != '.') || (stem_end < text.size() && is_name(text[stem_end]));
    if (joined) return {stem.start, stem.start};
  }
  const std::size_t least = stem.start > Vocabulary::kMaxKey ? stem.start - Vocabulary::kMaxKey : 0;
  const std::size_t most = std::min(text.size(), stem_end + Vocabulary::kMaxKey);
  if (in_key(key.start)) {
    while (key.start > least && in_key(key.start - 1)) --key.start;
  } else {
    ++key.start;  // "&pw=" brings what stands before the key
  }
  while (key.end < most && in_key(key.end)) ++key.end;
  // "%3Fpassword", "\npassword", "\u0022password": what the expansion swallowed of an escape is no part of the key.
  if (key.start >= 1 && text[key.start - 1] == '%' && key.start + 2 <= stem.start) key.start += 2;
  if (key.start >= 1 && text[key.start - 1] == '\\' && key.start < stem.start) {
    key.start += text[key.start] == 'u' && key.start + 5 <= stem.start ? 5U : 1U;
  }
  // The full-width colon ends a key as ':' does.
  const auto wide = text.substr(stem_end, key.end - stem_end).find("\uff1a");
  if (wide != std::string_view::npos) key.end = stem_end + wide;
  while (key.start < stem.start && (text[key.start] == '-' || text[key.start] == '.')) ++key.start;
  while (key.end > stem_end && (text[key.end - 1] == '-' || text[key.end - 1] == '.')) --key.end;
  return key;
}

// The letters of a naming word happen to stand in base64: "…kvPWDXwA== commit".
bool looks_encoded(std::string_view key, char before) {
  std::size_t upper = 0, lower = 0, digit = 0;
  for (const char c : key) {
    upper += c >= 'A' && c <= 'Z' ? 1U : 0U;
    lower += c >= 'a' && c <= 'z' ? 1U : 0U;
    digit += is_digit(c) ? 1U : 0U;
  }
  if (before == '+') return upper > 0 && lower > 0;
  if (before == '/') return upper >= 3 && lower >= 3;
  const bool mixed = (upper >= 3 && lower >= 3) || (lower == 0 && upper >= 6);
  return key.size() >= 16 && mixed && digit >= 2 && key.find_first_of("_-.") == std::string_view::npos;
}

// Where a value stands; decides where it ends and how it is decoded.
enum class Shape : std::uint8_t { kQuoted, kSqlQuoted, kQuery, kPlain, kColon, kXml, kOdbc, kArgument, kProse };

struct Value {
  std::size_t start = 0;
  std::size_t end = 0;
  Shape shape = Shape::kPlain;
  int escapes = 0;      // backslashes before the quotes: the value lies that deep inside JSON strings
  bool encoded = false; // separator was percent-encoded: the value ends at %26
};

class Reader {
 public:
  Reader(std::string_view text, const Vocabulary& words, bool personal, std::vector<Found>& found, std::vector<Drop>* drops)
      : s_(text), words_(words), personal_(personal), found_(found), drops_(drops) {}

  void key_at(const StemHit& stem);
  void identified_by(const StemHit& stem);
  void url(const StemHit& stem);
  void bearer(const StemHit& stem);
  void basic(const StemHit& stem);
  void command(const StemHit& stem);
  void insert(const StemHit& stem);
  void redis_auth(const StemHit& stem);
  void login(const StemHit& stem);
  void call(const StemHit& stem);
  void password_line();
  void encoded(const StemHit& stem);

  // Text before this offset has been read as a key or a value.
  std::size_t done = 0;

 private:
  bool at(std::size_t i, std::string_view word) const { return i < s_.size() && s_[i] == word.front() && s_.substr(i, word.size()) == word; }
  bool iat(std::size_t i, std::string_view word) const { return iequals(s_.substr(std::min(i, s_.size()), word.size()), word); }
  char get(std::size_t i) const { return i < s_.size() ? s_[i] : '\0'; }
  std::size_t skip_blanks(std::size_t i, std::size_t limit = Extractor::kMaxGap) const {
    const std::size_t stop = std::min(s_.size(), i + limit);
    while (i < stop && is_space(s_[i])) ++i;
    return i;
  }
  bool spent() const { return read_ > 4 * s_.size() + 16 * Extractor::kMaxValue; }
  // Where a value that starts at `i` must end at the latest. A record whose values have been read several times over
  // (a key inside a value inside a value) gets short ones from then on, so that the work stays linear.
  std::size_t limit_from(std::size_t i) const {
    return std::min(s_.size(), i + (spent() ? Extractor::kShortValue : Extractor::kMaxValue));
  }

  std::optional<Value> value_after(const KeySpan& key, const Key& meaning);
  std::optional<Value> after_equals(std::size_t i, std::size_t gap, bool closed);
  std::optional<Value> after_separator(std::size_t i, Shape plain, bool encoded_separator);
  std::optional<Value> quoted(std::size_t i, bool sql);
  Value plain(std::size_t i, Shape shape, bool encoded_separator) const;
  std::optional<Value> call_argument(const Value& call);
  std::optional<Value> prose(std::size_t i);
  std::optional<Value> spaced(std::size_t i, const KeySpan& key, const Key& meaning);
  std::optional<Value> xml_text(std::size_t i, const KeySpan& key, bool escaped);
  std::optional<Value> xml_attribute(std::size_t i, const KeySpan& key);
  std::optional<Value> braced(std::size_t i) const;
  std::optional<Value> until(std::size_t start, std::string_view mark, Shape shape);
  bool is_option(const KeySpan& key) const;
  std::string before(std::size_t at, std::size_t near) const { return to_lower(s_.substr(at > near ? at - near : 0, std::min(at, near))); }
  void places();

  std::string decoded(const Value& value) const;
  void widen_number(Value& value) const;
  void judge(const Key& key, Value value, FieldRule rule);
  void judge_password(const Key& key, const Value& value, const std::string& secret, FieldRule rule);
  void judge_secret(const Key& key, const Value& value, const std::string& secret);
  void judge_authorization(const Value& value);
  bool basic_value(std::size_t start, std::size_t end);
  bool bearer_value(std::size_t start, std::size_t end, bool named);

  std::size_t insert_columns(std::size_t i, std::vector<Key>& columns) const;
  std::size_t insert_row(std::size_t i, const std::vector<Key>& columns);
  std::size_t sql_string_end(std::size_t quote) const;

  void hit(FieldRule rule, Tier tier, std::size_t start, std::size_t end, std::string secret, std::string note = {}) {
    if (end <= start) return;
    found_.push_back({rule, tier, start, end, std::move(secret), std::move(note)});
    done = std::max(done, end);
  }
  void drop(FieldRule rule, const Value& value, std::string_view reason) {
    if (drops_ != nullptr) {
      drops_->push_back({kFieldRuleIds[static_cast<std::size_t>(rule)], value.start, value.end, std::string(reason)});
    }
  }

  std::string_view s_;
  const Vocabulary& words_;
  bool personal_;
  std::vector<Found>& found_;
  std::vector<Drop>* drops_;
  mutable std::size_t read_ = 0;   // bytes read as values so far
  std::size_t command_end_ = 0;    // of the command line read last
  std::vector<SecretPlace> places_;
};

// ---- keys

void Reader::key_at(const StemHit& stem) {
  if (stem.start < done) return;
  KeySpan span = key_span(s_, stem);
  if (span.start < done && span.start < stem.start) return;
  std::string_view text = s_.substr(span.start, span.end - span.start);
  Key key = words_.recall(text);
  // "social security number": the stem was the shorter name.
  for (int more = 0; more < 2 && key.cls == KeyClass::kPersonalNumber && get(span.end) == ' '; ++more) {
    std::size_t end = span.end + 1;
    while (end < s_.size() && end < span.end + 24 && (is_letter(s_[end]) || is_high(s_[end]))) ++end;
    const Key longer = words_.recall(s_.substr(span.start, end - span.start));
    if (end == span.end + 1 || longer.cls != key.cls || longer.number != key.number || longer.word == key.word) break;
    span.end = end;
    text = s_.substr(span.start, span.end - span.start);
    key = longer;
  }
  if (key.cls == KeyClass::kNone || looks_encoded(text, span.start > 0 ? s_[span.start - 1] : ' ')) return;
  if (key.cls == KeyClass::kPersonalNumber && !personal_) return;
  // What only speaks about a secret is read for the explanation alone.
  if (key.cls == KeyClass::kAbout && drops_ == nullptr) {
    done = std::max(done, span.end);
    return;
  }
  const std::size_t read_before = read_;
  auto value = value_after(span, key);
  if (key.cls == KeyClass::kAbout) read_ = read_before;
  if (!value) {
    done = std::max(done, span.end);
    return;
  }
  if (key.cls == KeyClass::kAbout) {
    drop(FieldRule::kSecretField, *value, "identifier key");
    done = std::max(done, span.end);
    return;
  }
  // "arn:aws:secretsmanager:…:secret:name": one word of a name in parts.
  const bool jointed = span.start > 0 && s_[span.start - 1] == ':' && get(span.end) == ':' && !is_space(get(span.end + 1));
  if (jointed && value->shape == Shape::kColon) return drop(FieldRule::kSecretField, *value, "part of a name");
  // "GET /password: …" is a path; "/password:value" is an option of Windows.
  if (span.start > 0 && s_[span.start - 1] == '/' && value->shape == Shape::kColon && is_blank(get(span.end + 1))) {
    return drop(FieldRule::kPasswordField, *value, "part of a path");
  }
  FieldRule rule = FieldRule::kPasswordField;
  if (value->shape == Shape::kSqlQuoted) rule = FieldRule::kPasswordSql;
  if (value->shape == Shape::kArgument || is_option(span)) rule = FieldRule::kPasswordCommand;
  if (value->shape == Shape::kProse) rule = FieldRule::kPasswordText;
  if (key.cls == KeyClass::kPersonalNumber) widen_number(*value);
  // The shell's ${NAME:?message}, ${NAME:+other}, and ${NAME:-value}, which is one.
  if (span.start >= 2 && s_[span.start - 1] == '{' && s_[span.start - 2] == '$' && value->shape == Shape::kColon) {
    const char sign = s_[value->start];
    if (sign == '?' || sign == '+') return drop(rule, *value, "variable");
    if ((sign == '-' || sign == '=') && value->end > value->start + 1) ++value->start;
  }
  judge(key, *value, rule);
  done = std::max(done, span.end);
}

// "nhs_number=943 476 5870": an unquoted number goes on behind a blank.
void Reader::widen_number(Value& value) const {
  if (value.start > 0 && (s_[value.start - 1] == '"' || s_[value.start - 1] == '\'')) return;
  constexpr std::size_t kMaxNumber = 24;
  const std::size_t stop = std::min(s_.size(), value.start + kMaxNumber);
  while (value.end + 1 < stop && s_[value.end] == ' ' && is_digit(s_[value.end + 1])) {
    ++value.end;
    while (value.end < stop && is_digit(s_[value.end])) ++value.end;
  }
}

std::optional<Value> Reader::value_after(const KeySpan& key, const Key& meaning) {
  std::size_t i = key.end;
  if (get(i) == '=') return after_equals(i, i, false);  // nothing closes the key: what most keys have
  const std::string_view left = s_.substr(0, key.start);
  const bool xml = left.ends_with('<') || (left.ends_with(':') && key.start > 1 && is_name(s_[key.start - 2]));
  if (xml && (get(i) == '>' || is_blank(get(i)))) {
    if (auto value = xml_text(i, key, false)) return value;
    if (get(i) == '>') return std::nullopt;
  }
  if ((left.ends_with("\\u003c") && at(i, "\\u003e")) || (left.ends_with("&lt;") && at(i, "&gt;"))) return xml_text(i, key, true);
  if (left.ends_with("<key>") && at(i, "</key>")) {  // <key>password</key><string>value</string>
    const std::size_t next = s_.substr(0, std::min(s_.size(), i + 40)).find("<string>", i);
    return next == std::string_view::npos ? std::nullopt : until(next + 8, "<", Shape::kXml);
  }
  // What closes the key: a quote with its backslashes, a bracket.
  const std::size_t bare_end = i;
  if (at(i, "%5D") || at(i, "%5d")) i += 3;
  if (get(i) == ']' && get(i + 1) != ':') ++i;
  std::size_t slashes = 0;
  while (get(i + slashes) == '\\' && slashes < 16) ++slashes;
  const char closing = get(i + slashes);
  const bool closed = closing == '"' || closing == '\'' || closing == '`';
  if (closed) {
    i += slashes + 1;
    if (closing == '"' && get(i) == '"' && slashes == 0) ++i;  // doubled inside CSV
    if (get(i) == ']') ++i;
  } else if (at(i, "%22") || at(i, "%27")) {
    i += 3;
  }
  const std::size_t gap = i;
  if (closed) {
    if (auto value = xml_attribute(i, key)) return value;
    // A part of a form: the value stands behind an empty line.
    const std::size_t body = at(i, "\r\n\r\n") ? i + 4 : at(i, "\n\n") ? i + 2 : 0;
    if (body != 0) return plain(body, Shape::kArgument, false);
  }
  i = skip_blanks(i);

  // - name: DB_PASSWORD, and on the next line value: secret
  if (at(i, "value:") && i > gap && before(key.start, 8).ends_with("name: ")) return after_separator(i + 6, Shape::kColon, false);
  // "parola d'ordine:", "κωδικός πρόσβασης:"
  if (meaning.cls == KeyClass::kPassword && !closed && i > gap) {
    const std::size_t tail = words_.tail_length(s_.substr(i, 40));
    if (tail > 0 && (get(i + tail) == ':' || get(i + tail) == '=')) return after_separator(i + tail + 1, Shape::kColon, false);
  }
  // {"name":"password","value":"…"}
  if (closed && get(i) == ',') {
    for (const std::string_view name : {"value", "Value", "content"}) {
      std::size_t j = skip_blanks(i + 1);
      while (get(j) == '\\') ++j;
      if (get(j) != '"' || !at(j + 1, name)) continue;
      j += 1 + name.size();
      while (get(j) == '\\') ++j;
      if (get(j) != '"') continue;
      j = skip_blanks(j + 1);
      if (get(j) == ':') return after_separator(j + 1, Shape::kColon, false);
    }
    return std::nullopt;
  }
  if (get(i) == '=') return after_equals(i, gap, closed);
  if (at(i, "!=") || at(i, "<>")) return after_separator(i + 2, Shape::kPlain, false);
  if (at(i, "%3D") || at(i, "%3d")) return after_separator(i + 3, Shape::kQuery, true);
  if (at(i, "%3A") || at(i, "%3a")) return after_separator(i + 3, Shape::kQuery, true);
  if (at(i, "\\u003d") || at(i, "\\u003D")) return after_separator(i + 6, Shape::kQuery, false);
  if (get(i) == ':') {
    std::size_t j = i + 1;
    if (get(j) == '=') ++j;
    if (get(j) == ':') return std::nullopt;  // Password::check
    return after_separator(j, Shape::kColon, false);
  }
  if (at(i, "\uff1a")) return after_separator(i + 3, Shape::kColon, false);
  if (i == bare_end || meaning.cls == KeyClass::kAbout) return std::nullopt;

  // --password VALUE
  if (is_option(key) && !closed) {
    if (get(i) == '-' || i >= s_.size()) return std::nullopt;
    auto value = quoted(i, false);
    if (!value) value = plain(i, Shape::kArgument, false);
    value->shape = Shape::kArgument;
    // openssl -passin pass:secret
    if (s_.substr(value->start, value->end - value->start).starts_with("pass:")) value->start += 5;
    return value;
  }
  // WHERE password LIKE 'x'
  if (iat(i, "like ")) {
    auto value = quoted(skip_blanks(i + 5), true);
    if (value) return value;
  }
  // PASSWORD 'x', with pwd 'x'
  std::size_t q = i;
  if ((get(q) == 'N' || get(q) == 'E' || get(q) == 'n' || get(q) == 'e') && get(q + 1) == '\'') ++q;
  while (get(q) == '\\') ++q;
  if (get(q) == '\'' || (get(q) == '"' && !closed)) {
    auto value = quoted(i, true);
    const bool sql = iequals(s_.substr(key.start, key.end - key.start), "password");
    if (value && (value->shape == Shape::kQuoted || !sql)) value->shape = Shape::kProse;
    return value;
  }
  if (get(i) == '$' && is_digit(get(i + 1))) return plain(i, Shape::kPlain, false);
  if (get(i) == '(' && key.end == bare_end) {
    auto value = quoted(skip_blanks(i + 1), true);
    return value;
  }
  if (meaning.cls == KeyClass::kPassword && !closed) {
    // USER anna PASS secret: what FTP, POP3 and IRC say in clear text.
    if (s_.substr(key.start, key.end - key.start) == "PASS" && s_.substr(key.start > 200 ? key.start - 200 : 0, std::min<std::size_t>(key.start, 200)).find("USER ") != std::string_view::npos) {
      return plain(i, Shape::kArgument, false);
    }
  }
  if (!closed && meaning.cls == KeyClass::kPersonalNumber) {
    // "SSN 536-90-4399", "PESEL is 44051401359"
    if (iat(i, "is ")) i = skip_blanks(i + 3);
    if (!is_digit(get(i)) && !is_letter(get(i))) return std::nullopt;
    const Value number = plain(i, Shape::kProse, false);
    const bool digits = std::any_of(s_.begin() + static_cast<std::ptrdiff_t>(i), s_.begin() + static_cast<std::ptrdiff_t>(number.end), is_digit);
    return digits ? std::optional(number) : std::nullopt;
  }
  // "card 4111 1111 1111 1111 cvc 731"
  if (!closed && meaning.cls == KeyClass::kCardCode && meaning.word.starts_with("cv") && is_digit(get(i))) {
    Value code = plain(i, Shape::kPlain, false);
    return is_digits(s_.substr(code.start, code.end - code.start)) ? std::optional(code) : std::nullopt;
  }
  if (!closed && meaning.cls == KeyClass::kPin) return prose(i);
  if (!closed && (meaning.cls == KeyClass::kPassword || meaning.cls == KeyClass::kSecret)) {
    if (auto value = prose(i)) return value;
    return spaced(i, key, meaning);
  }
  return std::nullopt;
}

// key=value; `gap` is where the key's end has been read to, `closed` whether a quote closed it.
std::optional<Value> Reader::after_equals(std::size_t i, std::size_t gap, bool closed) {
  std::size_t j = i + 1;
  if (get(j) == '=' || get(j) == '>' || get(j) == '~') ++j;
  // "…Xpw== next": the padding of base64, not a comparison.
  if (j == i + 2 && get(i + 1) == '=' && i == gap && !closed && is_space(get(j))) return std::nullopt;
  const bool spaced = i > gap || is_blank(get(j));
  return after_separator(j, spaced ? Shape::kPlain : Shape::kQuery, false);
}

// --password, and -storepass as Java's tools write it.
bool Reader::is_option(const KeySpan& key) const {
  if (key.start < 1 || s_[key.start - 1] != '-') return false;
  if (key.start >= 2 && s_[key.start - 2] == '-') return true;
  return key.end - key.start >= 4 && (key.start < 2 || is_blank(s_[key.start - 2]));
}

// "requirepass secret", "ENV DB_PASSWORD secret", "login with user root and password s3cret", "set aws_secret_access_key …":
// only a blank between, so something else must say that a value follows.
std::optional<Value> Reader::spaced(std::size_t i, const KeySpan& key, const Key& meaning) {
  if (i >= s_.size() || i == key.end || get(i) == '-' || get(i) == '|') return std::nullopt;
  auto value = quoted(i, false);
  if (!value) value = plain(i, Shape::kArgument, false);
  if (value->end <= value->start) return std::nullopt;
  while (value->end > value->start + 1 && (s_[value->end - 1] == '.' || s_[value->end - 1] == ',')) --value->end;
  const std::string_view text = s_.substr(value->start, value->end - value->start);
  value->shape = Shape::kPlain;
  // A line of a configuration file: the key opens it (or follows a command such as CONFIG SET), the value ends it.
  const std::size_t behind = value->end + (value->start > i ? 1 : 0);
  const char next = get(behind);
  const bool last = next == '\0' || next == '\n' || next == '\r' || next == '"' || next == '\'' || next == '.' || next == ',' || next == ')' || next == ';';
  const std::string left = before(key.start, 12);
  const bool opens = left.empty() || left.ends_with('\n') || left.ends_with(": ") || left.ends_with("config set ") || left.find_first_not_of(" \t") == std::string::npos;
  if (last && next != ',' && next != '.' && opens && words_.is_directive(to_lower(s_.substr(key.start, key.end - key.start)))) return value;
  if (meaning.cls == KeyClass::kSecret) {
    const Mix m = mix(text);
    const bool random = text.size() >= 20 && m.digit >= 2 && m.lower + m.upper >= 4 && m.other <= 4 && !is_uuid(text) && entropy(text) > 3.5;
    return random ? value : std::nullopt;
  }
  if (before(key.start, 4) == "env ") return value;
  if (!last) return std::nullopt;
  value->shape = Shape::kProse;
  constexpr std::size_t kNear = 60;
  const std::string near = before(key.start, kNear);
  const Mix m = mix(text);
  const bool mixed = m.digit > 0 && m.lower + m.upper > 0 && text.size() >= 6;
  for (const std::string_view word : {"user ", "username ", "login ", "account ", "admin ", "connect ", "ssid "}) {
    if (mixed && near.find(word) != std::string::npos) return value;
  }
  return std::nullopt;
}

// The text from `start` to the mark; nullopt if it is not near.
std::optional<Value> Reader::until(std::size_t start, std::string_view mark, Shape shape) {
  const std::size_t end = s_.substr(0, limit_from(start)).find(mark, start);
  read_ += (end == std::string_view::npos ? limit_from(start) : end) - start;
  if (end == std::string_view::npos) return std::nullopt;
  return Value{start, end, shape, 0, false};
}

// <password>value</password>, with attributes, as CDATA, or escaped inside JSON or XML. An element that is never closed
// is a placeholder: "mongodb://<user>:<password>@host".
std::optional<Value> Reader::xml_text(std::size_t i, const KeySpan& key, bool escaped) {
  constexpr std::size_t kMaxAttributes = 200;
  if (escaped) return s_[i] == '&' ? until(i + 4, "&lt;", Shape::kXml) : until(i + 6, "\\u003c", Shape::kXml);
  if (get(i) != '>') {
    const std::size_t stop = std::min(s_.size(), i + kMaxAttributes);
    const std::size_t from = i;
    while (i < stop && s_[i] != '>' && s_[i] != '<') ++i;
    read_ += i - from;
    if (i >= stop || s_[i] != '>') return std::nullopt;
    const std::string_view attributes = s_.substr(key.end, i - key.end);
    const auto value = attributes.find(" value=\"");
    if (value != std::string_view::npos) return until(key.end + value + 8, "\"", Shape::kXml);
    if (s_[i - 1] == '/' || attributes.find('=') == std::string_view::npos) return std::nullopt;
  }
  ++i;
  if (at(i, "<![CDATA[")) return until(i + 9, "]]>", Shape::kXml);
  return until(i, "<", Shape::kXml);
}

// <add key="DbPassword" value="secret"/>, <property name="password">secret</property>; not <label for="password">.
std::optional<Value> Reader::xml_attribute(std::size_t i, const KeySpan& key) {
  const std::string near = before(key.start, 120);
  if (near.size() < 6 || (near.back() != '"' && near.back() != '\'')) return std::nullopt;
  const std::string_view left = std::string_view(near).substr(0, near.size() - 1);
  if (!left.ends_with(" name=") && !left.ends_with(" key=")) return std::nullopt;
  const auto open = left.rfind('<');
  if (open == std::string_view::npos) return std::nullopt;
  const std::string_view tag = left.substr(open + 1, left.find(' ', open) - open - 1);
  for (const std::string_view html : {"input", "button", "label", "a", "option", "select", "textarea", "meta", "form", "iframe", "th", "td", "div", "span"}) {
    if (tag == html) return std::nullopt;
  }
  if (get(i) == '>') return until(i + 1, "<", Shape::kXml);
  i = skip_blanks(i);
  if (!at(i, "value=")) return std::nullopt;
  const char quote = get(i + 6);
  if (quote != '"' && quote != '\'') return std::nullopt;
  return until(i + 7, std::string_view(&quote, 1), Shape::kXml);
}

// ODBC: Pwd={se;cret}, where }} stands for }.
std::optional<Value> Reader::braced(std::size_t i) const {
  const std::size_t stop = limit_from(i);
  for (std::size_t k = i + 1; k < stop; ++k) {
    ++read_;
    if (s_[k] == '\n') return std::nullopt;
    if (s_[k] != '}') continue;
    if (get(k + 1) == '}' && k + 1 < stop) {
      ++k;
      continue;
    }
    return Value{i + 1, k, Shape::kOdbc, 0, false};
  }
  return std::nullopt;
}

// ---- values

std::optional<Value> Reader::after_separator(std::size_t i, Shape shape, bool encoded_separator) {
  const std::size_t from = i;
  i = skip_blanks(i);
  // A key with nothing behind it on its line.
  for (std::size_t k = from; k < i; ++k) {
    if (s_[k] == '\n') return std::nullopt;
  }
  if (i >= s_.size()) return std::nullopt;
  if ((get(i) == '[' || get(i) == '(') && (get(i + 1) == '"' || get(i + 1) == '\'' || get(i + 1) == '\\')) ++i;  // ['value']
  std::size_t q = i;
  if ((get(q) == 'N' || get(q) == 'E' || get(q) == 'n' || get(q) == 'e' || get(q) == 'b' || get(q) == 'u') &&
      (get(q + 1) == '\'' || get(q + 1) == '"')) {
    i = q + 1;
  }
  // PHP's var_dump: string(9) "value"
  if (at(i, "string(")) {
    std::size_t k = i + 7;
    while (is_digit(get(k))) ++k;
    if (k > i + 7 && at(k, ") ")) i = k + 2;
  }
  if (auto value = quoted(i, shape == Shape::kPlain)) return value;
  if (get(i) == '{' && shape == Shape::kQuery && i == from) {
    constexpr std::size_t kNear = 400;
    const std::string near = before(i, kNear);
    const bool odbc = near.find("driver=") != std::string::npos || near.find("dsn=") != std::string::npos || near.find("uid=") != std::string::npos;
    if (odbc) {
      if (auto value = braced(i)) return value;
    }
  }
  if (shape == Shape::kColon && (get(i) == '{' || get(i) == '[') && get(i + 1) != '{') return std::nullopt;
  // Unquoted after "key = ": SQL and configuration; what follows may be a call.
  Value value = plain(i, shape, encoded_separator);
  if (value.end == value.start) return std::nullopt;
  if (s_.substr(value.start, value.end - value.start).find('(') != std::string_view::npos || get(value.end) == '(') {
    if (auto argument = call_argument(value)) return argument;
  }
  return value;
}

// A value in quotes; `i` at the quote or at the backslashes before it. nullopt if there is none.
std::optional<Value> Reader::quoted(std::size_t i, bool sql) {
  // Quotes, and what may stand for one: \" %22 \u0022 &quot;
  constexpr std::string_view kOpeners = "\"'`\\%&";
  if (i >= s_.size() || kOpeners.find(s_[i]) == std::string_view::npos) return std::nullopt;
  std::size_t slashes = 0;
  while (get(i + slashes) == '\\' && slashes < 16) ++slashes;
  const char quote = get(i + slashes);
  Value value;
  value.escapes = static_cast<int>(slashes);
  if (slashes == 0 && (at(i, "%22") || at(i, "%27"))) {
    const std::string_view mark = s_.substr(i, 3);
    value.start = i + 3;
    const std::size_t end = s_.substr(0, limit_from(value.start)).find(mark, value.start);
    read_ += Extractor::kShortValue;
    value.end = end == std::string_view::npos ? plain(value.start, Shape::kQuery, true).end : end;
    value.shape = Shape::kQuery;
    value.encoded = true;
    return value;
  }
  if (at(i, "\\u0027") || at(i, "\\u0022") || at(i, "&quot;") || at(i, "&#39;")) {
    const std::string_view mark = s_.substr(i, s_[i] == '\\' ? 6 : s_[i + 1] == 'q' ? 6 : 5);
    value.start = i + mark.size();
    const std::size_t end = s_.substr(0, limit_from(value.start)).find(mark, value.start);
    if (end == std::string_view::npos) return std::nullopt;
    value.end = end;
    value.shape = sql ? Shape::kSqlQuoted : Shape::kQuoted;
    value.escapes = s_[i] == '\\' ? 1 : 0;
    return value;
  }
  if (quote != '"' && quote != '\'' && quote != '`') return std::nullopt;
  value.start = i + slashes + 1;
  const std::size_t stop = limit_from(value.start);
  if (quote == '\'' && slashes == 0) {
    const std::size_t end = sql_string_end(value.start - 1);
    value.shape = sql ? Shape::kSqlQuoted : Shape::kQuoted;
    value.end = end;
    return value;
  }
  value.shape = sql && quote == '\'' ? Shape::kSqlQuoted : Shape::kQuoted;
  // "" opens an empty value, or a value whose quotes are doubled because it lies inside CSV.
  if (quote == '"' && slashes == 0 && get(value.start) == '"') {
    const char next = get(value.start + 1);
    if (next == '\0' || is_space(next) || next == ',' || next == ';' || next == '}' || next == ')' || next == '&' || next == ']') {
      value.end = value.start;
      return value;
    }
    ++value.start;
    const std::size_t end = s_.substr(0, stop).find("\"\"", value.start);
    read_ += (end == std::string_view::npos ? stop : end) - value.start;
    value.end = end == std::string_view::npos ? plain(value.start, Shape::kPlain, false).end : end;
    return value;
  }
  std::size_t run = 0;
  for (std::size_t k = value.start; k < stop; ++k) {
    ++read_;
    if (s_[k] == '\\') {
      ++run;
      continue;
    }
    // The value ends at a quote as deep as the one that opened it, or at one of a string that encloses it.
    if (s_[k] == quote && (slashes == 0 ? run % 2 == 0 : run <= slashes)) {
      value.end = k - (slashes == 0 ? 0 : run);
      return value;
    }
    run = 0;
  }
  // Never closed: cut, or not a quote at all. Take one word.
  value.end = value.start;
  while (value.end < stop && !is_space(s_[value.end]) && s_[value.end] != '\\') ++value.end;
  return value;
}

// The end of an SQL string that opens at `quote`: '' and \' stay inside it.
std::size_t Reader::sql_string_end(std::size_t quote) const {
  const std::size_t stop = limit_from(quote + 1);
  std::size_t i = quote + 1;
  while (i < stop) {
    ++read_;
    if (s_[i] == '\\' && i + 1 < stop && (s_[i + 1] == '\'' || s_[i + 1] == '\\')) {
      i += 2;
    } else if (s_[i] == '\'' && get(i + 1) == '\'' && i > quote + 1) {
      i += 2;
    } else if (s_[i] == '\'') {
      return i;
    } else {
      ++i;
    }
  }
  i = quote + 1;
  while (i < stop && !is_space(s_[i])) ++i;
  return i;
}

// Bytes at which an unquoted value may end, in one shape or another.
constexpr std::array<bool, 256> kMayEnd = [] {
  std::array<bool, 256> out{};
  for (const char c : std::string_view(" \t\n\r\"`<&'\\%;,}])")) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

Value Reader::plain(std::size_t i, Shape shape, bool encoded_separator) const {
  Value value{i, i, shape, 0, encoded_separator};
  const std::size_t stop = limit_from(i);
  std::size_t k = i;
  const char* const bytes = s_.data();
  for (; k < stop; ++k) {
    const std::size_t from = k;
    while (k < stop && !kMayEnd[static_cast<unsigned char>(bytes[k])]) ++k;
    read_ += k - from;
    if (k == stop) break;
    ++read_;
    const char c = bytes[k];
    if (is_space(c) || c == '"' || c == '`' || c == '<') break;
    if (c == '&' && shape != Shape::kArgument) break;
    if (c == '\'' && (k + 1 == stop || !is_name(get(k + 1)))) break;
    if (c == '\\') {
      const char next = get(k + 1);
      if (next == '"' || next == 'n' || next == 'r' || next == 't' || next == '\\' || next == '\'') break;
      if (next == 'u' && (at(k, "\\u0026") || at(k, "\\u0022") || at(k, "\\u0027"))) break;
    }
    if (encoded_separator && c == '%' && (at(k, "%26") || at(k, "%20") || at(k, "%22") || at(k, "%2C"))) break;
    if (c == ';' && (shape != Shape::kArgument)) {
      // "Password=x;Database=y" ends here; a ';' inside a word of a query does not exist.
      break;
    }
    if (c == ',' && (is_space(get(k + 1)) || get(k + 1) == '"' || get(k + 1) == '\0')) break;
    if (c == ',' && shape != Shape::kArgument) {
      // "user=a,password=b,host=c": a comma that starts another pair.
      std::size_t n = k + 1;
      while (n < stop && n < k + 40 && is_name(s_[n])) ++n;
      if (n > k + 1 && (get(n) == '=' || get(n) == ':')) break;
    }
    if ((c == '}' || c == ']' || c == ')') && shape != Shape::kQuery && shape != Shape::kArgument) {
      read_ += k - i;
      const bool opened = s_.substr(i, k - i).find(c == '}' ? '{' : c == ']' ? '[' : '(') != std::string_view::npos;
      if (!opened) break;
    }
  }
  value.end = k;
  if (shape == Shape::kQuery || shape == Shape::kProse || shape == Shape::kColon || shape == Shape::kPlain) {
    while (value.end > value.start && (s_[value.end - 1] == ',' || (shape == Shape::kProse && s_[value.end - 1] == '.'))) --value.end;
    // "(password=x)" closes what the sentence opened.
    if (value.end > value.start && shape == Shape::kQuery) {
      const char last = s_[value.end - 1];
      const char open = last == ')' ? '(' : last == '}' ? '{' : last == ']' ? '[' : '\0';
      if (open != '\0' && s_.substr(value.start, value.end - value.start).find(open) == std::string_view::npos &&
          (value.end == s_.size() || is_space(s_[value.end]) || s_[value.end] == '"' || s_[value.end] == '.')) {
        --value.end;
      }
    }
  }
  return value;
}

// crypt('secret', gen_salt('bf')), SHA2('secret', 256), HASHBYTES('SHA2_256', N'secret'): the secret itself is there.
std::optional<Value> Reader::call_argument(const Value& call) {
  std::size_t open = call.start;
  while (open < s_.size() && open < call.start + 40 && (is_name(s_[open]) || s_[open] == '.')) ++open;
  if (get(open) != '(' || open == call.start) return std::nullopt;
  const std::string function = to_lower(s_.substr(call.start, open - call.start));
  static constexpr std::array<std::string_view, 20> kDigests = {
      "crypt", "md5", "sha", "sha1", "sha2", "sha256", "sha512", "password", "old_password", "encrypt", "digest", "encode",
      "hashbytes", "hash", "hmac", "pgp_sym_encrypt", "aes_encrypt", "to_base64", "concat", "upper"};
  const bool known = std::find(kDigests.begin(), kDigests.end(), function) != kDigests.end();
  if (!known) return std::nullopt;
  const std::size_t stop = std::min(s_.size(), open + 100);
  std::size_t i = open + 1;
  if (function == "hashbytes") {
    while (i < stop && s_[i] != ',') ++i;
    i = skip_blanks(i + 1);
    if (get(i) == 'N') ++i;
  }
  // The argument itself, or the first argument of a digest inside: encode(digest('secret', 'sha256'), 'hex').
  for (int depth = 0; depth < 3; ++depth) {
    i = skip_blanks(i);
    if ((get(i) == 'N' || get(i) == 'E') && get(i + 1) == '\'') ++i;
    if (get(i) == '\'') break;
    std::size_t inner = i;
    while (inner < stop && (is_name(s_[inner]) || s_[inner] == '.')) ++inner;
    const std::string name = to_lower(s_.substr(i, inner - i));
    if (get(inner) != '(' || std::find(kDigests.begin(), kDigests.end(), name) == kDigests.end()) return std::nullopt;
    i = inner + 1;
  }
  if (get(i) != '\'') return std::nullopt;
  Value value{i + 1, sql_string_end(i), Shape::kSqlQuoted, 0, false};
  return value;
}

// "password is hunter2", "Passwort lautet 'geheim'", "password for anna set to hunter2"
std::optional<Value> Reader::prose(std::size_t i) {
  constexpr std::size_t kMaxAside = 5;  // words of "for the new account"
  const auto word_end = [&](std::size_t from) {
    std::size_t end = from;
    while (end < s_.size() && end < from + 30 && (is_name(s_[end]) || is_high(s_[end]) || s_[end] == '@' || s_[end] == '.' || s_[end] == '-')) ++end;
    return end;
  };
  std::size_t end = word_end(i);
  const bool aside = words_.is_aside(to_lower(s_.substr(i, end - i)));
  bool found = !aside && words_.is_copula(to_lower(s_.substr(i, end - i)));
  for (std::size_t n = 0; aside && n < kMaxAside && !found; ++n) {
    if (get(end) == ':' && is_blank(get(end + 1))) {
      found = true;
      break;
    }
    if (!is_blank(get(end))) return std::nullopt;
    i = skip_blanks(end);
    if (at(i, "set to ")) {
      end = i + 6;
      found = true;
      break;
    }
    end = word_end(i);
    if (end == i) return std::nullopt;
    found = n > 0 && words_.is_copula(to_lower(s_.substr(i, end - i)));
  }
  if (!found || before(i, 100).find("comment on ") != std::string::npos) return std::nullopt;
  i = end;
  if (get(i) == ':') ++i;
  const std::size_t start = skip_blanks(i);
  if (start == i || start >= s_.size()) return std::nullopt;
  auto value = quoted(start, false);
  if (!value) value = plain(start, Shape::kProse, false);
  value->shape = Shape::kProse;
  return value;
}

std::string Reader::decoded(const Value& value) const {
  std::string text(s_.substr(value.start, value.end - value.start));
  switch (value.shape) {
    case Shape::kQuery:
      if (text.find('%') != std::string::npos) text = decode_percent(text);
      if (value.encoded && text.find('%') != std::string::npos) text = decode_percent(text);
      break;
    case Shape::kQuoted:
      for (int level = 0; level <= std::min(value.escapes, 3) && text.find('\\') != std::string::npos; ++level) text = decode_json(text);
      break;
    case Shape::kSqlQuoted:
      for (std::size_t at = 0; (at = text.find("''", at)) != std::string::npos; ++at) text.erase(at, 1);
      break;
    case Shape::kOdbc:
      for (std::size_t at = 0; (at = text.find("}}", at)) != std::string::npos; ++at) text.erase(at, 1);
      break;
    case Shape::kXml:
      for (const auto& [entity, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}}) {
        for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; ++at) text.replace(at, std::string_view(entity).size(), character);
      }
      break;
    default: break;
  }
  return text;
}

// ---- judgement

void Reader::judge(const Key& key, Value value, FieldRule rule) {
  if (key.cls == KeyClass::kAuthorization) return judge_authorization(value);
  const std::string secret = decoded(value);
  const bool was_quoted = value.start > 0 && (s_[value.start - 1] == '\'' || s_[value.start - 1] == '"');
  const std::string_view raw = s_.substr(value.start, value.end - value.start);
  if (value.start > 0 && s_[value.start - 1] == '`') return drop(rule, value, "expression");
  if (value.shape == Shape::kOdbc && is_digits(secret) && secret.size() < 3) return drop(rule, value, "template");
  if (value.shape == Shape::kQuery && raw.size() != secret.size() && placeholder(raw, key.word, words_)) return drop(rule, value, "variable");
  if (!was_quoted && value.shape != Shape::kXml && value.shape != Shape::kArgument && value.shape != Shape::kOdbc && !is_alnum(secret)) {
    if (is_expression(secret, get(value.end), words_)) return drop(rule, value, "expression");
    // "(sensitive value)", "<not shown>": only the first word was read.
    const char close = raw.empty() ? '\0' : raw[0] == '(' ? ')' : raw[0] == '<' ? '>' : raw[0] == '[' ? ']' : '\0';
    if (close != '\0' && raw.find(close) == std::string_view::npos && s_.substr(value.end, 40).find(close) != std::string_view::npos) {
      return drop(rule, value, "placeholder");
    }
  }
  if (const auto why = placeholder(secret, key.word, words_)) {
    // In SQL, 'password' given as a password is one.
    const bool real = *why == "the key's own name" && rule == FieldRule::kPasswordSql;
    if (!real) return drop(rule, value, *why);
  }
  switch (key.cls) {
    case KeyClass::kPassword: return judge_password(key, value, secret, rule);
    case KeyClass::kHash: {
      const auto form = digest_form(secret);
      if (form.empty()) return drop(FieldRule::kPasswordHash, value, "not laid out as a digest");
      return hit(FieldRule::kPasswordHash, Tier::kStructure, value.start, value.end, secret, std::string(form));
    }
    case KeyClass::kSecret:
    case KeyClass::kToken:
    case KeyClass::kSession: return judge_secret(key, value, secret);
    case KeyClass::kPin:
      if (!is_digits(secret) || secret.size() < 4 || secret.size() > 8) return drop(FieldRule::kPin, value, "not 4 to 8 digits");
      return hit(FieldRule::kPin, Tier::kPattern, value.start, value.end, secret);
    case KeyClass::kCardCode:
      if (!is_digits(secret) || secret.size() < 3 || secret.size() > 4) return drop(FieldRule::kCardCode, value, "not 3 or 4 digits");
      return hit(FieldRule::kCardCode, Tier::kPattern, value.start, value.end, secret);
    case KeyClass::kPersonalNumber: {
      const FieldRule number = key.number == "payment-card" ? FieldRule::kCard : key.number == "iban" ? FieldRule::kIban : FieldRule::kNationalId;
      auto facts = inspect_number(key.number, secret);
      if (!facts) return drop(number, value, "not laid out as that number");
      // In a sentence the name is weaker: the check digit must hold, or the number be written as people write it.
      const bool written = secret.find_first_of("-./ ") != std::string::npos && facts->tier == Tier::kStructure;
      if (value.shape == Shape::kProse && facts->tier != Tier::kVerified && !written) return drop(number, value, "not proven in a sentence");
      return hit(number, facts->tier, value.start, value.end, secret, std::move(facts->note));
    }
    default: return;
  }
}

void Reader::judge_password(const Key& key, const Value& value, const std::string& secret, FieldRule rule) {
  const auto form = digest_form(secret);
  if (!form.empty()) return hit(FieldRule::kPasswordHash, Tier::kStructure, value.start, value.end, secret, std::string(form));
  const Mix m = mix(secret);
  const bool letters = m.digit == 0 && m.other == 0;
  const bool unquoted = value.shape == Shape::kColon || value.shape == Shape::kProse || value.shape == Shape::kPlain || value.shape == Shape::kArgument;
  const bool was_quoted = value.start > 0 && (s_[value.start - 1] == '\'' || s_[value.start - 1] == '"');
  if (m.lower + m.upper + m.digit == 0 && secret.size() <= 3 && !has_high(secret)) return drop(rule, value, "punctuation");
  if (unquoted && !was_quoted && is_digits(secret) && secret.size() < 3) return drop(rule, value, "count");
  if (key.word == "passwd" && secret == "x") return drop(rule, value, "placeholder");  // it is in /etc/shadow
  if (is_date(secret)) return drop(rule, value, "date");
  if (rule != FieldRule::kPasswordSql && is_path(secret)) return drop(rule, value, "path");
  if (key.word == "pwd" && (secret.front() == '/' || secret.front() == '~' || secret.find(":\\") == 1)) return drop(rule, value, "directory");
  if (key.word == "pass") {
    if (is_digits(secret) && secret.size() < 5) return drop(rule, value, "count");
    if (value.shape == Shape::kColon && !was_quoted && letters) return drop(rule, value, "prose");
  }
  if (unquoted && !was_quoted && letters) {
    // A word in a sentence: "password: must not be empty", "Invalid password: user not found", "password is wrong".
    if (words_.is_prose(to_lower(secret))) return drop(rule, value, "prose");
    const std::size_t next = value.end;
    if (value.shape != Shape::kArgument && value.shape != Shape::kPlain && is_blank(get(next)) && is_letter(get(next + 1))) {
      return drop(rule, value, "prose");
    }
    // "pam_unix(passwd:session)"
    if (value.shape == Shape::kColon && value.start > 0 && s_[value.start - 1] == ':') return drop(rule, value, "part of a name");
    // In a sentence a word of letters alone is more likely part of the sentence, in whatever language.
    const bool initial = m.upper == 0 || (m.upper == 1 && secret.front() >= 'A' && secret.front() <= 'Z');
    if (value.shape == Shape::kProse && initial) return drop(rule, value, "prose");
  }
  if (unquoted && !was_quoted && has_high(secret) && value.shape == Shape::kProse && m.digit == 0) return drop(rule, value, "prose");
  if (was_quoted && m.blank >= 2 && words_.is_sentence(to_lower(secret))) return drop(rule, value, "prose");
  if (was_quoted && value.shape == Shape::kProse && m.blank > 0 && m.digit == 0) return drop(rule, value, "prose");
  if (m.blank > 6) return drop(rule, value, "prose");
  // A JSON object or a whole statement inside the quotes is looked at on its own.
  if ((secret.front() == '{' && value.shape != Shape::kOdbc) || secret.size() > 512) return drop(rule, value, "too long or structured");
  hit(rule, Tier::kPattern, value.start, value.end, secret);
}

void Reader::judge_secret(const Key& key, const Value& value, const std::string& secret) {
  const FieldRule rule = key.cls == KeyClass::kSession ? FieldRule::kSessionCookie : FieldRule::kSecretField;
  const Mix m = mix(secret);
  if (m.blank > 0) {
    // "token: Bearer eyJ…" is found by the word Bearer itself.
    return drop(rule, value, "contains blanks");
  }
  const TokenFacts facts = inspect_token(secret);
  if (facts.known) return hit(rule, facts.tier, value.start, value.end, secret, facts.note);
  if (is_path(secret) || secret.starts_with("http://") || secret.starts_with("https://")) return drop(rule, value, "path or address");
  // "CREDENTIALS 'aws_access_key_id=…;aws_secret_access_key=…'" holds fields of its own.
  if (secret.find('=') < secret.size() / 2 && secret.find(';') != std::string::npos) return drop(rule, value, "structured");
  if (is_digits(secret)) return drop(rule, value, "number");
  if (is_date(secret)) return drop(rule, value, "date");
  // "sessionId" in a record names a session; only as a cookie it opens one.
  if (key.cls == KeyClass::kSession && (value.start == 0 || s_[value.start - 1] != '=')) return drop(rule, value, "not a cookie");
  const bool strong = key.cls != KeyClass::kSecret;
  const std::size_t least = strong ? 16 : 6;
  if (secret.size() < least) return drop(rule, value, "too short");
  if (strong && is_uuid(secret)) return drop(rule, value, "uuid");
  if (m.digit == 0 && m.other == 0 && (m.upper == 0 || m.lower == 0) && secret.size() < 20) return drop(rule, value, "word");
  if (m.digit == 0 && m.lower > 0 && m.upper <= 3 && secret.size() < 24) return drop(rule, value, "words");
  // HIDDEN_FOR_SECURITY, not-a-real-one
  const bool jointed = std::all_of(secret.begin(), secret.end(), [](char c) { return is_letter(c) || c == '_' || c == '-' || c == '.'; });
  if (jointed && secret.find_first_of("_-.") != std::string::npos && (m.upper == 0 || m.lower == 0)) return drop(rule, value, "words");
  if (strong && (m.digit == 0 || entropy(secret) < 2.8)) return drop(rule, value, "not random enough");
  if (value.shape == Shape::kColon && value.start > 0 && s_[value.start - 1] != '"' && s_[value.start - 1] != '\'' && m.digit == 0) {
    return drop(rule, value, "prose");
  }
  hit(rule, Tier::kPattern, value.start, value.end, secret, facts.note);
}

// "Basic dXNlcjpwYXNz", "Bearer …", or the bare credential.
void Reader::judge_authorization(const Value& value) {
  std::size_t i = value.start;
  // An unquoted value ends at the first blank: that is the scheme only.
  std::size_t end = value.end;
  std::size_t word = i;
  while (word < s_.size() && word < i + 24 && (is_name(s_[word]) || s_[word] == '-')) ++word;
  const std::string_view scheme = s_.substr(i, word - i);
  std::size_t rest = word;
  if (at(rest, "%20")) {
    rest += 3;
  } else if (get(rest) == '+' && word - i < 8) {
    ++rest;
  } else {
    rest = skip_blanks(rest);
  }
  if (rest > word && (iequals(scheme, "basic") || iequals(scheme, "bearer") || iequals(scheme, "token") || iequals(scheme, "apikey"))) {
    if (end <= rest) {
      end = rest;
      const std::size_t stop = limit_from(rest);
      while (end < stop && !is_space(s_[end]) && s_[end] != '"' && s_[end] != '\'' && s_[end] != ',' && s_[end] != ';' && s_[end] != '\\' && s_[end] != '&') ++end;
    }
    if (iequals(scheme, "basic")) {
      if (!basic_value(rest, end)) drop(FieldRule::kAuthorization, value, "not base64 of user:password");
      return;
    }
    if (!bearer_value(rest, end, true)) drop(FieldRule::kAuthorization, value, "placeholder or too short");
    return;
  }
  if (iequals(scheme, "digest") || iequals(scheme, "negotiate") || iequals(scheme, "ntlm") || scheme.starts_with("AWS4")) {
    return drop(FieldRule::kAuthorization, value, "the scheme does not carry the secret");
  }
  if (basic_value(value.start, value.end)) return;  // _auth=dXNlcjpwYXNz of npm
  if (!bearer_value(value.start, value.end, false)) drop(FieldRule::kAuthorization, value, "not a credential");
}

bool Reader::basic_value(std::size_t start, std::size_t end) {
  const auto text = decode_base64_text(s_.substr(start, end - start));
  if (!text) return false;
  const auto colon = text->find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 >= text->size()) return false;
  const std::string password = text->substr(colon + 1);
  if (placeholder(password, "", words_)) return false;
  hit(FieldRule::kAuthorization, Tier::kStructure, start, end, password, "HTTP Basic: user and password");
  return true;
}

bool Reader::bearer_value(std::size_t start, std::size_t end, bool named) {
  const std::string_view token = s_.substr(start, end - start);
  if (token.size() < (named ? 8U : 16U) || placeholder(token, "token", words_)) return false;
  const bool charset = std::all_of(token.begin(), token.end(), [](char c) {
    return is_name(c) || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' || c == '=' || c == '|' || c == ':';
  });
  const Mix m = mix(token);
  if (!charset || m.digit == 0 || m.lower + m.upper == 0) return false;
  const TokenFacts facts = inspect_token(token);
  hit(FieldRule::kAuthorization, facts.known ? facts.tier : Tier::kPattern, start, end, std::string(token), facts.note);
  return true;
}

// ---- other shapes

void Reader::identified_by(const StemHit& stem) {
  if (stem.end <= done) return;
  std::size_t i = skip_blanks(stem.end);
  if (i == stem.end) return;
  const Key key{KeyClass::kPassword, "", ""};
  const std::size_t near = std::min(s_.size(), i + 160);
  if (iequals(s_.substr(stem.start, stem.end - stem.start), "set password for")) {
    // SET PASSWORD FOR 'a'@'%' = 'x'
    while (i < near && s_[i] != '=' && s_[i] != ';') ++i;
    if (get(i) != '=') return;
    auto value = after_separator(i + 1, Shape::kPlain, false);
    if (value) judge(key, *value, FieldRule::kPasswordSql);
    return;
  }
  if (iequals(s_.substr(stem.start, stem.end - stem.start), "identified with")) {
    // IDENTIFIED WITH plugin BY 'x'; AS '…' would be a digest
    while (i < near && is_key(s_[i])) ++i;
    i = skip_blanks(i);
    if (!iat(i, "by ") && !iat(i, "as ")) return;
    i = skip_blanks(i + 3);
  }
  if (iat(i, "password ")) i = skip_blanks(i + 9);
  if (iat(i, "values ")) i = skip_blanks(i + 7);
  auto value = quoted(i, true);
  if (!value) {
    // Without quotes only Oracle writes it, after CREATE, ALTER or GRANT; in a sentence it is no password.
    const std::string before = to_lower(s_.substr(stem.start > 200 ? stem.start - 200 : 0, std::min<std::size_t>(stem.start, 200)));
    const bool statement = before.find("create user") != std::string::npos || before.find("alter user") != std::string::npos ||
                           before.find("grant ") != std::string::npos || before.find("create role") != std::string::npos ||
                           before.find("alter role") != std::string::npos || before.find("set role") != std::string::npos;
    if (!statement) return;
    value = plain(i, Shape::kPlain, false);
    if (value->end == value->start || words_.is_prose(to_lower(s_.substr(value->start, value->end - value->start)))) return;
  }
  judge(key, *value, FieldRule::kPasswordSql);
  // Oracle: ALTER USER x IDENTIFIED BY new REPLACE old
  std::size_t next = value->end;
  if (get(next) == '"' || get(next) == '\'') ++next;
  next = skip_blanks(next);
  if (!iat(next, "replace ")) return;
  next = skip_blanks(next + 8);
  auto old = quoted(next, true);
  if (!old) old = plain(next, Shape::kPlain, false);
  if (old->end > old->start) judge(key, *old, FieldRule::kPasswordSql);
}

void Reader::url(const StemHit& stem) {
  constexpr std::size_t kMaxAuthority = 512;
  const std::size_t start = stem.end;
  const std::size_t stop = std::min(s_.size(), start + kMaxAuthority);
  std::size_t last_at = std::string_view::npos;
  std::size_t colon = std::string_view::npos;
  for (std::size_t i = start; i < stop; ++i) {
    const char c = s_[i];
    if (c == '/' || is_space(c) || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' || c == '\\') break;
    if (c == '?' && last_at != std::string_view::npos) break;
    if (c == ':' && colon == std::string_view::npos) colon = i;
    if (c == '@') last_at = i;
    if (c == '?' && colon == std::string_view::npos) break;
    if (c == ',' && last_at != std::string_view::npos) break;
  }
  if (last_at == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= last_at) return;
  if (stem.start == 0 || !is_name(s_[stem.start - 1])) return;
  const Value value{colon + 1, last_at, Shape::kQuery, 0, false};
  const std::string secret = decode_percent(s_.substr(value.start, value.end - value.start));
  if (const auto why = placeholder(secret, "", words_)) return drop(FieldRule::kPasswordUrl, value, *why);
  // "https://host:8080@…" does not exist in earnest; "https://a:b/@c" was cut at the slash.
  const TokenFacts facts = inspect_token(secret);
  hit(FieldRule::kPasswordUrl, facts.known ? facts.tier : Tier::kPattern, value.start, value.end, secret, facts.note);
}

void Reader::bearer(const StemHit& stem) {
  if (stem.start < done || (stem.start > 0 && is_name(s_[stem.start - 1]))) return;
  const std::size_t start = skip_blanks(stem.end);
  std::size_t end = start;
  const std::size_t stop = limit_from(start);
  while (end < stop && (is_name(s_[end]) || std::string_view("-._~+/=|").find(s_[end]) != std::string_view::npos)) ++end;
  while (end > start && s_[end - 1] == '.') --end;
  (void)bearer_value(start, end, false);
}

void Reader::basic(const StemHit& stem) {
  if (stem.start < done || (stem.start > 0 && is_name(s_[stem.start - 1]))) return;
  const std::size_t start = skip_blanks(stem.end);
  std::size_t end = start;
  const std::size_t stop = std::min(s_.size(), start + 1024);
  while (end < stop && (is_name(s_[end]) || std::string_view("-+/=").find(s_[end]) != std::string_view::npos)) ++end;
  if (end - start >= 8) (void)basic_value(start, end);
}

// What the readers of shapes without a key found, judged as a password's value.
void Reader::places() {
  const Key key{KeyClass::kPassword, "password", ""};
  for (const SecretPlace& place : places_) {
    if (place.end <= place.start || place.end > s_.size()) continue;
    const bool known = !found_.empty() && found_.back().start < place.end && found_.back().end > place.start;
    if (known) continue;
    Value value{place.start, place.end, place.written == Written::kSqlQuoted ? Shape::kSqlQuoted : Shape::kArgument, 0, false};
    const std::string_view text = s_.substr(place.start, place.end - place.start);
    switch (place.written) {
      case Written::kPlain:
      case Written::kArgument:
      case Written::kSqlQuoted: judge(key, value, place.rule); break;
      case Written::kDigest:
        hit(FieldRule::kPasswordHash, Tier::kPattern, place.start, place.end, std::string(text), std::string(digest_form(text)));
        break;
      case Written::kSaslPlain:
      case Written::kBase64: {
        const std::string secret = place.written == Written::kSaslPlain ? sasl_plain_password(text) : decode_base64_text(text).value_or("");
        if (const auto why = placeholder(secret, "", words_)) {
          drop(place.rule, value, *why);
        } else {
          hit(place.rule, Tier::kStructure, place.start, place.end, secret, "base64");
        }
        break;
      }
    }
  }
  places_.clear();
}

void Reader::command(const StemHit& stem) {
  if (stem.start < command_end_) return;
  command_end_ = read_command(s_, stem.start, stem.end, places_);
  places();
}

void Reader::login(const StemHit& stem) {
  read_login(s_, stem.start, stem.end, places_);
  places();
}

void Reader::call(const StemHit& stem) {
  read_call(s_, stem.start, stem.end, places_);
  places();
}

void Reader::password_line() {
  read_password_line(s_, words_, places_);
  places();
}

// INSERT INTO t (a, password) VALUES ('x', 'y'), (…)
void Reader::insert(const StemHit& stem) {
  std::size_t i = stem.end;
  const std::size_t stop = std::min(s_.size(), i + 300);
  while (i < stop && s_[i] != '(' && s_[i] != ';') ++i;
  if (get(i) != '(') return;
  std::vector<Key> columns;
  i = insert_columns(i + 1, columns);
  if (columns.empty()) return;
  i = skip_blanks(i, 64);
  if (!iat(i, "values")) {
    if (!iat(i, "value")) return;
    i += 5;
  } else {
    i += 6;
  }
  for (std::size_t row = 0; row < Extractor::kMaxRows; ++row) {
    i = skip_blanks(i, 64);
    if (get(i) != '(') return;
    i = insert_row(i + 1, columns);
    i = skip_blanks(i, 64);
    if (get(i) != ',') return;
    ++i;
  }
}

std::size_t Reader::insert_columns(std::size_t i, std::vector<Key>& columns) const {
  bool any = false;
  while (i < s_.size() && columns.size() < Extractor::kMaxColumns) {
    i = skip_blanks(i, 64);
    while (get(i) == '"' || get(i) == '`' || get(i) == '[' || get(i) == '\\') ++i;
    const std::size_t start = i;
    while (i < s_.size() && is_key(s_[i]) && i < start + Vocabulary::kMaxKey) ++i;
    if (i == start) break;
    const Key key = words_.classify(s_.substr(start, i - start));
    any = any || (key.cls != KeyClass::kNone && key.cls != KeyClass::kAbout);
    columns.push_back(key);
    while (get(i) == '"' || get(i) == '`' || get(i) == ']' || get(i) == '\\') ++i;
    i = skip_blanks(i, 64);
    if (get(i) == ')') {
      if (!any) columns.clear();
      return i + 1;
    }
    if (get(i) != ',') break;
    ++i;
  }
  columns.clear();
  return i;
}

// Reads one row; returns the offset behind its ')'.
std::size_t Reader::insert_row(std::size_t i, const std::vector<Key>& columns) {
  for (std::size_t column = 0; column < Extractor::kMaxColumns; ++column) {
    i = skip_blanks(i, 64);
    std::size_t quote = i;
    if (get(quote + 1) == '\'' && (s_[quote] == 'N' || s_[quote] == 'E')) ++quote;
    Value value{i, i, Shape::kPlain, 0, false};
    if (get(quote) == '\'') {
      value = {quote + 1, sql_string_end(quote), Shape::kSqlQuoted, 0, false};
      i = value.end + 1;
    } else {
      std::size_t depth = 0;
      const std::size_t stop = limit_from(i);
      while (i < stop && (depth > 0 || (s_[i] != ',' && s_[i] != ')'))) {
        if (s_[i] == '\'') {
          i = sql_string_end(i);
          if (i >= stop) break;
        }
        if (s_[i] == '(') ++depth;
        if (s_[i] == ')' && depth > 0) --depth;
        ++i;
      }
      value.end = i;
      if (s_.substr(value.start, value.end - value.start).find('(') != std::string_view::npos) {
        if (const auto argument = call_argument(value)) value = *argument;
      }
    }
    if (column < columns.size() && value.end > value.start) {
      const Key& key = columns[column];
      const bool counts = key.cls != KeyClass::kNone && key.cls != KeyClass::kAbout && key.cls != KeyClass::kAuthorization &&
                          (personal_ || key.cls != KeyClass::kPersonalNumber);
      if (counts) judge(key, value, FieldRule::kPasswordSql);
    }
    i = skip_blanks(std::min(i, s_.size()), 64);
    if (get(i) == ')') return i + 1;
    if (get(i) != ',') return s_.size();
    ++i;
  }
  return s_.size();
}

// AUTH secret, "AUTH" "secret", AUTH user secret
void Reader::redis_auth(const StemHit& stem) {
  if (!at(stem.start, "AUTH") || (stem.start > 0 && is_key(s_[stem.start - 1]))) return;
  const bool in_quotes = stem.start > 0 && s_[stem.start - 1] == '"';
  constexpr std::size_t kNear = 200;
  const std::string_view before = s_.substr(stem.start > kNear ? stem.start - kNear : 0, std::min<std::size_t>(stem.start, kNear));
  const bool redis = stem.start <= 1 || before.find("redis") != std::string_view::npos || before.find("Redis") != std::string_view::npos || in_quotes;
  if (!redis) return;
  std::size_t i = stem.start + 4;
  if (in_quotes) {
    if (get(i) != '"') return;
    ++i;
  }
  const std::size_t start = skip_blanks(i);
  if (start == i || start >= s_.size()) return;
  auto value = quoted(start, false);
  if (!value) value = plain(start, Shape::kArgument, false);
  const std::size_t behind = value->end + (get(value->end) == '"' ? 1 : 0);
  const std::size_t second = skip_blanks(behind);
  if (in_quotes && get(second) == '"') value = quoted(second, false);
  value->shape = Shape::kArgument;
  judge(Key{KeyClass::kPassword, "", ""}, *value, FieldRule::kPasswordCommand);
}

// base64 or hex that contains "password", and gzip in base64: decoded once and looked at again.
void Reader::encoded(const StemHit& stem) {
  if (spent()) return;
  const std::string_view literal = s_.substr(stem.start, stem.end - stem.start);
  const bool gzip = literal == "H4sI";
  const bool hex = is_hex(literal);
  if (!gzip && iequals(literal, "h4si")) return;
  const auto in_code = [&](char c) { return hex ? is_hex(std::string_view(&c, 1)) : is_name(c) || c == '+' || c == '/' || c == '-'; };
  std::size_t start = stem.start;
  const std::size_t least = start > Extractor::kMaxValue ? start - Extractor::kMaxValue : 0;
  while (start > least && in_code(s_[start - 1])) --start;
  if (start < done || (gzip && start != stem.start)) return;
  if (hex && (stem.start - start) % 2 != 0) ++start;
  std::size_t end = stem.end;
  const std::size_t stop = limit_from(end);
  while (end < stop && in_code(s_[end])) ++end;
  if (hex && (end - start) % 2 != 0) --end;
  const std::string_view code = s_.substr(start, end - start);
  const auto text = gzip ? decode_gzip_text(code) : hex ? decode_hex_text(code) : decode_base64_text(code);
  done = std::max(done, end);
  if (!text) return;
  // What was packed counts as read, so that a record full of it stays bounded.
  read_ += code.size() + 4 * text->size();
  std::vector<StemHit> stems;
  const std::string lower = to_lower(*text);
  const auto look_for = [&](std::string_view word) {
    for (std::size_t at_word = 0; (at_word = lower.find(word, at_word)) != std::string::npos; ++at_word) {
      stems.push_back({static_cast<std::uint32_t>(at_word), static_cast<std::uint32_t>(at_word + word.size()), StemKind::kKey});
    }
  };
  for (const std::string_view word : {"pass", "pwd", "secret", "token", "api_key", "apikey"}) look_for(word);
  std::sort(stems.begin(), stems.end(), [](const StemHit& a, const StemHit& b) { return a.end < b.end; });
  std::vector<Found> inside;
  Extractor(words_, personal_).run(*text, stems, inside, nullptr);
  if (inside.empty()) return;
  while (!hex && end < s_.size() && s_[end] == '=') ++end;
  hit(FieldRule::kEncoded, Tier::kStructure, start, end, inside.front().secret, gzip ? "gzip in base64" : hex ? "hex" : "base64");
}

}  // namespace

std::vector<std::pair<std::string, StemKind>> Extractor::stems() const {
  std::vector<std::pair<std::string, StemKind>> out;
  for (const auto& stem : words_.stems()) out.emplace_back(stem, StemKind::kKey);
  for (const char* phrase : {"identified by", "identified with", "set password for"}) out.emplace_back(phrase, StemKind::kIdentifiedBy);
  out.emplace_back("://", StemKind::kUrl);
  out.emplace_back("bearer ", StemKind::kBearer);
  out.emplace_back("basic ", StemKind::kBasic);
  out.emplace_back(":\\/\\/", StemKind::kUrl);  // as JSON may escape it
  for (const auto literal : command_literals()) out.emplace_back(literal, StemKind::kCommand);
  for (const auto literal : login_literals()) out.emplace_back(literal, StemKind::kLogin);
  for (const auto literal : call_literals()) out.emplace_back(literal, StemKind::kCall);
  out.emplace_back("insert into", StemKind::kInsert);
  out.emplace_back("replace into", StemKind::kInsert);
  out.emplace_back("auth ", StemKind::kRedisAuth);
  out.emplace_back("auth\" \"", StemKind::kRedisAuth);
  // "password" and "passwd" in base64, at the three alignments.
  for (const char* piece : {"cgfzc3dvcm", "bhc3n3b3jk", "wyxnzd29y", "cgfzc3dk", "bhc3n3za", "wyxnzd2"}) out.emplace_back(piece, StemKind::kEncoded);
  // The same in hex, in three cases; and the beginning of gzip in base64.
  for (const char* piece : {"70617373776f7264", "50617373776f7264", "50415353574f5244", "706173737764", "h4si"}) out.emplace_back(piece, StemKind::kEncoded);
  return out;
}

bool Extractor::is_inside_key(std::string_view literal) noexcept { return std::all_of(literal.begin(), literal.end(), is_key); }

bool Extractor::worth_reading(std::string_view text, const StemHit& stem) const {
  if (stem.kind != StemKind::kKey) return true;
  const KeySpan span = key_span(text, stem);
  const KeyClass cls = words_.recall(text.substr(span.start, span.end - span.start)).cls;
  return cls != KeyClass::kNone && cls != KeyClass::kAbout && (cls != KeyClass::kPersonalNumber || personal_);
}

void Extractor::run(std::string_view record, const std::vector<StemHit>& stems, std::vector<Found>& found, std::vector<Drop>* drops) const {
  Reader reader(record, words_, personal_, found, drops);
  for (const StemHit& stem : stems) {
    switch (stem.kind) {
      case StemKind::kKey: reader.key_at(stem); break;
      case StemKind::kIdentifiedBy: reader.identified_by(stem); break;
      case StemKind::kUrl: reader.url(stem); break;
      case StemKind::kBearer: reader.bearer(stem); break;
      case StemKind::kBasic: reader.basic(stem); break;
      case StemKind::kCommand: reader.command(stem); break;
      case StemKind::kInsert: reader.insert(stem); break;
      case StemKind::kRedisAuth: reader.redis_auth(stem); break;
      case StemKind::kEncoded: reader.encoded(stem); break;
      case StemKind::kLogin: reader.login(stem); break;
      case StemKind::kCall: reader.call(stem); break;
    }
  }
  reader.password_line();
}

}  // namespace tocsin::rules::secrets
