// The stream of batches of one plan: steps in order, laid out by many workers
// ahead of the transport, handed out in order.
//
// Thread safety: see BatchStream. Made by Engine; lives in a shared_ptr, since
// workers and the memory arbiter refer to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/batch/batch_stream.h"
#include "server/batch/job/piece_job.h"
#include "server/batch/job/rows_job.h"
#include "server/batch/job/wait_clock.h"
#include "server/batch/work/memory_arbiter.h"
#include "server/batch/work/worker_pool.h"
#include "server/order/step_schedule.h"

namespace inkstream::batch {

struct OrderedStreamParts {
  std::shared_ptr<const BatchRecipe> recipe;
  StreamFacts facts;
  OrderSpec order;
  order::StepSchedule schedule;
  order::EpochPosition start;
  uint64_t max_batches = 0;  // 0: no bound
  uint64_t max_bad = 0;      // damaged records; 0: no bound
  uint32_t max_credits = 0;
  std::shared_ptr<WorkerPool> workers;
  std::shared_ptr<MemoryAccount> memory;  // the stream closes it
  std::string caller;                     // whose turns at the workers it takes
  // Set: batches travel as rows, unless those are longer than the tensors.
  std::optional<rows::RowsShape> rows;
};

// Of a stream of rows, by drawings of a usual length.
struct RowsWindow {
  uint32_t credits;  // a mebibyte of rows, and no fewer than `least`
  uint64_t bytes;    // that it reserves: a run, or a large batch
};
RowsWindow RowsWindowOf(const rows::RowsShape& shape, uint32_t batch_size,
                        uint32_t least);

class OrderedStream : public BatchStream,
                      public WorkSource,
                      public BufferWaiter,
                      public std::enable_shared_from_this<OrderedStream> {
 public:
  explicit OrderedStream(OrderedStreamParts parts);

  const StreamFacts& facts() const override { return parts_.facts; }
  void SetListener(std::function<void()> listener) override;
  absl::Status Grant(uint32_t credits) override;
  TakeResult TryTake() override;
  std::optional<Ended> end() const override;
  void Cancel() override;
  WaitTimes wait_times() const override;
  order::EpochPosition place() const override;
  uint32_t credits() const override;

  void RunPiece(WorkerScratch* scratch) override;
  void OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) override;

 private:
  using Clock = std::chrono::steady_clock;

  // One batch, or a run of them as rows.
  struct Slot {
    std::unique_ptr<PieceJob> job;
    RowsJob* rows = nullptr;  // the job, where it is one of rows
    uint32_t batches = 1;     // of it that were not taken
    uint32_t next_piece = 0;  // to be given to a worker
    uint32_t running = 0;     // pieces that workers are at
    bool done = false;
    bool dropped = false;
    std::deque<FinishedBatch> ready;  // once it is done
    Clock::time_point announced = Clock::now();
    double queued_seconds = 0;  // until the first piece began
  };

  // All of these with mu_ held.
  size_t StartBatches();  // returns how many pieces there are to announce
  size_t Start(std::shared_ptr<Buffer> buffer);
  size_t StartBatch(std::shared_ptr<Buffer> buffer);
  size_t StartRows(std::shared_ptr<Buffer> buffer);
  size_t Add(std::shared_ptr<Slot> slot);
  // Takes what a job came to; what did not fit is begun anew.
  size_t Finish(const std::shared_ptr<Slot>& slot);
  size_t Rewind(const std::shared_ptr<Slot>& slot);
  void PickNextStep();
  uint32_t Ahead() const;  // batches that were begun and not taken
  bool NextIsRows() const;
  RowsRoom Room() const;
  // Of the next batch or run.
  uint64_t NextBytes() const;
  uint32_t RunLength() const;
  std::shared_ptr<const order::EpochOrder> OrderOf(uint64_t epoch);
  RowSource RowsOf(const order::Step& step);
  bool WorthTaking() const;
  std::optional<Ended> EndLocked() const;
  // Brings the clock to the state that the stream is in now.
  void TellClock();
  // Those of steps that come later, where they are to be asked for now.
  std::vector<std::pair<RowSource, uint32_t>> RowsToReadAhead();

  std::function<void()> TakeWakeUp();
  void ReadAhead(const std::vector<std::pair<RowSource, uint32_t>>& steps);

  const OrderedStreamParts parts_;

  mutable std::mutex mu_;  // guards everything below
  order::StepSchedule::Walker walker_;
  order::StepSchedule::Walker ahead_;  // of the steps asked for in advance
  std::optional<order::Step> next_step_;
  std::shared_ptr<MemoryAccount> memory_;
  double row_bytes_;              // that strokes have taken so far
  bool measured_ = false;         // they have
  std::optional<RowsRoom> room_;  // of the next batch, which did not fit
  bool slow_store_ = false;       // records have to be waited for
  uint64_t started_ = 0;          // batches
  uint64_t asked_ahead_ = 0;      // steps that ahead_ has passed
  bool waits_for_memory_ = false;
  uint32_t credits_ = 0;
  std::deque<std::shared_ptr<Slot>> slots_;  // in order of the batches
  // By epoch, the last two that were asked for.
  std::deque<std::pair<uint64_t, std::shared_ptr<const order::EpochOrder>>>
      orders_;
  order::EpochPosition place_;
  uint64_t bad_ = 0;  // damaged records in batches taken
  absl::Status failed_;
  bool wake_up_ = false;  // the listener is to be called
  std::function<void()> listener_;
  mutable WaitClock clock_;  // telling the time splits it
};

}  // namespace inkstream::batch
