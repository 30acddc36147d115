// FetchDrawings over gRPC: one batch, cut into parts as on a stream, behind an
// opening message that says which content it is of.
//
// Deletes itself in OnDone().
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "server/batch/engine.h"
#include "server/transport/grpc/batch_message.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class FetchDrawingsReactor : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // `request` need not outlive the call of the constructor.
  FetchDrawingsReactor(const ServerContext& server,
                       const grpc::ByteBuffer& request);

  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  absl::Status Start(const ServerContext& server,
                     const grpc::ByteBuffer& request);
  void Send(absl::StatusOr<batch::FetchedBatch> fetched,
            uint32_t max_message_bytes, bool asked_for_shm);

  const CallsInFlight::Call counted_;
  std::unique_ptr<BatchMessages> messages_;
  grpc::ByteBuffer message_;
};

}  // namespace inkstream::transport
