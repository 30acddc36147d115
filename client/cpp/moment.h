// A moment by the clock that nobody sets: a jump of the wall clock neither
// ends what waits for one nor holds it up. Durations may be infinite.
//
// Thread safety: a value.
#pragma once

#include <chrono>
#include <compare>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace inkstream::client {

class Moment {
 public:
  static Moment Now() {
    return Moment(
        absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()));
  }

  // For gRPC, which is told by the wall clock and looks at it once.
  std::chrono::system_clock::time_point ByWallClock() const {
    return absl::ToChronoTime(absl::Now() + (*this - Now()));
  }

  friend Moment operator+(Moment moment, absl::Duration after) {
    return Moment(moment.since_ + after);
  }
  friend absl::Duration operator-(Moment later, Moment earlier) {
    return later.since_ - earlier.since_;
  }
  friend bool operator==(Moment a, Moment b) { return a.since_ == b.since_; }
  friend bool operator<(Moment a, Moment b) { return a.since_ < b.since_; }
  friend bool operator>=(Moment a, Moment b) { return !(a < b); }

 private:
  explicit Moment(absl::Duration since) : since_(since) {}

  absl::Duration since_;
};

}  // namespace inkstream::client
