// The threads that lay out batches, shared round robin between sources.
//
// Every source (a stream, a fetch) stands in the queue at most once; a worker
// takes one piece of the front source and sends the source to the back. So a
// source with much to do uses every core while it is alone, and gets its even
// share of pieces when it is not.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/batch/worker_scratch.h"

namespace inkstream::batch {

class WorkSource {
 public:
  virtual ~WorkSource() = default;

  // Does one piece of work; called as often as pieces were announced, from
  // several workers at once.
  virtual void RunPiece(WorkerScratch* scratch) = 0;

 private:
  friend class WorkerPool;
  size_t pieces_ = 0;  // guarded by the pool's mutex
};

class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();

  // Announces `pieces` more pieces of `source`.
  void Add(std::shared_ptr<WorkSource> source, size_t pieces);

  // Runs `work` once. Dropped after Stop().
  void Post(std::function<void()> work);

  // Waits for the pieces being run and drops the others. Idempotent.
  void Stop();

  int threads() const { return thread_count_; }

 private:
  void Run();

  const int thread_count_;
  std::mutex mu_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<WorkSource>> queue_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace inkstream::batch
