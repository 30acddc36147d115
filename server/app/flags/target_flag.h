// --target: where a server is asked.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace inkstream::app {

// Refuses what can be no address, with what was probably meant. `description`:
// of the command's target.
CLI::Option* AddTargetFlag(CLI::App* command, std::string* target,
                           const std::string& description);

}  // namespace inkstream::app
