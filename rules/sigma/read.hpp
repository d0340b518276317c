// From YAML trees to rules, correlations and filters: what reading any of them needs, and one function for each kind.
// Inside the folder only; rules/sigma/parse.hpp is the door.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/array.hpp"
#include "rules/sigma/correlation.hpp"
#include "rules/sigma/filter.hpp"
#include "rules/sigma/report.hpp"
#include "rules/sigma/rule.hpp"
#include "rules/sigma/yaml.hpp"

namespace tocsin::rules::sigma {

// A refusal on its way out of the recursion. Thrown by the functions below, caught in parse.cpp.
struct Refusal {
  Remark remark;
};
[[noreturn]] void refuse(std::string code, int line, std::string message, std::string remedy);

// A scalar with its type by the core schema of YAML 1.2 (section 10.3.2).
[[nodiscard]] Scalar read_scalar(const YamlNode& node);

// The state of reading one document: where warnings go, and how much was read. Every function that walks the tree
// counts its steps here, because aliases make trees larger than their text.
class Reader {
 public:
  Reader(std::string_view file, Report& report) : file_(file), report_(report) {}

  // Refuses beyond kMaxYamlNodes steps or kMaxYamlDepth levels.
  void count(const YamlNode& node, int depth);
  // Once per code and line.
  void warn(std::string code, int line, std::string message, std::string remedy);
  // Warns of keys that are none of `known`, with the nearest one.
  void warn_unknown_keys(const YamlNode& map, const std::vector<std::string_view>& known, std::string_view what);
  // Refuses keys that YAML calls errors but its library lets through: no text, twice, merge keys.
  void check_keys(const YamlNode& map);

  // The value of a key as one text, trimmed; empty if absent or null. Refuses lists and maps.
  [[nodiscard]] std::string text_of(const YamlNode& map, std::string_view key);
  // The value of a key that may be one text or a list of texts; others are left out.
  [[nodiscard]] std::vector<std::string> texts_of(const YamlNode& map, std::string_view key);
  // The same where it matters: anything else is refused with `code`.
  [[nodiscard]] std::vector<std::string> names_of(const YamlNode& node, std::string_view code, std::string_view what);

  // id, name and title, which reports show, then the rest of what a document says of itself. `standard` names the
  // top-level keys that are no custom attributes.
  void read_identity(const YamlNode& root, Description& out);
  void read_description(const YamlNode& root, std::vector<std::string_view> standard, Description& out);

  // `sigma-version: 3` (or "3.0") or higher: keys of items may carry array matching.
  void read_version(const YamlNode& root);

  // `logsource`; refuses its absence. `what` is "rule" or "filter".
  struct Source {
    std::string product, category, service;
  };
  [[nodiscard]] Source read_log_source(const YamlNode& root, int line, std::string_view what);

  // The selections of a map (all keys but those of `reserved`), and a condition over them, which is checked against
  // their names; unused ones are warned about.
  [[nodiscard]] std::vector<Selection> read_selections(const YamlNode& section, const std::vector<std::string_view>& reserved, int depth = 1);
  struct Conditions {
    std::vector<Condition> each;  // one for each text, at least one
    std::string text;             // joined by " | "
  };
  [[nodiscard]] Conditions read_conditions(const YamlNode& node, const std::vector<Selection>& selections);

  [[nodiscard]] std::string_view file() const noexcept { return file_; }

 private:
  [[nodiscard]] Detection read_part(const YamlNode& node, int depth, int line);
  [[nodiscard]] Detection read_map(const YamlNode& map, int depth);
  void lint_siblings(const YamlNode& map);
  [[nodiscard]] Detection read_list(const YamlNode& list, int depth);
  [[nodiscard]] Detection read_entry(const YamlNode& key, const YamlNode& value, int depth);
  void read_values(const YamlNode& value, Item& item);
  [[nodiscard]] Detection read_body(const YamlNode& value, const Item& item, int depth);
  [[nodiscard]] static Detection block(int line, KeyPart part, Detection body);
  void write_attribute(const YamlNode& node, int depth, std::string& out);
  void check_names(const Condition& condition, const std::vector<Selection>& selections, int line, std::vector<char>& used);

  std::string_view file_;
  Report& report_;
  std::size_t nodes_ = 0;
  std::size_t names_seen_ = 0;
  bool array_matching_ = false;
  bool in_block_ = false;  // array matching: inside of a quantifier
};

// One of several conditions.
[[nodiscard]] Condition either(std::vector<Condition> conditions);

[[nodiscard]] Rule read_rule(Reader& reader, const YamlNode& root);
[[nodiscard]] Correlation read_correlation(Reader& reader, const YamlNode& root);
[[nodiscard]] Filter read_filter(Reader& reader, const YamlNode& root);

}  // namespace tocsin::rules::sigma
