// The options of `serve`, however they are given.
#pragma once

#include <CLI/CLI.hpp>

#include "server/app/serve/server_lifecycle.h"

namespace inkstream::app {

// All that may be in a configuration file. `options` has the defaults, and
// outlives the command.
void AddServeFlags(CLI::App* command, ServeOptions* options);

}  // namespace inkstream::app
