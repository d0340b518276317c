// Looking at what the matchers find in one text: what each literal is worth by its surroundings, and for hot words what
// the key around them is worth, once per key: `access_token_id=` holds three of them. What a key's own letters decide is
// remembered per thread; logs name the same few keys over and over.
#include <algorithm>
#include <utility>

#include "rules/secrets/byte_classes.hpp"
#include "rules/secrets/entropy.hpp"
#include "rules/secrets/gates.hpp"
#include "rules/secrets/key_hash.hpp"

namespace tocsin::rules::secrets {
namespace {

// "://user:password@": without an '@' before the authority ends there is nothing to see. The stops are among those of
// the extractor's own reader.
bool has_authority(std::string_view text, std::size_t end) {
  constexpr std::size_t kMaxAuthority = 512;
  const std::size_t stop = std::min(text.size(), end + kMaxAuthority);
  for (std::size_t i = end; i < stop; ++i) {
    const char c = text[i];
    if (c == '@') return true;
    if (c == '/' || c == ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\n') return false;
  }
  return false;
}

constexpr char to_lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Whether `lower` stands at `at`, in any ASCII case.
bool stands_at(std::string_view text, std::size_t at, std::string_view lower) {
  if (lower.size() > text.size() - at) return false;
  const char* const bytes = text.data() + at;
  for (std::size_t i = lower.size(); i-- > 0;) {
    if (to_lower_ascii(bytes[i]) != lower.data()[i]) return false;
  }
  return true;
}

// A key as most are written: no more than bytes of names, closed by `=`, `:` or `":`.
struct PlainKey {
  std::size_t start = 0, end = 0;
  std::size_t op = 0;  // the operator of gitleaks' generic rule
};

constexpr std::size_t kMaxPlainKey = 40;

constexpr bool may_stand_before(char left) { return !is_name_byte(left) && left != '%' && left != '\\' && static_cast<unsigned char>(left) < 0x80; }
constexpr std::array<bool, 256> kBefore = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = may_stand_before(static_cast<char>(c));
  return out;
}();

// What closes the key that ends at key.end, and the operator; the text goes on for two bytes.
bool closes(std::string_view text, PlainKey& key) {
  const char* const behind = text.data() + key.end;
  key.op = key.end + (*behind == '"' ? 1U : 0U);
  return *behind == '=' || *behind == ':' || (*behind == '"' && behind[1] == ':');
}

// The one around the place. Like key_span(), for which such a key's letters alone decide how far it reaches.
bool plain_key(std::string_view text, std::size_t at, PlainKey& key) {
#if defined(__SSE2__)
  if (at < 16 || at + 34 > text.size()) return false;
  const char* const bytes = text.data();
  const unsigned before = ~mask_of(name_bytes(sixteen(bytes + at - 16))) & 0xffffU;
  const unsigned behind = ~(mask_of(name_bytes(sixteen(bytes + at))) | mask_of(name_bytes(sixteen(bytes + at + 16))) << 16);
  if (before == 0 || behind == 0) return false;
  key.start = at - (static_cast<std::size_t>(__builtin_clz(before)) - 16);
  key.end = at + static_cast<std::size_t>(__builtin_ctz(behind));
  return kBefore[static_cast<unsigned char>(bytes[key.start - 1])] && key.end - key.start <= kMaxPlainKey && closes(text, key);
#else
  (void)text, (void)at, (void)key;
  return false;
#endif
}

}  // namespace

// What the letters of a plain key decide.
struct Gates::KeyLook {
  static constexpr std::size_t kMaxItems = 8;
  static constexpr std::uint8_t kNoWord = 0xff;
  enum class What : std::uint8_t {
    kNamed,  // the first naming word: counts if its value does
    kStem,   // counts
    kLook,   // its surroundings decide
  };
  struct Item {
    std::uint32_t opener;
    std::uint8_t end;  // of the literal, from the key's start
    What what;
  };

  std::uint64_t gates = 0;  // their id_; 0 = nothing is remembered here
  std::uint64_t hash = 0;
  std::uint8_t size = 0;
  std::uint8_t count = 0;
  std::uint8_t word = kNoWord;  // where the first naming word begins
  std::uint8_t hot = 0;         // where the first hot word begins
  bool usable = false;          // else its literals are looked at one by one
  std::array<Item, kMaxItems> items{};
  std::array<char, kMaxPlainKey> text{};
  KeyLook* next = nullptr;      // what stood behind this key the last time, in this thread's memory too
};

class Gates::Places {
 public:
  Places(const Gates& gates, std::string_view text, const Look& look, Seen& out) : gates_(gates), text_(text), look_(look), out_(out) {}

  static void on_literal(void* context, std::uint32_t literal, std::size_t end) {
    auto& places = *static_cast<Places*>(context);
    places.look_at(places.gates_.by_literal_.data()[literal], end);
  }

