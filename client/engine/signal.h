// Says that there may be something to be taken.
//
// Thread safety: Wait() from one thread at a time, Set() from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace inkstream::engine {

class Signal {
 public:
  void Set() {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      set_ = true;
    }
    changed_.notify_all();
  }

  // Returns once it was set since the last return, or after `seconds`.
  void Wait(double seconds) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                      [this] { return set_; });
    set_ = false;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  bool set_ = false;  // guarded by mu_
};

}  // namespace inkstream::engine
