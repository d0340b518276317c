// Finds plaintext secrets and personal numbers in one record of text: gitleaks rules as they are written, our own
// pack, and a field-aware extractor for what logs carry (key=value, JSON, query strings, headers, SQL, URLs, command
// lines, prose). One pass of a literal matcher decides what is looked at; RE2 confirms.
//
// The secret itself never leaves: a Hit has its place, a preview and, if a keyed function was given, a fingerprint.
// Facts about formats and semantics: ops/docs/formats/secret-rules.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"

namespace tocsin::rules::secrets {

enum class Kind : std::uint8_t { kSecret, kPersonal };
[[nodiscard]] std::string_view name(Kind kind) noexcept;  // "secret", "personal"

// How much the text itself proves, best first.
enum class Tier : std::uint8_t {
  kVerified,   // a checksum in it holds
  kStructure,  // its parts decode as they must (JWT, Basic, a hash's layout)
  kPattern,    // it looks like one, or stands where one stands
};
[[nodiscard]] std::string_view name(Tier tier) noexcept;  // "verified", "structure", "pattern"

struct Hit {
  std::string_view rule;         // id of the rule; lives as long as the Scanner
  std::string_view description;  // "GitHub token"; likewise
  Kind kind = Kind::kSecret;
  Tier tier = Tier::kPattern;
  std::size_t start = 0;  // the secret's bytes in the record, end exclusive
  std::size_t end = 0;
  std::string preview;      // first 2 and last 2 characters, never more than a quarter of the secret
  std::string fingerprint;  // what Options::fingerprint made of it; empty without one
  std::string note;         // what the token says of itself offline: "AWS account 029608264753"; usually empty
};

// A candidate that was looked at and dropped, for --explain. Holds no text of the record.
struct Drop {
  std::string_view rule;
  std::size_t start = 0;
  std::size_t end = 0;
  std::string reason;  // "placeholder", "entropy 3.1 is not above 3.5", "allow-list: …", "identifier key" …
};

// One rule file, already read: rules does not open files.
struct RuleFile {
  std::string name;  // for messages
  std::string text;
  std::shared_ptr<const RuleFile> base = nullptr;  // what its [extend] names, already read; see rule_file_extends()
};

// What the [extend] of a rule file asks for: a path, or upstream's own rules; nullopt = nothing, or not readable.
struct Extends {
  std::string path;  // empty = the default rules
};
[[nodiscard]] std::optional<Extends> rule_file_extends(const RuleFile& file);
inline constexpr int kMaxExtendDepth = 2;  // bases of bases, as upstream has it

// What a rule file asks for that is not honoured, or is doubtful. Loading goes on without that part.
struct Diagnostic {
  std::string where;    // file, and line where known
  std::string message;  // names the rule and the part
};

class TokenMeasure;  // token_measure.hpp

struct Options {
  // Makes the fingerprint of a secret, keyed, so that the same secret seen again can be recognised and not guessed.
  // Called with the decoded secret, from whichever thread scans; must be thread-safe and keep nothing.
  std::function<std::string(std::string_view secret)> fingerprint;
  // Answers what betterleaks' filters ask of a tokeniser; null = they are told that nothing packs well.
  std::shared_ptr<const TokenMeasure> tokens;
  bool own_pack = true;   // rules/packs/secrets and the extractor
  bool personal = true;   // personal numbers (cards, IBAN, national ids) of the own pack
  bool contacts = false;  // e-mail addresses and telephone numbers too: ordinary logs are full of them
  // false: keywords alone open rules, and RE2 alone matches: the plain reading that the short cuts are tested against.
  bool short_cuts = true;
};

// One record of a text of many, with what was found in it. Offsets of hits and drops count from its start.
struct LineHits {
  std::size_t start = 0;   // of the record in the text
  std::size_t length = 0;  // of its first line, without the line end; a key block goes on over further lines
  std::size_t line = 0;    // line ends before it in the text
  std::vector<Hit> hits;   // ordered by start
  std::vector<Drop> drops;
};

// Immutable once loaded; copies share it. scan() may be called from any number of threads at once: each has its own
// working memory.
class Scanner {
 public:
  // Records longer than this are scanned in overlapping pieces, so that work and memory stay bounded.
  static constexpr std::size_t kPiece = 4 << 20;
  static constexpr std::size_t kOverlap = 16 << 10;
  static constexpr std::size_t kMaxRuleFile = 16 << 20;

