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
  static constexpr size_t kMostPeers = 4096;

  // `most_waiting`: answers of all peers; each holds something open that others
  // might have.
  explicit FailedAttempts(uint32_t most_waiting)
      : most_waiting_(most_waiting) {}

  // One more from `peer`, a Peer::caller: how long its answer is to wait. Other
  // than zero: it waits until Waited().
  std::chrono::milliseconds Failed(const std::string& peer,
                                   Clock::time_point now = Clock::now());
  void Waited();

 private:
  struct Second {
    Clock::time_point begin;
    uint32_t answers = 0;
  };

  const uint32_t most_waiting_;
  std::mutex mu_;
  std::unordered_map<std::string, Second> peers_;  // by mu_
  uint32_t waiting_ = 0;                           // by mu_
};

}  // namespace inkstream::transport
