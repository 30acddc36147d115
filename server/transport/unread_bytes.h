// What has been handed to a client's connection and has not left it: the client
// does not read, or the network is slow.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace inkstream::transport {

class UnreadBytes {
 public:
  using Clock = std::chrono::steady_clock;

  void OnHanded(uint64_t bytes) {
    // The moment first: who looks in between would take rest for waiting.
    if (bytes_ == 0) moved_ = Clock::now();
    bytes_ += bytes;
  }
  void OnTaken(uint64_t bytes) {
    moved_ = Clock::now();
    bytes_ -= bytes;
  }

  uint64_t bytes() const { return bytes_; }

  // Whether there have been some since `since`, and none of them was taken.
  bool StuckSince(Clock::time_point since) const {
    return bytes_ > 0 && moved_.load() <= since;
  }

 private:
  std::atomic<uint64_t> bytes_{0};
  std::atomic<Clock::time_point> moved_{Clock::time_point()};
};

}  // namespace inkstream::transport
