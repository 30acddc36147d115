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
    store_nanos_.fetch_add(measured.found.wall_nanos - begin.wall_nanos,
                           std::memory_order_relaxed);
    const double seconds[] = {times.disk, times.decode, times.draw, times.pack};
    for (size_t i = 0; i < stage_nanos_.size(); ++i) {
      stage_nanos_[i].fetch_add(static_cast<int64_t>(seconds[i] * 1e9),
                                std::memory_order_relaxed);
    }
  }
  if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  if (!failed_.load()) Complete();
  return true;
}

StageTimes PieceJob::stages() const {
  const auto seconds = [this](size_t i) {
    return stage_nanos_[i].load(std::memory_order_relaxed) * 1e-9;
  };
  return {seconds(0), seconds(1), seconds(2), seconds(3)};
}

void PieceJob::Fail(absl::Status status) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (status_.ok()) status_ = std::move(status);
  failed_.store(true, std::memory_order_relaxed);
}

}  // namespace inkstream::batch
