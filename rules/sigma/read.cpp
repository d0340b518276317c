// What all kinds of documents have in common: scalars with their types, texts, a title, a level, a log source.
#include "rules/sigma/read.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/event.hpp"
#include "rules/sigma/parse.hpp"

namespace tocsin::rules::sigma {
namespace {

constexpr std::size_t kMaxTitle = 256;  // characters, by the specification

Scalar type_of_plain(std::string_view t) {
  Scalar scalar;
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
  scalar.text = std::string(t);
  return scalar;
}

}  // namespace

void refuse(std::string code, int line, std::string message, std::string remedy) {
  throw Refusal{Remark{std::move(code), std::move(message), std::move(remedy), line}};
}

Scalar read_scalar(const YamlNode& node) {
  Scalar scalar;
  if (node.is(YamlNode::Kind::kScalar)) {
    if (node.plain) {
      scalar = type_of_plain(node.text);
    } else {
      scalar.type = Scalar::Type::kString;
      scalar.text = node.text;
    }
  }
  scalar.line = node.line;
  return scalar;
}

void Reader::count(const YamlNode& node, int depth) {
  if (++nodes_ > kMaxYamlNodes) {
    refuse("too-large", node.line, "the document has more than 100,000 values, aliases counted each time",
           "split it, or keep long lists in a placeholder table (expand)");
  }
  if (depth > kMaxYamlDepth) {
    refuse("too-deep", node.line, "the document is nested deeper than 32 levels", "flatten it");
  }
}

void Reader::warn(std::string code, int line, std::string message, std::string remedy) {
  for (const Remark& remark : report_.remarks) {
    if (remark.code == code && remark.line == line) return;
  }
  report_.remarks.push_back(Remark{std::move(code), std::move(message), std::move(remedy), line});
}

void Reader::warn_unknown_keys(const YamlNode& map, const std::vector<std::string_view>& known, std::string_view what) {
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const std::string& key = map.items[i]->text;
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string_view close = nearest(key, known);
    warn("unknown-key", map.items[i]->line, "the key '" + printable(key, 60) + "' means nothing in " + std::string(what),
         close.empty() ? "remove it" : "did you mean '" + std::string(close) + "'?");
  }
}

void Reader::check_keys(const YamlNode& map) {
  std::vector<std::pair<std::string_view, int>> keys;
  keys.reserve(map.items.size() / 2);
  for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const YamlNode& key = *map.items[i];
    if (!key.is(YamlNode::Kind::kScalar)) refuse("bad-key", map.line, "a key of this map is not plain text", "write 'key: value'");
    if (key.text == "<<" && key.plain) {
      refuse("unsupported-merge-key", key.line, "YAML merge keys ('<<') are not part of YAML 1.2", "write the items out");
    }
    keys.emplace_back(key.text, key.line);
  }
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 1; i < keys.size(); ++i) {
    if (keys[i].first != keys[i - 1].first) continue;
    refuse("duplicate-key", keys[i].second, "the key '" + printable(keys[i].first, 80) + "' occurs twice in one map",
           "join the two, or put them into a list of maps");
  }
}

std::string Reader::text_of(const YamlNode& map, std::string_view key) {
  const YamlNode* const node = map.find(key);
  if (node == nullptr || node->is(YamlNode::Kind::kNull)) return {};
  if (!node->is(YamlNode::Kind::kScalar)) refuse("bad-field", node->line, "'" + std::string(key) + "' is not text", "write one text");
  return std::string(trim(node->text));
}

std::vector<std::string> Reader::texts_of(const YamlNode& map, std::string_view key) {
  std::vector<std::string> texts;
  const YamlNode* const node = map.find(key);
  if (node == nullptr) return texts;
  if (node->is(YamlNode::Kind::kScalar)) texts.push_back(node->text);
  if (node->is(YamlNode::Kind::kList)) {
    for (const YamlNode* entry : node->items) {
      count(*entry, 0);
      if (entry->is(YamlNode::Kind::kScalar)) texts.push_back(entry->text);
    }
  }
  return texts;
}

std::vector<std::string> Reader::names_of(const YamlNode& node, std::string_view code, std::string_view what) {
  std::vector<std::string> names;
  const auto add = [&](const YamlNode& entry) {
    count(entry, 0);
    const std::string_view text = entry.is(YamlNode::Kind::kScalar) ? trim(entry.text) : std::string_view();
    if (text.empty()) {
      refuse(std::string(code), entry.line, std::string(what) + " is not a text or a list of texts", "write one text, or a list of texts");
    }
    names.emplace_back(text);
  };
  if (node.is(YamlNode::Kind::kList)) {
    for (const YamlNode* entry : node.items) add(*entry);
  } else if (!node.is(YamlNode::Kind::kNull)) {
    add(node);
  }
  return names;
}

