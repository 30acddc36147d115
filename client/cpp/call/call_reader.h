// What comes in on one StreamBatches call, as whole events: the first part,
// batches, the end. Checks the order of messages; whatever breaks the protocol
// cancels the call.
//
// Thread safety: for one thread, the only one that reads the call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/rows_to_draw.h"
#include "client/cpp/call/stream_call.h"

namespace inkstream::client {

// No batches: a message came that completes none.
using CallEvent =
    std::variant<v1::StreamOpened, std::vector<ReceivedBatch>, v1::StreamEnd>;

class CallReader {
 public:
  // `target`: of the call, for errors. `opening`: the request that opens it,
  // which bounds and says what may come. `threads`: that draw rows.
  CallReader(std::shared_ptr<StreamCall> call, std::string target,
             const v1::StreamBatchesRequest& opening, BatchBuffers* buffers,
             uint64_t max_batch_bytes, int threads);

  // Blocks. nullopt: the call ended well, behind its end part. An error is the
  // server's status, or what is wrong with its messages. Not called again after
  // either.
  absl::StatusOr<std::optional<CallEvent>> Read();

  // What is known of batches that come as rows, with the first part. Null: none
  // do.
  const std::shared_ptr<AgreedRows>& rows() const { return rows_; }

 private:
  absl::StatusOr<CallEvent> EventOf(grpc::ByteBuffer* message);
  absl::Status Add(const engine::PartView& part,
                   std::vector<ReceivedBatch>* batches);
  absl::Status OnOpened(v1::StreamOpened* opened);
  absl::Status Break(absl::Status status);

  const std::shared_ptr<StreamCall> call_;
  const std::string target_;
  const absl::StatusOr<engine::AskedBatches> asked_;
  const int threads_;
  std::shared_ptr<AgreedRows> rows_;
  engine::BatchAssembler assembler_;
  absl::Status behind_;  // the error behind the batches that were given out
  bool opened_ = false;
  bool ended_ = false;
};

}  // namespace inkstream::client
