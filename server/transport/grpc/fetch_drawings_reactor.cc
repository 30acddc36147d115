#include "server/transport/grpc/fetch_drawings_reactor.h"

#include <inkstream/v1/service.pb.h>

#include <utility>

#include "server/batch/status_reason.h"
#include "server/transport/grpc/delivery_from_proto.h"
#include "server/transport/grpc/plan_from_proto.h"
#include "server/transport/grpc/proto_message.h"
#include "server/transport/grpc/status_to_grpc.h"

namespace inkstream::transport {

FetchDrawingsReactor::FetchDrawingsReactor(const ServerContext& server,
                                           const grpc::ByteBuffer& request)
    : counted_(server.calls->Begin()) {
  absl::Status status = Start(server, request);
  if (!status.ok()) Finish(ToGrpcStatus(status));
}

absl::Status FetchDrawingsReactor::Start(const ServerContext& server,
                                         const grpc::ByteBuffer& request) {
  if (server.streams->draining()) {
    return batch::WithReason(
        absl::UnavailableError("this server is shutting down"),
        batch::kReasonDrain);
  }
  grpc::ByteBuffer bytes(request);
  v1::FetchDrawingsRequest parsed;
  absl::Status status = ParseMessage(&bytes, &parsed);
  if (!status.ok()) return status;
  absl::StatusOr<uint32_t> max_bytes = MaxMessageBytes(parsed.delivery());
  if (!max_bytes.ok()) return max_bytes.status();
  absl::StatusOr<batch::FetchPlan> plan = FetchPlanFromProto(parsed);
  if (!plan.ok()) return plan.status();
  const bool shm = parsed.delivery().transport() == v1::TRANSPORT_SHM;
  // OnDone() cannot come before Finish(), so `this` lives until Send().
  server.engine->Fetch(
      *std::move(plan), server.pool,
      [this, max = *max_bytes, shm](absl::StatusOr<batch::FetchedBatch> batch) {
        Send(std::move(batch), max, shm);
      });
  return absl::OkStatus();
}

void FetchDrawingsReactor::Send(absl::StatusOr<batch::FetchedBatch> fetched,
                                uint32_t max_message_bytes,
                                bool asked_for_shm) {
  if (!fetched.ok()) return Finish(ToGrpcStatus(fetched.status()));
  messages_ =
      std::make_unique<BatchMessages>(fetched->facts, max_message_bytes);
  Carriage carriage;
  if (asked_for_shm) {
    carriage.reason = "what FetchDrawings answers travels in messages";
  }
  absl::Status status = messages_->Opened(/*credit_window=*/0, /*stream_id=*/0,
                                          carriage, &message_);
  if (!status.ok()) return Finish(ToGrpcStatus(status));
  messages_->Add(std::move(fetched->batch));
  StartWrite(&message_);
}

void FetchDrawingsReactor::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status::CANCELLED);
  if (messages_->empty()) return Finish(grpc::Status::OK);
  absl::Status status = messages_->Next(&message_);
  if (!status.ok()) return Finish(ToGrpcStatus(status));
  StartWrite(&message_);
}

}  // namespace inkstream::transport
