#include "server/transport/grpc/fetch_drawings_reactor.h"

#include <inkstream/v1/service.pb.h>

#include <utility>

#include "server/batch/status_reason.h"
#include "server/service/fetch_plan.h"
#include "server/transport/grpc/caller.h"
#include "server/transport/grpc/proto_message.h"
#include "server/transport/grpc/status_to_grpc.h"
#include "server/wire/delivery_message.h"

namespace inkstream::transport {

FetchDrawingsReactor::FetchDrawingsReactor(const ServerContext& server,
                                           grpc::CallbackServerContext* call,
                                           const grpc::ByteBuffer& request)
    : server_(server),
      counted_(server.calls->Begin()),
      watched_(server.watched->Add(
          call, batch::WithReason(
                    absl::UnavailableError("the client has not taken the "
                                           "drawings that it fetched"),
                    batch::kReasonSlowReader))) {
  absl::Status status =
      Start(PeerOf(*server_.connections, *call).caller, request);
  if (!status.ok()) Finish(ToGrpcStatus(status));
}

absl::Status FetchDrawingsReactor::Start(const std::string& caller,
                                         const grpc::ByteBuffer& request) {
  if (server_.streams->draining()) {
    return batch::WithReason(
        absl::UnavailableError("this server is shutting down"),
        batch::kReasonDrain);
  }
  grpc::ByteBuffer bytes(request);
  v1::FetchDrawingsRequest parsed;
  absl::Status status = ParseMessage(&bytes, &parsed);
  if (!status.ok()) return status;
  absl::StatusOr<uint32_t> max_bytes = wire::MaxMessageBytes(parsed.delivery());
  if (!max_bytes.ok()) return max_bytes.status();
  absl::StatusOr<batch::FetchPlan> plan = service::FetchPlanFromProto(parsed);
  if (!plan.ok()) return plan.status();
  const bool shm = parsed.delivery().transport() == v1::TRANSPORT_SHM;
  // OnDone() cannot come before Finish(), so `this` lives until Send().
  end_ = server_.engine->Fetch(
      *std::move(plan), server_.memory, {caller, request.Length()},
      [this, max = *max_bytes, shm](absl::StatusOr<batch::FetchedBatch> batch) {
        Send(std::move(batch), max, shm);
      });
  return absl::OkStatus();
}

void FetchDrawingsReactor::Send(absl::StatusOr<batch::FetchedBatch> fetched,
                                uint32_t max_message_bytes,
                                bool asked_for_shm) {
  if (!fetched.ok()) return Finish(ToGrpcStatus(fetched.status()));
  messages_ = std::make_unique<BatchMessages>(fetched->facts, max_message_bytes,
                                              watched_->unread());
  Carriage carriage;
  if (asked_for_shm) {
    carriage.reason = "what FetchDrawings answers travels in messages";
  }
  absl::Status status = messages_->Opened(/*credit_window=*/0, /*stream_id=*/0,
                                          carriage, &message_);
  if (!status.ok()) return Finish(ToGrpcStatus(status));
  messages_->Add(std::move(fetched->batch));
  watched_->OnProgress();
  StartWrite(&message_);
}

void FetchDrawingsReactor::OnWriteDone(bool ok) {
  message_.Clear();
  if (!ok) return Finish(grpc::Status::CANCELLED);
  watched_->OnProgress();
  if (messages_->empty()) return Finish(grpc::Status::OK);
  absl::Status status = messages_->Next(&message_);
  if (!status.ok()) return Finish(ToGrpcStatus(status));
  StartWrite(&message_);
}

// What is not answered yet need not be drawn.
void FetchDrawingsReactor::OnCancel() {
  if (end_ != nullptr) end_();
}

void FetchDrawingsReactor::OnDone() {
  server_.watched->Remove(watched_);
  delete this;
}

}  // namespace inkstream::transport
