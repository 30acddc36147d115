#include "server/transport/grpc/watched_calls.h"

#include <utility>
#include <vector>

#include "server/transport/grpc/cancel_call.h"

namespace inkstream::transport {

void WatchedCall::OnProgress() {
  const std::lock_guard<std::mutex> lock(mu_);
  clients_turn_ = true;
  progress_ = Clock::now();
}

void WatchedCall::OnDone() {
  const std::lock_guard<std::mutex> lock(mu_);
  call_ = nullptr;
}

void WatchedCall::EndIfStalled(Clock::time_point since) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (call_ == nullptr || !clients_turn_ || progress_ > since) return;
  // Of a long message some may have been taken.
  if (unread_->bytes() > 0 && !unread_->StuckSince(since)) return;
  CancelCall(call_, stalled_);
  clients_turn_ = false;
}

std::shared_ptr<WatchedCall> WatchedCalls::Add(
    grpc::CallbackServerContext* call, absl::Status stalled) {
  auto watched = std::make_shared<WatchedCall>(call, std::move(stalled));
  const std::lock_guard<std::mutex> lock(mu_);
  calls_.insert(watched);
  return watched;
}

void WatchedCalls::Remove(const std::shared_ptr<WatchedCall>& call) {
  call->OnDone();
  const std::lock_guard<std::mutex> lock(mu_);
  calls_.erase(call);
}

void WatchedCalls::EndIfStalled(WatchedCall::Clock::time_point since) {
  std::vector<std::shared_ptr<WatchedCall>> calls;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    calls.assign(calls_.begin(), calls_.end());
  }
  for (const std::shared_ptr<WatchedCall>& call : calls) {
    call->EndIfStalled(since);
  }
}

}  // namespace inkstream::transport
