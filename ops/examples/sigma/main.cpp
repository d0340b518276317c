// Runs Sigma rules over JSON events, one per line of standard input: sigma_example RULES… < EVENTS
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "rules/json_event.hpp"
#include "rules/sigma/engine.hpp"
#include "rules/sigma/source.hpp"

int main(int argc, char** argv) {
  using namespace tocsin::rules;
  const std::vector<std::filesystem::path> paths(argv + 1, argv + argc);
  const auto files = sigma::read_rule_files(paths);
  if (!files) return std::cerr << files.error().text() << '\n', 3;
  const sigma::Loaded loaded = sigma::load(*files);
  for (const auto& report : loaded.reports) {
    if (report.status == sigma::Status::kRejected) std::cerr << report.text() << '\n';
  }
  Arena arena;
  std::vector<sigma::Match> matches;
  for (std::string line; std::getline(std::cin, line); arena.reset(), matches.clear()) {
    const auto root = parse_json(line, arena);
    if (!root) continue;
    const Event event{sigma::recognise_source(*root), *root, line};
    loaded.engine->match(event, matches);
    for (const sigma::Match& match : matches) {
      std::cout << match.rule->title;
      for (const auto& reason : loaded.engine->explain(event, *match.rule)) std::cout << "; " << reason.test;
      std::cout << '\n';
    }
  }
}
