// Threads for requests that may take as long as a scan of a store: opening,
// describing, fetching.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "server/batch/worker_pool.h"
#include "server/batch/worker_scratch.h"

namespace inkstream::batch {

class RequestThreads {
 public:
  RequestThreads();

  // Runs `work` once, first come, first served; dropped after Stop().
  // RESOURCE_EXHAUSTED, with a retry delay: too many wait already.
  absl::Status Run(std::function<void(WorkerScratch*)> work);

  // Waits for the work being done and drops the rest. Idempotent.
  void Stop() { pool_.Stop(); }

 private:
  class Request;

  WorkerPool pool_;
  const std::shared_ptr<std::atomic<uint32_t>> waiting_;
};

}  // namespace inkstream::batch
