// Calls that are not streams and stand still when their client does not read
// its answer.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "server/transport/unread_bytes.h"

namespace inkstream::transport {

// One of them, from its first message to its end.
class WatchedCall {
 public:
  using Clock = std::chrono::steady_clock;

  // `stalled`: what the client is told where it stands still.
  WatchedCall(grpc::CallbackServerContext* call, absl::Status stalled)
      : call_(call), stalled_(std::move(stalled)) {}

  // The client has done something, and it is its turn again.
  void OnProgress();
  // The call is over.
  void OnDone();

  // Cancels the call if it has been the client's turn since before `since`.
  void EndIfStalled(Clock::time_point since);

  // Bytes of an answer that the client has not read.
  const std::shared_ptr<UnreadBytes>& unread() const { return unread_; }

 private:
  const std::shared_ptr<UnreadBytes> unread_ = std::make_shared<UnreadBytes>();
  std::mutex mu_;
  grpc::CallbackServerContext* call_;  // null: it is over; guarded by mu_
  const absl::Status stalled_;
  bool clients_turn_ = false;   // guarded by mu_
  Clock::time_point progress_;  // guarded by mu_
};

class WatchedCalls {
 public:
  std::shared_ptr<WatchedCall> Add(grpc::CallbackServerContext* call,
                                   absl::Status stalled);
  // Ends the watch.
  void Remove(const std::shared_ptr<WatchedCall>& call);
  void EndIfStalled(WatchedCall::Clock::time_point since);

 private:
  std::mutex mu_;
  std::set<std::shared_ptr<WatchedCall>> calls_;  // guarded by mu_
};

}  // namespace inkstream::transport
