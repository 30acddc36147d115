#include <csignal>

#include "server/app/command_line.h"

int main(int argc, char** argv) {
  // Whoever reads our output or our log may go away: that is an error of the
  // write, and no reason to end.
  std::signal(SIGPIPE, SIG_IGN);
  return inkstream::app::RunCommandLine(argc, argv);
}
