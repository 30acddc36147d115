// Reads that do not come back until a test lets them.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace inkstream::testing {

// Waits until it is so, a minute at most.
template <typename Condition>
bool Soon(const Condition& condition) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class HungDisk {
 public:
  HungDisk() {
    if (pipe(ends_) != 0) std::abort();
  }
  ~HungDisk() {
    Answer();
    close(ends_[0]);
  }
  HungDisk(const HungDisk&) = delete;
  HungDisk& operator=(const HungDisk&) = delete;

  void Read() {
    ++begun_;
    char byte;
    while (read(ends_[0], &byte, 1) < 0 && errno == EINTR) {
    }
    ++ended_;
  }
  // From now on reads come back.
  void Answer() {
    if (!answers_.exchange(true)) close(ends_[1]);
  }

  int begun() const { return begun_; }
  int ended() const { return ended_; }

 private:
  int ends_[2] = {-1, -1};
  std::atomic<bool> answers_{false};
  std::atomic<int> begun_{0};
  std::atomic<int> ended_{0};
};

}  // namespace inkstream::testing
