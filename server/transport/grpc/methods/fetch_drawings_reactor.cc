#include "server/transport/grpc/methods/fetch_drawings_reactor.h"

#include <inkstream/v1/service.pb.h>

#include <utility>

#include "server/base/status_reason.h"
#include "server/service/codec_choice.h"
#include "server/service/service.h"
#include "server/transport/grpc/calls/proto_message.h"
#include "server/wire/messages.h"

namespace inkstream::transport {

FetchDrawingsReactor::FetchDrawingsReactor(const ServerContext& server,
                                           grpc::CallbackServerContext* call,
                                           const Caller& caller)
    : PermittedReactor(server.reads, caller.peer.caller, call),
      server_(server),
      access_(caller.access) {
  Read();
}

void FetchDrawingsReactor::OnMessage() {
  counted_ = server_.calls->Begin();
  const absl::Status status = Start();
  if (!status.ok()) Finish(status);
}

absl::Status FetchDrawingsReactor::Start() {
  if (server_.streams->draining()) {
    return WithReason(absl::UnavailableError("this server is shutting down"),
                      kReasonDrain);
  }
  v1::FetchDrawingsRequest request;
  absl::Status status = ParseMessage(message_, &request);
  message_.Clear();
  if (!status.ok()) return status;
  absl::StatusOr<uint32_t> max_bytes =
      wire::MaxMessageBytes(request.delivery());
  if (!max_bytes.ok()) return max_bytes.status();
  absl::StatusOr<batch::FetchPlan> plan = service::FetchPlanFromProto(request);
  if (!plan.ok()) return plan.status();
  status = access_->Choose(server_.engine->datasets(), &plan->dataset);
  if (!status.ok()) return status;
  ChosenCodec codec;
  if (plan->delivery.codec == Codec::kStrokes) {
    codec.reason = service::WhyNotStrokes(plan->delivery,
                                          request.delivery().raster_version());
    if (!codec.reason.empty()) plan->delivery.codec = Codec::kNone;
  }
  codec.codec = plan->delivery.codec;
  // OnDone() comes behind this reaction, so `this` lives until its end.
  std::function<void()> end = server_.engine->Fetch(
      *std::move(plan), server_.memory, {caller(), request.SpaceUsedLong()},
      [this, max = *max_bytes,
       codec](absl::StatusOr<batch::FetchedBatch> batch) {
        Send(std::move(batch), max, codec);
      });
  {
    const std::lock_guard<std::mutex> lock(mu_);
    if (!gone_) end_ = std::exchange(end, nullptr);
  }
  if (end != nullptr) end();
  return absl::OkStatus();
}

void FetchDrawingsReactor::Send(absl::StatusOr<batch::FetchedBatch> fetched,
                                uint32_t max_message_bytes,
                                const ChosenCodec& codec) {
  if (!fetched.ok()) return Finish(fetched.status());
  messages_ = std::make_unique<BatchMessages>(fetched->facts, max_message_bytes,
                                              unread_);
  absl::Status status =
      messages_->Opened(/*credit_window=*/0, /*stream_id=*/0, codec, &message_);
  if (!status.ok()) return Finish(status);
  messages_->Add(std::move(fetched->batch));
  SendMessage();
}

void FetchDrawingsReactor::SendMessage() {
  write_began_ = std::chrono::steady_clock::now();
  server_.open_calls->Answered(call(), unread_);
  StartWrite(&message_);
}

void FetchDrawingsReactor::OnWriteDone(bool ok) {
  message_.Clear();
  if (!ok) return Finish(absl::CancelledError("the client has gone"));
  messages_->Written(std::chrono::steady_clock::now() - write_began_);
  server_.open_calls->Answered(call(), unread_);
  if (messages_->empty()) return Finish(absl::OkStatus());
  absl::Status status = messages_->Next(&message_);
  if (!status.ok()) return Finish(status);
  SendMessage();
}

// What is not answered yet need not be drawn.
void FetchDrawingsReactor::OnGone() {
  std::function<void()> end;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    gone_ = true;
    end = std::exchange(end_, nullptr);
  }
  if (end != nullptr) end();
}

}  // namespace inkstream::transport
