// Loading, step by step: every text is parsed into documents (collections are expanded there), filters are joined to
// the rules they reach, and what results becomes an engine.
#include "rules/sigma/load.hpp"

#include <iterator>
#include <utility>

namespace tocsin::rules::sigma {

bool is_pack_description(std::string_view path) noexcept {
  return path == "pack.yml" || path.ends_with("/pack.yml");
}

Loaded load(std::span<const RuleSource> sources, const LoadOptions& options) {
  std::vector<ParsedDocument> documents;
  for (const RuleSource& source : sources) {
    if (is_pack_description(source.name)) continue;
    std::vector<ParsedDocument> parsed = parse_rules(source.text, source.name);
    documents.insert(documents.end(), std::make_move_iterator(parsed.begin()), std::make_move_iterator(parsed.end()));
  }
  apply_filters(documents);
  return build(std::move(documents), options);
}

}  // namespace tocsin::rules::sigma
