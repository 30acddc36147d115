// Keeps a kind of line from filling the log: so many at once, so many a second,
// and a count of what was left out.
//
// Thread safety: any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace inkstream::app {

class LogLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  LogLimiter(double burst, double per_second)
      : burst_(burst), per_second_(per_second), tokens_(burst) {}

  // nullopt: leave this line out. Otherwise how many were left out since the
  // last that was not.
  std::optional<uint64_t> Take(Clock::time_point now = Clock::now()) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (last_.has_value()) {
      const double seconds =
          std::chrono::duration<double>(now - *last_).count();
      tokens_ = std::min(burst_, tokens_ + seconds * per_second_);
    }
    last_ = now;
    if (tokens_ < 1) {
      ++left_out_;
      return std::nullopt;
    }
    tokens_ -= 1;
    return std::exchange(left_out_, 0);
  }

 private:
  const double burst_;
  const double per_second_;
  std::mutex mu_;
  double tokens_;                          // by mu_
  std::optional<Clock::time_point> last_;  // by mu_
  uint64_t left_out_ = 0;                  // by mu_
};

}  // namespace inkstream::app
