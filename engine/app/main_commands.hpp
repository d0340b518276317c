// Declares every subcommand of `tocsin` on one CLI11 app.
#pragma once

#include "engine/app/cli.hpp"

namespace tocsin::engine {

void add_commands(CLI::App& app, Context& context);

}  // namespace tocsin::engine
