// The reading thread of GrpcStream.

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cpp/call/target.h"
#include "client/cpp/messages/earlier_servers.h"
#include "client/cpp/messages/from_proto.h"
#include "client/cpp/messages/status_conversion.h"
#include "client/cpp/messages/to_proto.h"
#include "client/cpp/moment.h"
#include "client/cpp/stream/grpc_stream.h"
#include "server/raster/draw/rasterizer.h"
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
constexpr uint64_t kLeastTensorsAhead = 2;  // one in hand, one on its way

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
  const auto call = std::make_shared<RawCall>(endpoints_->channel());
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
  v1::StreamBatchesRequest opening =
      wire::PlanToProto(resume_point_.Opening(), 1, options_.max_message_bytes);
  v1::Delivery* const delivery = opening.mutable_open()->mutable_delivery();
  const std::string target = endpoints_->target();
  delivery->set_raster_version(raster::kRasterVersion);
  if (!why_no_rows.empty()) delivery->set_codec(v1::CODEC_NONE);
  codec_reason_ = why_no_rows;
  batches_.Begin(engine::AskedBy(opening), target, options_.max_batch_bytes);
  // Where this fails, so does the first Read(), and its status says why.
  call->Write(opening);
  absl::Status status = call->ReadAll([&](absl::StatusOr<engine::PartView>* p) {
    return OnPart(p, call.get());
  });
  if (status.ok() && !end_part_.has_value()) {
    status =
        engine::BrokenProtocol("a stream that ends well without an end part");
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = false;
  }
  if (!HaveTheServerDraw(status, delivery)) return status;
  return ReadOneCall(absl::StrCat(target, " draws itself: ", status.message()));
}

absl::Status GrpcStream::OnPart(absl::StatusOr<engine::PartView>* part,
                                RawCall* call) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    progress_ = Moment::Now();
  }
  try {
    absl::Status status = batches_.Feed(part).status();
    if (!status.ok()) return status;
  } catch (const std::system_error& error) {
    return Fail(NoThread(error));
  }
  if ((*part)->opened.has_value()) return OnOpened(*(*part)->opened, call);
  if ((*part)->end.has_value()) end_part_ = std::move((*part)->end);
  return absl::OkStatus();
}

absl::Status GrpcStream::OnOpened(const v1::StreamOpened& opened,
                                  RawCall* call) {
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
    credits = TakeGrant();
  }
  if (received_ == 0) {
    retry_.OnProgress();
  }
  if (credits > 0) Grant(credits, call);
  return absl::OkStatus();
}

uint32_t GrpcStream::MostAhead(bool rows) const {
  if (options_.read_ahead > 0) return options_.read_ahead;
  return rows ? kMostRowsAhead : kTensorsAhead;
}

uint32_t GrpcStream::Fitting(const engine::ReceivedBatch& batch) const {
  const uint64_t bytes = std::max<uint64_t>(batch.wire_bytes, 1);
  if (batch.rows.has_value()) {
    return static_cast<uint32_t>(
        std::max(kRowsAheadBytes / bytes, kLeastRowsAhead));
  }
  const uint64_t most = MostAhead(/*rows=*/false);
  return static_cast<uint32_t>(
      std::clamp<uint64_t>(options_.max_read_ahead_bytes / bytes,
                           std::min(kLeastTensorsAhead, most), most));
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

absl::Status GrpcStream::OnBatch(engine::ReceivedBatch* batch) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (credit_ == 0) {
      return engine::BrokenProtocol("more batches than were granted");
    }
    --credit_;
    ++queued_;
    window_ = std::min(window_, Fitting(*batch));
  }
  v1::BatchHeader& header = batch->header;
  Cursor after = info_.start;
  after.epoch = header.cursor().epoch();
  after.position = header.cursor().position();
  header.set_batch_seq(received_++);
  header.set_step(resume_point_.Passed(after, header.epoch(), header.step()));
  moved_ = true;
  retry_.OnProgress();
  return absl::OkStatus();
}

}  // namespace inkstream::client
