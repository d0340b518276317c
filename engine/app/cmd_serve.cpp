// tocsin serve: the engine, the API, the console and the portal, until SIGINT or SIGTERM; SIGHUP reads the rules again.
#include <pthread.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>

#include "engine/app/cli.hpp"
#include "engine/app/config.hpp"
#include "engine/app/live.hpp"

namespace tocsin::engine {
namespace {

struct Options {
  std::string config;
  std::string data;
  std::string listen;
  std::string log_level;
};

int serve(const Options& options, Context& context) {
  Config config;
  if (!options.config.empty()) {
    auto loaded = load_config(options.config);
    if (!loaded) return report(loaded.error());
    for (const ConfigMistake& mistake : loaded->mistakes) std::fprintf(stderr, "%s\n", describe(mistake, options.config).c_str());
    if (!loaded->mistakes.empty()) {
      std::fprintf(stderr, "tocsin: the configuration has mistakes; nothing was started\n");
      return kFoundWrong;
    }
    config = std::move(loaded->config);
  } else {
    config.data = default_data_directory();
  }
  if (!options.data.empty()) config.data = options.data;
  if (!options.listen.empty()) {
    const LoadedConfig listen = parse_config("listen: \"" + options.listen + "\"\n", "--listen");
    if (!listen.mistakes.empty()) {
      std::fprintf(stderr, "tocsin: --listen: %s\n", listen.mistakes.front().message.c_str());
      return kUsage;
    }
    config.listen_address = listen.config.listen_address;
    config.listen_port = listen.config.listen_port;
  }
  spdlog::set_default_logger(spdlog::stderr_color_mt("tocsin"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(options.log_level.empty() ? config.log_level : options.log_level));

  // Signals are waited for here and nowhere else: every thread started below inherits the mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto live = Live::start(config, context.clock);
  if (!live) return report(live.error());
  std::printf("Tocsin is running.\n\n  console   %s/\n  portal    %s/n      (what affected people open)\n  data      %s\n",
              (*live)->url().c_str(), (*live)->url().c_str(), config.data.c_str());
  if (config.sources.empty()) std::printf("\n  No sources are configured yet: see ops/docs/configuration.md, or POST to /v1/events.\n");
  if (!(*live)->claim_url().empty()) {
    std::printf("\n  First login (works once): %s\n", (*live)->claim_url().c_str());
  }
  std::printf("\nCtrl-C stops it.\n");
  std::fflush(stdout);

  for (int signal = 0; sigwait(&signals, &signal) == 0 && signal == SIGHUP;) {
    if (auto done = (*live)->reload_rules("SIGHUP"); !done) spdlog::error("{}", done.error().text());
  }
  spdlog::info("stopping");
  (*live)->stop();
  return kAllWell;
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("serve", "run the engine, the API, the console and the portal");
  auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "configuration (default: none, data in ./data)")->type_name("FILE");
  command->add_option("--data", options->data, "data directory, instead of the configuration's")->type_name("DIR");
  command->add_option("--listen", options->listen, "address and port, instead of the configuration's; port 0 = any")->type_name("ADDRESS:PORT");
  command->add_option("--log", options->log_level, "debug, info, warning or error");
  command->callback([options, &context] { context.exit_status = serve(*options, context); });
}

}  // namespace tocsin::engine
