// Sees to it that a signal ends a server, whatever stands in the way: a thread
// that waits for a mount that hangs waits for ever, and so does who joins it.
// Its own thread, which waits for nothing else, takes the signals.
//
// Thread safety: call from the main thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace inkstream::app {

class EndGuard {
 public:
  // Until ExpectEndWithin(), SIGINT and SIGTERM end the process at once, with
  // exit code 0: there is nothing yet that would have to be finished.
  EndGuard();
  // The end has come about, or there was no need for one.
  ~EndGuard();

  // From now on the process has this long from the signal; then it is ended as
  // it is, with exit code 1.
  void ExpectEndWithin(std::chrono::milliseconds limit);

 private:
  void Watch();

  std::mutex mu_;
  std::condition_variable changed_;
  std::chrono::milliseconds limit_{0};  // by mu_
  bool serving_ = false;                // by mu_
  bool done_ = false;                   // by mu_
  const int done_event_;                // readable once done_
  std::thread thread_;
};

}  // namespace inkstream::app
