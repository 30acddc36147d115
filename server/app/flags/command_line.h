// The command line as a function: parses, runs one subcommand, answers the exit
// code.
//
// Thread safety: call once, from the main thread.
#pragma once

namespace inkstream::app {

// Every subcommand keeps to these.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // the work failed
inline constexpr int kExitUsage = 2;   // the command line is wrong
// 130: SIGINT; 143: SIGTERM.

int RunCommandLine(int argc, const char* const* argv);

}  // namespace inkstream::app
