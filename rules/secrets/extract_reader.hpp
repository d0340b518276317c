// The inside of the extractor, shared by the files that make it up: extract_keys.cpp (what stands between a key and its
// value), extract_values.cpp (where a value ends), extract_judge.cpp (whether it is a secret), extract_statements.cpp (SQL),
// extract_shapes.cpp (what needs no key).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/text.hpp"
#include "rules/secrets/extract.hpp"
#include "rules/secrets/shapes.hpp"
#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
constexpr bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
constexpr bool is_key(char c) { return is_name(c) || c == '-' || c == '.' || is_high(c); }

struct KeySpan {
  std::size_t start, end;
};

// The key around a stem.
[[nodiscard]] KeySpan key_span(std::string_view text, const StemHit& stem);

// Where a value stands; decides where it ends and how it is decoded.
enum class FieldShape : std::uint8_t { kQuoted, kSqlQuoted, kQuery, kPlain, kColon, kXml, kOdbc, kArgument, kProse };

struct FieldValue {
  std::size_t start = 0;
  std::size_t end = 0;
  FieldShape shape = FieldShape::kPlain;
  int escapes = 0;      // backslashes before the quotes: the value lies that deep inside JSON strings
  bool encoded = false; // separator was percent-encoded: the value ends at %26
};

// Reads one record.
class FieldReader {
 public:
  FieldReader(std::string_view text, const Vocabulary& words, bool personal, std::vector<Found>& found, std::vector<Drop>* drops)
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

  // What "Bearer" stands before, and how much of it there must be where no key says so.
  static constexpr std::size_t kMinBearer = 16;
  static constexpr bool is_bearer_byte(char c) { return is_name(c) || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' || c == '=' || c == '|'; }

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

  std::optional<FieldValue> value_after(const KeySpan& key, const Key& meaning);
  std::optional<FieldValue> after_equals(std::size_t i, std::size_t gap, bool closed);
  std::optional<FieldValue> after_separator(std::size_t i, FieldShape plain, bool encoded_separator);
  std::optional<FieldValue> quoted(std::size_t i, bool sql);
  FieldValue plain(std::size_t i, FieldShape shape, bool encoded_separator) const;
  std::optional<FieldValue> call_argument(const FieldValue& call);
  std::optional<FieldValue> prose(std::size_t i);
  std::optional<FieldValue> spaced(std::size_t i, const KeySpan& key, const Key& meaning);
  std::optional<FieldValue> xml_text(std::size_t i, const KeySpan& key, bool escaped);
  std::optional<FieldValue> xml_attribute(std::size_t i, const KeySpan& key);
  std::optional<FieldValue> braced(std::size_t i) const;
  std::optional<FieldValue> value_of_row(std::size_t i, const KeySpan& key, bool closed) const;
  std::optional<FieldValue> until(std::size_t start, std::string_view mark, FieldShape shape);
  bool is_option(const KeySpan& key) const;
  std::string before(std::size_t at, std::size_t near) const { return to_lower(s_.substr(at > near ? at - near : 0, std::min(at, near))); }
  void places();

  std::string decoded(const FieldValue& value) const;
  void widen_number(FieldValue& value) const;
  void judge(const Key& key, FieldValue value, FieldRule rule);
  void judge_password(const Key& key, const FieldValue& value, const std::string& secret, FieldRule rule);
  void judge_secret(const Key& key, const FieldValue& value, const std::string& secret);
  void judge_authorization(const FieldValue& value);
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
  void drop(FieldRule rule, const FieldValue& value, std::string_view reason) {
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

}  // namespace tocsin::rules::secrets
