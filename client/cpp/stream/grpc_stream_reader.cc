// The reading thread of GrpcStream.

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/call/target.h"
#include "client/cpp/messages/earlier_servers.h"
#include "client/cpp/messages/from_proto.h"
#include "client/cpp/messages/status_conversion.h"
#include "client/cpp/messages/to_proto.h"
#include "client/cpp/moment.h"
#include "client/cpp/stream/grpc_stream.h"
#include "server/wire/messages.h"

namespace inkstream::client {
namespace {

// Cancelling does not reach an upload.
constexpr absl::Duration kTimeForKeys = absl::Seconds(10);
constexpr absl::Duration kPauseWithoutBatches = absl::Milliseconds(50);
// Rows that may be ahead: bytes, and batches of whatever size.
constexpr uint64_t kRowsAheadBytes = 1U << 20U;
constexpr uint64_t kLeastRowsAhead = 8;
constexpr uint32_t kMostRowsAhead = 256;

absl::Status Broken(const char* what) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", what));
}

}  // namespace

void GrpcStream::Run() noexcept {
  try {
    ReadUntilDone();
  } catch (const std::exception& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    EndWith(absl::ResourceExhaustedError(error.what()));
  }
}

void GrpcStream::ReadUntilDone() {
  for (;;) {
    moved_ = false;
    absl::Status status = ReadOneCall();
    const bool rebalance =
        status.ok() && end_part_->reason() == v1::StreamEnd::REASON_REBALANCE;
    const bool ended =
        status.ok() && !rebalance &&
        resume_point_.Ended(wire::CursorFromProto(end_part_->cursor()));
    // A server that leaves behind the last batch leaves nothing undone.
    if (ended || resume_point_.complete()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      end_cursor_ = resume_point_.place();
      end_cursor_.order_plan = info_.start.order_plan;
      EndWith(absl::OkStatus());
      return;
    }
    if (status.ok()) {
      // Not at once again where nothing came: it would be a busy loop.
      if (!moved_ && !Pause(kPauseWithoutBatches)) return;
      if (rebalance) TurnAway();
      continue;
    }
    std::shared_ptr<grpc::Channel> channel;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (done_.has_value()) return;  // perhaps before there was a call at all
      channel = call_->channel();
    }
    if (moved_) told_.reset();
    if (told_ != channel &&
        keys_->SentWhere(status, channel, sets_, kTimeForKeys)) {
      told_ = channel;
      continue;
    }
    const absl::StatusOr<absl::Duration> delay =
        retry_.OnFailure(WhyBroken(std::move(status)), Moment::Now());
    if (!delay.ok()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      EndWith(delay.status());
      return;
    }
    if (!Pause(*delay)) return;
    TurnAway();
  }
}

// CANCELLED is this side's own doing, or a server's that is cut off.
absl::Status GrpcStream::WhyBroken(absl::Status status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (done_.has_value()) return status;
  if (stalled_) {
    return absl::UnavailableError(
        absl::StrCat("no message from ", InWords(endpoints_->target()), " for ",
                     absl::FormatDuration(options_.stall_timeout)));
  }
  if (status.code() == absl::StatusCode::kCancelled || IsBrokenLink(status)) {
    return absl::UnavailableError(
        absl::StrCat(InWords(endpoints_->target()), ": ", status.message()));
  }
  return status;
}

void GrpcStream::TurnAway() {
  std::shared_ptr<grpc::Channel> left;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    left = call_->channel();
    ++counts_.reopened;
  }
  endpoints_->Advance(left);
}

absl::Status GrpcStream::ReadOneCall(const std::string& why_no_rows) {
  const auto call = std::make_shared<StreamCall>(endpoints_->channel());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (done_.has_value()) {
      return *done_;
    }
    call_ = call;
    open_ = false;
    stalled_ = false;
    progress_ = Moment::Now();
    // The server's window is not known yet; OnOpened() grants the rest.
    credit_ = 1;
  }
  end_part_.reset();
  // Where this fails, so does the first Read(), and its status says why.
  v1::StreamBatchesRequest opening =
      wire::PlanToProto(resume_point_.Opening(), 1, options_.max_message_bytes);
  v1::Delivery* const delivery = opening.mutable_open()->mutable_delivery();
  const std::string target = endpoints_->target();
  SayWhoDraws(delivery);
  if (!why_no_rows.empty()) delivery->set_codec(v1::CODEC_NONE);
  codec_reason_ = why_no_rows;
  call->Write(opening);

  CallReader reader(call, target, opening, &buffers_, options_.max_batch_bytes,
                    threads_->threads());
  absl::Status refused;  // by this side
  for (;;) {
    absl::StatusOr<std::optional<CallEvent>> event = reader.Read();
    if (!event.ok() || !event->has_value()) {
      const absl::Status status = refused.ok() ? event.status() : refused;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        open_ = false;
      }
      if (!HaveTheServerDraw(status, delivery)) return status;
      return ReadOneCall(
          absl::StrCat(target, " draws itself: ", status.message()));
    }
    if (refused.ok()) {
      refused = OnEvent(**std::move(event), reader, call);
      if (!refused.ok()) {
        call->Cancel();
      }
    }
  }
}

