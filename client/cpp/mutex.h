// A lock with conditions, by the standard library's. Abseil's does as much, but
// Debian builds it without ThreadSanitizer, which then sees no order between
// what one thread wrote under it and another reads.
//
// Waiters are woken by every Unlock() and look for themselves, so no change is
// announced by hand.
//
// Thread safety: safe from any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "client/cpp/moment.h"

namespace inkstream::client {

class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() {
    // Under the lock, so that who was woken may destroy this.
    if (waiters_ > 0) changed_.notify_all();
    mutex_.unlock();
  }

  // Waits, with the lock given up meanwhile, until `ready()`, which is called
  // under the lock. Returns it at the end.
  template <typename Ready>
  bool AwaitWithDeadline(Ready ready, Moment deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    ++waiters_;
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    bool is_ready = ready();
    while (!is_ready) {
      // At most a day at once: beyond some centuries clocks overflow.
      const absl::Duration left = deadline - Moment::Now();
      if (left <= absl::ZeroDuration()) break;
      changed_.wait_for(
          lock, absl::ToChronoMicroseconds(std::min(left, absl::Hours(24)) +
                                           absl::Microseconds(1)));
      is_ready = ready();
    }
    lock.release();
    --waiters_;
    return is_ready;
  }
  template <typename Ready>
  bool AwaitWithTimeout(Ready ready, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    return AwaitWithDeadline(ready, Moment::Now() + timeout);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t waiters_ ABSL_GUARDED_BY(this) = 0;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

}  // namespace inkstream::client
