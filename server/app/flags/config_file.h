// Options of a command in a file, in TOML: NAME = VALUE, or a list of values
// where there may be several.
//
// Thread safety: call from the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace inkstream::app {

// Not those that are about the file itself, or only print something.
bool MayBeInAFile(const CLI::Option& option);

// Sets the options of `command` that are not set yet from the file. Throws
// CLI::ParseError, which names file and line, for a file that cannot be read,
// an option that does not exist (with the nearest that does) and a value that
// is not possible; some options may be set then.
void ApplyConfigFile(CLI::App* command, const std::string& path);

// What an option was given, else its default; none: it has neither.
std::vector<std::string> ValuesOf(const CLI::Option& option);

// A file that says the same.
std::string ConfigText(const CLI::App& command);

}  // namespace inkstream::app
