#include "client/cpp/queued_call.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace inkstream::client {
namespace {

// Unused buffers that are kept: what a full window takes, and a few more that
// come back while it fills.
constexpr size_t kKeptBuffers = 12;

}  // namespace

QueuedCall::QueuedCall(std::shared_ptr<grpc::Channel> channel,
                       const v1::StreamBatchesRequest& first,
                       const QueuedCallOptions& options)
    : first_(first),
      options_(options),
      call_(std::make_shared<StreamCall>(std::move(channel), options.metadata)),
      buffers_(kKeptBuffers),
      due_(1 + uint64_t{first.credits()}),
      progress_(absl::Now()),
      reader_([this] { ReadUntilDone(); }) {}

QueuedCall::~QueuedCall() {
  Cancel();
  reader_.join();
}

absl::StatusOr<QueuedCall::Event> QueuedCall::Next() {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !queue_.empty() || done_.has_value();
  };
  // A server that owes nothing may be silent for ever: what is owed changes
  // while this waits, so it looks again now and then.
  while (!mutex_.AwaitWithTimeout(
      absl::Condition(&ready),
      std::clamp(options_.stall / 4, absl::Milliseconds(10),
                 absl::Seconds(1)))) {
    if (due_ > 0 && absl::Now() - progress_ > options_.stall) {
      stalled_ = true;
      done_ = absl::DeadlineExceededError(
          absl::StrCat("no answer for ", absl::FormatDuration(options_.stall)));
      call_->Cancel();
    }
  }
  if (queue_.empty()) return *done_;
  Event event = std::move(queue_.front());
  queue_.pop_front();
  return event;
}

void QueuedCall::Grant(uint32_t credits) {
  {
    absl::MutexLock lock(&mutex_);
    if (due_ == 0) progress_ = absl::Now();
    due_ += credits;
    // Nothing may overtake the request that opens.
    if (!opening_sent_) {
      early_credits_ += credits;
      return;
    }
  }
  WriteCredits(credits);
}

void QueuedCall::WriteCredits(uint32_t credits) {
  v1::StreamBatchesRequest request;
  request.set_dataset(first_.dataset());
  request.set_credits(credits);
  // Where this fails, so does the read, which learns why.
  call_->Write(request);
}

void QueuedCall::Open() {
  call_->Write(first_);
  uint32_t early = 0;
  {
    absl::MutexLock lock(&mutex_);
    opening_sent_ = true;
    early = early_credits_;
  }
  if (early > 0) WriteCredits(early);
}

void QueuedCall::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  queue_.clear();
  if (!done_.has_value()) {
    done_ = absl::CancelledError("the stream was cancelled by its reader");
  }
  call_->Cancel();
}

bool QueuedCall::cancelled() const {
  absl::MutexLock lock(&mutex_);
  return cancelled_;
}

bool QueuedCall::stalled() const {
  absl::MutexLock lock(&mutex_);
  return stalled_;
}

bool QueuedCall::broken() const {
  absl::MutexLock lock(&mutex_);
  return broken_;
}

void QueuedCall::ReadUntilDone() {
  Open();
  CallReader reader(call_, &buffers_, options_.max_batch_bytes);
  for (;;) {
    absl::StatusOr<std::optional<CallEvent>> event = reader.Read();
    if (!event.ok()) return EndWith(event.status(), reader.broken());
    if (!event->has_value()) {
      return EndWith(absl::OutOfRangeError("the stream has ended"), false);
    }
    Queue(**std::move(event));
  }
}

void QueuedCall::Queue(CallEvent event) {
  absl::MutexLock lock(&mutex_);
  progress_ = absl::Now();
  if (done_.has_value()) return;
  if (auto* opened = std::get_if<v1::StreamOpened>(&event)) {
    --due_;
    queue_.emplace_back(std::move(*opened));
  } else if (auto* end = std::get_if<v1::StreamEnd>(&event)) {
    queue_.emplace_back(std::move(*end));
  } else {
    auto& batches = std::get<std::vector<ReceivedBatch>>(event);
    if (batches.size() > due_) {
      broken_ = true;
      done_ = absl::InternalError(
          "the server broke the protocol: more batches than were granted");
      call_->Cancel();
      return;
    }
    due_ -= batches.size();
    for (ReceivedBatch& batch : batches) queue_.emplace_back(std::move(batch));
  }
}

void QueuedCall::EndWith(absl::Status status, bool broken) {
  absl::MutexLock lock(&mutex_);
  if (done_.has_value()) return;
  done_ = std::move(status);
  broken_ = broken;
}

}  // namespace inkstream::client
