// tocsin: one binary, one subcommand at a time. Parses the command line, runs the subcommand, and turns what
// went wrong into a message and an exit status: 0 all well, 1 something wrong in the input, 2 wrong usage,
// 3 internal failure.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "engine/app/main_commands.hpp"

namespace {

// Memory holds raw records, keys and contacts: whatever happens, it is not written to a core file, and other programs
// of the same user cannot attach. (Leak checkers attach to themselves, so builds with them stay open.)
void keep_memory_private() {
  const rlimit none{0, 0};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0));
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tocsin;
  keep_memory_private();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error value at the write, not a death
  const SystemClock clock;
  engine::Context context{clock, argv[0], engine::kAllWell};
  try {
    CLI::App app("Tocsin: notices breaches of personal data, names whom they concern, and sees that they are told.");
    app.require_subcommand(1);
    app.set_version_flag("--version", TOCSIN_VERSION);
    app.failure_message(CLI::FailureMessage::help);
    engine::add_commands(app, context);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      const bool asked = e.get_exit_code() == 0;  // --help, --version
      if (asked) return app.exit(e);
      std::fprintf(stderr, "tocsin: %s\nRun 'tocsin --help' or 'tocsin COMMAND --help'.\n", e.what());
      return engine::kUsage;
    }
    return context.exit_status;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tocsin: internal failure: %s\n", e.what());
    return engine::kFailure;
  }
}
