// `inkstream health`: is a server ready? For container health checks, where no
// other client is at hand.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddHealthCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
