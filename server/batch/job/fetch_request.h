// A fetch from its call to its answer.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/plan/fetch_plan.h"
#include "server/batch/work/memory_arbiter.h"

namespace inkstream::batch {

// Answers CANCELLED if it is dropped before it was answered.
class FetchRequest {
 public:
  FetchRequest(FetchPlan plan, std::shared_ptr<MemoryArbiter> memory,
               std::string caller, FetchDone done)
      : plan_(std::move(plan)),
        memory_(std::move(memory)),
        caller_(std::move(caller)),
        done_(std::move(done)) {}
  ~FetchRequest() { Answer(absl::CancelledError("the server is stopping")); }
  FetchRequest(const FetchRequest&) = delete;
  FetchRequest& operator=(const FetchRequest&) = delete;

  const FetchPlan& plan() const { return plan_; }

  // Nobody waits for an answer any more.
  bool ended() const { return ended_; }

  // Memory for the answer, as MemoryAccount::Acquire. Again only where what it
  // gave is back and was not enough.
  absl::StatusOr<std::unique_ptr<Buffer>> Acquire(
      size_t bytes, std::shared_ptr<BufferWaiter> waiter) {
    std::shared_ptr<MemoryAccount> account = memory_->Open(caller_, bytes);
    {
      const std::lock_guard<std::mutex> lock(mu_);
      account_ = account;
    }
    if (ended_) account->Close();
    return account->Acquire(bytes, std::move(waiter));
  }

  // The first one counts.
  void Answer(absl::StatusOr<FetchedBatch> answer) {
    FetchDone done;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      done = std::exchange(done_, nullptr);
    }
    if (done != nullptr) done(std::move(answer));
  }

  // Answers CANCELLED; what was begun for it stops soon.
  void End() {
    ended_ = true;
    std::shared_ptr<MemoryAccount> account;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      account = account_;
    }
    if (account != nullptr) account->Close();
    Answer(absl::CancelledError("nobody waits for the answer any more"));
  }

 private:
  const FetchPlan plan_;
  const std::shared_ptr<MemoryArbiter> memory_;
  const std::string caller_;
  std::atomic<bool> ended_{false};
  std::mutex mu_;
  FetchDone done_;                          // guarded by mu_
  std::shared_ptr<MemoryAccount> account_;  // guarded by mu_
};

}  // namespace inkstream::batch
