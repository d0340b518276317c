// Reading of the vocabulary, and the judgement of keys.
#include "rules/secrets/vocabulary.hpp"

#include <algorithm>
#include <atomic>

#include <toml++/toml.h>

#include "rules/base/text.hpp"

namespace tocsin::rules::secrets {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

// A key in lower case, cut into words.
struct Vocabulary::Words {
  std::string lower;
  std::array<std::string_view, 12> at;
  std::size_t count = 0;
};

std::size_t Vocabulary::split(std::string_view key, std::string& lower, std::array<std::string_view, 12>& words) {
  lower = to_lower(key);
  std::size_t count = 0;
  std::size_t start = 0;
  const auto close = [&](std::size_t end) {
    if (end > start && count < words.size()) words[count++] = std::string_view(lower).substr(start, end - start);
  };
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (c == '_' || c == '-' || c == '.' || c == ' ') {
      close(i);
      start = i + 1;
      continue;
    }
    if (i == start || i == 0) continue;
    const char before = key[i - 1];
    const bool hump = is_upper(c) && (is_lower(before) || is_digit(before));
    const bool acronym_end = is_upper(c) && is_upper(before) && i + 1 < key.size() && is_lower(key[i + 1]);
    if (hump || acronym_end) {
      close(i);
      start = i;
    }
  }
  close(key.size());
  return count;
}

bool Vocabulary::any_of(const Words& words, std::size_t from, std::size_t to, const Set& set) const {
  for (std::size_t i = from; i < to; ++i) {
    if (set.contains(words.at[i])) return true;
  }
  return false;
}

KeyClass Vocabulary::classify_words(const Words& words, Key& key) const {
  const auto strip_digits = [](std::string_view word) {
    while (word.size() > 1 && is_digit(word.back())) word.remove_suffix(1);
    return word;
  };
  // From the end: the last word that names something decides, what follows it may only speak about it.
  for (std::size_t i = words.count; i-- > 0;) {
    const std::string_view word = words.at[i];
    const std::string_view bare = strip_digits(word);
    const bool tail_about = any_of(words, i + 1, words.count, about_);
    const bool tail_hash = any_of(words, i + 1, words.count, hashes_);
    const auto about_or = [&](KeyClass cls) { return tail_about ? KeyClass::kAbout : cls; };

    std::string_view decided;
    if (const auto found = passwords_.find(bare); found != passwords_.end()) {
      decided = *found;
    } else {
      for (const auto& suffix : password_suffixes_) {
        if (bare.size() > suffix.size() && bare.ends_with(suffix)) decided = suffix;
      }
    }
    if (!decided.empty()) {
      key.word = decided;
      if (programs_.contains(bare)) return KeyClass::kAbout;
      if (any_of(words, 0, i, head_voids_)) return KeyClass::kAbout;
      if (tail_hash || any_of(words, 0, i, hashes_)) return KeyClass::kHash;
      return about_or(KeyClass::kPassword);
    }
    if (const auto found = authorizations_.find(word); found != authorizations_.end()) {
      key.word = *found;
      return i + 1 == words.count ? KeyClass::kAuthorization : KeyClass::kAbout;
    }
    if (const auto found = tokens_.find(bare); found != tokens_.end()) {
      key.word = *found;
      if (any_of(words, 0, i, token_voids_) || any_of(words, 0, i, head_voids_)) return KeyClass::kAbout;
      if (tail_about || tail_hash) return KeyClass::kAbout;
      return any_of(words, 0, i, token_heads_) ? KeyClass::kSecret : KeyClass::kToken;
    }
    bool secret = false;
    if (const auto found = secrets_.find(bare); found != secrets_.end()) {
      key.word = *found;
      secret = true;
    } else if (i > 0) {
      const std::string pair = std::string(words.at[i - 1]) + " " + std::string(bare);
      if (const auto both = secret_pairs_.find(pair); both != secret_pairs_.end()) {
        key.word = *both;
        secret = true;
      }
    }
    if (secret) {
      if (any_of(words, 0, i, head_voids_) || tail_hash) return KeyClass::kAbout;
      return about_or(KeyClass::kSecret);
    }
    if (i + 1 == words.count && words.count <= 3) {
      if (const auto found = pins_.find(word); found != pins_.end()) {
        key.word = *found;
        return KeyClass::kPin;
      }
      if (const auto found = card_codes_.find(word); found != card_codes_.end()) {
        key.word = *found;
        return KeyClass::kCardCode;
      }
    }
  }
  return KeyClass::kNone;
}

