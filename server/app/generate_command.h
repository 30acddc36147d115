// `inkstream generate`: synthetic drawings in Quick, Draw!'s own formats.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddGenerateCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
