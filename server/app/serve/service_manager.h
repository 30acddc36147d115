// What systemd is told of a service of Type=notify: that it is ready, that it
// ends, and that it is well (WatchdogSec=). Nothing where NOTIFY_SOCKET is not
// set, so where systemd did not start this process.
//
// Thread safety: call from the main thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace inkstream::app {

class ServiceManager {
 public:
  // Says that the service is ready, and from now on, as often as systemd wants
  // it, that it is well as long as `alive()` is true. `alive` may be called
  // from another thread until the destructor ends.
  explicit ServiceManager(std::function<bool()> alive);

  void Stopping() const;

 private:
  void Tell(const char* state) const;
  void KeepWatchdogQuiet(const std::stop_token& stop,
                         std::chrono::microseconds period) const;

  const std::function<bool()> alive_;
  const std::string socket_;  // "": nobody to tell
  std::jthread thread_;       // where systemd watches
};

}  // namespace inkstream::app
