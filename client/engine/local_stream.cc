#include "client/engine/local_stream.h"

#include "server/service/service.h"

namespace inkstream::engine {

absl::StatusOr<uint32_t> LocalStream::Feed(
    absl::Span<const uint8_t> /*message*/) {
  return absl::FailedPreconditionError(
      "the stream is an engine's: nothing is fed to it");
}

NextResult LocalStream::Drawn(const batch::StreamFacts& facts,
                              batch::FinishedBatch batch) {
  NextResult drawn;
  if (batch.tensors != tensors_) {
    drawn.header = service::HeaderOf(facts, batch).SerializeAsString();
    tensors_ = batch.tensors;
  }
  drawn.batch = {.kind = IK_BATCH,
                 .rows = batch.rows,
                 .token = memory_->TakeBack(batch.buffer->data()),
                 .size = batch.byte_size,
                 .epoch = batch.epoch,
                 .step = batch.step,
                 .cursor_epoch = batch.after.epoch,
                 .cursor_position = batch.after.position,
                 .bad = batch.bad};
  return drawn;
}

}  // namespace inkstream::engine
