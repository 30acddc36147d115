// FetchDrawings over gRPC: one batch, cut into parts as on a stream, behind an
// opening message that says which content it is of.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "server/batch/engine.h"
#include "server/transport/grpc/calls/permitted_reactor.h"
#include "server/transport/grpc/methods/batch_message.h"
#include "server/transport/grpc/server_context.h"

namespace inkstream::transport {

class FetchDrawingsReactor : public PermittedReactor {
 public:
  // `server` and `call` outlive the call.
  FetchDrawingsReactor(const ServerContext& server,
                       grpc::CallbackServerContext* call, const Caller& caller);

  void OnWriteDone(bool ok) override;

 private:
  void OnMessage() override;
  void OnGone() override;
  absl::Status Start();
  void Send(absl::StatusOr<batch::FetchedBatch> fetched,
            uint32_t max_message_bytes, const ChosenCodec& codec);
  void SendMessage();

  const ServerContext& server_;
  const std::shared_ptr<const Access> access_;
  const std::shared_ptr<UnreadBytes> unread_ = std::make_shared<UnreadBytes>();
  CallsInFlight::Call counted_;  // once the request is there
  std::unique_ptr<BatchMessages> messages_;
  std::chrono::steady_clock::time_point write_began_;
  std::mutex mu_;              // guards everything below
  std::function<void()> end_;  // of the fetch; null: it has not begun
  bool gone_ = false;
};

}  // namespace inkstream::transport
