// Which rules are worth evaluating where: one pass of the literal matcher over a text of any number of records, and one
// for the hot words that would keep it busy, give the places that open a rule, or that the extractor wants to look at. A rule opens at a needle of its regex where one
// could be derived, else at its keywords; keywords that the needles do not imply are asked for later, on the record.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/secrets/extract.hpp"
#include "rules/secrets/generic_key.hpp"
#include "rules/secrets/hot_words.hpp"
#include "rules/secrets/literals.hpp"
#include "rules/secrets/needles.hpp"

namespace tocsin::rules::secrets {

class Gates {
 public:
  // What stands at a place.
  struct Opener {
    enum class What : std::uint8_t {
      kRules,     // opens `rules`
      kStem,      // `stem` for the extractor
      kKeyBlock,  // "-----BEGIN": a record over several lines may start
      kAllowComment,  // "gitleaks:allow": matches on its line are passed over
      kLineWord,  // a line's allow-list may hold here; of no interest by itself
      kFolding,   // a character that folds to ASCII: the record is evaluated the slow way
    } what = What::kRules;
    StemKind stem = StemKind::kKey;
    bool naming_word = false;          // of the generic key: `rules` are done by hand
    bool needs_path = false;           // all of `rules` run only where a path is known
    std::uint32_t length = 0;          // of the literal
    std::optional<Needle> needle;      // else the literal alone
    std::vector<std::uint32_t> rules;
  };
  struct Event {
    std::uint32_t end;     // offset behind the literal
    std::uint32_t opener;  // index for opener()
  };
  // What stands in a text, in the order of the places.
  struct Seen {
    std::vector<Event> events;
    // The generic key's naming words and their values. Those that are not random enough open nothing, but they may be
    // part of a match of another.
    std::vector<NamedValue> values;
    std::vector<std::uint32_t> line_words;  // where a word of kLineWord ends
    std::vector<std::uint32_t> hot_words;   // where they begin; of use to find() only

    void clear() {
      events.clear();
      values.clear();
      line_words.clear();
      hot_words.clear();
    }
  };

  struct RuleInput {
    std::string_view pattern;
    const std::vector<std::string>* keywords;  // lower case; empty = always open
    bool by_hand = false;                      // the generic key
    bool needs_path = false;
    double entropy = 0;                        // of the rule; 0 = none
  };
  // Rules are known by their index in `rules`. An empty pattern never opens. `line_words`: see kLineWord.
  [[nodiscard]] static Result<Gates> compile(const std::vector<RuleInput>& rules, const std::vector<std::pair<std::string, StemKind>>& stems,
                                             const std::vector<std::string>& line_words);

  // How closely to look before something is worth an event.
  struct Look {
    bool lines = false;       // the text is many records, one per line
    bool path_known = false;
    bool everything = false;  // also what can only be dropped later, for an explanation
    const Extractor* extractor = nullptr;
  };
  // Appends what stands in `text` (at most 4 GiB). Thread-safe.
  void find(std::string_view text, const Look& look, Seen& out) const;

  [[nodiscard]] const Opener& opener(std::uint32_t index) const { return openers_[index]; }
  // The stem whose literal ends at `end`.
  [[nodiscard]] StemHit stem(std::uint32_t index, std::uint32_t end) const {
    const Quick& quick = quick_[index];
    return {end - quick.length, end, quick.stem, quick.inside_key};
  }

  // Rules without keywords whose regex gave no needle: open everywhere.
  [[nodiscard]] const std::vector<std::uint32_t>& always() const noexcept { return always_; }

  // The least entropy that a rule done by hand asks for; values above it are called random.
  [[nodiscard]] double least_entropy() const noexcept { return least_entropy_; }

  // Whether a keyword of the rule stands in the record, where its needles do not imply that.
  [[nodiscard]] bool keyword_in(std::uint32_t rule, std::string_view record) const;

  // The rules that keywords alone open in the record, in Unicode lower case as upstream has it: slow and plain.
  void open_by_keywords(std::string_view record, std::vector<std::uint32_t>& out) const;

 private:
  class Places;
  struct KeyLook;

  // What on_literal looks at first, small enough that those which come all the time stay in the cache.
  struct Quick {
    Opener::What what;
    StemKind stem;
    bool naming_word, needs_path;
    bool bare;             // nothing to look at around the literal (of a naming word: but the assignment)
    bool inside_key;       // of a stem: StemHit::inside_key
    std::uint8_t length;   // of the literal
    std::uint8_t word;     // bytes from its first one on that the needle covers
  };
  struct Span {
    std::uint32_t first, last;
  };
  std::vector<Opener> openers_;
  std::vector<Quick> quick_;  // of each opener
  std::vector<Span> by_literal_;  // into openers_
  struct HotLiteral {
    std::string text;
    Span openers;
  };
  std::array<std::vector<HotLiteral>, kHotWords.size()> by_hot_word_;  // those that begin with it, shorter ones first
  std::vector<std::string> beyond_keys_;  // how such literals go on behind what may stand in a key: " ", "\" \""
  std::uint64_t id_ = 0;                  // of these gates among all that were compiled
  std::optional<Literals> literals_;
  std::vector<std::uint32_t> always_;
  std::vector<std::vector<std::string>> ask_;  // by rule: keywords to ask the record for; empty = none
  double least_entropy_ = 0;  // among the rules done by hand
  std::optional<Literals> keywords_;
  std::vector<std::vector<std::uint32_t>> by_keyword_;
  std::vector<std::uint32_t> without_keywords_;
};

// Lower case as upstream's: ASCII, and the Kelvin sign and the dotted I, which lower to ASCII letters.
[[nodiscard]] std::string lower_as_upstream(std::string_view text);

}  // namespace tocsin::rules::secrets
