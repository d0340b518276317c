// The YAML is yaml-cpp's; the shapes of a detection section are read here into one tree. The text is cut at the
// document markers first, so that a syntax error stays within its document and lines count from the file's start.
#include "rules/sigma/parse.hpp"

#include <charconv>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "rules/base/text.hpp"
#include "rules/sigma/condition.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kMaxNames = 1000000;  // selections looked at for one condition

// A refusal on its way out of the recursion; it never leaves this file.
struct Refusal {
  Remark remark;
};

[[noreturn]] void refuse(std::string code, int line, std::string message, std::string remedy) {
  throw Refusal{Remark{std::move(code), std::move(message), std::move(remedy), line}};
}

// The core schema of YAML 1.2 (section 10.3.2) for a plain scalar.
Scalar type_of_plain(std::string text) {
  Scalar scalar;
  std::string_view t = text;
  if (t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL") {
    scalar.type = Scalar::Type::kNull;
  } else if (t == "true" || t == "True" || t == "TRUE" || t == "false" || t == "False" || t == "FALSE") {
    scalar.type = Scalar::Type::kBool;
    scalar.boolean = t[0] == 't' || t[0] == 'T';
  } else {
    scalar.type = Scalar::Type::kString;
    const int base = t.starts_with("0x") ? 16 : t.starts_with("0o") ? 8 : 10;
    std::string_view digits = base == 10 ? t : t.substr(2);
    if (base == 10 && digits.starts_with('+')) digits.remove_prefix(1);
    const char* const end = digits.data() + digits.size();
    const bool sign_twice = base != 10 && digits.starts_with('-');
    const auto integer = std::from_chars(digits.data(), end, scalar.integer, base);
    if (!digits.empty() && !sign_twice && integer.ec == std::errc() && integer.ptr == end) {
      scalar.type = Scalar::Type::kInt;
    } else if (base == 10 && !digits.empty()) {
      const char first = digits[digits[0] == '-' && digits.size() > 1 ? 1 : 0];
      const auto real = std::from_chars(digits.data(), end, scalar.real);
      if ((first == '.' || (first >= '0' && first <= '9')) && real.ec == std::errc() && real.ptr == end) {
        scalar.type = Scalar::Type::kDouble;
      }
    }
  }
  scalar.text = std::move(text);
  return scalar;
}

class DocumentReader {
 public:
  DocumentReader(std::string_view file, int first_line, Report& report)
      : file_(file), first_line_(first_line), report_(report) {}

  Rule read(const YAML::Node& root) {
    if (!root.IsMap()) {
      refuse("not-a-rule", line_of(root), "the document is not a map of a rule's fields", "start with 'title: …'");
    }
    Rule rule;
    rule.file = std::string(file_);
    rule.line = line_of(root);
    top_ = keys_of(root);
    rule.id = text_of(root, "id");
    rule.name = text_of(root, "name");
    rule.title = text_of(root, "title");
    report_.rule = rule.id.empty() ? rule.name : rule.id;
    report_.title = rule.title;
    report_.line = rule.line;
    refuse_other_documents(root);
    if (rule.title.empty()) refuse("missing-title", rule.line, "the rule has no title", "add 'title: …'");
    read_description(root, rule);
    read_log_source(root, rule);
    read_detection(root, rule);
    return rule;
  }

 private:
  [[nodiscard]] int line_of(const YAML::Node& node) const {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? first_line_ : first_line_ + mark.line;
  }

  void count(const YAML::Node& node, int depth) {
    if (++nodes_ > kMaxYamlNodes) {
      refuse("too-large", line_of(node), "the rule has more than 100,000 values, aliases counted each time",
             "split the rule, or keep long lists in a placeholder table (expand)");
    }
    if (depth > kMaxYamlDepth) {
      refuse("too-deep", line_of(node), "the rule is nested deeper than 32 levels", "flatten the detection");
    }
  }

  void warn(std::string code, int line, std::string message, std::string remedy) {
    for (const Remark& remark : report_.remarks) {
      if (remark.code == code && remark.line == line) return;
    }
    report_.remarks.push_back(Remark{std::move(code), std::move(message), std::move(remedy), line});
  }

