// `inkstream stats`: what is in a store, in figures.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddStatsCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
