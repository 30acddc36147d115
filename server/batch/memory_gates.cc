#include "server/batch/memory_gates.h"

#include <algorithm>
#include <utility>

namespace inkstream::batch {

std::shared_ptr<MemoryGate> MemoryGates::Of(std::shared_ptr<BufferPool> pool) {
  const std::lock_guard<std::mutex> lock(mu_);
  std::shared_ptr<MemoryGate> gate;
  if (pool.use_count() > 0) {
    // One stream's own: it goes with the stream.
    owned_gates_.erase(
        std::remove_if(owned_gates_.begin(), owned_gates_.end(),
                       [](const auto& gone) { return gone.expired(); }),
        owned_gates_.end());
    gate = std::make_shared<MemoryGate>(std::move(pool), workers_);
    owned_gates_.push_back(gate);
  } else {
    std::shared_ptr<MemoryGate>& kept = gates_[pool.get()];
    if (kept == nullptr) kept = std::make_shared<MemoryGate>(pool, workers_);
    gate = kept;
  }
  // A new pool may stand where an old one was.
  gate->Attach();
  return gate;
}

void MemoryGates::Stop() {
  const std::lock_guard<std::mutex> lock(mu_);
  for (const auto& [pool, gate] : gates_) gate->Stop();
  for (const std::weak_ptr<MemoryGate>& owned : owned_gates_) {
    if (const auto gate = owned.lock()) gate->Stop();
  }
}

}  // namespace inkstream::batch