  struct Loaded;
  struct Compiled;  // defined in scanner.cpp

  // Compiles the own pack (unless switched off) and `files` (gitleaks or betterleaks TOML). A file that is not TOML, a
  // rule without id, with a regex that RE2 refuses, or with a bad allow-list is kInvalid with file and line. What is
  // valid but not honoured comes back as diagnostics and leaves out that rule.
  [[nodiscard]] static Result<Loaded> load(std::span<const RuleFile> files, Options options);

  // A path that records come from, resolved once: rules and allow-lists may depend on it.
  class Place {
   public:
    Place() = default;

   private:
    friend class Scanner;
    friend struct Compiled;
    std::vector<std::uint64_t> active_;  // one bit per rule
    std::vector<bool> silenced_;         // one per rule file: its global allow-list allows the whole path
    std::string path_;
    bool given_ = false;
  };
  [[nodiscard]] Place place(std::string_view path) const;

  // Appends the hits of one record to `out`, ordered by start. With `drops`, also says what was dropped and why.
  void scan(std::string_view record, std::vector<Hit>& out, std::vector<Drop>* drops = nullptr) const;
  void scan(std::string_view record, const Place& place, std::vector<Hit>& out, std::vector<Drop>* drops = nullptr) const;

  // A private key over several lines is one record, if it ends within this many bytes; else its lines stand alone.
  static constexpr std::size_t kMaxKeyBlock = 16 << 10;
  // Lines longer than a window are scanned window by window; neighbours share kOverlap bytes, so that whatever is
  // not longer than kLongestMatch is seen whole. A keyword opens its rules in its own window.
  static constexpr std::size_t kLongestMatch = kOverlap / 2;
  static constexpr std::size_t kWindow = 2 * kOverlap;

  // Scans the lines of `text`, which begins at the start of a line, and appends those in which something was found
  // (with `explain`, also those in which something was dropped). Each line is a record; a "\r" at its end is no part of
  // it. Far faster than line by line: lines without anything of interest are not even cut. Returns what was dealt with:
  // up to the last line end, or up to a key block whose end is not in the text yet; all of it if this is the `last` text.
  struct Taken {
    std::size_t bytes = 0;
    std::size_t line_ends = 0;  // among them
  };
  [[nodiscard]] Taken scan_lines(std::string_view text, const Place& place, bool last, bool explain, std::vector<LineHits>& out) const;

  [[nodiscard]] std::size_t rule_count() const noexcept;
  struct RuleInfo {
    std::string_view id;
    std::string_view description;
    Kind kind;
    std::string_view file;
  };
  [[nodiscard]] std::vector<RuleInfo> rules() const;

 private:
  friend class LongLine;
  explicit Scanner(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

struct Scanner::Loaded {
  Scanner scanner;
  std::vector<Diagnostic> diagnostics;
};

// The first 2 and last 2 characters around "…", never more than a quarter of the secret in all; shorter secrets show
// less, down to nothing but "…". Printable on any terminal.
[[nodiscard]] std::string preview(std::string_view secret);

// The text with the bytes of each hit replaced by its preview in ‹›. Hits may overlap and come in any order.
[[nodiscard]] std::string redact(std::string_view text, std::span<const Hit> hits);

// Runs the samples of the own pack: each `match` must give a hit of that rule, each `clean` none at all of any rule.
// Empty = all well; else one line per sample that fails, without the sample's text.
[[nodiscard]] std::vector<std::string> check_own_samples();

}  // namespace tocsin::rules::secrets
