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
#include <vector>

#include "server/batch/batch_job.h"
#include "server/batch/batch_stream.h"
#include "server/batch/memory_arbiter.h"
#include "server/batch/wait_clock.h"
#include "server/batch/worker_pool.h"
#include "server/order/step_schedule.h"

namespace inkstream::batch {

struct OrderedStreamParts {
  std::shared_ptr<const BatchRecipe> recipe;
  StreamFacts facts;
  OrderSpec order;
  order::StepSchedule schedule;
  order::Place start;
  uint64_t max_batches = 0;  // 0: no bound
  uint64_t max_bad = 0;      // damaged records; 0: no bound
  uint32_t max_credits = 0;
  std::shared_ptr<WorkerPool> workers;
  std::shared_ptr<MemoryAccount> memory;  // the stream closes it
  std::string caller;                     // whose turns at the workers it takes
  std::shared_ptr<Packer> packer;         // null: batches travel as they lie
};

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
  void Cancel() override;
  WaitTimes wait_times() const override;
  order::Place place() const override;
  uint32_t credits() const override;

  void RunPiece(WorkerScratch* scratch) override;
  void OnBuffer(absl::StatusOr<std::unique_ptr<Buffer>> buffer) override;

 private:
  using Clock = std::chrono::steady_clock;

  struct Slot {
    std::unique_ptr<BatchJob> job;
    uint32_t next_piece = 0;  // to be given to a worker
    uint32_t running = 0;     // pieces that workers are at
    bool done = false;
    Clock::time_point announced = Clock::now();
    double queued_seconds = 0;  // until the first piece began
  };

  // All of these with mu_ held.
  size_t StartBatches();  // returns how many pieces there are to announce
  size_t StartBatch(std::unique_ptr<Buffer> buffer);
  void PickNextStep();
  std::shared_ptr<const order::EpochOrder> OrderOf(uint64_t epoch);
  RowSource RowsOf(const order::Step& step);
  bool WorthTaking() const;
  // Brings the clock to the state that the stream is in now.
  void TellClock();
  std::vector<order::Step> StepsToReadAhead(const BatchJob& finished);

  std::function<void()> TakeWakeUp();
  void ReadAhead(const std::vector<RowSource>& rows,
                 const std::vector<uint32_t>& counts);

  const OrderedStreamParts parts_;

  mutable std::mutex mu_;  // guards everything below
  order::StepSchedule::Walker walker_;
  order::StepSchedule::Walker ahead_;  // of the steps asked for in advance
  std::optional<order::Step> next_step_;
  uint64_t started_ = 0;      // batches
  uint64_t asked_ahead_ = 0;  // steps that ahead_ has passed
  bool waits_for_memory_ = false;
  uint32_t credits_ = 0;
  std::deque<std::shared_ptr<Slot>> slots_;  // in order of the batches
  std::vector<std::shared_ptr<const order::EpochOrder>> orders_;
  std::vector<uint64_t> order_epochs_;  // of orders_
  order::Place place_;
  uint64_t bad_ = 0;  // damaged records in batches taken
  absl::Status failed_;
  bool wake_up_ = false;  // the listener is to be called
  std::function<void()> listener_;
  mutable WaitClock clock_;  // telling the time splits it
};

}  // namespace inkstream::batch
