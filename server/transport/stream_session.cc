#include "server/transport/stream_session.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/status_reason.h"
#include "server/transport/call_observer.h"
#include "server/transport/status/plan_summary.h"

namespace inkstream::transport {
namespace {

// Messages of 1 to 4 MiB travel best; small batches that are ready share one.
constexpr uint64_t kGatherBytes = 1U << 20U;
// Batches ahead of a client that grants no credits itself.
constexpr uint32_t kHalfClosedWindow = 2;
// Long enough for the client to have found another replica first.
constexpr absl::Duration kRetryDelay = absl::Seconds(1);

absl::Status Unavailable(absl::string_view reason, absl::string_view text) {
  return WithRetryDelay(WithReason(absl::UnavailableError(text), reason),
                        kRetryDelay);
}

const char* ReasonText(batch::EndReason reason) {
  switch (reason) {
    case batch::EndReason::kEpochsDone:
      return "EPOCHS_DONE";
    case batch::EndReason::kMaxBatches:
      return "MAX_BATCHES";
    case batch::EndReason::kRebalance:
      return "REBALANCE";
  }
  return "OTHER";
}

double Seconds(StreamSession::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

StreamSession::StreamSession(BatchSink* sink, const Peer& peer,
                             std::string traceparent)
    : is_unix_(peer.is_unix), sink_(sink) {
  report_.peer = peer.name;
  report_.caller = peer.caller;
  report_.traceparent = std::move(traceparent);
}

StreamSession::~StreamSession() = default;

void StreamSession::Open(std::shared_ptr<batch::BatchStream> stream,
                         const DeliverySpec& delivery) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (finished_) return;
  progress_ = Clock::now();
  stream_ = std::move(stream);
  mark_ = stream_->wait_times();
  report_.opening = Seconds(progress_ - started_);
  report_.codec = delivery.codec;
  report_.plan = PlanSummary(stream_->facts().start, delivery);
  report_.dataset = stream_->facts().dataset;
  report_.fingerprint = stream_->facts().start.fingerprint;
  report_.plan_hash = stream_->facts().start.plan_hash;
  report_.rank = delivery.rank;
  report_.world = delivery.world;
  report_.step_offset = delivery.step_offset;
  report_.step_stride = delivery.step_stride;
  stream_->SetListener([weak = weak_from_this()] {
    const std::shared_ptr<StreamSession> session = weak.lock();
    if (session == nullptr) return;
    const std::lock_guard<std::mutex> listener_lock(session->mu_);
    session->Pump();
  });
  if (observer_ != nullptr) observer_->OnStreamOpened(ReportLocked());
  GrantLocked(std::exchange(early_credits_, 0));
  Pump();
}

void StreamSession::Fail(absl::Status status) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!ending_.has_value()) ending_ = std::move(status);
  Pump();
}

void StreamSession::Grant(uint32_t credits) {
  const std::lock_guard<std::mutex> lock(mu_);
  GrantLocked(credits);
  Pump();
}

void StreamSession::HalfClosed() {
  const std::lock_guard<std::mutex> lock(mu_);
  if (half_closed_) return;
  half_closed_ = true;
  const uint32_t open =
      stream_ != nullptr ? stream_->credits() : early_credits_;
  if (open < kHalfClosedWindow) GrantLocked(kHalfClosedWindow - open);
  Pump();
}

void StreamSession::OnWritten() {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!writing_) return;
  EndWrite();
  if (half_closed_) GrantLocked(static_cast<uint32_t>(in_flight_.batches));
  Pump();
}

void StreamSession::OnProgress() {
  const std::lock_guard<std::mutex> lock(mu_);
  progress_ = Clock::now();
}

void StreamSession::OnPeerGone(bool lost) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (!peer_gone_ && !ending_.has_value()) all_written_ = End();
  if (lost) all_written_.reset();
  peer_gone_ = true;
  StopStream();
  if (!ending_.has_value()) {
    ending_ = absl::CancelledError("the client has gone");
  }
  Pump();
}

