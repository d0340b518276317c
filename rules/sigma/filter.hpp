// A filter (specification 2.1.0, "filters"): an exception that is kept apart from the rules it applies to. It holds
// selections and a condition like a rule; a rule that it reaches matches only where the filter's condition holds too.
#pragma once

#include <string>
#include <vector>

#include "rules/sigma/rule.hpp"

namespace tocsin::rules::sigma {

struct ParsedDocument;

struct Filter : Description {
  std::string product;  // log source, empty = any
  std::string category;
  std::string service;

  bool any = false;                // every rule whose log source lies within the filter's
  std::vector<std::string> rules;  // ids or names, where `any` is false
  std::vector<Selection> selections;
  Condition condition;
  std::string condition_text;
};

// Joins every filter among `documents` to the rules it reaches: afterwards each such rule has the filter's selections
// (under private names that no pattern of its own can reach) and a condition that asks for both. A filter that reaches
// no rule gets a warning in its report.
void apply_filters(std::vector<ParsedDocument>& documents);

}  // namespace tocsin::rules::sigma
