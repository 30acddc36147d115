// A batch that came as rows, until it is taken: drawn meanwhile, by piece, by
// the threads of the process.
//
// Thread safety: ready() from any thread, the rest from one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/engine/batch_assembler.h"
#include "client/engine/drawing_queue.h"
#include "client/engine/rows_plan.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

using engine::ReceivedBatch;

// Adds to a request what a server must know of a client that draws.
void SayWhoDraws(v1::Delivery* delivery);

// Whether a server has refused `delivery` because of its codec, which is newer
// than itself. It may be asked again: for what it draws, as this makes it.
bool HaveTheServerDraw(const absl::Status& refused, v1::Delivery* delivery);

// Of all batches of a call, a stream's or a fetch's. `damage` is added to in
// their order.
struct AgreedRows {
  std::shared_ptr<const engine::RowsPlan> plan;
  engine::DamageCount damage;
};

// What a call's answer agrees on; null: nothing comes as rows. `target`: of the
// server, for texts. `threads`: that draw. Errors are RowsPlan::Create's.
absl::StatusOr<std::shared_ptr<AgreedRows>> AgreeOnRows(
    const absl::StatusOr<engine::AskedBatches>& asked,
    const v1::StreamOpened& opened, const std::string& target, int threads);

// Puts a call's messages together, in memory of `buffers`, which outlive it. A
// batch may take `max_batch_bytes`, or what is asked for, where that is less.
engine::BatchAssembler AssemblerFor(
    const absl::StatusOr<engine::AskedBatches>& asked, BatchBuffers* buffers,
    uint64_t max_batch_bytes);

class RowsToDraw {
 public:
  // `received` has rows.
  RowsToDraw(std::shared_ptr<AgreedRows> agreed, ReceivedBatch received);

  uint64_t wire_size() const { return received_.header.wire_size(); }
  // What it takes once it is drawn, at most.
  uint64_t bytes() const { return agreed_->plan->BatchBytes(received_.header); }

  // Gives it memory and puts it into `queue`, as so many pieces. 0: there is
  // none, and it is ready.
  size_t Begin(BatchBuffers* buffers, engine::DrawingQueue* queue);
  // Draws it in this thread, and in those of `pool` that are free. What Take()
  // answers.
  absl::StatusOr<ReceivedBatch> DrawNow(BatchBuffers* buffers, TurnPool* pool);

  bool begun() const { return work_ != nullptr || !status_.ok(); }

  // Whether Take() has an answer.
  bool ready() const {
    return work_ != nullptr ? work_->done() : !status_.ok();
  }
  // The batch, as if it had come drawn; once. DATA_LOSS, INVALID_ARGUMENT: what
  // the server would have said in drawing it.
  absl::StatusOr<ReceivedBatch> Take();

 private:
  // False: there is no memory for it.
  bool Prepare(BatchBuffers* buffers);

  const std::shared_ptr<AgreedRows> agreed_;
  ReceivedBatch received_;
  std::shared_ptr<engine::RowsWork> work_;
  absl::Status status_;  // why there is none
};

}  // namespace inkstream::client
