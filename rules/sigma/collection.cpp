// Deep merge over trees that share nodes; bounded, since aliases can make a small text a large or endless tree.
#include "rules/sigma/collection.hpp"

#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/parse.hpp"
#include "rules/sigma/read.hpp"

namespace tocsin::rules::sigma {

using Kind = YamlNode::Kind;

const YamlNode* Collection::next(std::shared_ptr<const YamlDocument> document) {
  const YamlNode* const root = document->root;
  kept_.push_back(std::move(document));
  if (root == nullptr || !root->is(Kind::kMap)) return root;
  const YamlNode* const action = root->find("action");
  if (root->find("correlation") != nullptr || root->find("filter") != nullptr) {
    if (action == nullptr) return root;
    refuse("bad-action", action->line, "correlations and filters take no part in collections", "remove 'action'");
  }
  const std::string_view what = action == nullptr ? std::string_view() : std::string_view(action->text);
  if (what == "global" || what == "reset") {
    global_ = what == "global" ? root : nullptr;
    previous_ = global_;
    broken_ = false;
    if (what == "reset" && root->items.size() > 2) {
      refuse("bad-action", action->line, "a document with 'action: reset' says more, which would be lost", "write the rest as a document of its own");
    }
    return nullptr;
  }
  if (action != nullptr && what != "repeat") {
    refuse("bad-action", action->line, "'action: " + printable(what, 40) + "' does not exist", "use global, reset or repeat");
  }
  if (broken_) {
    refuse("broken-template", root->line, "a document before this one, perhaps its template, could not be read", "mend that document first");
  }
  std::size_t made = 0;
  if (action != nullptr) {
    if (previous_ == nullptr) refuse("bad-action", action->line, "'action: repeat' has no document before it to repeat", "write the rule out");
    previous_ = merge(*previous_, *root, 0, made);
  } else {
    previous_ = root;
  }
  return global_ == nullptr || previous_ == global_ ? previous_ : merge(*global_, *previous_, 0, made);
}

void Collection::broken(std::string_view text) {
  previous_ = nullptr;
  if (text.find("action") != std::string_view::npos) broken_ = true;
}

const YamlNode* Collection::merge(const YamlNode& base, const YamlNode& over, int depth, std::size_t& made) {
  if (depth > kMaxYamlDepth) refuse("too-deep", over.line, "the collection is nested deeper than 32 levels", "flatten it");
  YamlNode& node = merged_.make(Kind::kMap, over.line);
  for (std::size_t i = 0; i + 1 < base.items.size(); i += 2) {
    if (++made > kMaxYamlNodes) refuse("too-large", over.line, "the collection has more than 100,000 values", "write the rules out");
    const YamlNode& key = *base.items[i];
    const YamlNode* value = base.items[i + 1];
    if (depth == 0 && key.text == "action") continue;
    const YamlNode* const own = key.is(Kind::kScalar) ? over.find(key.text) : nullptr;
    if (own != nullptr) value = value->is(Kind::kMap) && own->is(Kind::kMap) ? merge(*value, *own, depth + 1, made) : own;
    node.items.push_back(&key);
    node.items.push_back(value);
  }
  for (std::size_t i = 0; i + 1 < over.items.size(); i += 2) {
    if (++made > kMaxYamlNodes) refuse("too-large", over.line, "the collection has more than 100,000 values", "write the rules out");
    const YamlNode& key = *over.items[i];
    if ((depth == 0 && key.text == "action") || (key.is(Kind::kScalar) && base.find(key.text) != nullptr)) continue;
    node.items.push_back(&key);
    node.items.push_back(over.items[i + 1]);
  }
  return &node;
}

}  // namespace tocsin::rules::sigma
