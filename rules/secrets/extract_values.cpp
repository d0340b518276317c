// Where a value begins and ends in each shape, and how it is decoded.
#include <array>

#include "rules/secrets/extract_reader.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {
namespace {

// Bytes at which an unquoted value may end, in one shape or another.
constexpr std::array<bool, 256> kMayEnd = [] {
  std::array<bool, 256> out{};
  for (const char c : std::string_view(" \t\n\r\"`<&'\\%;,}])")) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

}  // namespace

std::optional<FieldValue> FieldReader::after_separator(std::size_t i, FieldShape shape, bool encoded_separator) {
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
  // Some("value") of Rust and Scala, Optional("value") of Swift
  for (const std::string_view wrapper : {"Some(", "Optional("}) {
    if (at(i, wrapper) && (get(i + wrapper.size()) == '"' || get(i + wrapper.size()) == '\\')) i += wrapper.size();
  }
  if (auto value = quoted(i, shape == FieldShape::kPlain)) return value;
  if (get(i) == '{' && shape == FieldShape::kQuery && i == from) {
    constexpr std::size_t kNear = 400;
    const std::string near = before(i, kNear);
    const bool odbc = near.find("driver=") != std::string::npos || near.find("dsn=") != std::string::npos || near.find("uid=") != std::string::npos;
    if (odbc) {
      if (auto value = braced(i)) return value;
    }
  }
  if (shape == FieldShape::kColon && (get(i) == '{' || get(i) == '[') && get(i + 1) != '{') return std::nullopt;
  // Unquoted after "key = ": SQL and configuration; what follows may be a call.
  FieldValue value = plain(i, shape, encoded_separator);
  if (value.end == value.start) return std::nullopt;
  if (s_.substr(value.start, value.end - value.start).find('(') != std::string_view::npos || get(value.end) == '(') {
    if (auto argument = call_argument(value)) return argument;
  }
  return value;
}

// ODBC: Pwd={se;cret}, where }} stands for }.
std::optional<FieldValue> FieldReader::braced(std::size_t i) const {
  const std::size_t stop = limit_from(i);
  for (std::size_t k = i + 1; k < stop; ++k) {
    ++read_;
    if (s_[k] == '\n') return std::nullopt;
    if (s_[k] != '}') continue;
    if (get(k + 1) == '}' && k + 1 < stop) {
      ++k;
      continue;
    }
    return FieldValue{i + 1, k, FieldShape::kOdbc, 0, false};
  }
  return std::nullopt;
}

// A value in quotes; `i` at the quote or at the backslashes before it. nullopt if there is none.
std::optional<FieldValue> FieldReader::quoted(std::size_t i, bool sql) {
  // Quotes, and what may stand for one: \" %22 \u0022 &quot;
  constexpr std::string_view kOpeners = "\"'`\\%&";
  if (i >= s_.size() || kOpeners.find(s_[i]) == std::string_view::npos) return std::nullopt;
  std::size_t slashes = 0;
  while (get(i + slashes) == '\\' && slashes < 16) ++slashes;
  const char quote = get(i + slashes);
  FieldValue value;
  value.escapes = static_cast<int>(slashes);
  if (slashes == 0 && (at(i, "%22") || at(i, "%27"))) {
    const std::string_view mark = s_.substr(i, 3);
    value.start = i + 3;
    const std::size_t end = s_.substr(0, limit_from(value.start)).find(mark, value.start);
    read_ += Extractor::kShortValue;
    value.end = end == std::string_view::npos ? plain(value.start, FieldShape::kQuery, true).end : end;
    value.shape = FieldShape::kQuery;
    value.encoded = true;
    return value;
  }
  if (at(i, "\\u0027") || at(i, "\\u0022") || at(i, "&quot;") || at(i, "&#39;")) {
    const std::string_view mark = s_.substr(i, s_[i] == '\\' ? 6 : s_[i + 1] == 'q' ? 6 : 5);
    value.start = i + mark.size();
    const std::size_t end = s_.substr(0, limit_from(value.start)).find(mark, value.start);
    if (end == std::string_view::npos) return std::nullopt;
    value.end = end;
    value.shape = sql ? FieldShape::kSqlQuoted : FieldShape::kQuoted;
    value.escapes = s_[i] == '\\' ? 1 : 0;
    return value;
  }
  if (quote != '"' && quote != '\'' && quote != '`') return std::nullopt;
  value.start = i + slashes + 1;
  const std::size_t stop = limit_from(value.start);
  if (quote == '\'' && slashes == 0) {
    const std::size_t end = sql_string_end(value.start - 1);
    value.shape = sql ? FieldShape::kSqlQuoted : FieldShape::kQuoted;
    value.end = end;
    return value;
  }
  value.shape = sql && quote == '\'' ? FieldShape::kSqlQuoted : FieldShape::kQuoted;
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
    value.end = end == std::string_view::npos ? plain(value.start, FieldShape::kPlain, false).end : end;
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
std::size_t FieldReader::sql_string_end(std::size_t quote) const {
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

FieldValue FieldReader::plain(std::size_t i, FieldShape shape, bool encoded_separator) const {
  FieldValue value{i, i, shape, 0, encoded_separator};
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
    if (c == '&' && shape != FieldShape::kArgument) break;
    if (c == '\'' && (k + 1 == stop || !is_name(get(k + 1)))) break;
    if (c == '\\') {
      const char next = get(k + 1);
      if (next == '"' || next == 'n' || next == 'r' || next == 't' || next == '\\' || next == '\'') break;
      if (next == 'u' && (at(k, "\\u0026") || at(k, "\\u0022") || at(k, "\\u0027"))) break;
    }
    if (encoded_separator && c == '%' && (at(k, "%26") || at(k, "%20") || at(k, "%22") || at(k, "%2C"))) break;
    if (c == ';' && (shape != FieldShape::kArgument)) {
      // "Password=x;Database=y" ends here; a ';' inside a word of a query does not exist.
      break;
    }
    if (c == ',' && (is_space(get(k + 1)) || get(k + 1) == '"' || get(k + 1) == '\0')) break;
    if (c == ',' && shape != FieldShape::kArgument) {
      // "user=a,password=b,host=c": a comma that starts another pair.
      std::size_t n = k + 1;
      while (n < stop && n < k + 40 && is_name(s_[n])) ++n;
      if (n > k + 1 && (get(n) == '=' || get(n) == ':')) break;
    }
    if ((c == '}' || c == ']' || c == ')') && shape != FieldShape::kQuery && shape != FieldShape::kArgument) {
      read_ += k - i;
      const bool opened = s_.substr(i, k - i).find(c == '}' ? '{' : c == ']' ? '[' : '(') != std::string_view::npos;
      if (!opened) break;
    }
  }
  value.end = k;
  // "X-Api-Key: value[\r][\n]": what ends a line, as Apache's HTTP client writes it.
  if (k > i && k < stop && s_[k] == '\\' && s_[k - 1] == '[' && get(k + 2) == ']') --value.end;
  if (shape == FieldShape::kQuery || shape == FieldShape::kProse || shape == FieldShape::kColon || shape == FieldShape::kPlain) {
    while (value.end > value.start && (s_[value.end - 1] == ',' || (shape == FieldShape::kProse && s_[value.end - 1] == '.'))) --value.end;
    // "(password=x)" closes what the sentence opened.
    if (value.end > value.start && shape == FieldShape::kQuery) {
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
std::optional<FieldValue> FieldReader::call_argument(const FieldValue& call) {
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
  FieldValue value{i + 1, sql_string_end(i), FieldShape::kSqlQuoted, 0, false};
  return value;
}

std::string FieldReader::decoded(const FieldValue& value) const {
  std::string text(s_.substr(value.start, value.end - value.start));
  switch (value.shape) {
    case FieldShape::kQuery:
      if (text.find('%') != std::string::npos) text = decode_percent(text);
      if (value.encoded && text.find('%') != std::string::npos) text = decode_percent(text);
      break;
    case FieldShape::kQuoted:
      for (int level = 0; level <= std::min(value.escapes, 3) && text.find('\\') != std::string::npos; ++level) text = decode_json(text);
      break;
    case FieldShape::kSqlQuoted:
      for (std::size_t at = 0; (at = text.find("''", at)) != std::string::npos; ++at) text.erase(at, 1);
      break;
    case FieldShape::kOdbc:
      for (std::size_t at = 0; (at = text.find("}}", at)) != std::string::npos; ++at) text.erase(at, 1);
      break;
    case FieldShape::kXml:
      for (const auto& [entity, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}}) {
        for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; ++at) text.replace(at, std::string_view(entity).size(), character);
      }
      break;
    default: break;
  }
  return text;
}

}  // namespace tocsin::rules::secrets