  // The keys of a map; refuses those that YAML calls errors but the parser lets through.
  std::set<std::string> keys_of(const YAML::Node& map) {
    std::set<std::string> keys;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        refuse("bad-key", line_of(map), "a key of this map is not plain text", "write 'key: value'");
      }
      const std::string& key = entry.first.Scalar();
      if (key == "<<" && entry.first.Tag() == "?") {
        refuse("unsupported-merge-key", line_of(entry.first), "YAML merge keys ('<<') are not part of YAML 1.2",
               "write the items out");
      }
      if (!keys.insert(key).second) {
        refuse("duplicate-key", line_of(entry.first), "the key '" + printable(key, 80) + "' occurs twice in one map",
               "join the two, or put them into a list of maps");
      }
    }
    return keys;
  }

  std::string text_of(const YAML::Node& map, const char* key) {
    if (!top_.contains(key)) return {};
    const YAML::Node node = map[key];
    if (node.IsNull()) return {};
    if (!node.IsScalar()) {
      refuse("bad-field", line_of(node), "'" + std::string(key) + "' is not text", "write one text");
    }
    return std::string(trim(node.Scalar()));
  }

  std::vector<std::string> texts_of(const YAML::Node& map, const char* key) {
    std::vector<std::string> texts;
    if (!top_.contains(key)) return texts;
    const YAML::Node node = map[key];
    if (node.IsScalar()) texts.push_back(node.Scalar());
    if (node.IsSequence()) {
      for (const auto& entry : node) {
        count(entry, 0);
        if (entry.IsScalar()) texts.push_back(entry.Scalar());
      }
    }
    return texts;
  }

  void refuse_other_documents(const YAML::Node& root) {
    const int line = line_of(root);
    if (top_.contains("correlation")) {
      refuse("unsupported-correlation", line, "correlation rules are not evaluated by this version",
             "the rules that it refers to load on their own; keep the correlation for a later version");
    }
    if (top_.contains("filter")) {
      refuse("unsupported-filter", line, "filters (meta rules) are not applied by this version",
             "add the exception to the rules themselves as 'and not …'");
    }
    if (top_.contains("action")) {
      refuse("unsupported-collection", line, "'action:' collections of Sigma 1 are not expanded",
             "write each rule out as a document of its own");
    }
  }

  void read_description(const YAML::Node& root, Rule& rule) {
    constexpr std::size_t kMaxTitle = 256;
    rule.status = text_of(root, "status");
    rule.description = text_of(root, "description");
    rule.author = text_of(root, "author");
    rule.license = text_of(root, "license");
    rule.tags = texts_of(root, "tags");
    rule.references = texts_of(root, "references");
    rule.falsepositives = texts_of(root, "falsepositives");
    if (rule.title.size() > kMaxTitle) {
      warn("long-title", rule.line, "the title is longer than 256 characters", "shorten it");
    }
    const std::string level = to_lower(text_of(root, "level"));
    static constexpr std::string_view kNames[] = {"informational", "low", "medium", "high", "critical"};
    bool known = level.empty();
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      if (level == kNames[i]) {
        rule.level = static_cast<Level>(i);
        known = true;
      }
    }
    if (!known) {
      refuse("bad-level", line_of(root["level"]), "the level '" + printable(level, 40) + "' does not exist",
             "use informational, low, medium, high or critical");
    }
    const bool newer = top_.contains("sigma-version");
    if (newer) {
      int major = 0;
      const std::string version = text_of(root, "sigma-version");
      std::from_chars(version.data(), version.data() + version.size(), major);
      array_matching_ = major >= 3;
    }
  }

  void read_log_source(const YAML::Node& root, Rule& rule) {
    if (!top_.contains("logsource") || !root["logsource"].IsMap()) {
      refuse("missing-logsource", rule.line, "the rule has no log source", "add 'logsource:' with product, category or service");
    }
    const YAML::Node source = root["logsource"];
    const std::set<std::string> keys = keys_of(source);
    const auto read = [&](const char* key) -> std::string {
      if (!keys.contains(key)) return {};
      const YAML::Node node = source[key];
      if (node.IsNull()) return {};
      if (!node.IsScalar()) refuse("bad-field", line_of(node), "'logsource." + std::string(key) + "' is not text", "write one text");
      return to_lower(trim(node.Scalar()));
    };
    rule.product = read("product");
    rule.category = read("category");
    rule.service = read("service");
    if (rule.product.empty() && rule.category.empty() && rule.service.empty()) {
      warn("empty-logsource", line_of(source), "the log source names no product, category or service, so the rule is tried on every event",
           "name at least one");
    }
  }

  void read_detection(const YAML::Node& root, Rule& rule) {
    if (!top_.contains("detection") || !root["detection"].IsMap()) {
      refuse("missing-detection", rule.line, "the rule has no detection section", "add 'detection:' with selections and a condition");
    }
    const YAML::Node section = root["detection"];
    const std::set<std::string> keys = keys_of(section);
    if (!keys.contains("condition")) {
      refuse("missing-condition", line_of(section), "the detection has no condition", "add 'condition: …'");
    }
    if (keys.contains("timeframe")) {
      refuse("aggregation", line_of(section["timeframe"]), "'timeframe' belongs to the aggregations of Sigma 1",
             "write the count as a correlation rule of its own");
    }
    for (const auto& entry : section) {
      const std::string& name = entry.first.Scalar();
      if (name == "condition") continue;
      Selection selection;
      selection.name = name;
      selection.line = line_of(entry.first);
      selection.detection = read_part(entry.second, 1, selection.line);
      rule.selections.push_back(std::move(selection));
    }
    if (rule.selections.empty()) {
      refuse("missing-detection", line_of(section), "the detection has a condition but no selection", "add a selection");
    }
    read_condition(section["condition"], rule);
  }

  // A map, a list, or a keyword.
  Detection read_part(const YAML::Node& node, int depth, int line) {
    count(node, depth);
    if (node.IsMap()) return read_map(node, depth);
    if (node.IsSequence()) return read_list(node, depth);
    if (node.IsNull() || !node.IsDefined()) {
      refuse("empty-selection", line, "the selection is empty", "give it at least one item, or remove it");
    }
    return keywords({read_scalar(node)}, false, line_of(node));
  }

  Detection read_map(const YAML::Node& map, int depth) {
    if (map.size() == 0) {
      refuse("empty-selection", line_of(map), "the selection is empty", "give it at least one item, or remove it");
    }
    (void)keys_of(map);
    Detection all;
    all.kind = Detection::Kind::kAll;
    for (const auto& entry : map) {
      count(entry.second, depth + 1);
      Detection part;
      part.item = read_item(entry.first, entry.second);
      all.parts.push_back(std::move(part));
    }
    if (all.parts.size() == 1) return Detection(std::move(all.parts.front()));
    return all;
  }

  Detection read_list(const YAML::Node& list, int depth) {
    if (list.size() == 0) {
      refuse("empty-selection", line_of(list), "the selection is an empty list", "give it at least one item, or remove it");
    }
    std::vector<Scalar> words;
    Detection any;
    any.kind = Detection::Kind::kAny;
    for (const auto& entry : list) {
      if (entry.IsScalar() || entry.IsNull()) {
        count(entry, depth + 1);
        words.push_back(read_scalar(entry));
      } else {
        any.parts.push_back(read_part(entry, depth + 1, line_of(entry)));
      }
    }
    if (!words.empty()) any.parts.push_back(keywords(std::move(words), true, line_of(list)));
    if (any.parts.size() == 1) return Detection(std::move(any.parts.front()));
    return any;
  }

  static Detection keywords(std::vector<Scalar> words, bool list, int line) {
    Detection part;
    part.item.values = std::move(words);
    part.item.list = list;
    part.item.line = line;
    return part;
  }

  Item read_item(const YAML::Node& key, const YAML::Node& value) {
    Item item;
    item.line = line_of(key);
    const std::vector<std::string_view> parts = split(key.Scalar(), '|');
    item.field = std::string(parts.front());
    for (std::size_t i = 1; i < parts.size(); ++i) item.modifiers.emplace_back(parts[i]);
    const std::string shown = "'" + printable(key.Scalar(), 80) + "'";
    if (item.field.empty() && item.modifiers.empty()) {
      refuse("bad-key", item.line, "an item has neither field nor modifier", "write 'field: value', or a list for keywords");
    }
    if (array_matching_ && item.field.find('[') != std::string::npos) {
      refuse("unsupported-array-matching", item.line, "array matching (sigma-version 3) is not evaluated by this version: " + shown,
             "name the field without [..]: a rule then matches if any member does");
    }
    if (value.IsMap()) {
      refuse("nested-map", item.line, "the value of " + shown + " is a map", "write nested fields as 'outer.inner: value'");
    }
    if (!value.IsSequence()) {
      item.values.push_back(read_scalar(value));
      return item;
    }
    item.list = true;
    if (value.size() == 0) {
      refuse("empty-list", item.line, "the value of " + shown + " is an empty list", "use null for an absent field, or remove the item");
    }
    for (const auto& entry : value) {
      count(entry, 0);
      if (!entry.IsScalar() && !entry.IsNull()) {
        refuse("nested-list", line_of(entry), "the values of " + shown + " are not all plain values", "write one flat list");
      }
      item.values.push_back(read_scalar(entry));
    }
    return item;
  }

  Scalar read_scalar(const YAML::Node& node) {
    Scalar scalar;
    if (node.IsScalar()) {
      if (node.Tag() == "?" || node.Tag().empty()) {
        scalar = type_of_plain(node.Scalar());
      } else {
        scalar.type = Scalar::Type::kString;
        scalar.text = node.Scalar();
      }
    }
    scalar.line = line_of(node);
    return scalar;
  }

  void read_condition(const YAML::Node& node, Rule& rule) {
    std::vector<std::string> texts;
    if (node.IsScalar()) texts.push_back(node.Scalar());
    if (node.IsSequence()) {
      for (const auto& entry : node) {
        count(entry, 0);
        if (!entry.IsScalar()) refuse("condition-syntax", line_of(entry), "a condition is not text", "write one text per condition");
        texts.push_back(entry.Scalar());
      }
    }
    if (texts.empty()) refuse("missing-condition", line_of(node), "the condition is empty", "name at least one selection");
    rule.condition.kind = Condition::Kind::kOr;
    for (const std::string& text : texts) {
      auto parsed = parse_condition(text);
      if (!parsed) refuse(parsed.error().where, line_of(node), parsed.error().message, parsed.error().remedy);
      if (parsed->upper_case_keywords) {
        warn("upper-case-keyword", line_of(node), "the condition has a keyword in upper case; it is read as the keyword",
             "write and, or, not, of in lower case");
      }
      if (!rule.condition_text.empty()) rule.condition_text += " | ";
      rule.condition_text += text;
      rule.condition.parts.push_back(std::move(parsed->condition));
    }
    if (rule.condition.parts.size() == 1) rule.condition = Condition(std::move(rule.condition.parts.front()));
    std::set<std::string> used;
    check_names(rule.condition, rule, line_of(node), used);
    for (const Selection& selection : rule.selections) {
      if (!used.contains(selection.name) && !selection.name.starts_with('_')) {
        warn("unused-selection", selection.line, "the condition never uses the selection '" + printable(selection.name, 80) + "'",
             "use it in the condition, or remove it");
      }
    }
  }

  void check_names(const Condition& condition, const Rule& rule, int line, std::set<std::string>& used) {
    for (const Condition& part : condition.parts) check_names(part, rule, line, used);
    if (condition.kind != Condition::Kind::kName && condition.kind != Condition::Kind::kSelector) return;
    std::size_t hits = 0;
    names_seen_ += rule.selections.size();
    if (names_seen_ > kMaxNames) {
      refuse("too-large", line, "the condition refers to selections more than a million times", "split the rule");
    }
    for (const Selection& selection : rule.selections) {
      const bool hit = condition.kind == Condition::Kind::kName ? selection.name == condition.name
                                                                : selects(condition.name, selection.name);
      if (!hit) continue;
      ++hits;
      used.insert(selection.name);
    }
    if (hits == 0 && condition.kind == Condition::Kind::kName) {
      std::vector<std::string_view> names;
      for (const Selection& selection : rule.selections) names.push_back(selection.name);
      const std::string_view close = nearest(condition.name, names);
      refuse("unknown-identifier", line, "the condition names '" + printable(condition.name, 80) + "', which the detection does not have",
             close.empty() ? "define it, or remove it" : "did you mean '" + std::string(close) + "'?");
    }
    if (hits == 0 || hits < condition.quantity) {
      refuse("empty-selector", line, "'of " + printable(condition.name, 80) + "' reaches " + std::to_string(hits) + " selections, fewer than it asks for",
             "check the pattern against the names of the selections");
    }
  }

  std::string_view file_;
  int first_line_;
  Report& report_;
  std::set<std::string> top_;
  int nodes_ = 0;
  std::size_t names_seen_ = 0;
  bool array_matching_ = false;
};

