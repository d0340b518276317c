// The extractor. Each shape is a small reader over the record; all of them end in `judge`, which decides by the class
// of the key whether a value is a secret.
#include "rules/secrets/extract.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "rules/base/text.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/ruleset.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_key(char c) { return is_name(c) || c == '-' || c == '.' || is_high(c); }

// Where a value stands; decides where it ends and how it is decoded.
enum class Shape : std::uint8_t { kQuoted, kSqlQuoted, kQuery, kPlain, kColon, kXml, kArgument, kProse };

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
  void encoded(const StemHit& stem);

  // Text before this offset has been read as a key or a value.
  std::size_t done = 0;

 private:
  struct KeySpan {
    std::size_t start, end;
  };

  bool at(std::size_t i, std::string_view word) const { return s_.substr(std::min(i, s_.size()), word.size()) == word; }
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

  KeySpan key_span(const StemHit& stem) const;
  std::optional<Value> value_after(const KeySpan& key, const Key& meaning);
  std::optional<Value> after_separator(std::size_t i, Shape plain, bool encoded_separator);
  std::optional<Value> quoted(std::size_t i, bool sql);
  Value plain(std::size_t i, Shape shape, bool encoded_separator) const;
  std::optional<Value> call_argument(const Value& call);
  std::optional<Value> prose(std::size_t i, std::string_view key);

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
  mutable std::size_t read_ = 0;  // bytes read as values so far
};

// ---- keys

Reader::KeySpan Reader::key_span(const StemHit& stem) const {
  KeySpan key{stem.start, stem.end};
  const std::size_t least = stem.start > Vocabulary::kMaxKey ? stem.start - Vocabulary::kMaxKey : 0;
  const std::size_t most = std::min(s_.size(), stem.end + Vocabulary::kMaxKey);
  while (key.start > least && is_key(s_[key.start - 1])) --key.start;
  while (key.end < most && is_key(s_[key.end])) ++key.end;
  // "%3Fpassword", "\npassword", "\u0022password": what the expansion swallowed of an escape is no part of the key.
  if (key.start >= 1 && s_[key.start - 1] == '%' && key.start + 2 <= stem.start) key.start += 2;
  if (key.start >= 1 && s_[key.start - 1] == '\\' && key.start < stem.start) {
    key.start += s_[key.start] == 'u' && key.start + 5 <= stem.start ? 5U : 1U;
  }
  // The full-width colon ends a key as ':' does.
  const auto wide = s_.substr(stem.end, key.end - stem.end).find("\uff1a");
  if (wide != std::string_view::npos) key.end = stem.end + wide;
  while (key.start < stem.start && (s_[key.start] == '-' || s_[key.start] == '.')) ++key.start;
  while (key.end > stem.end && (s_[key.end - 1] == '-' || s_[key.end - 1] == '.')) --key.end;
  return key;
}

