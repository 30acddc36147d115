// `inkstream ingest`: drawings from files into a store.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddIngestCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