  void hot_words() {
    std::size_t known_until = 0;   // the key up to here has been dealt with
    std::size_t behind_last = 0;   // the word that was last looked at alone; others in its key are too
    for (const std::uint32_t at : out_.hot_words) {
      if (at < known_until) continue;
      PlainKey key;
      if (!look_.everything && (as_before(at, key) || (plain_key(text_, at, key) && remembered(key))) && key.start >= behind_last && hot_key(key)) {
        known_until = key.end;
      } else {
        hot_word(at);
        behind_last = at + 1;
      }
    }
  }

 private:
  void look_at(const Span& openers, std::size_t end) {
    const Quick* const quick = gates_.quick_.data();
    for (std::uint32_t i = openers.first; i < openers.last; ++i) {
      if (counts(quick[i], i, end)) push(i, end);
    }
  }

  void push(std::uint32_t opener, std::size_t end) { out_.events.push_back({static_cast<std::uint32_t>(end), opener}); }

  bool counts(const Quick& opener, std::uint32_t index, std::size_t end) {
    switch (opener.what) {
      case Opener::What::kRules: {
        if (opener.needs_path && !look_.path_known) return false;
        const std::size_t start = end - opener.length;
        if (!opener.naming_word) return opener.bare || gates_.openers_[index].needle->fits(text_, end);
        return (opener.bare || gates_.openers_[index].needle->stands(text_, end)) && named_value(start, start + opener.word);
      }
      case Opener::What::kStem: {
        if (opener.stem == StemKind::kUrl && !has_authority(text_, end)) return false;
        return look_.everything || look_.extractor->worth_reading(text_, gates_.stem(index, static_cast<std::uint32_t>(end)));
      }
      case Opener::What::kLineWord: out_.line_words.push_back(static_cast<std::uint32_t>(end)); return false;
      default: return true;
    }
  }

  // Each literal that begins at `at` with a hot word.
  void hot_word(std::size_t at) {
    for (const HotLiteral& literal : gates_.by_hot_word_[hot_word_at(text_, at)]) {
      if (stands_at(text_, at, literal.text)) look_at(literal.openers, at + literal.text.size());
    }
  }

  // The key that came next the last time stands here again: logs repeat their lines.
  bool as_before(std::size_t at, PlainKey& key) {
    KeyLook* const look = last_ != nullptr ? last_->next : nullptr;
    if (look == nullptr || look->gates != gates_.id_ || at < look->hot + 1U) return false;
    key.start = at - look->hot;
    key.end = key.start + look->size;
    if (key.end + 2 > text_.size() || !kBefore[static_cast<unsigned char>(text_.data()[key.start - 1])]) return false;
    if (!closes(text_, key) || !same_key(look->text.data(), text_.data() + key.start, look->size)) return false;
    last_ = look;
    return true;
  }

  // All literals in the key last remembered. False: they must be looked at one by one.
  bool hot_key(const PlainKey& key) {
    const KeyLook& look = *last_;
    if (!look.usable) return false;
    const bool random = look.word != KeyLook::kNoWord && judged(values_.add_at(record_until_end(key.start), key.start + look.word, key.op, out_.values, Random{gates_.least_entropy_}));
    for (std::size_t i = 0; i < look.count; ++i) {
      const KeyLook::Item& item = look.items[i];
      const std::size_t end = key.start + item.end;
      if (item.what == KeyLook::What::kStem || (item.what == KeyLook::What::kNamed && random) ||
          (item.what == KeyLook::What::kLook && counts(gates_.quick_[item.opener], item.opener, end))) {
        push(item.opener, end);
      }
    }
    return true;
  }

  // Remembers the key, as last_. Always true.
  bool remembered(const PlainKey& key) {
    constexpr std::size_t kRemembered = 512;
    thread_local std::array<KeyLook, kRemembered> memory;
    const std::string_view text = text_.substr(key.start, key.end - key.start);
    const std::uint64_t hash = key_hash(text);
    KeyLook& look = memory[hash % kRemembered];
    if (last_ != nullptr) last_->next = &look;
    last_ = &look;
    if (look.hash == hash && look.gates == gates_.id_ && look.size == text.size() && same_key(look.text.data(), text.data(), text.size())) return true;
    look = {};
    look.gates = gates_.id_;
    look.hash = hash;
    look.size = static_cast<std::uint8_t>(text.size());
    std::copy(text.begin(), text.end(), look.text.begin());
    look.usable = study(key, look);
    return true;
  }

  // False: not everything about the key's literals fits into what is remembered.
  bool study(const PlainKey& key, KeyLook& look) const {
    // No literal may go on behind the key: beyond it stands one of what closes a plain key.
    for (const std::string_view closing : {"=", ":", "\":"}) {
      for (const auto& beyond : gates_.beyond_keys_) {
        if (beyond.starts_with(closing) || closing.starts_with(beyond)) return false;
      }
    }
    bool first = true;
    for (std::size_t at = key.start; at < key.end; ++at) {
      const std::size_t hot = hot_word_at(text_, at);
      if (hot == kNoHotWord) continue;
      if (std::exchange(first, false)) look.hot = static_cast<std::uint8_t>(at - key.start);
      for (const HotLiteral& literal : gates_.by_hot_word_[hot]) {
        const std::size_t end = at + literal.text.size();
        if (end > key.end || !stands_at(text_, at, literal.text)) continue;
        for (std::uint32_t i = literal.openers.first; i < literal.openers.last; ++i) {
          if (!study(key, i, end, look)) return false;
        }
      }
    }
    std::stable_sort(look.items.begin(), look.items.begin() + look.count, [](const auto& a, const auto& b) { return a.end < b.end; });
    return true;
  }

