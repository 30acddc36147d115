// inkstream fetch.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddFetchCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
