#include "server/batch/fetch_job.h"

#include <utility>

namespace inkstream::batch {

FetchJob::FetchJob(std::shared_ptr<const BatchRecipe> recipe, StreamFacts facts,
                   std::vector<uint64_t> indices, uint64_t epoch,
                   std::shared_ptr<WorkerPool> workers, FetchDone done)
    : recipe_(std::move(recipe)),
      facts_(std::move(facts)),
      indices_(std::move(indices)),
      epoch_(epoch),
      workers_(std::move(workers)),
      done_(std::move(done)) {}

FetchJob::~FetchJob() {
  if (done_ != nullptr) done_(absl::CancelledError("the server is stopping"));
}

void FetchJob::Start(MemoryGate* gate) {
  std::unique_ptr<Buffer> buffer =
      gate->Acquire(recipe_->layout.Bytes(indices_.size()), shared_from_this());
  if (buffer != nullptr) OnBuffer(std::move(buffer));
}

void FetchJob::OnBuffer(std::unique_ptr<Buffer> buffer) {
  FinishedBatch batch;
  batch.epoch = epoch_;
  batch.rows = static_cast<uint32_t>(indices_.size());
  batch.buffer = std::move(buffer);
  const uint32_t rows = batch.rows;
  job_ = std::make_unique<BatchJob>(recipe_, RowSource{std::move(indices_)},
                                    std::move(batch), rows);
  workers_->Add(shared_from_this(), job_->pieces());
}

void FetchJob::RunPiece(WorkerScratch* scratch) {
  if (!job_->RunPiece(next_piece_.fetch_add(1), scratch)) return;
  const FetchDone done = std::exchange(done_, nullptr);
  if (!job_->status().ok()) {
    done(job_->status());
  } else {
    done(FetchedBatch{job_->Take(), std::move(facts_)});
  }
}

}  // namespace inkstream::batch
