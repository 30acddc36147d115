#include "server/batch/memory_gate.h"

#include <utility>

namespace inkstream::batch {

void MemoryGate::Attach() {
  pool_->SetOnReturn([weak = weak_from_this()] {
    if (const std::shared_ptr<MemoryGate> gate = weak.lock()) gate->OnReturn();
  });
}

std::unique_ptr<Buffer> MemoryGate::Acquire(
    size_t bytes, std::shared_ptr<BufferWaiter> waiter) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (stopped_) return nullptr;
  if (waiting_.empty()) {
    absl::StatusOr<std::unique_ptr<Buffer>> buffer = pool_->Acquire(bytes);
    if (buffer.ok()) return *std::move(buffer);
  }
  waiting_.push_back({bytes, std::move(waiter)});
  return nullptr;
}

// A buffer may come back under any lock of its holder: the waiters are served
// from a worker, which holds none.
void MemoryGate::OnReturn() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (waiting_.empty() || serving_) return;
    serving_ = true;
  }
  workers_->Post([self = shared_from_this()] { self->Serve(); });
}

void MemoryGate::Serve() {
  for (;;) {
    std::shared_ptr<BufferWaiter> waiter;
    std::unique_ptr<Buffer> buffer;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      serving_ = false;
      if (waiting_.empty()) return;
      absl::StatusOr<std::unique_ptr<Buffer>> got =
          pool_->Acquire(waiting_.front().bytes);
      if (!got.ok()) return;
      buffer = *std::move(got);
      waiter = std::move(waiting_.front().waiter);
      waiting_.pop_front();
    }
    waiter->OnBuffer(std::move(buffer));
  }
}

void MemoryGate::Stop() {
  std::deque<Request> dropped;
  const std::lock_guard<std::mutex> lock(mu_);
  stopped_ = true;
  dropped.swap(waiting_);
}

}  // namespace inkstream::batch
