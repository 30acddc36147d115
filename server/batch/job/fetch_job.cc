#include "server/batch/job/fetch_job.h"

#include <utility>

namespace inkstream::batch {
namespace {

// What the starting thread draws itself: two milliseconds, in pieces of a
// quarter of a stream's.
constexpr uint32_t kMostOwnPieces = 16;

}  // namespace

FetchJob::FetchJob(std::shared_ptr<const BatchRecipe> recipe, StreamFacts facts,
                   std::vector<uint64_t> indices,
                   std::shared_ptr<WorkerPool> workers,
                   std::shared_ptr<FetchRequest> request)
    : WorkSource(/*caller=*/"", recipe->store->path()),
      recipe_(std::move(recipe)),
      facts_(std::move(facts)),
      indices_(std::move(indices)),
      workers_(std::move(workers)),
      request_(std::move(request)) {}

void FetchJob::Start(std::atomic<bool>* drawing, WorkerScratch* own) {
  absl::StatusOr<std::unique_ptr<Buffer>> buffer = request_->Acquire(
      recipe_->layout.Bytes(indices_.size()), shared_from_this());
  if (!buffer.ok()) return request_->Answer(buffer.status());
  if (*buffer == nullptr) return;
  if (drawing->exchange(true)) return OnBuffer(std::move(buffer));
  LayOut(*std::move(buffer));
  if (job_->pieces() > kMostOwnPieces || workers_->HasIdle()) {
    workers_->Add(shared_from_this(), job_->pieces());
  }
  Ran ran = Ran::kOne;
  for (uint32_t i = 0; i < kMostOwnPieces && ran == Ran::kOne; ++i) {
    ran = RunNext(own);
  }
  // First, or the next fetch of whoever is answered might meet it.
  drawing->store(false);
  if (ran == Ran::kLast) Answer();
}

void FetchJob::OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) {
  if (!buffer.ok()) return request_->Answer(buffer.status());
  LayOut(*std::move(buffer));
  workers_->Add(shared_from_this(), job_->pieces());
}

void FetchJob::LayOut(std::unique_ptr<Buffer> buffer) {
  FinishedBatch batch;
  batch.epoch = request_->plan().epoch;
  batch.rows = static_cast<uint32_t>(indices_.size());
  batch.buffer = std::move(buffer);
  const uint32_t rows = batch.rows;
  job_ = std::make_unique<BatchJob>(recipe_, RowSource{std::move(indices_)},
                                    std::move(batch), rows);
}

void FetchJob::RunPiece(WorkerScratch* scratch) {
  if (RunNext(scratch) == Ran::kLast) Answer();
}

FetchJob::Ran FetchJob::RunNext(WorkerScratch* scratch) {
  const uint32_t piece = next_piece_.fetch_add(1);
  if (piece >= job_->pieces()) return Ran::kNone;
  if (request_->ended()) job_->Cancel();
  return job_->RunPiece(piece, scratch) ? Ran::kLast : Ran::kOne;
}

void FetchJob::Answer() {
  if (!job_->status().ok()) {
    request_->Answer(job_->status());
  } else {
    request_->Answer(
        FetchedBatch{std::move(job_->Take().front()), std::move(facts_)});
  }
}

}  // namespace inkstream::batch
