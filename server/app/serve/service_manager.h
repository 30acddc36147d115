// What systemd is told of a service of Type=notify: that it is ready, that it
// ends, and that it is well (WatchdogSec=). Nothing where NOTIFY_SOCKET is not
// set, so where systemd did not start this process.
//
// Thread safety: call from the main thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace inkstream::app {

class ServiceManager {
 public:
  // Says that the service is ready, and from now on, as often as systemd wants
  // it, that it is well as long as `alive()` is true. `alive` may be called
  // from another thread until the destructor ends.
  explicit ServiceManager(std::function<bool()> alive);
  ~ServiceManager();

  void Stopping() const;

 private:
  void Tell(const char* state) const;
  void KeepWatchdogQuiet(std::chrono::microseconds period);

  const std::function<bool()> alive_;
  const std::string socket_;  // "": nobody to tell
  std::mutex mu_;
  std::condition_variable changed_;
  bool done_ = false;   // by mu_
  std::thread thread_;  // where systemd watches
};

}  // namespace inkstream::app
