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

// Joins every filter among `documents` to the rules it reaches: afterwards such a rule also has the filter's
// selections, of an origin of their own so that neither's names and patterns reach the other's, and a condition that
// asks for both. A filter reaches a rule if the filter names it (id or name; `any`: every rule) and each dimension of
// the filter's log source is that of the rule. A filter that reaches no rule, or names one that it does not reach, gets
// a warning in its report. Correlations are not touched.
void apply_filters(std::vector<ParsedDocument>& documents);

}  // namespace tocsin::rules::sigma
