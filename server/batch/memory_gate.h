// Hands out the buffers of one pool in the order in which they were asked for.
//
// A request that the pool's budget cannot meet waits, and later ones wait
// behind it, so a large batch is not starved by small ones. It cannot
// deadlock: every stream asks for its batches in order, so what is held is
// always deliverable, and a request larger than the whole budget is refused
// before it comes here.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "server/batch/buffer_pool.h"
#include "server/batch/worker_pool.h"

namespace inkstream::batch {

// Whoever waits for a buffer.
class BufferWaiter {
 public:
  virtual ~BufferWaiter() = default;

  // Called once for each request that had to wait, from a worker, with no lock
  // held. A waiter that has lost interest just drops the buffer.
  virtual void OnBuffer(std::unique_ptr<Buffer> buffer) = 0;
};

class MemoryGate : public std::enable_shared_from_this<MemoryGate> {
 public:
  MemoryGate(std::shared_ptr<BufferPool> pool,
             std::shared_ptr<WorkerPool> workers)
      : pool_(std::move(pool)), workers_(std::move(workers)) {}

  // Hooks the gate to its pool, before the first Acquire. May be called again.
  void Attach();

  // A buffer, or null: `waiter` gets it later.
  std::unique_ptr<Buffer> Acquire(size_t bytes,
                                  std::shared_ptr<BufferWaiter> waiter);

  // Lets go of all waiters, now and from now on.
  void Stop();

 private:
  struct Request {
    size_t bytes;
    std::shared_ptr<BufferWaiter> waiter;
  };

  void OnReturn();
  void Serve();

  const std::shared_ptr<BufferPool> pool_;
  const std::shared_ptr<WorkerPool> workers_;
  std::mutex mu_;
  std::deque<Request> waiting_;  // guarded by mu_
  bool serving_ = false;         // a call of Serve() is posted; guarded by mu_
  bool stopped_ = false;         // guarded by mu_
};

}  // namespace inkstream::batch