void StreamSession::Drain() {
  const std::lock_guard<std::mutex> lock(mu_);
  // Where all is written, what is left to say is that it was the end.
  if (!ending_.has_value() && !End().has_value()) {
    ending_ = Unavailable(kReasonDrain,
                          "this server is shutting down: go on at the cursor "
                          "of the last batch, on another one");
  }
  Pump();
}

void StreamSession::Rebalance() {
  const std::lock_guard<std::mutex> lock(mu_);
  rebalancing_ = true;
  Pump();
}

void StreamSession::Detach() {
  std::shared_ptr<batch::BatchStream> closed;
  const std::lock_guard<std::mutex> lock(mu_);
  finished_ = true;
  sink_ = nullptr;
  StopStream();
  if (stream_ != nullptr) report_.place = stream_->place();
  closed = std::move(stream_);
}

void StreamSession::EndIfStalled(Clock::time_point since) {
  const std::lock_guard<std::mutex> lock(mu_);
  if (sink_ == nullptr) return;
  const UnreadBytes* const unread = sink_->unread();
  // Also of a stream that has ended: its last bytes are memory as well.
  if (unread != nullptr && unread->StuckSince(since)) return EndSlowReader();
  const bool moves = unread != nullptr && unread->bytes() > 0;
  if (finished_ || moves || progress_ > since) return;
  if (writing_) return EndSlowReader();
  if (stream_ != nullptr && stream_->credits() > 0) {
    ending_ = Unavailable(kReasonOverloaded,
                          "this server has no batch ready for a credit");
    Pump();
  }
}

void StreamSession::EndSlowReader() {
  progress_ = Clock::now();
  ending_ = Unavailable(kReasonSlowReader,
                        "the client has not taken a batch that it has granted "
                        "a credit for");
  sink_->Abort(*ending_);
}

bool StreamSession::finished() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return finished_;
}

void StreamSession::TellOf(ServiceCounts* counts, CallObserver* observer) {
  const std::lock_guard<std::mutex> lock(mu_);
  counts_ = counts;
  observer_ = observer;
}

StreamReport StreamSession::Report() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return ReportLocked();
}

StreamReport StreamSession::ReportLocked() const {
  StreamReport report = report_;
  report.id = id_;
  if (!finished_) {
    const Clock::time_point now = Clock::now();
    report.seconds = Seconds(now - started_);
    if (writing_) report.waited_network += Seconds(now - write_started_);
    if (stream_ == nullptr) report.opening = report.seconds;
    report.waited = Waited();
  }
  if (stream_ != nullptr) {
    report.place = stream_->place();
    report.credits = stream_->credits();
  }
  const UnreadBytes* const unread =
      sink_ != nullptr ? sink_->unread() : nullptr;
  if (unread != nullptr) report.unread_bytes = unread->bytes();
  return report;
}

void StreamSession::GrantLocked(uint32_t credits) {
  if (credits == 0 || finished_) return;
  if (stream_ == nullptr) {
    const uint64_t sum = uint64_t{early_credits_} + credits;
    early_credits_ = static_cast<uint32_t>(std::min<uint64_t>(sum, UINT32_MAX));
    return;
  }
  // A stream that had nothing to do has not been stuck until now.
  if (stream_->credits() == 0) progress_ = Clock::now();
  absl::Status status = stream_->Grant(credits);
  if (!status.ok() && !ending_.has_value()) ending_ = std::move(status);
}

void StreamSession::Pump() {
  if (finished_ || writing_) return;
  if (all_written_.has_value()) return Finish(*all_written_);
  if (ending_.has_value()) return Finish(*ending_);
  if (stream_ == nullptr) return;
  if (!opened_) {
    opened_ = true;
    in_flight_ = {};
    Wrote(sink_->WriteOpened(stream_->facts()));
    return;
  }
  if (rebalancing_ && !End().has_value()) {
    return Finish(batch::Ended{batch::EndReason::kRebalance, stream_->place()});
  }
  WriteReadyBatches();
}