  bool study(const PlainKey& key, std::uint32_t index, std::size_t end, KeyLook& look) const {
    const Quick& opener = gates_.quick_[index];
    const std::size_t start = end - opener.length;
    auto what = KeyLook::What::kLook;
    if (opener.what == Opener::What::kRules && opener.naming_word) {
      constexpr std::size_t kMaxMiddle = 20;  // bytes between a naming word and what closes the key
      const auto& needle = gates_.openers_[index].needle;
      const bool inside = opener.bare || (needle->lead == 0 && !needle->edge_before && std::all_of(needle->around.begin(), needle->around.end(), [&](const auto& around) {
                                            return around.offset >= 0 && static_cast<std::size_t>(around.offset) < opener.length;
                                          }));
      const std::size_t word_end = start + opener.word;
      if (!inside || word_end > key.end || key.end - word_end > kMaxMiddle) return false;
      if (!opener.bare && !needle->stands(text_, end)) return true;
      const auto word = static_cast<std::uint8_t>(start - key.start);
      if (look.word != KeyLook::kNoWord && look.word != word) return true;  // it leads where the first one does
      look.word = word;
      what = KeyLook::What::kNamed;
    } else if (opener.what == Opener::What::kStem && opener.stem == StemKind::kKey && opener.inside_key) {
      if (!look_.extractor->worth_reading(text_, gates_.stem(index, static_cast<std::uint32_t>(end)))) return true;
      what = KeyLook::What::kStem;
    } else if (opener.what == Opener::What::kRules && !opener.bare && never_fits(key, start, *gates_.openers_[index].needle)) {
      return true;
    }
    if (look.count == KeyLook::kMaxItems) return false;
    look.items[look.count++] = {index, static_cast<std::uint8_t>(end - key.start), what};
    return true;
  }

  // Inside the key, or just before it, stands what does not fit.
  bool never_fits(const PlainKey& key, std::size_t start, const Needle& needle) const {
    return std::any_of(needle.around.begin(), needle.around.end(), [&](const Needle::Look& around) {
      const auto at = static_cast<std::ptrdiff_t>(start) + around.offset;
      const auto first = static_cast<std::ptrdiff_t>(key.start);
      if (at >= first && at < static_cast<std::ptrdiff_t>(key.end)) return !around.bytes[static_cast<unsigned char>(text_[static_cast<std::size_t>(at)])];
      if (at + 1 != first) return false;
      for (std::size_t byte = 0; byte < around.bytes.size(); ++byte) {
        if (around.bytes[byte] && !is_name_byte(static_cast<char>(byte))) return false;
      }
      return true;
    });
  }

  struct Random {
    double least;
    bool operator()(std::string_view secret) const { return least == 0 || entropy_above(secret, least); }
  };

  bool judged(bool value) const { return value && (out_.values.back().random || look_.everything); }

  bool named_value(std::size_t start, std::size_t end) {
    return judged(values_.add(record_until_end(end), start, end, out_.values, Random{gates_.least_entropy_}));
  }

  // The text up to the end of the record that holds the offset.
  std::string_view record_until_end(std::size_t at) {
    if (!look_.lines) return text_;
    if (at > line_end_ || line_end_ == 0) line_end_ = std::min(text_.find('\n', at), text_.size());
    const bool with_return = line_end_ > at && text_[line_end_ - 1] == '\r';
    return text_.substr(0, line_end_ - (with_return ? 1 : 0));
  }

  const Gates& gates_;
  std::string_view text_;
  const Look& look_;
  Seen& out_;
  NamedValues values_;
  KeyLook* last_ = nullptr;   // of the key last looked at
  std::size_t line_end_ = 0;  // of the line last asked for
};

void Gates::find(std::string_view text, const Look& look, Seen& out) const {
  Places places(*this, text, look, out);
  literals_->scan(text, Places::on_literal, &places);
  find_hot_words(text, out.hot_words);
  if (out.hot_words.empty()) return;
  const auto rare = static_cast<std::ptrdiff_t>(out.events.size());
  const auto rare_lines = static_cast<std::ptrdiff_t>(out.line_words.size());
  places.hot_words();
  // By where they end; of those that end together the longer first.
  const auto earlier = [&](const Event& a, const Event& b) { return a.end != b.end ? a.end < b.end : quick_[a.opener].length > quick_[b.opener].length; };
  const auto hot = out.events.begin() + rare;
  if (!std::is_sorted(hot, out.events.end(), earlier)) std::stable_sort(hot, out.events.end(), earlier);
  std::inplace_merge(out.events.begin(), hot, out.events.end(), earlier);
  std::inplace_merge(out.line_words.begin(), out.line_words.begin() + rare_lines, out.line_words.end());
}

}  // namespace tocsin::rules::secrets