Key Vocabulary::classify(std::string_view text) const {
  Key key;
  if (text.empty() || text.size() > kMaxKey) return key;
  if (text == "_auth") {  // npm: base64 of user:password
    key.cls = KeyClass::kAuthorization;
    key.word = "_auth";
    return key;
  }
  Words words;
  words.count = split(text, words.lower, words.at);
  if (const auto found = sessions_.find(words.lower); found != sessions_.end()) {
    key.cls = KeyClass::kSession;
    key.word = *found;
    return key;
  }
  // Personal numbers are named by whole keys or by their last words: "customer_ssn", "codice_fiscale".
  std::string joined;
  for (std::size_t i = words.count; i-- > 0 && words.count - i <= 3;) {
    joined = joined.empty() ? std::string(words.at[i]) : std::string(words.at[i]) + " " + joined;
    if (const auto found = numbers_.find(joined); found != numbers_.end()) {
      key.cls = KeyClass::kPersonalNumber;
      key.word = found->first;
      key.number = found->second;
      return key;
    }
  }
  key.cls = classify_words(words, key);
  return key;
}

bool Vocabulary::is_sentence(std::string_view lower) const {
  std::size_t words = 0;
  std::size_t known = 0;
  for (const auto part : tocsin::split(lower, ' ')) {
    std::string_view word = part;
    while (!word.empty() && (word.back() == '.' || word.back() == ',' || word.back() == ')')) word.remove_suffix(1);
    while (!word.empty() && word.front() == '(') word.remove_prefix(1);
    if (word.empty()) continue;
    ++words;
    if (is_prose(word) || is_copula(word)) ++known;
  }
  return words >= 3 && known * 2 >= words;
}

std::size_t Vocabulary::tail_length(std::string_view text) const {
  for (const auto& tail : tails_) {
    if (text.starts_with(tail)) return tail.size();
  }
  return 0;
}

bool Vocabulary::names_digest(std::string_view name) const {
  Words words;
  words.count = split(name, words.lower, words.at);
  for (const Set* set : {&digest_voids_, &hashes_, &about_, &tokens_, &secrets_}) {
    if (any_of(words, 0, words.count, *set)) return true;
  }
  return false;
}

