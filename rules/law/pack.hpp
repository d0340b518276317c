// Laws as rows of data. A pack says, per duty, who must be told what by when, on which facts that depends, and how
// sure we are of the text; the engine knows only predicates, durations and anchors. No statute is named in code.
//
// Format, with every key: ops/docs/formats/law-pack.md. Why rows may load that no person has yet compared with the
// official text, and how that is shown: ops/docs/adr/0004-unverified-law.md.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "rules/law/facts.hpp"

namespace tocsin::rules::law {

// Limits of a pack; beyond them loading fails with kTooLarge.
inline constexpr std::size_t kMaxPredicateDepth = 12;
inline constexpr std::size_t kMaxPredicateNodes = 200;
inline constexpr std::size_t kMaxRows = 2000;

// A condition over facts. Leaves are a named fact, a number of people, or a kind of data.
struct Predicate {
  enum class Op : std::uint8_t { kAlways, kFact, kAll, kAny, kNot, kPeople, kResidents, kData };
  Op op = Op::kAlways;
  std::string name;               // the fact, the country group, the kind or category of data
  std::uint64_t at_least = 0;     // kPeople, kResidents
  std::vector<Predicate> parts;   // kAll, kAny, kNot

  // One line that reads as the condition does: "personal_data and not (encrypted or public_before)".
  [[nodiscard]] std::string text() const;
};

// One thing that a notification must say.
struct Content {
  std::string id;
  std::string text;
  std::string citation;
};

// What lifts a duty, or replaces it by another form of telling.
struct Exemption {
  std::string id;
  std::string citation;
  std::string text;   // in plain words
  std::string instead;  // what is due in its place; empty = nothing
  Predicate when;
};

// How the hours of a limit are counted.
enum class Counting : std::uint8_t {
  kElapsed,     // from the very moment
  kEu1182_71,   // Regulation (EEC, Euratom) 1182/71 Article 3: the hour of the event does not count
};

struct Limit {
  std::chrono::hours length{};
  Counting counting = Counting::kElapsed;
};

// A claim seen elsewhere that differs from the row.
struct Conflict {
  std::string claim;
  std::string source;
  std::string seen_on;
  std::string resolution;
};

struct Row {
  std::string id;        // "eu.gdpr.33.1"
  std::string law;       // "GDPR"
  std::string title;     // "Tell the supervisory authority"
  std::string citation;
  std::string quote;     // the operative words
  std::string source_url;
  std::string verified_on;  // the day a person compared the row with the official text; empty = nobody has
  std::string verified_by;
  std::string basis;     // of an unverified row: "T" words seen, "S" secondary source, "K" general knowledge
  std::string seen;      // of an unverified row: the day of that basis
  std::string confidence;  // "H", "M", "L"
  std::vector<Conflict> conflicts;
  std::string status;    // "in_force", "adopted_not_in_force", "proposed"
  std::optional<Time> in_force_from;
  std::optional<Time> in_force_to;
  std::string towards;   // whom to tell: "supervisory authority", "affected people", "controller", "own record"
  std::vector<std::string> anchors;  // the earliest of these that is known starts the clock
  Predicate when;
  std::vector<Exemption> exemptions;
  std::optional<Limit> hard;
  std::string soft;      // "without undue delay"
  std::string late;      // what is asked of whoever is late
  std::vector<Content> content;

  // "not verified against the official text …" or "verified on … by …".
  [[nodiscard]] std::string verification() const;
};

// A fact that predicates may name, with the question a person is asked.
struct FactDefinition {
  std::string name;
  std::string ask;   // the question
  std::string help;
  std::string say;   // the answer "yes" as a clause, for reasons: "a high risk to the people is likely"
};

// Tables of the severity method (ENISA 2013), all in quarters.
struct SeverityTables {
  struct Category { int base = 1; int least = 1; int most = 4; };
  struct Identifier { std::vector<std::string> data; int ei4 = 1; };
  struct Step { Predicate when; int quarters = 0; std::string text; };
  struct Circumstance { std::string name; std::vector<Step> steps; };  // the first step that holds counts; else 0
  std::string method;
  std::string citation;
  std::map<std::string, Category, std::less<>> categories;
  std::map<std::string, std::string, std::less<>> kinds;  // kind of data → category; "credentials" → "opens"
  std::vector<Identifier> identifiers;
  std::vector<Circumstance> circumstances;
};

// All that was loaded, immutable. Safe to read from any number of threads.
struct Pack {
  std::vector<Row> rows;  // in the order of the files
  std::map<std::string, FactDefinition, std::less<>> facts;
  std::map<std::string, Predicate, std::less<>> derived;
  std::map<std::string, std::string, std::less<>> derived_say;  // the derived facts as clauses
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> groups;  // "EEA" → country codes
  std::vector<std::string> anchors;
  SeverityTables severity;

  // The condition as a clause of plain English: "a high risk to the people is likely, and …".
  [[nodiscard]] std::string say(const Predicate& predicate) const;
  // The question behind an unknown fact as assess() names it; the name itself if there is none.
  [[nodiscard]] std::string question(std::string_view unknown_fact) const;
};

// One file of a pack, already read: rules does not open files.
struct Source {
  std::string name;
  std::string text;
};

// Loads and checks all files together. A row that lacks its citation, quote or confidence is refused, as is one
// with an unresolved conflict at confidence H, a running clock at confidence L, an unknown fact, anchor or key:
// kInvalid with file, line and row. What is valid but cannot be honoured (business days, months) is kUnsupported.
[[nodiscard]] Result<Pack> load(std::span<const Source> files);

// The laws that Tocsin carries (rules/packs/law), built into the program.
[[nodiscard]] std::span<const Source> built_in_sources();
[[nodiscard]] Result<Pack> load_built_in();

}  // namespace tocsin::rules::law
