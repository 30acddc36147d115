#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "absl/synchronization/mutex.h"
#include "server/app/flags/command_line.h"

namespace {

// Where whoever starts this has closed its output or its log, the next file or
// socket would get that number, and what is written for people with it.
void OpenClosedOutputs() {
  int fd = 0;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  OpenClosedOutputs();
  // Whoever reads our output or our log may go away: that is an error of the
  // write, and no reason to end.
  std::signal(SIGPIPE, SIG_IGN);
  // Debian builds Abseil with a graph of all locks held, for gRPC's as well: up
  // to a fifth of a server's CPU. Our own locks are looked at under TSan.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return inkstream::app::RunCommandLine(argc, argv);
}