void Reader::key_at(const StemHit& stem) {
  if (stem.start < done) return;
  const KeySpan span = key_span(stem);
  if (span.start < done && span.start < stem.start) return;
  const std::string_view text = s_.substr(span.start, span.end - span.start);
  const Key key = words_.classify(text);
  if (key.cls == KeyClass::kNone) return;
  if (key.cls == KeyClass::kPersonalNumber && !personal_) return;
  auto value = value_after(span, key);
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
  // "GET /password: …" is a path.
  if (span.start > 0 && s_[span.start - 1] == '/' && value->shape == Shape::kColon) return;
  FieldRule rule = FieldRule::kPasswordField;
  if (value->shape == Shape::kSqlQuoted) rule = FieldRule::kPasswordSql;
  const bool option = span.start >= 2 && s_[span.start - 1] == '-' && s_[span.start - 2] == '-';
  if (value->shape == Shape::kArgument || option) rule = FieldRule::kPasswordCommand;
  if (value->shape == Shape::kProse) rule = FieldRule::kPasswordText;
  if (key.cls == KeyClass::kPersonalNumber) widen_number(*value);
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
  const bool xml = key.start > 0 && (s_[key.start - 1] == '<' || (s_[key.start - 1] == ':' && key.start > 1 && is_name(s_[key.start - 2])));
  if (xml && get(i) == '>') {
    Value value{i + 1, i + 1, Shape::kXml, 0, false};
    const std::size_t stop = limit_from(value.start);
    while (value.end < stop && s_[value.end] != '<') ++value.end;
    read_ += value.end - value.start;
    return value;
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
  i = skip_blanks(i);

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
  if (get(i) == '=') {
    std::size_t j = i + 1;
    if (get(j) == '=' || get(j) == '>' || get(j) == '~') ++j;
    const bool spaced = i > gap || is_blank(get(j));
    return after_separator(j, spaced ? Shape::kPlain : Shape::kQuery, false);
  }
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
  const bool option = key.start >= 2 && s_[key.start - 1] == '-' && s_[key.start - 2] == '-';
  if (option && !closed) {
    if (get(i) == '-' || i >= s_.size()) return std::nullopt;
    auto value = quoted(i, false);
    if (!value) value = plain(i, Shape::kArgument, false);
    value->shape = Shape::kArgument;
    return value;
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
    return prose(i, meaning.word);
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
  if (get(i) == '[' && (get(i + 1) == '"' || get(i + 1) == '\'' || get(i + 1) == '\\')) ++i;  // ['value']
  std::size_t q = i;
  if ((get(q) == 'N' || get(q) == 'E' || get(q) == 'n' || get(q) == 'e' || get(q) == 'b' || get(q) == 'u') &&
      (get(q + 1) == '\'' || get(q + 1) == '"')) {
    i = q + 1;
  }
  if (auto value = quoted(i, shape == Shape::kPlain)) return value;
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

Value Reader::plain(std::size_t i, Shape shape, bool encoded_separator) const {
  Value value{i, i, shape, 0, encoded_separator};
  const std::size_t stop = limit_from(i);
  std::size_t k = i;
  for (; k < stop; ++k) {
    ++read_;
    const char c = s_[k];
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
  while (i < stop && s_[i] != '\'' && s_[i] != ')') ++i;
  if (get(i) != '\'') return std::nullopt;
  Value value{i + 1, sql_string_end(i), Shape::kSqlQuoted, 0, false};
  return value;
}

// "password is hunter2", "Passwort lautet 'geheim'"
std::optional<Value> Reader::prose(std::size_t i, std::string_view) {
  std::size_t end = i;
  while (end < s_.size() && end < i + 20 && (is_letter(s_[end]) || is_high(s_[end]))) ++end;
  if (!words_.is_copula(to_lower(s_.substr(i, end - i)))) return std::nullopt;
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
      const auto proof = check_national_id(key.number, secret);
      if (!proof) return drop(FieldRule::kNationalId, value, "not laid out as that number");
      return hit(FieldRule::kNationalId, *proof, value.start, value.end, secret, std::string(key.number));
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
    if (value.shape == Shape::kProse && (secret.ends_with("ed") || secret.ends_with("ing"))) return drop(rule, value, "prose");
  }
  if (was_quoted && value.shape == Shape::kProse && m.blank > 0 && m.digit == 0) return drop(rule, value, "prose");
  if (m.blank > 6) return drop(rule, value, "prose");
  // A JSON object or a whole statement inside the quotes is looked at on its own.
  if (secret.front() == '{' || secret.size() > 512) return drop(rule, value, "too long or structured");
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
  if (secret.front() == '/' || secret.starts_with("http://") || secret.starts_with("https://")) return drop(rule, value, "path or address");
  if (is_digits(secret)) return drop(rule, value, "number");
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

// The words of a command line, up to the end of the command or of the string that holds it.
void Reader::command(const StemHit& stem) {
  if (spent() || (stem.start > 0 && (is_name(s_[stem.start - 1]) || s_[stem.start - 1] == '.'))) return;
  const std::string program = to_lower(s_.substr(stem.start, stem.end - stem.start));
  const bool mysql = program == "mysql" || program == "mariadb";
  std::size_t i = stem.end;
  while (i < s_.size() && (is_name(s_[i]) || s_[i] == '-') && s_[i] != ' ') ++i;  // mysqldump, mysql-client
  if (!is_blank(get(i))) return;
  const Key key{KeyClass::kPassword, "", ""};
  const auto take = [&](std::size_t at_value) {
    auto value = quoted(at_value, false);
    if (!value) value = plain(at_value, Shape::kArgument, false);
    value->shape = Shape::kArgument;
    if (value->end > value->start) judge(key, *value, FieldRule::kPasswordCommand);
  };
  // "-u user:password"
  const auto take_pair = [&](std::size_t at_value, char separator) {
    auto value = quoted(at_value, false);
    if (!value) value = plain(at_value, Shape::kArgument, false);
    const auto colon = s_.substr(0, value->end).find(separator, value->start);
    if (colon == std::string_view::npos) return;
    value->start = colon + 1;
    value->shape = Shape::kArgument;
    if (value->end > value->start) judge(key, *value, FieldRule::kPasswordCommand);
  };
  for (std::size_t n = 0; n < Extractor::kMaxWords; ++n) {
    i = skip_blanks(i);
    if (i >= s_.size() || s_[i] == '|' || s_[i] == ';' || s_[i] == '\n' || s_[i] == '&') return;
    const std::size_t word = i;
    char quote = '\0';
    const std::size_t stop = limit_from(word);
    while (i < stop && (quote != '\0' || !is_space(s_[i]))) {
      ++read_;
      if (quote == '\0' && (s_[i] == '\'' || s_[i] == '"')) {
        quote = s_[i];
      } else if (s_[i] == quote) {
        quote = '\0';
      }
      ++i;
    }
    const std::string_view text = s_.substr(word, i - word);
    const std::size_t next = skip_blanks(i);
    const bool more = next < s_.size() && next > i && s_[next] != '-';
    if (mysql && text.starts_with("-p") && text.size() > 2) take(word + 2);
    if ((program == "sshpass" || program == "mongo") && text.starts_with("-p")) {
      if (text.size() > 2) take(word + 2);
      if (text.size() == 2 && more) take(next);
    }
    if (program == "redis-cli" && text == "-a" && more) take(next);
    if (program.starts_with("ldap") && text == "-w" && more) take(next);
    if ((program == "curl" || program == "wget") && (text == "-u" || text == "--user") && more) take_pair(next, ':');
    if (program == "smbclient" && text == "-U" && more) take_pair(next, '%');
  }
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

// base64 that contains "password": decoded once and looked at again.
void Reader::encoded(const StemHit& stem) {
  const auto is_base64 = [](char c) { return is_name(c) || c == '+' || c == '/' || c == '-'; };
  std::size_t start = stem.start;
  const std::size_t least = start > Extractor::kMaxValue ? start - Extractor::kMaxValue : 0;
  while (start > least && is_base64(s_[start - 1])) --start;
  if (start < done) return;
  std::size_t end = stem.end;
  const std::size_t stop = limit_from(end);
  while (end < stop && is_base64(s_[end])) ++end;
  const auto text = decode_base64_text(s_.substr(start, end - start));
  done = std::max(done, end);
  if (!text) return;
  std::vector<StemHit> stems;
  const std::string lower = to_lower(*text);
  for (std::size_t at_word = 0; (at_word = lower.find("pass", at_word)) != std::string::npos; ++at_word) {
    stems.push_back({static_cast<std::uint32_t>(at_word), static_cast<std::uint32_t>(at_word + 4), StemKind::kKey});
  }
  std::vector<Found> inside;
  Extractor(words_, personal_).run(*text, stems, inside, nullptr);
  if (inside.empty()) return;
  while (end < s_.size() && s_[end] == '=') ++end;
  hit(FieldRule::kEncoded, Tier::kStructure, start, end, inside.front().secret, "base64");
}

}  // namespace

std::vector<std::pair<std::string, StemKind>> Extractor::stems() const {
  std::vector<std::pair<std::string, StemKind>> out;
  for (const auto& stem : words_.stems()) out.emplace_back(stem, StemKind::kKey);
  for (const char* phrase : {"identified by", "identified with", "set password for"}) out.emplace_back(phrase, StemKind::kIdentifiedBy);
  out.emplace_back("://", StemKind::kUrl);
  out.emplace_back("bearer ", StemKind::kBearer);
  out.emplace_back("basic ", StemKind::kBasic);
  for (const char* program : {"mysql", "mariadb", "sshpass", "redis-cli", "ldapsearch", "ldapmodify", "ldapadd", "curl", "wget", "mongo", "smbclient"}) {
    out.emplace_back(program, StemKind::kCommand);
  }
  out.emplace_back("insert into", StemKind::kInsert);
  out.emplace_back("replace into", StemKind::kInsert);
  out.emplace_back("auth ", StemKind::kRedisAuth);
  out.emplace_back("auth\" \"", StemKind::kRedisAuth);
  // "password" and "passwd" in base64, at the three alignments.
  for (const char* piece : {"cgfzc3dvcm", "bhc3n3b3jk", "wyxnzd29y", "cgfzc3dk", "bhc3n3za", "wyxnzd2"}) out.emplace_back(piece, StemKind::kEncoded);
  return out;
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
    }
  }
}

}  // namespace tocsin::rules::secrets