struct Chunk {
  std::string_view text;
  int first_line = 1;
};

// The documents of a YAML text: "---" at the start of a line parts them (it can stand nowhere else).
std::vector<Chunk> split_documents(std::string_view text) {
  std::vector<Chunk> chunks;
  std::size_t begin = 0;
  int begin_line = 1;
  int line = 1;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view row = text.substr(at, end - at);
    if (row.starts_with("---") && (row.size() == 3 || row[3] == ' ' || row[3] == '\t' || row[3] == '\r')) {
      chunks.push_back({text.substr(begin, at - begin), begin_line});
      begin = std::min(end + 1, text.size());
      begin_line = line + 1;
    }
    at = end + 1;
    ++line;
  }
  chunks.push_back({text.substr(begin), begin_line});
  return chunks;
}

bool says_nothing(std::string_view chunk) {
  for (const std::string_view row : split(chunk, '\n')) {
    const std::string_view content = trim(row);
    if (!content.empty() && content[0] != '#' && content[0] != '%' && content != "...") return false;
  }
  return true;
}

ParsedDocument parse_document(const Chunk& chunk, std::string_view file) {
  ParsedDocument parsed;
  Report& report = parsed.report;
  report.file = std::string(file);
  report.line = chunk.first_line;
  const auto rejected = [&](Remark remark) {
    report.status = Status::kRejected;
    report.line = remark.line;
    report.remarks.clear();
    report.remarks.push_back(std::move(remark));
  };
  if (chunk.text.size() > kMaxRuleBytes) {
    rejected({"too-large", "the rule is longer than 1 MiB", "keep long lists in a placeholder table (expand)", chunk.first_line});
    return parsed;
  }
  if (!is_utf8(chunk.text)) {
    rejected({"not-utf8", "the rule is not valid UTF-8 text", "save the file as UTF-8", chunk.first_line});
    return parsed;
  }
  try {
    const YAML::Node root = YAML::Load(std::string(chunk.text));
    parsed.rule = DocumentReader(file, chunk.first_line, report).read(root);
    if (!report.remarks.empty()) {
      report.status = Status::kWarning;
      report.line = report.remarks.front().line;
    }
  } catch (const Refusal& refusal) {
    rejected(refusal.remark);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? chunk.first_line : chunk.first_line + error.mark.line;
    rejected({"yaml-syntax", "the YAML is malformed: " + printable(error.msg, 200), "check indentation, quotes and colons near this line", line});
  }
  return parsed;
}

}  // namespace

