// Values without a key beside them: URLs, HTTP credentials, AUTH, encoded text, and what shapes.hpp reads.
#include "rules/secrets/extract_reader.hpp"
#include "rules/secrets/layers.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {

void FieldReader::url(const StemHit& stem) {
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
  const FieldValue value{colon + 1, last_at, FieldShape::kQuery, 0, false};
  const std::string secret = decode_percent(s_.substr(value.start, value.end - value.start));
  if (const auto why = placeholder(secret, "", words_)) return drop(FieldRule::kPasswordUrl, value, *why);
  // "https://host:8080@…" does not exist in earnest; "https://a:b/@c" was cut at the slash.
  const TokenFacts facts = inspect_token(secret);
  hit(FieldRule::kPasswordUrl, facts.known ? facts.tier : Tier::kPattern, value.start, value.end, secret, facts.note);
}

void FieldReader::bearer(const StemHit& stem) {
  if (stem.start < done || (stem.start > 0 && is_name(s_[stem.start - 1]))) return;
  const std::size_t start = skip_blanks(stem.end);
  std::size_t end = start;
  const std::size_t stop = limit_from(start);
  while (end < stop && is_bearer_byte(s_[end])) ++end;
  while (end > start && s_[end - 1] == '.') --end;
  (void)bearer_value(start, end, false);
}

void FieldReader::basic(const StemHit& stem) {
  if (stem.start < done || (stem.start > 0 && is_name(s_[stem.start - 1]))) return;
  const std::size_t start = skip_blanks(stem.end);
  std::size_t end = start;
  const std::size_t stop = std::min(s_.size(), start + 1024);
  while (end < stop && (is_name(s_[end]) || std::string_view("-+/=").find(s_[end]) != std::string_view::npos)) ++end;
  if (end - start >= 8) (void)basic_value(start, end);
}

// What the readers of shapes without a key found, judged as a password's value.
void FieldReader::places() {
  const Key key{KeyClass::kPassword, "password", ""};
  for (const SecretPlace& place : places_) {
    if (place.end <= place.start || place.end > s_.size()) continue;
    const bool known = !found_.empty() && found_.back().start < place.end && found_.back().end > place.start;
    if (known) continue;
    FieldValue value{place.start, place.end, place.written == Written::kSqlQuoted ? FieldShape::kSqlQuoted : FieldShape::kArgument, 0, false};
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

void FieldReader::command(const StemHit& stem) {
  if (stem.start < command_end_) return;
  command_end_ = read_command(s_, stem.start, stem.end, places_);
  places();
}

void FieldReader::login(const StemHit& stem) {
  read_login(s_, stem.start, stem.end, places_);
  places();
}

void FieldReader::call(const StemHit& stem) {
  read_call(s_, stem.start, stem.end, places_);
  places();
}

void FieldReader::password_line() {
  read_password_line(s_, words_, places_);
  places();
}

// AUTH secret, "AUTH" "secret", AUTH user secret
void FieldReader::redis_auth(const StemHit& stem) {
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
  if (!value) value = plain(start, FieldShape::kArgument, false);
  const std::size_t behind = value->end + (get(value->end) == '"' ? 1 : 0);
  const std::size_t second = skip_blanks(behind);
  if (in_quotes && get(second) == '"') value = quoted(second, false);
  value->shape = FieldShape::kArgument;
  judge(Key{KeyClass::kPassword, "", ""}, *value, FieldRule::kPasswordCommand);
}

// base64 or hex that contains "password", and gzip in base64: decoded once and looked at again.
void FieldReader::encoded(const StemHit& stem) {
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

}  // namespace tocsin::rules::secrets
