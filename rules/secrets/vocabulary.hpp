// What the names of fields mean: words of the languages people name fields in, read from rules/packs/secrets/fields.toml.
// A key is cut into words (camelCase, _, -, .) and judged by them: "new_password" holds a password, "password_changed_at"
// and "access_key_id" only speak about one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/secrets/scanner.hpp"

namespace tocsin::rules::secrets {

enum class KeyClass : std::uint8_t {
  kNone,           // not a name of something secret
  kAbout,          // speaks about a secret without holding it: id, date, policy
  kPassword,       // any value that is not a placeholder counts
  kSecret,         // key, client secret, access token: length and characters must fit
  kToken,          // "token" alone: long and random values only
  kHash,           // digest of a password
  kAuthorization,  // HTTP credentials
  kSession,        // session cookie
  kPin,            // digits only
  kCardCode,       // CVV, CVC
  kPersonalNumber, // a national identifier; which one is in Key::number
};

struct Key {
  KeyClass cls = KeyClass::kNone;
  std::string_view word;    // the word that decided, lower case; lives as long as the Vocabulary
  std::string_view number;  // kPersonalNumber: name of its validator
};

// The extractor's rules, in the order of `kFieldRuleIds`.
enum class FieldRule : std::uint8_t {
  kPasswordField, kPasswordSql, kPasswordUrl, kPasswordCommand, kPasswordText, kPasswordHash, kSecretField,
  kAuthorization, kSessionCookie, kPin, kCardCode, kCard, kIban, kNationalId, kEncoded, kMailLogin, kEmail, kPhone,
};
inline constexpr std::array<std::string_view, 18> kFieldRuleIds = {
    "tocsin.password-field", "tocsin.password-sql", "tocsin.password-url", "tocsin.password-command",
    "tocsin.password-text", "tocsin.password-hash-field", "tocsin.secret-field", "tocsin.authorization",
    "tocsin.session-cookie", "tocsin.pin", "tocsin.card-code", "tocsin.payment-card", "tocsin.iban",
    "tocsin.national-id", "tocsin.encoded-password", "tocsin.mail-login", "tocsin.email", "tocsin.phone"};

struct FieldRuleInfo {
  std::string description;
  Kind kind = Kind::kSecret;
  std::vector<std::string> must_match;
  std::vector<std::string> must_not_match;
};

class Vocabulary {
 public:
  // Reads the file; every rule of kFieldRuleIds must be described there with samples.
  [[nodiscard]] static Result<Vocabulary> read(const RuleFile& file);

  // What a key is. Linear in its length; keys longer than kMaxKey are kNone.
  static constexpr std::size_t kMaxKey = 96;
  [[nodiscard]] Key classify(std::string_view key) const;
  // The same from this thread's memory of keys seen lately: logs name the same few keys over and over.
  [[nodiscard]] Key recall(std::string_view key) const;

  // Literals near which a key may stand; every key that is not kNone contains one. Lower case.
  [[nodiscard]] const std::vector<std::string>& stems() const noexcept { return stems_; }

  // Words that stand where a value would but are none: "redacted", "null", "varchar". `word` in lower case.
  [[nodiscard]] bool is_placeholder(std::string_view word) const { return placeholders_.contains(word); }
  // Words that follow "password is" or "password:" in a sentence: "required", "incorrect".
  [[nodiscard]] bool is_prose(std::string_view word) const { return prose_.contains(word); }
  // Words between a key and its value in a sentence: "is", "lautet".
  [[nodiscard]] bool is_copula(std::string_view word) const { return copulas_.contains(word); }

  // "password" in any of the languages.
  [[nodiscard]] bool is_password_word(std::string_view word) const { return passwords_.contains(word); }
  // Words that open an aside between key and copula: "for anna", "für anna".
  [[nodiscard]] bool is_aside(std::string_view word) const { return asides_.contains(word); }
  // Keys of configuration files whose value follows after a blank: "requirepass".
  [[nodiscard]] bool is_directive(std::string_view key) const { return directives_.contains(key); }
  // Half of its words or more are words of sentences: "this field is required".
  [[nodiscard]] bool is_sentence(std::string_view lower) const;
  // Bytes at the start of `text` that complete a naming word: "d'ordine" behind "parola"; 0 = none.
  [[nodiscard]] std::size_t tail_length(std::string_view text) const;
  // Does a name say that the digest behind it is no password's: "etag", "sha256", "commit"?
  [[nodiscard]] bool names_digest(std::string_view name) const;

  [[nodiscard]] const FieldRuleInfo& info(FieldRule rule) const { return rules_[static_cast<std::size_t>(rule)]; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
  };
  // Asked about every word of every key and about most values, nearly always in vain: a look at the first byte and the
  // length spares most of the hashing.
  class Set {
   public:
    using Words = std::unordered_set<std::string, Hash, std::equal_to<>>;
    void insert(const std::string& word) {
      words_.insert(word);
      if (!word.empty()) lengths_[static_cast<unsigned char>(word[0])] |= bit(word.size());
    }
    Words::const_iterator find(std::string_view word) const { return may_hold(word) ? words_.find(word) : words_.end(); }
    bool contains(std::string_view word) const { return may_hold(word) && words_.contains(word); }
    bool empty() const { return words_.empty(); }
    Words::const_iterator begin() const { return words_.begin(); }
    Words::const_iterator end() const { return words_.end(); }

   private:
    static std::uint64_t bit(std::size_t size) { return 1ULL << std::min<std::size_t>(size, 63); }
    bool may_hold(std::string_view word) const { return word.empty() || (lengths_[static_cast<unsigned char>(word[0])] & bit(word.size())) != 0; }

    Words words_;
    std::array<std::uint64_t, 256> lengths_{};  // of the words that begin with this byte
  };
  struct Words;

  KeyClass classify_words(const Words& words, Key& key) const;
  bool any_of(const Words& words, std::size_t from, std::size_t to, const Set& set) const;
  static std::size_t split(std::string_view key, std::string& lower, std::array<std::string_view, 12>& words);

  Set passwords_, password_suffixes_, programs_, secrets_, secret_pairs_, tokens_, token_heads_, token_voids_, about_, hashes_,
      head_voids_, authorizations_, sessions_, pins_, card_codes_, placeholders_, prose_, copulas_, asides_, directives_, tails_, digest_voids_;
  std::vector<std::string> more_stems_;  // spelled in the file: words too short to be looked for alone
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> numbers_;  // key words → validator
  std::vector<std::string> stems_;
  std::uint64_t id_ = 0;  // of this vocabulary among all that were read
  std::array<FieldRuleInfo, kFieldRuleIds.size()> rules_;
};

}  // namespace tocsin::rules::secrets
