// Batches of one stream that came as rows, drawn by a pool's threads in the
// order in which they came.
//
// Ownership: the pool's threads hold the queue and what they draw, never the
// stream: the last of them must not be the one that closes it.
//
// Thread safety: every method may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/engine/rows_plan.h"
#include "server/base/turn_pool.h"
#include "server/layout/rows_batch.h"

namespace inkstream::engine {

// One batch and the memory that it is drawn into.
class RowsWork {
 public:
  // `view`: of `bytes`. `memory`: plan->BatchBytes() of it.
  RowsWork(std::shared_ptr<const RowsPlan> plan, std::vector<uint8_t> bytes,
           rows::RowsView view, uint64_t epoch,
           std::shared_ptr<uint8_t> memory);

  uint32_t pieces() const { return batch_.pieces(); }

  // Once each, from any threads at once. True from exactly one call: the one
  // behind which done() is true.
  bool DrawPiece(uint32_t piece);

  bool done() const { return done_.load(std::memory_order_acquire); }
  // Once it is done: what went wrong first, and what there is.
  const absl::Status& status() const { return status_; }
  const layout::RowsBatch& batch() const { return batch_; }
  std::shared_ptr<uint8_t> TakeMemory() { return std::move(memory_); }

 private:
  const std::shared_ptr<const RowsPlan> plan_;
  const std::vector<uint8_t> bytes_;
  std::shared_ptr<uint8_t> memory_;
  layout::RowsBatch batch_;
  std::atomic<uint32_t> unfinished_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> done_{false};
  std::mutex mu_;
  absl::Status status_;  // guarded by mu_ until it is done
};

// Draws a batch, which nobody is at, in the calling thread, and by those of
// `pool` that are free. Returns when it is done: who waits for it has a thread,
// and those of the pool may be at batches that are less urgent.
void DrawNow(std::shared_ptr<RowsWork> work, TurnPool* pool);

class DrawingQueue : public TurnSource {
 public:
  // `drawn`: called by the thread that completes a batch.
  explicit DrawingQueue(std::function<void()> drawn)
      : drawn_(std::move(drawn)) {}

  // To be announced to the pool: work->pieces() more pieces.
  void Add(std::shared_ptr<RowsWork> work);

  // What has not begun is not drawn; what is being drawn is completed.
  void Drop();

  // The next piece. False: all have begun, or were dropped.
  bool DrawNext();
  void TakeTurn() override { DrawNext(); }

 private:
  const std::function<void()> drawn_;
  std::mutex mu_;  // guards everything below
  std::deque<std::shared_ptr<RowsWork>> waiting_;
  uint32_t next_piece_ = 0;  // of the first of them
};

}  // namespace inkstream::engine
