#include "server/batch/memory_gate.h"

#include <utility>

namespace inkstream::batch {

void MemoryGate::Attach() {
  pool_->SetOnReturn([weak = weak_from_this()] {
    if (const std::shared_ptr<MemoryGate> gate = weak.lock()) gate->OnReturn();
  });
}

std::unique_ptr<Buffer> MemoryGate::Acquire(
    size_t bytes, std::weak_ptr<BufferWaiter> waiter) {
  const std::lock_guard<std::mutex> lock(mu_);
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
      waiter = waiting_.front().waiter.lock();
      if (waiter != nullptr) {
        absl::StatusOr<std::unique_ptr<Buffer>> got =
            pool_->Acquire(waiting_.front().bytes);
        if (!got.ok()) return;
        buffer = *std::move(got);
      }
      waiting_.pop_front();
    }
    if (waiter != nullptr) waiter->OnBuffer(std::move(buffer));
  }
}

}  // namespace inkstream::batch
