// `inkstream serve`: stores -> batches over gRPC.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddServeCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
