// The list of subcommands, in the order in which --help shows them.
#include "engine/app/cli.hpp"
#include "engine/app/main_commands.hpp"

namespace tocsin::engine {

void add_commands(CLI::App& app, Context& context) {
  add_serve(app, context);
  add_replay(app, context);
  add_decode(app, context);
  add_rules(app, context);
  add_scan(app, context);
  add_register(app, context);
  add_exposed(app, context);
  add_assess(app, context);
  add_ledger(app, context);
  add_journal(app, context);
  add_forget(app, context);
  add_user(app, context);
  add_backup(app, context);
  add_config(app, context);
}

}  // namespace tocsin::engine
