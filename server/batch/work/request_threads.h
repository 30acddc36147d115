// Threads for requests that may take as long as a scan of a store: opening,
// describing, fetching.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "server/batch/job/worker_scratch.h"
#include "server/batch/work/caller_sums.h"
#include "server/batch/work/worker_pool.h"

namespace inkstream::batch {

class RequestThreads {
 public:
  // `memory`: bytes of the requests that wait or are run. The threads begin
  // `at_once`, or with the first request.
  explicit RequestThreads(size_t memory, bool at_once = true);

  // Runs `work`; dropped after Stop(). Callers take turns, and the requests of
  // each are served as they came. `bytes`: of the request. Work that was parked
  // is run again. RESOURCE_EXHAUSTED, with a retry delay: too many wait
  // already.
  absl::Status Run(const std::string& caller, size_t bytes,
                   std::function<void(WorkerScratch*)> work);

  // Of the request that this thread runs, before it reads `disk`: OK, or
  // IsParked() where too many sleep in it already: it is run again when there
  // is room. RESOURCE_EXHAUSTED, with a retry delay: those who want it, parked
  // for whatever reason, would be more than half of what other disks leave.
  absl::Status MaySleepIn(const std::string& disk);

  // See WorkerPool.
  double LongestSleep(const std::string& disk) {
    return pool_.LongestSleep(disk);
  }

  // Waits for the work being done and drops the rest. Idempotent.
  void Stop() { pool_.Stop(); }

 private:
  class Request;
  struct Sum {
    size_t requests = 0;
    size_t bytes = 0;
  };
  // Of the requests that there are.
  struct Count {
    explicit Count(size_t memory);

    std::mutex mu;
    CallerSums requests;
    CallerSums bytes;
    std::map<std::string, Sum> disks;  // that requests want
    Sum every_disk;
  };

  const std::shared_ptr<Count> count_;
  WorkerPool pool_;
};

}  // namespace inkstream::batch
