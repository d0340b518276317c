// One YAML document as a tree of our own. The library that reads YAML is named in yaml.cpp and nowhere else in this
// folder; what is read from a document sees only this tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/report.hpp"

namespace tocsin::rules::sigma {

inline constexpr std::size_t kMaxYamlNesting = 64;    // of lists and maps in one document, as written
inline constexpr std::size_t kMaxYamlNodes = 100000;  // of one document, aliases counted each time they are used

// A value of the document. Nodes are shared: an alias (`*name`) is the node that it names, which may lie above it.
// Whoever walks the tree must therefore bound its depth and its steps.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool plain = false;  // kScalar: neither quoted nor tagged, so that its looks tell its type
  int line = 0;        // 1-based, in the file
  std::string text;    // kScalar
  std::vector<const YamlNode*> items;  // kList: the items; kMap: key, value, key, value …

  // The value of the first key of that name; nullptr if there is none, or this is no map.
  [[nodiscard]] const YamlNode* find(std::string_view key) const noexcept;
  [[nodiscard]] bool is(Kind wanted) const noexcept { return kind == wanted; }
};

// Owns the nodes of a document. Pointers into it live as long as it does.
struct YamlDocument {
  std::deque<YamlNode> nodes;
  const YamlNode* root = nullptr;  // null if there was nothing

  [[nodiscard]] YamlNode& make(YamlNode::Kind kind, int line) {
    YamlNode& node = nodes.emplace_back();
    node.kind = kind;
    node.line = line;
    return node;
  }
};

// Reads one document; `first_line` is where the text begins in its file. Null with `refusal` filled in if the text is
// no YAML, or holds more than kMaxYamlNodes.
[[nodiscard]] std::shared_ptr<YamlDocument> read_yaml(std::string_view text, int first_line, Remark& refusal);

}  // namespace tocsin::rules::sigma
