// The gate of each pool of buffers: a pool that streams share has one, a
// stream's own pool has one that goes with the stream.
//
// Thread safety: any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server/batch/buffer_pool.h"
#include "server/batch/memory_gate.h"
#include "server/batch/worker_pool.h"

namespace inkstream::batch {

class MemoryGates {
 public:
  explicit MemoryGates(std::shared_ptr<WorkerPool> workers)
      : workers_(std::move(workers)) {}

  // A pool that nobody owns (`use_count` 0) is shared.
  std::shared_ptr<MemoryGate> Of(std::shared_ptr<BufferPool> pool);
  // Who waits at any of them gets nothing more.
  void Stop();

 private:
  const std::shared_ptr<WorkerPool> workers_;
  std::mutex mu_;
  std::map<BufferPool*, std::shared_ptr<MemoryGate>> gates_;  // by mu_
  std::vector<std::weak_ptr<MemoryGate>> owned_gates_;        // by mu_
};

}  // namespace inkstream::batch
