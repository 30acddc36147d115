// What is logged, and how: options of the program, which a configuration file
// of `serve` may have too.
//
// Thread safety: call from the main thread.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace inkstream::app {

// What they are set to has no effect by itself. `level` and `format` have the
// defaults, and outlive `app`.
struct LogFlags {
  CLI::Option* level;
  CLI::Option* format;
};
LogFlags AddLogFlags(CLI::App* app, std::string* level, std::string* format);

}  // namespace inkstream::app
