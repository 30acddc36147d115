#include "server/batch/job/fetch_job.h"

#include <utility>

namespace inkstream::batch {
namespace {

// What the starting thread draws itself: two milliseconds, in pieces of a
// quarter of a stream's.
constexpr uint32_t kMostOwnPieces = 16;

// As rows: a piece is about as much work as one of pixels.
constexpr uint32_t kRowsAPiece = 128;
// Of strokes: memory for four times what is usual, so that what is longer need
// not be read twice.
constexpr double kRowBytes = 4 * RowsRoom::kUsualRowBytes;

}  // namespace

FetchJob::FetchJob(std::shared_ptr<const BatchRecipe> recipe, StreamFacts facts,
                   std::vector<uint64_t> indices,
                   std::optional<rows::RowsShape> rows,
                   std::shared_ptr<WorkerPool> workers,
                   std::shared_ptr<FetchRequest> request)
    : WorkSource(/*caller=*/"", recipe->store->path()),
      recipe_(std::move(recipe)),
      facts_(std::move(facts)),
      indices_(std::move(indices)),
      workers_(std::move(workers)),
      request_(std::move(request)) {
  if (rows.has_value()) room_ = RowsRoom{*rows, kRowsAPiece, kRowBytes, {}};
}

FetchJob::FetchJob(const FetchJob& failed, RowsRoom room)
    : FetchJob(failed.recipe_, failed.facts_, failed.indices_, std::nullopt,
               failed.workers_, failed.request_) {
  room_ = std::move(room);
}

uint64_t FetchJob::Choose() {
  const auto rows = static_cast<uint32_t>(indices_.size());
  const uint64_t tensors = recipe_->layout.Bytes(rows);
  if (!room_.has_value()) return tensors;
  const uint64_t most = tensors + rows::kMostBeyondTensors;
  if (room_->Bytes(rows, 1) > most) room_->row_bytes = RowsRoom::kUsualRowBytes;
  const uint64_t bytes = room_->Bytes(rows, 1);
  if (bytes <= most) return bytes;
  room_.reset();
  return tensors;
}

void FetchJob::Start(std::atomic<bool>* drawing, WorkerScratch* own) {
  absl::StatusOr<std::unique_ptr<Buffer>> buffer =
      request_->Acquire(Choose(), shared_from_this());
  if (!buffer.ok()) return request_->Answer(buffer.status());
  if (*buffer == nullptr) return;
  if (drawing == nullptr || drawing->exchange(true)) {
    return OnBuffer(std::move(buffer));
  }
  Begin(*std::move(buffer));
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
  Begin(*std::move(buffer));
  workers_->Add(shared_from_this(), job_->pieces());
}

void FetchJob::Begin(std::unique_ptr<Buffer> buffer) {
  const auto rows = static_cast<uint32_t>(indices_.size());
  if (room_.has_value()) {
    std::vector<RowsPart> parts(1);
    parts[0].step.epoch = request_->plan().epoch;
    parts[0].step.rows = rows;
    parts[0].step.valid_rows = rows;
    parts[0].source.indices = indices_;
    auto job = std::make_unique<RowsJob>(recipe_, *room_, std::move(parts),
                                         std::move(buffer));
    rows_job_ = job.get();
    job_ = std::move(job);
    return;
  }
  FinishedBatch batch;
  batch.epoch = request_->plan().epoch;
  batch.rows = rows;
  batch.buffer = std::move(buffer);
  job_ = std::make_unique<BatchJob>(recipe_, RowSource{indices_},
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
  if (!job_->status().ok()) return request_->Answer(job_->status());
  if (rows_job_ != nullptr && rows_job_->fitted() == 0) {
    RowsRoom room = rows_job_->room();
    room.exact = rows_job_->exact();
    // Another one, since workers may still come to this one's pieces.
    const std::shared_ptr<FetchJob> again(new FetchJob(*this, std::move(room)));
    return again->Start(nullptr, nullptr);
  }
  request_->Answer(
      FetchedBatch{std::move(job_->Take().front()), std::move(facts_)});
}

}  // namespace inkstream::batch
