#include "server/transport/grpc/methods/stream_batches_reactor.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/batch/work/parked_request.h"
#include "server/service/codec_choice.h"
#include "server/transport/grpc/calls/cancel_call.h"
#include "server/transport/grpc/calls/proto_message.h"
#include "server/transport/grpc/calls/status_to_grpc.h"
#include "server/wire/messages.h"

namespace inkstream::transport {
namespace {

// W3C Trace Context: version, trace, span and flags, in hexadecimal digits.
constexpr size_t kTraceparentLength = 55;

std::string TraceparentOf(const grpc::CallbackServerContext& call) {
  const auto found = call.client_metadata().find("traceparent");
  if (found == call.client_metadata().end()) return "";
  const std::string text(found->second.data(), found->second.size());
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c == '-' || absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
  return plain && text.size() == kTraceparentLength ? text : "";
}

}  // namespace

StreamBatchesReactor::StreamBatchesReactor(const ServerContext& server,
                                           grpc::CallbackServerContext* call,
                                           const Caller& caller)
    : server_(server),
      call_(call),
      peer_(caller.peer),
      access_(caller.access),
      session_(
          std::make_shared<StreamSession>(this, peer_, TraceparentOf(*call))) {
  server_.reads->Acquire(
      this, peer_.caller, [this] { StartRead(&request_); },
      [session = session_](absl::Status status) {
        session->Fail(std::move(status));
      });
  server_.streams->Add(session_);
}

void StreamBatchesReactor::OnReadDone(bool ok) {
  const bool first = std::exchange(first_read_, false);
  if (first && !server_.reads->Release(this)) return;  // it has ended
  if (!ok) {
    // A dead client looks like this as well, and before OnCancel().
    if (call_->IsCancelled()) {
      session_->OnPeerGone();
    } else if (!opening_) {
      session_->Fail(absl::InvalidArgumentError(
          "the stream was closed before a request opened it"));
    } else {
      session_->HalfClosed();
    }
    return;
  }
  v1::StreamBatchesRequest request;
  absl::Status status = ParseMessage(request_, &request);
  request_.Clear();
  if (status.ok()) status = OnRequest(request);
  if (!status.ok()) return session_->Fail(std::move(status));
  if (!session_->finished()) StartRead(&request_);
}

absl::Status StreamBatchesReactor::OnRequest(
    const v1::StreamBatchesRequest& request) {
  if (opening_ == request.has_open()) {
    return absl::InvalidArgumentError(
        opening_ ? "open: the stream is open already; open another one"
                 : "open: not set; the first request of a stream opens it");
  }
  if (!opening_) {
    opening_ = true;
    absl::Status status = Open(request);
    if (!status.ok()) return status;
  }
  if (request.credits() > 0) session_->Grant(request.credits());
  return absl::OkStatus();
}

absl::Status StreamBatchesReactor::Open(
    const v1::StreamBatchesRequest& request) {
  const v1::Delivery& delivery = request.open().delivery();
  absl::StatusOr<uint32_t> max_message_bytes = wire::MaxMessageBytes(delivery);
  if (!max_message_bytes.ok()) return max_message_bytes.status();
  max_message_bytes_ = *max_message_bytes;
  absl::StatusOr<Plan> plan = wire::PlanFromProto(request);
  if (!plan.ok()) return plan.status();
  absl::Status status =
      access_->Choose(server_.engine->datasets(), &plan->dataset);
  if (!status.ok()) return status;
  if (plan->delivery.codec == Codec::kStrokes) {
    codec_.reason =
        service::WhyNotStrokes(plan->delivery, delivery.raster_version());
    if (!codec_.reason.empty()) plan->delivery.codec = Codec::kNone;
  }
  codec_.codec = plan->delivery.codec;
  return server_.engine->Run(
      peer_.caller, request.SpaceUsedLong(),
      [engine = server_.engine, memory = server_.memory,
       plan = *std::move(plan), session = session_, caller = peer_.caller] {
        if (session->finished()) return;
        absl::StatusOr<std::shared_ptr<batch::BatchStream>> stream =
            engine->OpenStreamFor(caller, plan, memory.get());
        if (batch::IsParked(stream.status())) return;
        if (!stream.ok()) return session->Fail(stream.status());
        session->Open(*std::move(stream), plan.delivery);
      });
}

void StreamBatchesReactor::OnWriteDone(bool ok) {
  // It would hold the batch's memory until the next one is written, for which
  // there may be none.
  message_.Clear();
  if (!ok) {
    session_->OnPeerGone(/*lost=*/true);
    session_->OnWritten();
    return;
  }
  messages_->Written(std::chrono::steady_clock::now() - write_began_);
  if (messages_->empty()) return session_->OnWritten();
  session_->OnProgress();
  absl::Status status = messages_->Next(&message_);
  if (status.ok()) return Send();
  // What came before has been written; this one and those behind it end here.
  session_->Fail(std::move(status));
  session_->OnWritten();
}

void StreamBatchesReactor::OnCancel() { session_->OnPeerGone(); }

void StreamBatchesReactor::OnDone() {
  session_->Detach();
  server_.streams->Remove(session_->id());
  delete this;
}

absl::StatusOr<bool> StreamBatchesReactor::WriteOpened(
    const batch::StreamFacts& facts) {
  messages_ =
      std::make_unique<BatchMessages>(facts, max_message_bytes_, unread_);
  absl::Status status =
      messages_->Opened(facts.credit_window, session_->id(), codec_, &message_);
  if (!status.ok()) return status;
  Send();
  return true;
}

absl::StatusOr<bool> StreamBatchesReactor::Write(
    std::vector<batch::FinishedBatch> batches) {
  for (batch::FinishedBatch& batch : batches) messages_->Add(std::move(batch));
  absl::Status status = messages_->Next(&message_);
  if (!status.ok()) return status;
  Send();
  return true;
}

void StreamBatchesReactor::Send() {
  write_began_ = std::chrono::steady_clock::now();
  StartWrite(&message_);
}

void StreamBatchesReactor::Finish(const batch::Ended& end) {
  message_ = messages_->End(end);
  StartWriteAndFinish(&message_, grpc::WriteOptions(), grpc::Status::OK);
}

void StreamBatchesReactor::Finish(const absl::Status& status) {
  // Nothing is to be read of a call that is over.
  server_.reads->Release(this);
  ServerBidiReactor::Finish(ToGrpcStatus(status));
}

void StreamBatchesReactor::Abort(const absl::Status& status) {
  CancelCall(call_->c_call(), status);
}

}  // namespace inkstream::transport
