// StreamBatches over gRPC: glue between a call and its StreamSession.
//
// gRPC calls the On… methods; the session calls the sink's. Finish() is called
// once, by the session when nothing is in flight, and OnDone() ends the object.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <inkstream/v1/service.pb.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/batch/engine.h"
#include "server/transport/batch_sink.h"
#include "server/transport/grpc/methods/batch_message.h"
#include "server/transport/grpc/server_context.h"
#include "server/transport/listener/connection_table.h"
#include "server/transport/stream_session.h"

namespace inkstream::transport {

class StreamBatchesReactor
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public BatchSink {
 public:
  // `server` outlives every call.
  StreamBatchesReactor(const ServerContext& server,
                       grpc::CallbackServerContext* call, const Caller& caller);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  absl::StatusOr<bool> WriteOpened(const batch::StreamFacts& facts) override;
  absl::StatusOr<bool> Write(
      std::vector<batch::FinishedBatch> batches) override;
  void Finish(const batch::Ended& end) override;
  void Finish(const absl::Status& status) override;
  void Abort(const absl::Status& status) override;
  const UnreadBytes* unread() const override { return unread_.get(); }

 private:
  absl::Status OnRequest(const v1::StreamBatchesRequest& request);
  absl::Status Open(const v1::StreamBatchesRequest& request);
  void Send();

  const ServerContext& server_;
  grpc::CallbackServerContext* const call_;
  const Peer peer_;
  const std::shared_ptr<const Access> access_;
  const std::shared_ptr<UnreadBytes> unread_ = std::make_shared<UnreadBytes>();
  const std::shared_ptr<StreamSession> session_;

  // Of the one read in flight:
  grpc::ByteBuffer request_;
  bool first_read_ = true;
  bool opening_ = false;  // an opening request has come

  // Of the one write in flight:
  grpc::ByteBuffer message_;
  std::chrono::steady_clock::time_point write_began_;
  std::unique_ptr<BatchMessages> messages_;
  uint32_t max_message_bytes_ = 0;

  ChosenCodec codec_;  // fixed before the stream is opened
};

}  // namespace inkstream::transport
