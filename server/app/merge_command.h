// inkstream merge: several stores into one.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddMergeCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
