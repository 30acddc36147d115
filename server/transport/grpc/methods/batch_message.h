// Batches -> messages of a stream (inkstream.v1.BatchPart), without copying
// their bytes: each message is a few encoded header bytes followed by slices of
// the batches' own buffers, which go back to their pool when gRPC has sent the
// last slice of them.
//
// gRPC lets go of a message as a whole, and only then is it known that a client
// reads. So slow ones get short messages, as many as a batch takes.
//
// Thread safety: one thread at a time.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/batch/batch_stream.h"
#include "server/batch/job/finished_batch.h"
#include "server/transport/unread_bytes.h"

namespace inkstream::transport {

// How a stream's bytes travel.
struct ChosenCodec {
  Codec codec = Codec::kNone;
  std::string reason;  // why it is not the one asked for
};

class BatchMessages {
 public:
  // Messages are at most `max_message_bytes` long. `unread` counts the bytes of
  // batches in them until gRPC has let go of them.
  BatchMessages(const batch::StreamFacts& facts, uint32_t max_message_bytes,
                std::shared_ptr<UnreadBytes> unread);

  // INVALID_ARGUMENT: the vocabulary alone is longer than a message.
  // `stream_id`: what GetStatus calls the stream; 0: it is none.
  absl::Status Opened(uint32_t credit_window, uint64_t stream_id,
                      const ChosenCodec& codec,
                      grpc::ByteBuffer* message) const;
  grpc::ByteBuffer End(const batch::Ended& end) const;

  // Batches wait here until Next() has cut them into messages.
  void Add(batch::FinishedBatch batch) { waiting_.push_back(std::move(batch)); }
  bool empty() const { return waiting_.empty(); }

  // The next message of the batches added. REQUIRES: !empty().
  absl::Status Next(grpc::ByteBuffer* message);

  // How long a message has been on its way: the next batch goes in shorter or
  // longer ones.
  void Written(std::chrono::nanoseconds took);

 private:
  absl::Status CutFirst(grpc::ByteBuffer* message);
  void CutLater(grpc::ByteBuffer* message);
  bool TakeSeveral(grpc::ByteBuffer* message);
  // Bytes [offset, offset + bytes) of what travels of the batch.
  void AddData(const batch::FinishedBatch& batch, uint64_t offset,
               uint64_t bytes, std::vector<grpc::Slice>* slices);

  const batch::StreamFacts facts_;
  const uint64_t max_bytes_;
  uint64_t data_bytes_;     // that a message may have for now
  uint64_t in_flight_ = 0;  // that the latest one has
  const std::shared_ptr<UnreadBytes> unread_;
  std::deque<batch::FinishedBatch> waiting_;
  // Of the batch in front, where it goes in several messages:
  uint64_t sent_ = 0;        // bytes of it that earlier messages took
  uint64_t part_bytes_ = 0;  // of each later message
  uint32_t part_ = 0;
};

}  // namespace inkstream::transport
