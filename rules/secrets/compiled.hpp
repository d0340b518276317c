// The inside of a Scanner, shared by the files that make it up: scanner.cpp (loading, records), evaluate.cpp (one rule
// on one record, as gitleaks does it), hits.cpp (what was found, without doubles), lines.cpp (many records in one text).
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/secrets/doubles.hpp"
#include "rules/secrets/extract.hpp"
#include "rules/secrets/gates.hpp"
#include "rules/secrets/generic_key.hpp"
#include "rules/secrets/numbers.hpp"
#include "rules/secrets/ruleset.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/secrets/vocabulary.hpp"

namespace tocsin::rules::secrets {

// One match of one rule.
struct Candidate {
  std::uint32_t rule = 0;
  std::size_t found_at = 0;  // where the regex matched; newlines there are no part of the match
  std::size_t match_start = 0, match_end = 0;
  std::size_t start = 0, end = 0;  // the secret
  std::size_t line_start = 0;      // of the line that the match begins on
};

// What was seen in one record. Offsets count from `base` bytes before it.
struct RecordSeen {
  std::size_t base = 0;
  std::span<const Gates::Event> events;
  std::span<const NamedValue> values;
  std::span<const NumberFound> numbers;
  bool line_words = false;  // there are some in it, or it is not known
};

// Working memory of one thread; kept between records.
struct Work {
  Gates::Seen seen;
  std::vector<NumberFound> numbers;
  std::vector<std::uint32_t> open;  // rules
  std::vector<StemHit> stems;
  bool allow_comment = false;       // "gitleaks:allow" stands somewhere in the record
  std::vector<Candidate> candidates;
  std::vector<Found> found;
  Specific specific;
  Spans fields;
  std::vector<std::pair<std::size_t, std::size_t>> foreign;  // where rules of loaded files found something
  std::string lower;                // of the secret looked at
  bool line_words = false;          // a line's allow-list may hold in the record
  std::uint64_t round = 0;          // counts records
  struct LineAsked {                // a list that was asked about a whole line, and its answer
    const AllowList* list = nullptr;
    std::string_view line;
    std::uint64_t round = 0;
    bool allowed = false;
  };
  std::array<LineAsked, 8> lines_asked;
};

struct Scanner::Compiled {
  struct Entry {
    const Rule* rule;
    std::uint32_t set;
    bool by_hand = false;  // its regex is the generic key's
  };

  std::vector<RuleSet> sets;
  std::vector<Entry> rules;
  std::optional<Gates> gates;
  std::vector<std::uint64_t> streamable;  // rules that need no path
  Vocabulary vocabulary;
  std::optional<Extractor> extractor;
  Options options;

  Result<void> build();
  std::size_t words() const { return (rules.size() + 63) / 64; }
  static Work& work();  // of this thread

  Gates::Look look(bool lines, const Place& place, bool explain) const;

  // Looks at one record on its own.
  void scan_piece(std::string_view record, std::size_t offset, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const;

  // What the gates and the numbers saw in one record becomes hits. Hits and drops count from the record, plus `offset`.
  void judge(std::string_view record, const RecordSeen& seen, std::size_t offset, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops) const;

  // Runs one rule over the record and appends what remains. With `seen` the rule is done by hand, from its values.
  void evaluate(std::uint32_t index, std::string_view record, const Place& place, const RecordSeen* seen, std::vector<Candidate>& out,
                std::vector<Drop>* drops, bool as_part = false) const;

 private:
  void emit(Work& w, std::string_view record, std::size_t offset, std::vector<Hit>& out, std::vector<Drop>* drops) const;
  const AllowList* allowed(const Rule& rule, const RuleSet& set, const Candidate& c, std::string_view record, std::string_view line,
                           std::string_view path) const;
  void keep_with_parts(const Rule& rule, std::uint32_t set, std::string_view record, const Place& place, std::size_t first,
                       std::vector<Candidate>& out, std::vector<Drop>* drops) const;
};

// Orders hits from `first` on by start, longer ones first, each once.
void order_hits(std::vector<Hit>& hits, std::size_t first);

// The allow-list allows the whole path, before any text is looked at.
[[nodiscard]] bool path_allowed(const AllowList& list, std::string_view path);
[[nodiscard]] bool path_matches(const Rule& rule, std::string_view path);

}  // namespace tocsin::rules::secrets
