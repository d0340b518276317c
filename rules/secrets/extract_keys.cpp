// From a key to its value: what closes the key, what may stand between, and which shape that makes.
#include "rules/secrets/entropy.hpp"
#include "rules/secrets/extract_reader.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {
namespace {

// The letters of a naming word happen to stand in base64: "…kvPWDXwA== commit".
bool looks_encoded(std::string_view key, char before) {
  if (before != '+' && before != '/' && (key.size() < 16 || key.find_first_of("_-.") != std::string_view::npos)) return false;
  std::size_t upper = 0, lower = 0, digit = 0;
  for (const char c : key) {
    upper += c >= 'A' && c <= 'Z' ? 1U : 0U;
    lower += c >= 'a' && c <= 'z' ? 1U : 0U;
    digit += is_digit(c) ? 1U : 0U;
  }
  if (before == '+') return upper > 0 && lower > 0;
  if (before == '/') return upper >= 3 && lower >= 3;
  const bool mixed = (upper >= 3 && lower >= 3) || (lower == 0 && upper >= 6);
  return mixed && digit >= 2;
}

}  // namespace

void FieldReader::key_at(const StemHit& stem) {
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
  if (jointed && value->shape == FieldShape::kColon) return drop(FieldRule::kSecretField, *value, "part of a name");
  // "GET /password: …" is a path; "/password:value" is an option of Windows.
  if (span.start > 0 && s_[span.start - 1] == '/' && value->shape == FieldShape::kColon && is_blank(get(span.end + 1))) {
    return drop(FieldRule::kPasswordField, *value, "part of a path");
  }
  FieldRule rule = FieldRule::kPasswordField;
  if (value->shape == FieldShape::kSqlQuoted) rule = FieldRule::kPasswordSql;
  if (value->shape == FieldShape::kArgument || is_option(span)) rule = FieldRule::kPasswordCommand;
  if (value->shape == FieldShape::kProse) rule = FieldRule::kPasswordText;
  if (key.cls == KeyClass::kPersonalNumber) widen_number(*value);
  // The shell's ${NAME:?message}, ${NAME:+other}, and ${NAME:-value}, which is one.
  if (span.start >= 2 && s_[span.start - 1] == '{' && s_[span.start - 2] == '$' && value->shape == FieldShape::kColon) {
    const char sign = s_[value->start];
    if (sign == '?' || sign == '+') return drop(rule, *value, "variable");
    if ((sign == '-' || sign == '=') && value->end > value->start + 1) ++value->start;
  }
  judge(key, *value, rule);
  done = std::max(done, span.end);
}

// "nhs_number=943 476 5870": an unquoted number goes on behind a blank.
void FieldReader::widen_number(FieldValue& value) const {
  if (value.start > 0 && (s_[value.start - 1] == '"' || s_[value.start - 1] == '\'')) return;
  constexpr std::size_t kMaxNumber = 24;
  const std::size_t stop = std::min(s_.size(), value.start + kMaxNumber);
  while (value.end + 1 < stop && s_[value.end] == ' ' && is_digit(s_[value.end + 1])) {
    ++value.end;
    while (value.end < stop && is_digit(s_[value.end])) ++value.end;
  }
}

