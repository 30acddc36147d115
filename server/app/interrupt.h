// Signals: SIGINT and SIGTERM as a flag that long work looks at, and for a
// service SIGHUP as a request.
//
// Thread safety: Install… and WaitForHangup from one thread; the rest from any.
#pragma once

#include <atomic>
#include <chrono>

namespace inkstream::app {

class Interrupt {
 public:
  // From now on the first SIGINT or SIGTERM sets the flag; a second one ends
  // the process at once. May be called again.
  static void Install();

  // Likewise, and SIGHUP wakes WaitForHangup(); SIGUSR1 and SIGUSR2 do nothing.
  // Nothing is noticed before a thread calls HandleHere(): neither this thread
  // nor those that it starts take these signals, since one that waits for a
  // mount that hangs would never get to them.
  static void InstallForService();
  static void HandleHere();

  static bool requested() { return signal() != 0; }

  // The signal that came; 0: none.
  static int signal();

  // True once a signal came; lives as long as the process.
  static const std::atomic<bool>* flag();

  // Sleeps until SIGINT or SIGTERM comes or `timeout` has passed; true: one
  // came.
  static bool WaitFor(std::chrono::milliseconds timeout);

  // Likewise without a timeout, or until the descriptor `other` can be read.
  static bool WaitForEither(int other);

  // Sleeps until a SIGHUP comes that no call has answered for yet: true; false:
  // SIGINT or SIGTERM came.
  static bool WaitForHangup();

  // 130 for SIGINT, 143 for SIGTERM. REQUIRES: requested().
  static int exit_code();
};

}  // namespace inkstream::app
