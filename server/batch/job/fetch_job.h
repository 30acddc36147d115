// One batch of drawings that a caller names: laid out like a stream's, or made
// rows that the caller draws, by the thread that starts it and by the workers
// that are free.
//
// Beside running streams every worker has a piece at hand, and may be waiting
// for a core with it; a thread that has just been woken gets one at once. So
// small answers are drawn where they are asked for.
//
// Thread safety: Start() once; the rest is called by workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/batch/job/batch_job.h"
#include "server/batch/job/fetch_request.h"
#include "server/batch/job/rows_job.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/batch/work/worker_pool.h"

namespace inkstream::batch {

class FetchJob : public WorkSource,
                 public BufferWaiter,
                 public std::enable_shared_from_this<FetchJob> {
 public:
  // `rows`: set, it travels as rows, unless those are longer than the tensors.
  FetchJob(std::shared_ptr<const BatchRecipe> recipe, StreamFacts facts,
           std::vector<uint64_t> indices, std::optional<rows::RowsShape> rows,
           std::shared_ptr<WorkerPool> workers,
           std::shared_ptr<FetchRequest> request);

  // Waits for memory, perhaps. Where `drawing` is there and false, it is true
  // for a while, and the calling thread draws as well, with its `own` scratch:
  // all of what is short, the beginning of what is long.
  void Start(std::atomic<bool>* drawing, WorkerScratch* own);

  void RunPiece(WorkerScratch* scratch) override;
  void OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) override;

 private:
  FetchJob(const FetchJob& failed, RowsRoom room);

  // As what it travels, and the bytes that it takes.
  uint64_t Choose();
  void Begin(std::unique_ptr<Buffer> buffer);
  enum class Ran : uint8_t { kNone, kOne, kLast };  // kNone: all had begun
  Ran RunNext(WorkerScratch* scratch);
  // Or begins it anew, where its rows did not fit.
  void Answer();

  const std::shared_ptr<const BatchRecipe> recipe_;
  StreamFacts facts_;
  const std::vector<uint64_t> indices_;
  const std::shared_ptr<WorkerPool> workers_;
  const std::shared_ptr<FetchRequest> request_;
  std::optional<RowsRoom> room_;  // unset: it travels as tensors
  std::unique_ptr<PieceJob> job_;
  const RowsJob* rows_job_ = nullptr;  // the job, where it is one of rows
  std::atomic<uint32_t> next_piece_{0};
};

}  // namespace inkstream::batch
