// `inkstream bench`: how fast batches arrive from a server, and what they cost
// the client.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddBenchCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
