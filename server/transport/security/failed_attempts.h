// Callers that cannot prove who they are, slowed down by where they come from:
// so many answers a second, the others after a pause. Guessing 256 bits is
// hopeless at any rate; this is for the server's time, and for its log.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace inkstream::transport {

class FailedAttempts {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr uint32_t kAnswersASecond = 10;
  static constexpr std::chrono::milliseconds kPause{1000};
  // Answers that wait, of all peers: each is a call that is open.
  static constexpr uint32_t kMostWaiting = 1024;
  static constexpr size_t kMostPeers = 4096;

  // One more from `peer`: how long its answer is to wait. Other than zero: it
  // waits until Waited().
  std::chrono::milliseconds Failed(const std::string& peer,
                                   Clock::time_point now = Clock::now());
  void Waited();

 private:
  struct Second {
    Clock::time_point begin;
    uint32_t answers = 0;
  };

  std::mutex mu_;
  std::unordered_map<std::string, Second> peers_;  // by mu_
  uint32_t waiting_ = 0;                           // by mu_
};

}  // namespace inkstream::transport
