// `inkstream verify`: reads every value of a store.
#pragma once

#include <CLI/CLI.hpp>

namespace inkstream::app {

void AddVerifyCommand(CLI::App& app, int* exit_code);

}  // namespace inkstream::app