Result<Vocabulary> Vocabulary::read(const RuleFile& file) {
  static std::atomic<std::uint64_t> last_id{0};
  Vocabulary out;
  out.id_ = ++last_id;
  toml::table root;
  try {
    root = toml::parse(file.text);
  } catch (const toml::parse_error& problem) {
    return fail(Errc::kInvalid, "not readable as TOML: " + printable(problem.description(), 200),
                file.name + ":" + std::to_string(problem.source().begin.line));
  }
  const auto words = [&](const char* key, Set& to) {
    if (const toml::array* list = root["words"][key].as_array()) {
      for (const auto& item : *list) {
        if (const auto word = item.value<std::string>()) to.insert(*word);
      }
    }
  };
  words("password", out.passwords_);
  words("password_suffix", out.password_suffixes_);
  words("program", out.programs_);
  words("secret", out.secrets_);
  words("secret_pair", out.secret_pairs_);
  words("token", out.tokens_);
  words("token_head", out.token_heads_);
  words("token_void", out.token_voids_);
  words("about", out.about_);
  words("hash", out.hashes_);
  words("head_void", out.head_voids_);
  words("authorization", out.authorizations_);
  words("session", out.sessions_);
  words("pin", out.pins_);
  words("card_code", out.card_codes_);
  words("placeholder", out.placeholders_);
  words("prose", out.prose_);
  words("copula", out.copulas_);
  words("aside", out.asides_);
  words("directive", out.directives_);
  words("tail", out.tails_);
  words("digest_void", out.digest_voids_);
  Set short_words;
  words("password_short", short_words);
  for (const auto& word : short_words) out.passwords_.insert(word);
  Set stems;
  words("password_short_stem", stems);
  out.more_stems_.assign(stems.begin(), stems.end());
  if (const toml::table* numbers = root["numbers"].as_table()) {
    for (const auto& [validator, list] : *numbers) {
      if (list.as_array() == nullptr) continue;
      for (const auto& item : *list.as_array()) {
        if (const auto word = item.value<std::string>()) out.numbers_.emplace(*word, std::string(validator.str()));
      }
    }
  }
  if (out.passwords_.empty()) return fail(Errc::kInvalid, "the vocabulary has no words", file.name);

  // ---- the rules' descriptions and samples
  std::array<bool, kFieldRuleIds.size()> seen{};
  if (const toml::array* rules = root["rules"].as_array()) {
    for (const auto& item : *rules) {
      const toml::table* table = item.as_table();
      if (table == nullptr) continue;
      const std::string id = (*table)["id"].value_or(std::string());
      const auto known = std::find(kFieldRuleIds.begin(), kFieldRuleIds.end(), id);
      if (known == kFieldRuleIds.end()) return fail(Errc::kInvalid, "the extractor has no rule '" + printable(id, 60) + "'", file.name);
      const auto index = static_cast<std::size_t>(known - kFieldRuleIds.begin());
      FieldRuleInfo& info = out.rules_[index];
      info.description = (*table)["description"].value_or(std::string());
      info.kind = (*table)["kind"].value_or(std::string()) == "personal" ? Kind::kPersonal : Kind::kSecret;
      const auto samples = [&](const char* key, std::vector<std::string>& to) {
        if (const toml::array* list = (*table)["samples"][key].as_array()) {
          for (const auto& sample : *list) {
            if (const auto line = sample.value<std::string>()) to.push_back(*line);
          }
        }
      };
      samples("match", info.must_match);
      samples("clean", info.must_not_match);
      seen[index] = !info.description.empty() && !info.must_match.empty() && !info.must_not_match.empty();
    }
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) return fail(Errc::kInvalid, "the rule '" + std::string(kFieldRuleIds[i]) + "' needs description and samples", file.name);
  }

  // ---- stems: every way a naming word may be written; one that contains another is not needed.
  std::vector<std::string> all = out.more_stems_;
  for (const Set* set : {&out.passwords_, &out.password_suffixes_, &out.secrets_, &out.tokens_, &out.authorizations_,
                         &out.sessions_, &out.pins_, &out.card_codes_}) {
    for (const auto& word : *set) {
      if (!short_words.contains(word)) all.push_back(word);
    }
  }
  const auto spellings = [&](const std::string& words_of_it) {
    for (const char* joint : {"", "_", "-", ".", " "}) {
      std::string spelled;
      for (const auto part : tocsin::split(words_of_it, ' ')) spelled += (spelled.empty() ? "" : joint) + std::string(part);
      all.push_back(std::move(spelled));
    }
  };
  for (const auto& pair : out.secret_pairs_) spellings(pair);
  // Three letters stand inside too many words: with what ends a key.
  constexpr std::size_t kShort = 4;
  for (const auto& [number, validator] : out.numbers_) {
    if (number.size() > kShort) {
      spellings(number);
      continue;
    }
    for (const char* end : {"=", ":", "\"", ">", "\\\"", " =", " is ", "%3d", "'", ")="}) all.push_back(number + end);
    for (const char digit : std::string_view("0123456789")) all.push_back(number + " " + digit);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  for (const auto& stem : all) {
    const bool covered = std::any_of(out.stems_.begin(), out.stems_.end(),
                                     [&](const std::string& shorter) { return stem.find(shorter) != std::string::npos; });
    if (!covered) out.stems_.push_back(stem);
  }
  return out;
}

}  // namespace tocsin::rules::secrets
