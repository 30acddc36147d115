// The reading thread of GrpcStream.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/grpc_stream.h"
#include "client/cpp/message_conversion.h"

namespace inkstream::client {
namespace {

absl::Status Broken(const char* what) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", what));
}

}  // namespace

void GrpcStream::ReadUntilDone() {
  for (;;) {
    absl::Status status = ReadOneCall();
    bool rebalance = false;
    if (status.ok()) {
      rebalance = end_part_->reason() == v1::StreamEnd::REASON_REBALANCE;
      if (!rebalance) {
        absl::MutexLock lock(&mutex_);
        end_cursor_ = *plan_.start;
        EndWith(absl::OkStatus());
        return;
      }
      status = absl::UnavailableError(
          absl::StrCat(endpoints_->target(),
                       " asks to open the stream at its cursor again "
                       "over a new connection"));
    }
    const absl::StatusOr<absl::Duration> delay =
        retry_.OnFailure(status, absl::Now());
    if (!delay.ok()) {
      absl::MutexLock lock(&mutex_);
      EndWith(delay.status());
      return;
    }
    if (!Pause(*delay)) {
      return;
    }
    std::shared_ptr<grpc::Channel> failed;
    {
      absl::MutexLock lock(&mutex_);
      failed = call_->channel();
    }
    endpoints_->Advance(failed);
  }
}

absl::Status GrpcStream::ReadOneCall() {
  const auto call = std::make_shared<StreamCall>(endpoints_->channel());
  {
    absl::MutexLock lock(&mutex_);
    if (done_.has_value()) {
      return *done_;
    }
    call_ = call;
    open_ = false;
    // The server's window is not known yet; OnOpened() grants the rest.
    credit_ = 1;
  }
  end_part_.reset();
  // Where this fails, so does the first Read(), and its status says why.
  call->Write(OpenRequest(plan_, 1, options_.max_message_bytes));

  CallReader reader(call, &buffers_, options_.max_batch_bytes);
  absl::Status refused;  // by this side
  for (;;) {
    absl::StatusOr<std::optional<CallEvent>> event = reader.Read();
    if (!event.ok() || !event->has_value()) {
      absl::MutexLock lock(&mutex_);
      open_ = false;
      return refused.ok() ? event.status() : refused;
    }
    if (refused.ok()) {
      refused = OnEvent(**std::move(event), call);
      if (!refused.ok()) {
        call->Cancel();
      }
    }
  }
}

absl::Status GrpcStream::OnEvent(CallEvent event,
                                 const std::shared_ptr<StreamCall>& call) {
  {
    absl::MutexLock lock(&mutex_);
    progress_ = absl::Now();
  }
  if (const auto* opened = std::get_if<v1::StreamOpened>(&event)) {
    return OnOpened(*opened, call);
  }
  if (auto* end = std::get_if<v1::StreamEnd>(&event)) {
    end_part_ = std::move(*end);
    if (end_part_->has_cursor()) {
      plan_.start = CursorOf(end_part_->cursor());
      plan_.start->order_plan = info_.start.order_plan;
    }
    return absl::OkStatus();
  }
  return OnBatches(std::get<std::vector<ReceivedBatch>>(std::move(event)));
}

absl::Status GrpcStream::OnOpened(const v1::StreamOpened& opened,
                                  const std::shared_ptr<StreamCall>& call) {
  uint32_t credits = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (!accepted_) {
      info_ = StreamInfoOf(opened);
      cursor_ = info_.start;
      plan_.start = info_.start;
      // From here on the stream is about this data and no newer one.
      plan_.fingerprint = info_.start.fingerprint;
      accepted_ = true;
    } else if (opened.cursor().fingerprint() != info_.start.fingerprint ||
               opened.cursor().plan_hash() != info_.start.plan_hash ||
               opened.raster_version() != info_.raster_version) {
      return absl::FailedPreconditionError(absl::StrCat(
          endpoints_->target(),
          " would go on with other data: fingerprint, order plan or raster "
          "version differ from those the stream began with"));
    }
    open_ = true;
    window_ = std::max<uint32_t>(
        1, opened.credit_window() == 0
               ? options_.read_ahead
               : std::min(options_.read_ahead, opened.credit_window()));
    const uint32_t held = credit_ + static_cast<uint32_t>(queue_.size());
    credits = window_ > held ? window_ - held : 0;
    credit_ += credits;
  }
  if (received_ == 0) {
    retry_.OnProgress();
  }
  if (credits > 0) {
    v1::StreamBatchesRequest request;
    request.set_credits(credits);
    call->Write(request);
  }
  return absl::OkStatus();
}

absl::Status GrpcStream::OnBatches(std::vector<ReceivedBatch> batches) {
  {
    absl::MutexLock lock(&mutex_);
    if (batches.size() > credit_) {
      return Broken("more batches than were granted");
    }
  }
  for (ReceivedBatch& received : batches) {
    Batch::Content content = ContentOf(std::move(received));
    content.sequence = received_++;
    // Sent once a stream; a cursor that is kept should be able to explain
    // itself.
    content.cursor.order_plan = info_.start.order_plan;
    plan_.start = content.cursor;
    if (plan_.delivery.max_batches > 0) {
      --plan_.delivery.max_batches;
    }
    retry_.OnProgress();
    absl::MutexLock lock(&mutex_);
    --credit_;
    if (!done_.has_value()) {
      queue_.emplace_back(std::move(content));
    }
  }
  return absl::OkStatus();
}

}  // namespace inkstream::client
