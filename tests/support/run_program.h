// A program run to its end, as a shell would.
#pragma once

#include <signal.h>

#include <functional>
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
  // Sent this signal once `signal_when` is true (asked every few milliseconds,
  // for a minute at most); its standard input stays open until then. 0: none.
  int signal = 0;
  std::function<bool()> signal_when;
};

// `arguments` without the program's name.
ProgramResult RunProgram(const std::string& program,
                         const std::vector<std::string>& arguments,
                         const ProgramOptions& options = {});

}  // namespace inkstream::testing
