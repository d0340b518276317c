// Whether a value is a secret: by the class of its key, by what it looks like, by where it stands.
#include "rules/secrets/entropy.hpp"
#include "rules/secrets/extract_reader.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/tokens.hpp"
#include "rules/secrets/value.hpp"

namespace tocsin::rules::secrets {

void FieldReader::judge(const Key& key, FieldValue value, FieldRule rule) {
  if (key.cls == KeyClass::kAuthorization) return judge_authorization(value);
  const std::string secret = decoded(value);
  const bool was_quoted = value.start > 0 && (s_[value.start - 1] == '\'' || s_[value.start - 1] == '"');
  const std::string_view raw = s_.substr(value.start, value.end - value.start);
  if (value.start > 0 && s_[value.start - 1] == '`') return drop(rule, value, "expression");
  if (value.shape == FieldShape::kOdbc && is_digits(secret) && secret.size() < 3) return drop(rule, value, "template");
  if (value.shape == FieldShape::kQuery && raw.size() != secret.size() && placeholder(raw, key.word, words_)) return drop(rule, value, "variable");
  if (!was_quoted && value.shape != FieldShape::kXml && value.shape != FieldShape::kArgument && value.shape != FieldShape::kOdbc && !is_alnum(secret)) {
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
      if (value.shape == FieldShape::kProse && facts->tier != Tier::kVerified && !written) return drop(number, value, "not proven in a sentence");
      return hit(number, facts->tier, value.start, value.end, secret, std::move(facts->note));
    }
    default: return;
  }
}

void FieldReader::judge_password(const Key& key, const FieldValue& value, const std::string& secret, FieldRule rule) {
  const auto form = digest_form(secret);
  if (!form.empty()) return hit(FieldRule::kPasswordHash, Tier::kStructure, value.start, value.end, secret, std::string(form));
  const Mix m = mix(secret);
  const bool letters = m.digit == 0 && m.other == 0;
  const bool unquoted = value.shape == FieldShape::kColon || value.shape == FieldShape::kProse || value.shape == FieldShape::kPlain || value.shape == FieldShape::kArgument;
  const bool was_quoted = value.start > 0 && (s_[value.start - 1] == '\'' || s_[value.start - 1] == '"');
  if (m.lower + m.upper + m.digit == 0 && secret.size() <= 3 && !has_high(secret)) return drop(rule, value, "punctuation");
  if (unquoted && !was_quoted && is_digits(secret) && secret.size() < 3) return drop(rule, value, "count");
  if (key.word == "passwd" && secret == "x") return drop(rule, value, "placeholder");  // it is in /etc/shadow
  if (is_date(secret)) return drop(rule, value, "date");
  if (rule != FieldRule::kPasswordSql && is_path(secret)) return drop(rule, value, "path");
  if (key.word == "pwd" && (secret.front() == '/' || secret.front() == '~' || secret.find(":\\") == 1)) return drop(rule, value, "directory");
  if (key.word == "pass") {
    if (is_digits(secret) && secret.size() < 5) return drop(rule, value, "count");
    if (value.shape == FieldShape::kColon && !was_quoted && letters) return drop(rule, value, "prose");
  }
  if (unquoted && !was_quoted && letters) {
    // A word in a sentence: "password: must not be empty", "Invalid password: user not found", "password is wrong".
    if (words_.is_prose(to_lower(secret))) return drop(rule, value, "prose");
    const std::size_t next = value.end;
    if (value.shape != FieldShape::kArgument && value.shape != FieldShape::kPlain && is_blank(get(next)) && is_letter(get(next + 1))) {
      return drop(rule, value, "prose");
    }
    // "pam_unix(passwd:session)"
    if (value.shape == FieldShape::kColon && value.start > 0 && s_[value.start - 1] == ':') return drop(rule, value, "part of a name");
    // In a sentence a word of letters alone is more likely part of the sentence, in whatever language.
    const bool initial = m.upper == 0 || (m.upper == 1 && secret.front() >= 'A' && secret.front() <= 'Z');
    if (value.shape == FieldShape::kProse && initial) return drop(rule, value, "prose");
  }
  if (unquoted && !was_quoted && has_high(secret) && value.shape == FieldShape::kProse && m.digit == 0) return drop(rule, value, "prose");
  if (was_quoted && m.blank >= 2 && words_.is_sentence(to_lower(secret))) return drop(rule, value, "prose");
  if (was_quoted && value.shape == FieldShape::kProse && m.blank > 0 && m.digit == 0) return drop(rule, value, "prose");
  if (m.blank > 6) return drop(rule, value, "prose");
  // A JSON object or a whole statement inside the quotes is looked at on its own.
  if ((secret.front() == '{' && value.shape != FieldShape::kOdbc) || secret.size() > 512) return drop(rule, value, "too long or structured");
  hit(rule, Tier::kPattern, value.start, value.end, secret);
}

void FieldReader::judge_secret(const Key& key, const FieldValue& value, const std::string& secret) {
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
  // secret "default-token-8xk2p" not found: with no operator between, a name in small letters.
  const auto of_name = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; };
  if (value.shape == FieldShape::kProse && secret.find('-') != std::string::npos && std::all_of(secret.begin(), secret.end(), of_name)) {
    return drop(rule, value, "name");
  }
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
  if (value.shape == FieldShape::kColon && value.start > 0 && s_[value.start - 1] != '"' && s_[value.start - 1] != '\'' && m.digit == 0) {
    return drop(rule, value, "prose");
  }
  hit(rule, Tier::kPattern, value.start, value.end, secret, facts.note);
}

// "Basic dXNlcjpwYXNz", "Bearer …", or the bare credential.
void FieldReader::judge_authorization(const FieldValue& value) {
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

bool FieldReader::basic_value(std::size_t start, std::size_t end) {
  const auto text = decode_base64_text(s_.substr(start, end - start));
  if (!text) return false;
  const auto colon = text->find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 >= text->size()) return false;
  const std::string password = text->substr(colon + 1);
  if (placeholder(password, "", words_)) return false;
  hit(FieldRule::kAuthorization, Tier::kStructure, start, end, password, "HTTP Basic: user and password");
  return true;
}

bool FieldReader::bearer_value(std::size_t start, std::size_t end, bool named) {
  const std::string_view token = s_.substr(start, end - start);
  if (token.size() < (named ? 8U : kMinBearer) || placeholder(token, "token", words_)) return false;
  const bool charset = std::all_of(token.begin(), token.end(), [](char c) {
    return is_name(c) || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' || c == '=' || c == '|' || c == ':';
  });
  const Mix m = mix(token);
  if (!charset || m.digit == 0 || m.lower + m.upper == 0) return false;
  const TokenFacts facts = inspect_token(token);
  hit(FieldRule::kAuthorization, facts.known ? facts.tier : Tier::kPattern, start, end, std::string(token), facts.note);
  return true;
}

}  // namespace tocsin::rules::secrets
