// tocsin config check FILE: names every mistake of a configuration with its line.
#include <boost/json.hpp>
#include <cstdio>

#include "engine/app/cli.hpp"
#include "engine/app/config.hpp"

namespace tocsin::engine {

void add_config(CLI::App& app, Context& context) {
  CLI::App* config = app.add_subcommand("config", "check a configuration");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "name every mistake of a configuration, with its line");
  struct Options {
    std::string file;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  check->add_option("FILE", options->file, "the configuration (tocsin.yml)")->required();
  check->add_flag("--json", options->json, "one JSON object per mistake: {\"file\", \"line\", \"key\", \"message\", \"remedy\"}");
  check->callback([options, &context] {
    auto loaded = load_config(options->file);
    if (!loaded) {
      context.exit_status = report(loaded.error());
      return;
    }
    for (const ConfigMistake& mistake : loaded->mistakes) {
      if (options->json) {
        const boost::json::object line{{"file", options->file}, {"line", mistake.line}, {"key", mistake.key},
                                       {"message", mistake.message}, {"remedy", mistake.remedy}};
        std::printf("%s\n", boost::json::serialize(line).c_str());
      } else {
        std::printf("%s\n", describe(mistake, options->file).c_str());
      }
    }
    if (!loaded->mistakes.empty()) {
      context.exit_status = kFoundWrong;
    } else if (!options->json) {
      std::fprintf(stderr, "%s: no mistakes, %zu sources, %zu datasets\n", options->file.c_str(),
                   loaded->config.sources.size(), loaded->config.datasets.size());
    }
  });
}

}  // namespace tocsin::engine
