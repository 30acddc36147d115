#include "server/batch/work/worker_pool.h"

namespace inkstream::batch {

void WorkSource::TakeTurn() {
  thread_local WorkerScratch scratch;
  RunPiece(&scratch);
}

}  // namespace inkstream::batch
