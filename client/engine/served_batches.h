// What a server answers with, a stream's batches or the one of a fetch:
// messages in, batches out. Those that came as rows are drawn meanwhile, one
// behind the other, by the threads of a pool; the batch of a fetch is drawn by
// the thread that takes it.
//
// A stream may go on with another call (Begin()): what came by the last one
// stays in front.
//
// Ownership: threads that draw hold what they draw and `changed`, never this:
// the last of them must not be the one that closes a stream.
//
// Thread safety: Begin() and Feed() from one thread at a time, Take() likewise;
// the rest from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/engine/batch_assembler.h"
#include "client/engine/drawing_queue.h"
#include "client/engine/part_view.h"
#include "client/engine/rows_plan.h"
#include "inkstream/v1/service.pb.h"
#include "server/base/turn_pool.h"

namespace inkstream::engine {

class ServedBatches {
 public:
  // Memory for a batch of so many bytes at most, aligned to kTensorAlignment.
  // `ahead`: batches that are drawn before it. Null: it is to wait.
  using MemoryOf = std::function<absl::StatusOr<std::shared_ptr<uint8_t>>(
      uint64_t bytes, size_t ahead)>;
  // A batch has come, and may be given other numbers. An error is the call's.
  using OnBatch = std::function<absl::Status(ReceivedBatch* batch)>;

  struct NothingYet {};
  // StreamEnd: without anything in it where none came.
  using Taken = std::variant<NothingYet, ReceivedBatch, v1::StreamEnd>;

  // `on_batch`: may be null. `changed`: Take() may have more to say.
  ServedBatches(MemoryOf memory_of, OnBatch on_batch,
                std::function<void()> changed, std::shared_ptr<TurnPool> pool);
  ~ServedBatches() { Drop(); }

  // A call begins, for what is asked. `whence`: the server, for texts. No batch
  // may take more than `most_bytes`.
  void Begin(absl::StatusOr<AskedBatches> asked, std::string whence,
             uint64_t most_bytes);

  // The next message; returns the batches that it completed. Whoever draws is
  // said to be in its `opened`. An error stays: it is the message's, or one of
  // what is agreed on (RowsPlan::Create), or of BatchAssembler's.
  absl::StatusOr<uint32_t> Feed(absl::StatusOr<PartView>* message);
  // Nothing more comes by this call.
  void Finish();

  // There may be memory for batches that wait. Throws std::system_error, as
  // Feed() and Take(): there is no thread to draw with.
  void UseMemory();

  bool empty() const;
  // Whether the first batch can be taken.
  bool ready() const;

  // The first batch, as if it had come drawn; behind the last one what Feed()
  // failed with, or the end. Other errors are the batch's: no server could draw
  // it.
  absl::StatusOr<Taken> Take();

  // Lets go of all batches, and takes no more.
  void Drop();

 private:
  // A batch until it is taken.
  struct Waiting : ReceivedBatch {
    std::shared_ptr<const RowsPlan> plan;  // of the rows
    std::shared_ptr<RowsWork> work;        // rows that are drawn, or will be
    absl::Status no_memory;                // there is none for it
  };

  absl::StatusOr<uint32_t> Add(PartView* part);
  absl::Status OnOpened(v1::StreamOpened* opened);
  absl::StatusOr<std::shared_ptr<uint8_t>> MemoryNow(uint64_t bytes);
  absl::Status Keep(ReceivedBatch batch);
  // With mu_ held.
  void GiveMemory();
  bool FirstIsReady() const;
  // Of a fetch.
  void DrawHere();

  const MemoryOf memory_of_;
  const OnBatch on_batch_;
  const std::function<void()> changed_;
  const std::shared_ptr<TurnPool> pool_;
  const std::shared_ptr<DrawingQueue> queue_;
  // By Take() alone: drawings of a call that could not be read; that call's.
  uint64_t bad_ = 0;
  std::shared_ptr<const RowsPlan> bad_of_;

  std::mutex feed_mu_;  // guards what is between messages; before mu_
  absl::StatusOr<AskedBatches> asked_;
  std::string whence_;
  uint64_t most_bytes_ = 0;
  std::shared_ptr<const RowsPlan> plan_;     // null: nothing comes as rows
  std::optional<BatchAssembler> assembler_;  // since `opened`

  mutable std::mutex mu_;        // guards everything below
  std::deque<Waiting> batches_;  // whole ones, in order
  size_t with_memory_ = 0;       // of them, the first
  bool one_ = false;             // batch comes, of a fetch
  bool cancelled_ = false;
  bool finished_ = false;
  v1::StreamEnd end_;
  absl::Status failed_;  // what was wrong with the messages
};

}  // namespace inkstream::engine
