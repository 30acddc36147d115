// A thread that looks at file systems, and may hang in one: its end waits a
// second for it, and then leaves it behind.
//
// So it may outlive its owner and all that belongs to the owner: it has what it
// needs in its body, and touches what is the owner's in Owner::Do() alone.
//
// Thread safety: Wake and Stop from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace inkstream::app {

class DetachedThread {
 public:
  // The owner, as the thread sees it.
  class Owner {
   public:
    // Runs `work`, for which the end of the owner waits: it looks at no file
    // system. False: the owner is gone, and nothing was done.
    bool Do(const std::function<void()>& work);
    // Waits for so long, or until Wake(). False: the owner is gone.
    bool Pause(std::chrono::nanoseconds pause);

   private:
    friend class DetachedThread;
    std::mutex mu_;  // guards everything below
    std::condition_variable changed_;
    bool woken_ = false;
    bool gone_ = false;
    bool ended_ = false;  // the thread
  };

  // The thread runs `body`, which returns once the owner is gone.
  explicit DetachedThread(std::function<void(Owner*)> body);
  ~DetachedThread();
  DetachedThread(const DetachedThread&) = delete;
  DetachedThread& operator=(const DetachedThread&) = delete;

  void Wake();
  // The owner is gone. Does not wait; for those who end several threads.
  void Stop();

 private:
  const std::shared_ptr<Owner> owner_ = std::make_shared<Owner>();
  std::chrono::steady_clock::time_point stopped_;
};

}  // namespace inkstream::app