std::optional<FieldValue> FieldReader::value_after(const KeySpan& key, const Key& meaning) {
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
    return next == std::string_view::npos ? std::nullopt : until(next + 8, "<", FieldShape::kXml);
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
  if (auto value = value_of_row(i, key, closed)) return value;
  if (closed) {
    if (auto value = xml_attribute(i, key)) return value;
    // A part of a form: the value stands behind an empty line.
    const std::size_t body = at(i, "\r\n\r\n") ? i + 4 : at(i, "\n\n") ? i + 2 : at(i, "\\r\\n\\r\\n") ? i + 8 : at(i, "\\n\\n") ? i + 4 : 0;
    if (body != 0) {
      FieldValue part = plain(body, FieldShape::kArgument, false);
      part.shape = FieldShape::kQuoted;
      return part;
    }
  }
  i = skip_blanks(i);

  // - name: DB_PASSWORD, and on the next line value: secret
  if (at(i, "value:") && i > gap && before(key.start, 8).ends_with("name: ")) return after_separator(i + 6, FieldShape::kColon, false);
  // "parola d'ordine:", "κωδικός πρόσβασης:"
  if (meaning.cls == KeyClass::kPassword && !closed && i > gap) {
    const std::size_t tail = words_.tail_length(s_.substr(i, 40));
    if (tail > 0 && (get(i + tail) == ':' || get(i + tail) == '=')) return after_separator(i + tail + 1, FieldShape::kColon, false);
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
      if (get(j) == ':') return after_separator(j + 1, FieldShape::kColon, false);
    }
    return std::nullopt;
  }
  if (get(i) == '=') return after_equals(i, gap, closed);
  if (at(i, "!=") || at(i, "<>")) return after_separator(i + 2, FieldShape::kPlain, false);
  if (at(i, "%3D") || at(i, "%3d")) return after_separator(i + 3, FieldShape::kQuery, true);
  if (at(i, "%3A") || at(i, "%3a")) return after_separator(i + 3, FieldShape::kQuery, true);
  if (at(i, "\\u003d") || at(i, "\\u003D")) return after_separator(i + 6, FieldShape::kQuery, false);
  if (get(i) == ':') {
    std::size_t j = i + 1;
    if (get(j) == '=') ++j;
    if (get(j) == ':') return std::nullopt;  // Password::check
    return after_separator(j, FieldShape::kColon, false);
  }
  if (at(i, "\uff1a")) return after_separator(i + 3, FieldShape::kColon, false);
  if (i == bare_end || meaning.cls == KeyClass::kAbout) return std::nullopt;

  // --password VALUE
  if (is_option(key) && !closed) {
    if (get(i) == '-' || i >= s_.size()) return std::nullopt;
    auto value = quoted(i, false);
    if (!value) value = plain(i, FieldShape::kArgument, false);
    value->shape = FieldShape::kArgument;
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
    if (value && (value->shape == FieldShape::kQuoted || !sql)) value->shape = FieldShape::kProse;
    return value;
  }
  if (get(i) == '$' && is_digit(get(i + 1))) return plain(i, FieldShape::kPlain, false);
  if (get(i) == '(' && key.end == bare_end) {
    auto value = quoted(skip_blanks(i + 1), true);
    return value;
  }
  if (meaning.cls == KeyClass::kPassword && !closed) {
    // USER anna PASS secret: what FTP, POP3 and IRC say in clear text.
    if (s_.substr(key.start, key.end - key.start) == "PASS" && s_.substr(key.start > 200 ? key.start - 200 : 0, std::min<std::size_t>(key.start, 200)).find("USER ") != std::string_view::npos) {
      return plain(i, FieldShape::kArgument, false);
    }
  }
  if (!closed && meaning.cls == KeyClass::kPersonalNumber) {
    // "SSN 536-90-4399", "PESEL is 44051401359"
    if (iat(i, "is ")) i = skip_blanks(i + 3);
    if (!is_digit(get(i)) && !is_letter(get(i))) return std::nullopt;
    const FieldValue number = plain(i, FieldShape::kProse, false);
    const bool digits = std::any_of(s_.begin() + static_cast<std::ptrdiff_t>(i), s_.begin() + static_cast<std::ptrdiff_t>(number.end), is_digit);
    return digits ? std::optional(number) : std::nullopt;
  }
  // "card 4111 1111 1111 1111 cvc 731"
  if (!closed && meaning.cls == KeyClass::kCardCode && meaning.word.starts_with("cv") && is_digit(get(i))) {
    FieldValue code = plain(i, FieldShape::kPlain, false);
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
std::optional<FieldValue> FieldReader::after_equals(std::size_t i, std::size_t gap, bool closed) {
  std::size_t j = i + 1;
  if (get(j) == '=' || get(j) == '>' || get(j) == '~') ++j;
  // "…Xpw== next": the padding of base64, not a comparison.
  if (j == i + 2 && get(i + 1) == '=' && i == gap && !closed && is_space(get(j))) return std::nullopt;
  const bool spaced = i > gap || is_blank(get(j));
  return after_separator(j, spaced ? FieldShape::kPlain : FieldShape::kQuery, false);
}

// --password, and -storepass as Java's tools write it.
bool FieldReader::is_option(const KeySpan& key) const {
  if (key.start < 1 || s_[key.start - 1] != '-') return false;
  if (key.start >= 2 && s_[key.start - 2] == '-') return true;
  return key.end - key.start >= 4 && (key.start < 2 || is_blank(s_[key.start - 2]));
}

// "requirepass secret", "ENV DB_PASSWORD secret", "login with user root and password s3cret", "set aws_secret_access_key …":
// only a blank between, so something else must say that a value follows.
std::optional<FieldValue> FieldReader::spaced(std::size_t i, const KeySpan& key, const Key& meaning) {
  if (i >= s_.size() || i == key.end || get(i) == '-' || get(i) == '|') return std::nullopt;
  auto value = quoted(i, false);
  if (!value) value = plain(i, FieldShape::kArgument, false);
  if (value->end <= value->start) return std::nullopt;
  while (value->end > value->start + 1 && (s_[value->end - 1] == '.' || s_[value->end - 1] == ',')) --value->end;
  const std::string_view text = s_.substr(value->start, value->end - value->start);
  if (value->start == i && text.find('=') < text.find_last_not_of('=')) return std::nullopt;  // "secretKeySpec algorithm=x": the next field
  value->shape = FieldShape::kPlain;
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
  value->shape = FieldShape::kProse;
  constexpr std::size_t kNear = 60;
  const std::string near = before(key.start, kNear);
  const Mix m = mix(text);
  const bool mixed = m.digit > 0 && m.lower + m.upper > 0 && text.size() >= 6;
  for (const std::string_view word : {"user ", "username ", "login ", "account ", "admin ", "connect ", "ssid "}) {
    if (mixed && near.find(word) != std::string::npos) return value;
  }
  return std::nullopt;
}

// "password is hunter2", "Passwort lautet 'geheim'", "password for anna set to hunter2"
std::optional<FieldValue> FieldReader::prose(std::size_t i) {
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
    found = words_.is_copula(to_lower(s_.substr(i, end - i)));
  }
  if (!found || before(i, 100).find("comment on ") != std::string::npos) return std::nullopt;
  i = end;
  // "est : secret"; a colon says that what follows is the value, not the rest of a sentence.
  const std::size_t sign = skip_blanks(i);
  const bool colon = get(sign) == ':' && is_blank(get(sign + 1));
  if (colon) i = sign + 1;
  std::size_t start = skip_blanks(i);
  if (start == i || start >= s_.size()) return std::nullopt;
  // "A temporary password is generated for root@localhost: secret"
  for (const std::string_view made : {"generated for ", "set for ", "created for "}) {
    if (colon || !at(start, made)) continue;
    const std::size_t name = word_end(start + made.size());
    if (get(name) == ':' && is_blank(get(name + 1))) start = skip_blanks(name + 1);
  }
  auto value = quoted(start, false);
  if (!value) value = plain(start, FieldShape::kProse, false);
  value->shape = colon ? FieldShape::kColon : FieldShape::kProse;
  return value;
}

}  // namespace tocsin::rules::secrets
