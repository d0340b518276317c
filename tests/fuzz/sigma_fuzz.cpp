// Text of rules, correlations, filters and collections, and text of an event, parted by a line "====": neither may crash
// the engine, and what it says must be what the slow interpreter says; a rule that is said never to match must not.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <algorithm>
#include <string_view>
#include <vector>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/lint.hpp"
#include "rules/sigma/parse.hpp"
#include "rules/sigma/source.hpp"
#include "tests/oracle/sigma_oracle.hpp"

using namespace tocsin::rules;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostForOracle = 4096;  // it is slow, and that is no finding
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = input.find("\n====\n");
  sigma::LoadOptions options;
  options.placeholders["list"] = {"one", "t*o"};
  const sigma::RuleSource source{"fuzz.yml", std::string(input.substr(0, cut))};
  const sigma::Loaded loaded = sigma::load({&source, 1}, options);
  for (const sigma::Report& report : loaded.reports) {
    if (report.status == sigma::Status::kRejected && report.remarks.empty()) std::abort();
  }
  if (cut == std::string_view::npos) return 0;
  const std::string_view text = input.substr(cut + 6);
  Arena arena;
  Event event;
  event.raw = text;
  if (const auto root = parse_json(text, arena)) {
    event.root = sigma::flatten_windows(*root, arena);
    event.source = sigma::recognise_source(*root);
  }
  std::vector<sigma::Match> matches;
  loaded.engine->match(event, matches);
  matches.clear();
  loaded.engine->match(event, matches, sigma::Routing::kEverything);
  for (const sigma::Match& match : matches) {
    if (loaded.engine->explain(event, *match.rule).empty()) std::abort();
  }
  // Placeholders and encodings of text that is no UTF-8 are read differently on purpose.
  const bool comparable = size <= kMostForOracle && event.root.present() && source.text.find("expand") == std::string::npos &&
                          source.text.find("wide") == std::string::npos && source.text.find("utf16") == std::string::npos;
  if (!comparable) return 0;
  std::vector<sigma::Rule> written;
  std::vector<sigma::Filter> filters;
  for (sigma::ParsedDocument& document : sigma::parse_rules(source.text, source.name)) {
    if (document.rule) written.push_back(std::move(*document.rule));
    if (document.filter) filters.push_back(std::move(*document.filter));
  }
  for (const sigma::CompiledRule& rule : loaded.engine->rules()) {
    const auto same = [&](const sigma::Rule& one) { return one.line == rule.rule->line; };  // one text: a line is a document
    const auto as_written = std::find_if(written.begin(), written.end(), same);
    if (as_written == written.end()) std::abort();
    const bool fast = std::any_of(matches.begin(), matches.end(), [&](const sigma::Match& m) { return m.rule == rule.rule.get(); });
    const std::vector<sigma::Remark> said = sigma::lint(loaded.engine->program(), rule);
    if (!said.empty() && ((said[0].code == "never-true" && fast) || (said[0].code == "always-true" && !fast))) {
      std::fprintf(stderr, "said to be %s: %s\n", said[0].code.c_str(), loaded.engine->program().canonical(rule).c_str());
      std::abort();
    }
    if (fast == sigma::Oracle(*as_written, filters).matches(event)) continue;
    std::fprintf(stderr, "engine says %d for %s\n", fast ? 1 : 0, loaded.engine->program().canonical(rule).c_str());
    std::abort();
  }
  return 0;
}
