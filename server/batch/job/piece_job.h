// Work on one or more batches of a stream, cut into pieces that any worker
// runs, in any order and at the same time.
//
// Thread safety: RunPiece may run for different pieces at once. Take() and
// status() only after a RunPiece returned true; the rest at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "server/batch/job/batch_rows.h"
#include "server/batch/job/finished_batch.h"
#include "server/batch/job/worker_scratch.h"

namespace inkstream::batch {

class PieceJob {
 public:
  virtual ~PieceJob() = default;

  uint32_t pieces() const { return pieces_; }
  virtual uint32_t rows() const = 0;

  // True from exactly one call: the one that completed the work.
  bool RunPiece(uint32_t piece, WorkerScratch* scratch);

  // Nobody needs the batches: the pieces that have not begun are not worked on,
  // and status() is CANCELLED. Before the last call of RunPiece().
  void Cancel() { Fail(absl::CancelledError("the batch was given up")); }

  // The batches that became whole, in order: those before status(), where that
  // is an error.
  virtual std::vector<FinishedBatch> Take() = 0;
  const absl::Status& status() const { return status_; }

  // Of the pieces that are done.
  StageTimes stages() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return stages_;
  }
  // Time spent finding records.
  double store_seconds() const {
    const std::lock_guard<std::mutex> lock(mu_);
    return store_seconds_;
  }

 protected:
  // Moments and parts of a piece's work.
  struct Measured {
    ThreadUsage found;    // when its records were
    double decoding = 0;  // seconds
    double packing = 0;
  };

  PieceJob(std::shared_ptr<const BatchRecipe> recipe, uint32_t pieces)
      : recipe_(std::move(recipe)), pieces_(pieces), unfinished_(pieces) {}

  virtual absl::Status RunRows(uint32_t piece, WorkerScratch* scratch,
                               Measured* measured) = 0;
  // All pieces have been worked on, without an error.
  virtual void Complete() = 0;

  const std::shared_ptr<const BatchRecipe> recipe_;

 private:
  void Fail(absl::Status status);

  const uint32_t pieces_;
  std::atomic<uint32_t> unfinished_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mu_;
  StageTimes stages_;         // by mu_
  double store_seconds_ = 0;  // by mu_
  absl::Status status_;  // the first error; guarded by mu_ until all are done
};

}  // namespace inkstream::batch
