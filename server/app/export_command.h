// `inkstream export`: a store as the NDJSON that went in.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddExportCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
