// How many calls that are not streams are being answered, so that an orderly
// end knows when nobody waits any more.
//
// Thread safety: safe from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace inkstream::transport {

// Held by a shared_ptr: a thread that has just answered the last call still
// holds its Call when the server is already gone.
class CallsInFlight : public std::enable_shared_from_this<CallsInFlight> {
 public:
  // A call, until the last copy of this is gone.
  using Call = std::shared_ptr<CallsInFlight>;

  Call Begin();

  // Whether there was none at some moment before `deadline`.
  bool WaitUntilNone(std::chrono::steady_clock::time_point deadline);

 private:
  void End();

  std::mutex mu_;
  std::condition_variable changed_;
  uint64_t count_ = 0;
};

}  // namespace inkstream::transport
