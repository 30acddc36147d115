#include "client/engine/local_stream.h"

#include "server/service/service.h"

namespace inkstream::engine {

absl::StatusOr<uint32_t> LocalStream::Feed(
    absl::Span<const uint8_t> /*message*/) {
  return absl::FailedPreconditionError(
      "the stream is an engine's: nothing is fed to it");
}

DrawnBatch LocalStream::Drawn(const batch::StreamFacts& facts,
                              batch::FinishedBatch batch) {
  DrawnBatch drawn;
  drawn.token = memory_->TakeBack(batch.buffer->data());
  batch.buffer.reset();
  if (batch.tensors != tensors_) {
    drawn.header = service::HeaderOf(facts, batch).SerializeAsString();
    tensors_ = batch.tensors;
  }
  drawn.batch = std::move(batch);
  return drawn;
}

}  // namespace inkstream::engine
