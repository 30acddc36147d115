#include "server/transport/grpc/open_calls.h"

#include <grpc/grpc.h>

#include <vector>

#include "server/batch/work/caller_share.h"

namespace inkstream::transport {

bool OpenCalls::Begin(Call* call, const std::string& caller) {
  const std::lock_guard<std::mutex> lock(mu_);
  calls_[call].caller = caller;
  const uint32_t of_caller = ++callers_[caller];
  return calls_.size() <= limit_ && of_caller <= batch::CallerShare(limit_);
}

void OpenCalls::End(Call* call) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  const auto caller = callers_.find(found->second.caller);
  if (--caller->second == 0) callers_.erase(caller);
  calls_.erase(found);
}

void OpenCalls::Answered(Call* call) {
  const std::lock_guard<std::mutex> lock(mu_);
  const auto found = calls_.find(call);
  if (found != calls_.end()) found->second.answered = Clock::now();
}

void OpenCalls::EndIfStalled(Clock::time_point since) {
  std::vector<grpc_call*> stalled;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    for (auto& [call, state] : calls_) {
      if (state.answered > since) continue;
      state.answered = Clock::time_point::max();
      grpc_call_ref(call->c_call());
      stalled.push_back(call->c_call());
    }
  }
  // Without the lock: a call may end, and say so, in here.
  for (grpc_call* const call : stalled) {
    grpc_call_cancel_with_status(call, GRPC_STATUS_UNAVAILABLE,
                                 "SLOW_READER: the client has not taken the "
                                 "answer, or has asked for no more",
                                 nullptr);
    grpc_call_unref(call);
  }
}

}  // namespace inkstream::transport
