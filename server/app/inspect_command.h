// `inkstream inspect`: one drawing for a person at a terminal.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddInspectCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