void StreamSession::WriteReadyBatches() {
  std::vector<batch::FinishedBatch> batches;
  SentTotals sent;
  uint64_t gathered = 0;
  uint64_t size = 0;  // of the last one
  do {
    batch::TakeResult taken = stream_->TryTake();
    batch::FinishedBatch* const batch =
        std::get_if<batch::FinishedBatch>(&taken);
    if (batch == nullptr) {
      // Ends and errors stay: they are told again once these are written.
      if (!batches.empty()) break;
      if (const auto* end = std::get_if<batch::Ended>(&taken)) Finish(*end);
      if (const auto* error = std::get_if<absl::Status>(&taken)) Finish(*error);
      return;
    }
    ++sent.batches;
    sent.bytes += batch->byte_size;
    sent.wire_bytes += batch->wire_bytes();
    sent.drawings += batch->rows;
    if (counts_ != nullptr) {
      counts_->BatchMade(batch->queued_seconds, batch->stages);
    }
    batches.push_back(std::move(*batch));
    size = batches.back().wire_bytes();
    gathered += size;
  } while (gathered + size <= kGatherBytes);
  in_flight_ = sent;
  Codec codec = Codec::kNone;
  if (batches.front().rows_form.has_value()) codec = Codec::kStrokes;
  key_in_flight_ = {report_.dataset, is_unix_, codec};
  Wrote(sink_->Write(std::move(batches)));
}

void StreamSession::Wrote(const absl::StatusOr<bool>& accepted) {
  if (!accepted.ok()) return Finish(accepted.status());
  // Where the peer has gone, the transport says so in a call of its own.
  if (stream_ != nullptr) report_.waited += stream_->wait_times() - mark_;
  writing_ = true;
  write_started_ = Clock::now();
  progress_ = write_started_;
}

void StreamSession::EndWrite() {
  writing_ = false;
  progress_ = Clock::now();
  const double seconds = Seconds(progress_ - write_started_);
  report_.waited_network += seconds;
  if (stream_ != nullptr) mark_ = stream_->wait_times();
  const bool lost = peer_gone_ && !all_written_.has_value();
  if (lost || in_flight_.batches == 0) return;
  if (counts_ != nullptr) counts_->Sent(key_in_flight_, in_flight_, seconds);
  report_.batches += in_flight_.batches;
  report_.drawings += in_flight_.drawings;
  report_.bytes += in_flight_.bytes;
  report_.wire_bytes += in_flight_.wire_bytes;
}

batch::WaitTimes StreamSession::Waited() const {
  batch::WaitTimes waited = report_.waited;
  if (!writing_ && stream_ != nullptr) {
    waited += stream_->wait_times() - mark_;
  }
  return waited;
}

void StreamSession::NoteEnd(const absl::Status& status, std::string reason) {
  const Clock::time_point now = Clock::now();
  report_.waited = Waited();
  report_.seconds = Seconds(now - started_);
  if (stream_ == nullptr) report_.opening = report_.seconds;
  if (writing_) report_.waited_network += Seconds(now - write_started_);
  report_.end = status;
  report_.end_reason = std::move(reason);
}

void StreamSession::Finish(const absl::Status& status) {
  if (finished_) return;
  std::string reason = ReasonOf(status);
  if (peer_gone_ && absl::IsCancelled(status)) reason = "CLIENT_GONE";
  NoteEnd(status, reason.empty() ? "ERROR" : std::move(reason));
  finished_ = true;
  StopStream();
  sink_->Finish(status);
}

void StreamSession::Finish(const batch::Ended& end) {
  if (finished_) return;
  NoteEnd(absl::OkStatus(), ReasonText(end.reason));
  finished_ = true;
  StopStream();
  sink_->Finish(end);
}

std::optional<batch::Ended> StreamSession::End() const {
  if (stream_ == nullptr || !opened_) return std::nullopt;
  return stream_->end();
}

void StreamSession::StopStream() {
  if (stream_ != nullptr) stream_->Cancel();
}

}  // namespace inkstream::transport
