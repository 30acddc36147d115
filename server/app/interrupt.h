// SIGINT and SIGTERM as a flag that long work looks at.
//
// Thread safety: Install and Wait from one thread; the rest from any.
#pragma once

#include <atomic>
#include <chrono>

namespace inkstream::app {

class Interrupt {
 public:
  // From now on the first SIGINT or SIGTERM sets the flag; a second one ends
  // the process at once. May be called again.
  static void Install();

  static bool requested() { return signal() != 0; }

  // The signal that came; 0: none.
  static int signal();

  // True once a signal came; lives as long as the process.
  static const std::atomic<bool>* flag();

  // Sleeps until a signal comes or `timeout` has passed; true: a signal came.
  static bool WaitFor(std::chrono::milliseconds timeout);

  // 130 for SIGINT, 143 for SIGTERM. REQUIRES: requested().
  static int exit_code();
};

}  // namespace inkstream::app