absl::Status GrpcStream::OnEvent(CallEvent event, const CallReader& reader,
                                 const std::shared_ptr<StreamCall>& call) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    progress_ = Moment::Now();
  }
  if (const auto* opened = std::get_if<v1::StreamOpened>(&event)) {
    return OnOpened(*opened, call);
  }
  if (auto* end = std::get_if<v1::StreamEnd>(&event)) {
    end_part_ = std::move(*end);
    return absl::OkStatus();
  }
  return OnBatches(std::get<std::vector<ReceivedBatch>>(std::move(event)),
                   reader.rows());
}

absl::Status GrpcStream::OnOpened(const v1::StreamOpened& opened,
                                  const std::shared_ptr<StreamCall>& call) {
  uint32_t credits = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    absl::Status understood = CheckUnderstood(
        passed_over_, opened.refuses_unknown(), endpoints_->target());
    if (!understood.ok()) return NotHere(understood.message());
    if (!accepted_) {
      info_ = StreamInfoOf(opened);
      vocabulary_ = VocabularyOf(opened);
      if (info_.codec_reason.empty()) info_.codec_reason = codec_reason_;
      cursor_ = info_.start;
      resume_point_.Accepted(info_.start);
      accepted_ = true;
      bell_->changed.notify_all();
    } else if (absl::Status same = CheckSame(opened); !same.ok()) {
      return same;
    }
    open_ = true;
    stream_id_ = opened.stream_id();
    // Of rows the server says how many come to a mebibyte.
    window_ = MostAhead(opened.codec() == v1::CODEC_STROKES);
    if (opened.credit_window() > 0) {
      window_ = std::min(window_, opened.credit_window());
    }
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

uint32_t GrpcStream::MostAhead(bool rows) const {
  if (options_.read_ahead > 0) return options_.read_ahead;
  return rows ? kMostRowsAhead : kTensorsAhead;
}

uint32_t GrpcStream::FittingRows(uint64_t wire_size) {
  return static_cast<uint32_t>(std::max<uint64_t>(
      kRowsAheadBytes / std::max<uint64_t>(wire_size, 1), kLeastRowsAhead));
}

uint32_t GrpcStream::FittingBatches(uint64_t batch_bytes) const {
  constexpr uint64_t kLeast = 2;  // one in hand, one on its way
  const uint64_t most = MostAhead(/*rows=*/false);
  return static_cast<uint32_t>(std::clamp<uint64_t>(
      options_.max_read_ahead_bytes / std::max<uint64_t>(batch_bytes, 1),
      std::min(kLeast, most), most));
}

// Other pixels or other drawings are another replica's; another order of the
// same drawings is an error of this plan.
absl::Status GrpcStream::CheckSame(const v1::StreamOpened& opened) const {
  const auto differs = [this](const char* what, const auto& there,
                              const auto& here) {
    return absl::StrCat(endpoints_->target(), " would go on with ", what, " ",
                        there, ", the stream began with ", here);
  };
  const Cursor& start = info_.start;
  if (opened.cursor().fingerprint() != start.fingerprint) {
    return NotHere(differs("fingerprint", opened.cursor().fingerprint(),
                           start.fingerprint));
  }
  if (opened.raster_version() != info_.raster_version) {
    return NotHere(differs("raster version", opened.raster_version(),
                           info_.raster_version));
  }
  if (opened.cursor().plan_hash() != start.plan_hash) {
    return absl::FailedPreconditionError(
        differs("order plan", opened.cursor().plan_hash(), start.plan_hash));
  }
  return absl::OkStatus();
}

absl::Status GrpcStream::OnBatches(std::vector<ReceivedBatch> batches,
                                   const std::shared_ptr<AgreedRows>& rows) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (batches.size() > credit_) {
      return Broken("more batches than were granted");
    }
  }
  for (ReceivedBatch& received : batches) {
    const v1::BatchHeader& header = received.header;
    Queued queued;
    queued.wire_bytes =
        received.rows.has_value() ? header.wire_size() : header.byte_size();
    const uint32_t fitting = received.rows.has_value()
                                 ? FittingRows(header.wire_size())
                                 : FittingBatches(header.byte_size());
    if (received.rows.has_value()) {
      queued.content.epoch = header.epoch();
      queued.content.step = header.step();
      queued.content.cursor = info_.start;
      queued.content.cursor->epoch = header.cursor().epoch();
      queued.content.cursor->position = header.cursor().position();
      queued.rows = std::make_unique<RowsToDraw>(rows, std::move(received));
    } else {
      queued.content = ContentOf(std::move(received), vocabulary_);
      // Sent once a stream; a cursor that is kept should be able to explain
      // itself.
      queued.content.cursor->order_plan = info_.start.order_plan;
    }
    Batch::Content& content = queued.content;
    content.sequence = received_++;
    content.step =
        resume_point_.Passed(*content.cursor, content.epoch, content.step);
    moved_ = true;
    retry_.OnProgress();
    const std::lock_guard<std::mutex> lock(mutex_);
    --credit_;
    window_ = std::min(window_, fitting);
    if (!done_.has_value()) queue_.push_back(std::move(queued));
    DrawAhead();
    bell_->changed.notify_all();
  }
  return absl::OkStatus();
}

}  // namespace inkstream::client
