#include "server/transport/status/calls_in_flight.h"

namespace inkstream::transport {

CallsInFlight::Call CallsInFlight::Begin() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    ++count_;
  }
  return Call(this, [kept = shared_from_this()](CallsInFlight* calls) {
    calls->End();
  });
}

void CallsInFlight::End() {
  const std::lock_guard<std::mutex> lock(mu_);
  if (--count_ == 0) changed_.notify_all();
}

bool CallsInFlight::WaitUntilNone(
    std::chrono::steady_clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(mu_);
  return changed_.wait_until(lock, deadline, [this] { return count_ == 0; });
}

}  // namespace inkstream::transport
