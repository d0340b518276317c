// Filters are joined to rules before compiling: the condition becomes (rule) and (filter), as pySigma has it.
#include "rules/sigma/filter.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "rules/base/text.hpp"
#include "rules/sigma/parse.hpp"

namespace tocsin::rules::sigma {
namespace {

// Asymmetric: what the filter names, the rule must name too, and the same.
bool within(const Rule& rule, const Filter& filter) noexcept {
  const auto fits = [](const std::string& wanted, const std::string& own) { return wanted.empty() || wanted == own; };
  return fits(filter.product, rule.product) && fits(filter.category, rule.category) && fits(filter.service, rule.service);
}

void set_origin(Condition& condition, std::uint32_t origin) {
  condition.origin = origin;
  for (Condition& part : condition.parts) set_origin(part, origin);
}

void join(const Filter& filter, Rule& rule) {
  rule.filters.push_back(filter.key());
  const auto origin = static_cast<std::uint32_t>(rule.filters.size());
  for (const Selection& selection : filter.selections) {
    rule.selections.push_back(selection);
    rule.selections.back().origin = origin;
  }
  Condition added = filter.condition;
  set_origin(added, origin);
  Condition both;
  both.kind = Condition::Kind::kAnd;
  both.parts.push_back(std::move(rule.condition));
  both.parts.push_back(std::move(added));
  rule.condition = std::move(both);
  rule.condition_text = "(" + rule.condition_text + ") and filter (" + filter.condition_text + ")";
}

void warn(Report& report, int line, std::string code, std::string message, std::string remedy) {
  report.remarks.push_back(Remark{std::move(code), std::move(message), std::move(remedy), line});
  if (report.status == Status::kOk) report.line = line;
  report.status = Status::kWarning;
}

}  // namespace

void apply_filters(std::vector<ParsedDocument>& documents) {
  const bool any = std::any_of(documents.begin(), documents.end(), [](const ParsedDocument& d) { return d.filter.has_value(); });
  if (!any) return;
  std::vector<Rule*> rules;
  std::unordered_map<std::string, std::vector<Rule*>> by_reference;  // ids in lower case, names as they are
  for (ParsedDocument& document : documents) {
    if (!document.rule) continue;
    Rule* const rule = &*document.rule;
    rules.push_back(rule);
    if (!rule->id.empty()) by_reference[to_lower(rule->id)].push_back(rule);
    if (!rule->name.empty() && rule->name != rule->id) by_reference[rule->name].push_back(rule);
  }
  for (ParsedDocument& document : documents) {
    if (!document.filter) continue;
    const Filter& filter = *document.filter;
    std::vector<Rule*> reached;
    bool said = false;  // why a rule that it names is not reached
    if (filter.any) {
      std::copy_if(rules.begin(), rules.end(), std::back_inserter(reached), [&](const Rule* rule) { return within(*rule, filter); });
    }
    for (const std::string& reference : filter.rules) {
      auto named = by_reference.find(reference);
      if (named == by_reference.end()) named = by_reference.find(to_lower(reference));
      if (named == by_reference.end()) {
        warn(document.report, filter.line, "unknown-reference", "the filter names '" + printable(reference, 80) + "', which no loaded rule is called", "check the id or name");
        said = true;
        continue;
      }
      for (Rule* const rule : named->second) {
        if (!within(*rule, filter)) {
          warn(document.report, filter.line, "filter-log-source", "the filter names '" + printable(reference, 80) + "', whose log source is not within the filter's, so it is not applied",
               "give the filter the rule's log source");
          said = true;
        } else if (std::find(reached.begin(), reached.end(), rule) == reached.end()) {
          reached.push_back(rule);
        }
      }
    }
    if (reached.empty() && !said) {
      warn(document.report, filter.line, "unused-filter", "the filter applies to no rule that was loaded", "check 'rules' and the log source");
    }
    for (Rule* const rule : reached) join(filter, *rule);
  }
}

}  // namespace tocsin::rules::sigma