std::string_view name(Level level) noexcept {
  switch (level) {
    case Level::kInformational: return "informational";
    case Level::kLow: return "low";
    case Level::kMedium: return "medium";
    case Level::kHigh: return "high";
    case Level::kCritical: return "critical";
  }
  return "medium";
}

std::string_view name(Status status) noexcept {
  switch (status) {
    case Status::kOk: return "ok";
    case Status::kWarning: return "warning";
    case Status::kRejected: return "rejected";
  }
  return "rejected";
}

std::string Report::text() const {
  std::string out = file + ":" + std::to_string(line) + ": " + std::string(name(status));
  for (const Remark& remark : remarks) {
    out += (&remark == &remarks.front() ? ": " : "; ") + remark.message + " [" + remark.code + "]";
    if (!remark.remedy.empty()) out += " (" + remark.remedy + ")";
  }
  return out;
}

std::vector<ParsedDocument> parse_rules(std::string_view text, std::string_view file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<ParsedDocument> documents;
  for (const Chunk& chunk : split_documents(text)) {
    if (!says_nothing(chunk.text)) documents.push_back(parse_document(chunk, file));
  }
  if (documents.empty()) {
    ParsedDocument empty;
    empty.report.file = std::string(file);
    empty.report.line = 1;
    empty.report.status = Status::kRejected;
    empty.report.remarks.push_back({"not-a-rule", "the file holds no rule", "remove it, or write a rule into it", 1});
    documents.push_back(std::move(empty));
  }
  return documents;
}

}  // namespace tocsin::rules::sigma
