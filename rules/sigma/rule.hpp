// A Sigma rule as it was written: its description, its log source, and the detection section as a tree. Nothing is
// interpreted yet beyond YAML's types; the compiler (rules/sigma/compile.hpp) gives values their meaning.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::rules::sigma {

// Sigma's levels, least first. The order is that of storage::Level.
enum class Level : std::uint8_t { kInformational, kLow, kMedium, kHigh, kCritical };
[[nodiscard]] std::string_view name(Level level) noexcept;

// A YAML scalar with its type by the core schema of YAML 1.2: only true/false are booleans, quoted text is text.
struct Scalar {
  enum class Type : std::uint8_t { kNull, kBool, kInt, kDouble, kString };
  Type type = Type::kNull;
  std::string text;  // as written, for every type
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  int line = 0;
};

// A step of a field's address under sigma-version 3: a name, or a position in an array. A first step "." is the element
// of the block around.
struct Step {
  std::string name;
  std::optional<int> position;  // from 0, or from the end: -1 is the last
};

// One line of a detection: `field|modifier|modifier: value(s)`. An empty field means keywords: the whole event.
struct Item {
  std::string field;
  std::vector<Step> steps;  // not empty: this is where the field is, and `field` only its text
  std::vector<std::string> modifiers;  // as written, in order
  std::vector<Scalar> values;
  bool list = false;  // the values were written as a list
  int line = 0;
};

struct Block;

// A detection: an item, several joined by AND (a map) or OR (a list), or what elements of an array must satisfy.
struct Detection {
  enum class Kind : std::uint8_t { kItem, kAll, kAny, kEach };
  Kind kind = Kind::kItem;
  Item item;                     // kItem
  std::vector<Detection> parts;  // kAll, kAny; never empty
  std::shared_ptr<const Block> block;  // kEach
};

struct Selection {
  std::string name;
  Detection detection;
  int line = 0;
  // Where it comes from: 0 is the rule itself, n is the filter Rule::filters[n - 1]. Names are known only there.
  std::uint32_t origin = 0;
};

// How many elements of an array must satisfy a block. A value that is no array counts as one element, null as none.
enum class Quantifier : std::uint8_t {
  kAny,         // one or more
  kAll,         // every one, and there is one
  kAllOrEmpty,  // every one, or there is none
  kNone,        // none, or there is none
};

// A condition (§ "condition grammar" of ops/docs/sigma.md).
struct Condition {
  enum class Kind : std::uint8_t { kName, kSelector, kAnd, kOr, kNot };
  Kind kind = Kind::kName;
  std::string name;            // kName: the identifier; kSelector: the pattern, or "them"
  std::uint32_t quantity = 0;  // kSelector: at least that many; 0 = all
  std::uint32_t origin = 0;    // kName, kSelector: reaches only selections of this origin
  std::vector<Condition> parts;
};

// What is asked of each element of an array (sigma-version 3). Fields inside are the element's.
struct Block {
  std::vector<Step> steps;  // where the array is
  Quantifier quantifier = Quantifier::kAny;
  std::vector<Selection> selections;  // a body without a condition is a single one
  Condition condition;
  int line = 0;
};

// A top-level key that the specification does not know: kept as it is, for whoever put it there.
struct Attribute {
  std::string name;
  std::string json;  // its value, as compact JSON
};

// What rules, correlations and filters say of themselves.
struct Description {
  std::string id;  // UUID; empty if there is none
  std::string name;
  std::string title;
  std::string status;
  std::string description;
  std::string author;   // shown with matches: the Detection Rule License asks for it
  std::string license;
  Level level = Level::kMedium;
  std::vector<std::string> tags;
  std::vector<std::string> references;
  std::vector<std::string> falsepositives;
  std::vector<Attribute> custom;

  std::string file;
  int line = 0;  // of the document's first line

  // What names it in output: its id, else its name, else its title.
  [[nodiscard]] const std::string& key() const noexcept { return !id.empty() ? id : !name.empty() ? name : title; }
};

struct Rule : Description {
  std::string product;  // log source, empty = any
  std::string category;
  std::string service;

  std::vector<Selection> selections;  // in the order of the file
  Condition condition;                // a list of conditions is one kOr
  std::string condition_text;
  std::vector<std::string> filters;     // the filters that were joined to it: id, else name, else title
};

}  // namespace tocsin::rules::sigma
