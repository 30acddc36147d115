// `--config FILE` of a subcommand.
//
// Thread safety: call from the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace inkstream::app {

// Sets the options of `command` that neither the command line nor the
// environment has set from the lines name=value of `path` (TOML or INI).
// Throws CLI::ParseError, which names the file, for a file that cannot be read,
// an option that does not exist and a value that is not possible.
void ApplyConfigFile(CLI::App* command, const std::string& path);

}  // namespace inkstream::app
