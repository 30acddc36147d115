// A program run to its end, as a shell would.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

namespace inkstream::testing {

struct ProgramResult {
  int exit_code = -1;  // 128 + number where a signal ended it
  std::string out;
  std::string err;
};

struct ProgramOptions {
  std::string input;                     // its standard input
  std::vector<std::string> environment;  // NAME=VALUE, added to this process's
  // Sent this signal after so many milliseconds; its standard input stays open
  // until then. 0: none.
  int signal = 0;
  int signal_after_ms = 0;
};

// `arguments` without the program's name.
ProgramResult RunProgram(const std::string& program,
                         const std::vector<std::string>& arguments,
                         const ProgramOptions& options = {});

}  // namespace inkstream::testing
