// Batches drawn into memory that is offered: a stream's of an engine or of a
// server, or the one of a fetch.
//
// Thread safety: Next() from one thread at a time, the rest from any.
#pragma once

#include <inkstream/v1/batch.pb.h>
#include <inkstream/v1/dataset.pb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/engine/offered_memory.h"
#include "client/engine/signal.h"
#include "inkstream/engine.h"
#include "server/batch/batch_stream.h"

namespace inkstream::engine {

// What ik_stream_next() tells: nothing, unless said otherwise.
struct NextResult {
  ik_batch batch = {};  // but for its header
  std::string header;
};

class LocalStream {
 public:
  LocalStream(uint64_t batch_bytes, uint32_t most_ahead)
      : memory_(std::make_shared<OfferedMemory>(batch_bytes, most_ahead)) {}
  virtual ~LocalStream() = default;
  LocalStream(const LocalStream&) = delete;
  LocalStream& operator=(const LocalStream&) = delete;

  uint64_t batch_bytes() const { return memory_->buffer_bytes(); }

  // StreamOpened, serialised; empty: not known yet.
  virtual const std::string& opened() const = 0;

  // See ik_stream_offer().
  virtual absl::Status Offer(uint64_t token, void* memory, size_t size) = 0;

  // See ik_stream_feed() and ik_stream_finish().
  virtual absl::StatusOr<uint32_t> Feed(absl::Span<const uint8_t> message);
  virtual void Finish() {}

  // What there is now.
  virtual absl::StatusOr<NextResult> TryNext() = 0;

  // Returns when TryNext() may have more to say, or after `seconds`.
  void Wait(double seconds) { signal_->Wait(seconds); }

  // Ends it. Returns when nobody writes to what was offered. Idempotent.
  virtual void Cancel() = 0;

 protected:
  // Takes the batch out of its buffer, whose memory is the user's again.
  NextResult Drawn(const batch::StreamFacts& facts, batch::FinishedBatch batch);

  const std::shared_ptr<OfferedMemory> memory_;
  // What threads that draw refer to, instead of the stream: the last of them
  // must not be the one that closes it.
  const std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();

 private:
  // Of the last batch, by TryNext() alone.
  std::vector<TensorInfo> tensors_;
};

}  // namespace inkstream::engine
