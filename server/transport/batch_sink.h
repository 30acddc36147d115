// The seam between a stream of batches and the wire: what every transport
// implements.
//
// A StreamSession pulls from a batch::BatchStream and pushes here; at most one
// Write is in flight.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/batch_stream.h"
#include "server/batch/finished_batch.h"

namespace inkstream::transport {

class BatchSink {
 public:
  virtual ~BatchSink() = default;

  // First on every stream.
  virtual absl::StatusOr<bool> WriteOpened(const batch::StreamFacts& facts) = 0;

  // Takes the batch over. true: accepted, call the session's OnWritten() when
  // it may write again. false: the peer has gone, which is not an error.
  virtual absl::StatusOr<bool> Write(batch::FinishedBatch batch) = 0;

  // Last, once: an end that was reached, or the error that stopped the stream.
  virtual void Finish(const batch::Ended& end) = 0;
  virtual void Finish(const absl::Status& status) = 0;
};

}  // namespace inkstream::transport
