#include "server/batch/job/piece_job.h"

#include <utility>

#include "server/batch/dataset.h"

namespace inkstream::batch {

bool PieceJob::RunPiece(uint32_t piece, WorkerScratch* scratch) {
  if (!failed_.load(std::memory_order_relaxed)) {
    const ThreadUsage begin = ThreadUsage::Now();
    Measured measured = {begin};
    absl::Status status = RunRows(piece, scratch, &measured);
    // Behind everything that was read, and before any of it is given away.
    absl::Status read = CheckStore(*recipe_->store);
    if (!read.ok()) status = std::move(read);
    if (!status.ok()) Fail(std::move(status));
    const StageTimes times = StagesOf(begin, measured.found, ThreadUsage::Now(),
                                      measured.decoding, measured.packing);
    const std::lock_guard<std::mutex> lock(mu_);
    stages_ += times;
    store_seconds_ += (measured.found.wall_nanos - begin.wall_nanos) * 1e-9;
  }
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  if (!failed_.load()) Complete();
  return true;
}

void PieceJob::Fail(absl::Status status) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (status_.ok()) status_ = std::move(status);
  failed_.store(true, std::memory_order_relaxed);
}

}  // namespace inkstream::batch
