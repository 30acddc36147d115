#include "server/batch/fetch_job.h"

#include <utility>

namespace inkstream::batch {

FetchJob::FetchJob(std::shared_ptr<const BatchRecipe> recipe, StreamFacts facts,
                   std::vector<uint64_t> indices,
                   std::shared_ptr<WorkerPool> workers, FetchDone done)
    : recipe_(std::move(recipe)),
      facts_(std::move(facts)),
      indices_(std::move(indices)),
      workers_(std::move(workers)),
      done_(std::move(done)) {}

void FetchJob::Start(MemoryGate* gate) {
  self_ = shared_from_this();
  std::unique_ptr<Buffer> buffer =
      gate->Acquire(recipe_->layout.Bytes(indices_.size()),
                    std::weak_ptr<BufferWaiter>(self_));
  if (buffer != nullptr) OnBuffer(std::move(buffer));
}

void FetchJob::OnBuffer(std::unique_ptr<Buffer> buffer) {
  FinishedBatch batch;
  batch.rows = static_cast<uint32_t>(indices_.size());
  batch.buffer = std::move(buffer);
  const uint32_t rows = batch.rows;
  job_ = std::make_unique<BatchJob>(recipe_, RowSource{std::move(indices_)},
                                    std::move(batch), rows);
  workers_->Add(std::move(self_), job_->pieces());
}

void FetchJob::RunPiece(WorkerScratch* scratch) {
  if (!job_->RunPiece(next_piece_.fetch_add(1), scratch)) return;
  if (!job_->status().ok()) {
    done_(job_->status());
  } else {
    done_(FetchedBatch{job_->Take(), std::move(facts_)});
  }
  done_ = nullptr;
}

}  // namespace inkstream::batch
