// One batch of drawings that a caller names: laid out like a stream's, by the
// same workers.
//
// Thread safety: Start() once; the rest is called by workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/batch/batch_job.h"
#include "server/batch/engine.h"
#include "server/batch/memory_gate.h"
#include "server/batch/worker_pool.h"

namespace inkstream::batch {

using FetchDone = std::function<void(absl::StatusOr<FetchedBatch>)>;

class FetchJob : public WorkSource,
                 public BufferWaiter,
                 public std::enable_shared_from_this<FetchJob> {
 public:
  FetchJob(std::shared_ptr<const BatchRecipe> recipe, StreamFacts facts,
           std::vector<uint64_t> indices, uint64_t epoch,
           std::shared_ptr<WorkerPool> workers, FetchDone done);
  // Answers CANCELLED if it was dropped before it was done.
  ~FetchJob() override;

  // Waits for memory behind `gate`.
  void Start(MemoryGate* gate);

  void RunPiece(WorkerScratch* scratch) override;
  void OnBuffer(std::unique_ptr<Buffer> buffer) override;

 private:
  const std::shared_ptr<const BatchRecipe> recipe_;
  StreamFacts facts_;
  std::vector<uint64_t> indices_;
  const uint64_t epoch_;  // of the augmentation
  const std::shared_ptr<WorkerPool> workers_;
  FetchDone done_;
  std::unique_ptr<BatchJob> job_;
  std::atomic<uint32_t> next_piece_{0};
};

}  // namespace inkstream::batch
