// The threads that lay out batches: streams and fetches take turns at them.
//
// Thread safety: as TurnPool.
#pragma once

#include "server/base/turn_pool.h"
#include "server/batch/job/worker_scratch.h"

namespace inkstream::batch {

using WorkerPool = TurnPool;

class WorkSource : public TurnSource {
 public:
  using TurnSource::TurnSource;

  // Does one piece of work with what its thread keeps; called as often as
  // pieces were announced, from several threads at once.
  virtual void RunPiece(WorkerScratch* scratch) = 0;

  void TakeTurn() final;
};

}  // namespace inkstream::batch
