// The list of subcommands.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

// Adds every subcommand. A command's callback stores the exit code (see
// command_line.h) in `exit_code`, which must outlive `app.parse`.
void AddCommands(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
