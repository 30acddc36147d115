// FetchDrawings over gRPC: one batch, cut into parts as on a stream, behind an
// opening message that says which content it is of.
//
// Deletes itself in OnDone().
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>

#include "server/batch/engine.h"
#include "server/transport/grpc/batch_message.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class FetchDrawingsReactor : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // `server` and `call` outlive the call; `request` not even the constructor.
  FetchDrawingsReactor(const ServerContext& server,
                       grpc::CallbackServerContext* call,
                       const grpc::ByteBuffer& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  absl::Status Start(const std::string& caller,
                     const grpc::ByteBuffer& request);
  void Send(absl::StatusOr<batch::FetchedBatch> fetched,
            uint32_t max_message_bytes, bool asked_for_shm);

  const ServerContext& server_;
  const CallsInFlight::Call counted_;
  const std::shared_ptr<WatchedCall> watched_;
  std::function<void()> end_;  // of the fetch; null: it has not begun
  std::unique_ptr<BatchMessages> messages_;
  grpc::ByteBuffer message_;
};

}  // namespace inkstream::transport