void Reader::read_identity(const YamlNode& root, Description& out) {
  if (!root.is(YamlNode::Kind::kMap)) {
    refuse("not-a-rule", root.line, "the document is not a map of a rule's fields", "start with 'title: …'");
  }
  out.file = std::string(file_);
  out.line = root.line;
  check_keys(root);
  out.id = text_of(root, "id");
  out.name = text_of(root, "name");
  out.title = text_of(root, "title");
  report_.rule = out.id.empty() ? out.name : out.id;
  report_.title = out.title;
  report_.line = out.line;
}

void Reader::read_description(const YamlNode& root, std::vector<std::string_view> standard, Description& out) {
  out.status = text_of(root, "status");
  out.description = text_of(root, "description");
  out.author = text_of(root, "author");
  out.license = text_of(root, "license");
  out.tags = texts_of(root, "tags");
  out.references = texts_of(root, "references");
  out.falsepositives = texts_of(root, "falsepositives");
  if (out.title.size() > kMaxTitle) {
    warn("long-title", out.line, "the title is longer than 256 characters", "shorten it");
  }
  const std::string level = to_lower(text_of(root, "level"));
  static constexpr std::string_view kNames[] = {"informational", "low", "medium", "high", "critical"};
  bool known = level.empty();
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (level == kNames[i]) {
      out.level = static_cast<Level>(i);
      known = true;
    }
  }
  if (!known) {
    refuse("bad-level", root.find("level")->line, "the level '" + printable(level, 40) + "' does not exist",
           "use informational, low, medium, high or critical");
  }
  static constexpr std::string_view kStandard[] = {
      "title",  "id",       "name",   "related",        "taxonomy", "status", "description",   "license", "references", "author", "date",
      "modified", "fields", "falsepositives", "level",    "tags",   "scope",         "action"};
  standard.insert(standard.end(), std::begin(kStandard), std::end(kStandard));
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    if (std::find(standard.begin(), standard.end(), root.items[i]->text) != standard.end()) continue;
    Attribute attribute;
    attribute.name = root.items[i]->text;
    write_attribute(*root.items[i + 1], 0, attribute.json);
    out.custom.push_back(std::move(attribute));
  }
}

// A custom attribute as JSON.
void Reader::write_attribute(const YamlNode& node, int depth, std::string& out) {
  count(node, depth);
  if (node.is(YamlNode::Kind::kMap) || node.is(YamlNode::Kind::kList)) {
    const bool map = node.is(YamlNode::Kind::kMap);
    out += map ? '{' : '[';
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out += map && i % 2 == 1 ? ':' : ',';
      if (map && i % 2 == 0) write_json(Value::of(std::string_view(node.items[i]->text)), out);
      else write_attribute(*node.items[i], depth + 1, out);
    }
    out += map ? '}' : ']';
    return;
  }
  const Scalar scalar = read_scalar(node);
  switch (scalar.type) {
    case Scalar::Type::kNull: write_json(Value::null(), out); return;
    case Scalar::Type::kBool: write_json(Value::of(scalar.boolean), out); return;
    case Scalar::Type::kInt: write_json(Value::of(scalar.integer), out); return;
    case Scalar::Type::kDouble: write_json(Value::of(scalar.real), out); return;
    case Scalar::Type::kString: write_json(Value::of(std::string_view(scalar.text)), out); return;
  }
}

void Reader::read_version(const YamlNode& root) {
  constexpr int kWithArrays = 3;
  const std::string version = text_of(root, "sigma-version");
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  array_matching_ = major >= kWithArrays;
}

Reader::Source Reader::read_log_source(const YamlNode& root, int line, std::string_view what) {
  const YamlNode* const source = root.find("logsource");
  if (source == nullptr || !source->is(YamlNode::Kind::kMap)) {
    refuse("missing-logsource", line, "the " + std::string(what) + " has no log source", "add 'logsource:' with product, category or service");
  }
  check_keys(*source);
  const auto read = [&](std::string_view key) -> std::string {
    const YamlNode* const node = source->find(key);
    if (node == nullptr || node->is(YamlNode::Kind::kNull)) return {};
    if (!node->is(YamlNode::Kind::kScalar)) {
      refuse("bad-field", node->line, "'logsource." + std::string(key) + "' is not text", "write one text");
    }
    return to_lower(trim(node->text));
  };
  Source result{read("product"), read("category"), read("service")};
  if (result.product.empty() && result.category.empty() && result.service.empty()) {
    warn("empty-logsource", source->line, "the log source names no product, category or service, so the " + std::string(what) + " is tried on every event",
         "name at least one");
  }
  return result;
}

}  // namespace tocsin::rules::sigma
