#include "server/transport/grpc/calls/open_calls.h"

#include <grpc/grpc.h>

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_reason.h"
#include "server/transport/grpc/calls/cancel_call.h"

namespace inkstream::transport {

bool OpenCalls::Begin(Call* call, const std::string& caller) {
  const std::lock_guard<std::mutex> lock(mu_);
  const bool fits = sums_.Fits(caller, 1);
  calls_[call].caller = caller;
  sums_.Add(caller, 1);
  return fits;
}

void OpenCalls::End(Call* call) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  sums_.Remove(found->second.caller, 1);
  calls_.erase(found);
}

void OpenCalls::Answered(Call* call,
                         std::shared_ptr<const UnreadBytes> unread) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  found->second.answered = Clock::now();
  found->second.unread = std::move(unread);
}

void OpenCalls::EndIfStalled(Clock::time_point since) {
  std::vector<grpc_call*> stalled;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (auto& [call, state] : calls_) {
      if (state.answered > since) continue;
      if (state.unread != nullptr && state.unread->bytes() > 0 &&
          !state.unread->StuckSince(since)) {
        continue;
      }
      state.answered = Clock::time_point::max();
      grpc_call_ref(call->c_call());
      stalled.push_back(call->c_call());
    }
  }
  // Without the lock: a call may end, and say so, in here.
  for (grpc_call* const call : stalled) {
    CancelCall(call, WithReason(absl::UnavailableError(
                                    "the client has not taken the answer, or "
                                    "has asked for no more"),
                                kReasonSlowReader));
    grpc_call_unref(call);
  }
}

}  // namespace inkstream::transport
