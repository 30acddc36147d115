// `inkstream plan`: what a stream would deliver, from the store itself.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddPlanCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
