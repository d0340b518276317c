// Collections of Sigma 1 (`action:`), still found in files of rules: a template for the documents after it, and rules
// that say only where they differ from the one before. Expanded on the YAML trees of one file, in order.
//
//   action: global   deep-merged under every following rule, until the next `global` or `reset`; is no rule itself
//   action: reset    ends that
//   action: repeat   deep-merged over the document before it
//
// Maps merge key by key, everything else replaces; what a document says itself wins over what a template says.
// Correlations and filters take no part.
#pragma once

#include <memory>
#include <vector>

#include "rules/sigma/yaml.hpp"

namespace tocsin::rules::sigma {

class Collection {
 public:
  // The tree to read for this document, or null if it is none to read (global, reset). Throws Refusal (read.hpp):
  // "bad-action", "broken-template", "too-deep", "too-large". The tree lives as long as the collection.
  [[nodiscard]] const YamlNode* next(std::shared_ptr<const YamlDocument> document);
  // A document whose YAML could not be read. If its text speaks of an action it may have been a template, and rules
  // without it would be other rules: they are refused until the next `global` or `reset`.
  void broken(std::string_view text);

 private:
  [[nodiscard]] const YamlNode* merge(const YamlNode& base, const YamlNode& over, int depth, std::size_t& made);

  std::vector<std::shared_ptr<const YamlDocument>> kept_;
  YamlDocument merged_;
  const YamlNode* global_ = nullptr;
  const YamlNode* previous_ = nullptr;
  bool broken_ = false;
};

}  // namespace tocsin::rules::sigma
