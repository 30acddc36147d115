// The seam between a stream of batches and the wire: what every transport
// implements.
//
// A StreamSession pulls from a batch::BatchStream and pushes here; at most one
// Write is in flight, and every call is made with the session's lock held, so
// an implementation calls the session back only from elsewhere.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batch/batch_stream.h"
#include "server/batch/job/finished_batch.h"
#include "server/transport/unread_bytes.h"

namespace inkstream::transport {

class BatchSink {
 public:
  virtual ~BatchSink() = default;

  // First on every stream. true: accepted, call the session's OnWritten() when
  // it may write again. false: the peer has gone, which is not an error.
  virtual absl::StatusOr<bool> WriteOpened(const batch::StreamFacts& facts) = 0;

  // Takes over one or more consecutive batches; answers as above.
  virtual absl::StatusOr<bool> Write(
      std::vector<batch::FinishedBatch> batches) = 0;

  // Last, once: an end that was reached, or the error that stopped the stream.
  virtual void Finish(const batch::Ended& end) = 0;
  virtual void Finish(const absl::Status& status) = 0;

  // Gives up the write in flight, which the peer does not take: OnWritten() or
  // OnPeerGone() follows soon. The peer sees `status` if it still can.
  virtual void Abort(const absl::Status& status) = 0;

  // What has been written and not been taken; null: that is not known.
  virtual const UnreadBytes* unread() const { return nullptr; }
};

}  // namespace inkstream::transport
