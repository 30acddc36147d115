#include "client/cpp/call/queued_call.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/batch/rows_reader.h"

namespace inkstream::client {
namespace {

// Unused buffers that are kept: what a full window takes, and a few more that
// come back while it fills.
constexpr size_t kKeptBuffers = 12;
// Batches, however large: one is read while the other is worked on.
constexpr uint64_t kLeastAhead = 2;

}  // namespace

QueuedCall::QueuedCall(std::shared_ptr<grpc::Channel> channel,
                       const v1::StreamBatchesRequest& first,
                       const QueuedCallOptions& options)
    : channel_(std::move(channel)),
      options_(options),
      first_(first),
      buffers_(kKeptBuffers),
      call_(std::make_shared<StreamCall>(channel_, options.metadata)),
      due_(1 + uint64_t{first.credits()}),
      window_(options.read_ahead),
      progress_(absl::Now()) {
  v1::Delivery* const delivery = first_.mutable_open()->mutable_delivery();
  if (delivery->transport() == v1::TRANSPORT_SHM) {
    reason_ = SharedSlots::WhyNotAt(options.target);
    if (!reason_.empty()) delivery->set_transport(v1::TRANSPORT_GRPC);
  }
  SayWhoDraws(&first_);
  reader_ = std::thread([this] { Run(); });
}

QueuedCall::~QueuedCall() {
  Cancel();
  reader_.join();
}

absl::StatusOr<std::optional<QueuedCall::Event>> QueuedCall::Next(
    absl::Duration wait, Rest* rest) {
  const absl::Time until = absl::Now() + wait;
  uint32_t room = 0;
  {
    MutexLock lock(&mutex_);
    room = Room();
  }
  if (room > 0) Grant(room);
  std::optional<Event> event;
  {
    MutexLock lock(&mutex_);
    if (!WaitForEvent(until)) return event;
    if (queue_.empty()) return *done_;
    // Not behind the first event: whoever only asks what it says reads no more.
    const bool grants = taken_;
    event = TakeEvent();
    if (rest != nullptr) *rest = {queue_.size(), done_.has_value()};
    room = grants ? Room() : 0;
  }
  if (room > 0) Grant(room);
  return event;
}

bool QueuedCall::WaitForEvent(absl::Time until) {
  const auto ready = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !queue_.empty() || done_.has_value();
  };
  // A server that owes nothing may be silent for ever: what is owed changes
  // while this waits, so it looks again now and then.
  const absl::Duration look =
      std::clamp(options_.stall / 4, absl::Milliseconds(10), absl::Seconds(1));
  while (
      !mutex_.AwaitWithDeadline(ready, std::min(until, absl::Now() + look))) {
    if (due_ > 0 && absl::Now() - progress_ > options_.stall) {
      stalled_ = true;
      done_ = absl::DeadlineExceededError(
          absl::StrCat("no answer for ", absl::FormatDuration(options_.stall)));
      call_->Cancel();
    } else if (absl::Now() >= until) {
      return false;
    }
  }
  return true;
}

QueuedCall::Event QueuedCall::TakeEvent() {
  Event event = std::move(queue_.front());
  queue_.pop_front();
  if (const auto* opened = std::get_if<v1::StreamOpened>(&event)) {
    taken_ = true;
    if (opened->credit_window() > 0) {
      window_ = std::min(window_, opened->credit_window());
    }
  }
  return event;
}

size_t QueuedCall::queued() const {
  MutexLock lock(&mutex_);
  return std::count_if(queue_.begin(), queue_.end(), [](const Event& event) {
    return std::holds_alternative<ReceivedBatch>(event);
  });
}

uint32_t QueuedCall::Room() const {
  const uint64_t held = queue_.size() + due_;
  if (!taken_ || done_.has_value() || held >= window_) return 0;
  const auto room = static_cast<uint32_t>(window_ - held);
  return 2 * room >= window_ || due_ == 0 ? room : 0;
}

void QueuedCall::Grant(uint32_t credits) {
  {
    MutexLock lock(&mutex_);
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
  request.set_credits(credits);
  // Where this fails, so does the read, which learns why.
  call()->Write(request);
}

std::shared_ptr<StreamCall> QueuedCall::call() const {
  MutexLock lock(&mutex_);
  return call_;
}

void QueuedCall::Open() {
  call()->Write(first_);
  uint32_t early = 0;
  {
    MutexLock lock(&mutex_);
    opening_sent_ = true;
    early = early_credits_;
  }
  if (early > 0) WriteCredits(early);
}

void QueuedCall::Cancel() {
  // Batches may have something to say as they go: not under the lock.
  std::deque<Event> dropped;
  MutexLock lock(&mutex_);
  cancelled_ = true;
  dropped.swap(queue_);
  if (!done_.has_value()) {
    done_ = absl::CancelledError("the stream was cancelled by its reader");
  }
  call_->Cancel();
}

bool QueuedCall::cancelled() const {
  MutexLock lock(&mutex_);
  return cancelled_;
}

bool QueuedCall::stalled() const {
  MutexLock lock(&mutex_);
  return stalled_;
}

bool QueuedCall::broken() const {
  MutexLock lock(&mutex_);
  return broken_;
}

bool QueuedCall::failed() const {
  MutexLock lock(&mutex_);
  return failed_;
}

void QueuedCall::Run() noexcept {
  try {
    ReadUntilDone();
  } catch (const std::exception& error) {
    MutexLock lock(&mutex_);
    failed_ = !done_.has_value();
    if (failed_) done_ = absl::ResourceExhaustedError(error.what());
    call_->Cancel();
  }
}

void QueuedCall::ReadUntilDone() {
  bool broken = false;
  absl::Status status = ReadOneCall(&reason_, &broken);
  if (!status.ok() && !reason_.empty() &&
      first_.open().delivery().transport() == v1::TRANSPORT_SHM) {
    first_.mutable_open()->mutable_delivery()->set_transport(
        v1::TRANSPORT_GRPC);
    {
      MutexLock lock(&mutex_);
      // What was granted before the first batch counts for the new call.
      early_credits_ = static_cast<uint32_t>(due_ - 1) - first_.credits();
      opening_sent_ = false;
      call_ = std::make_shared<StreamCall>(channel_, options_.metadata);
      if (done_.has_value()) call_->Cancel();
    }
    status = ReadOneCall(&reason_, &broken);
  }
  if (status.ok()) status = absl::OutOfRangeError("the stream has ended");
  EndWith(std::move(status), broken);
}

absl::Status QueuedCall::ReadOneCall(std::string* shm_failure, bool* broken) {
  Open();
  CallReader reader(call(), options_.target, first_, &buffers_,
                    options_.max_batch_bytes, options_.own_memory);
  for (;;) {
    absl::StatusOr<std::optional<CallEvent>> event = reader.Read();
    if (!event.ok()) {
      *broken = reader.broken();
      if (!reader.shm_failure().empty()) *shm_failure = reader.shm_failure();
      return event.status();
    }
    if (!event->has_value()) return absl::OkStatus();
    if (auto* opened = std::get_if<v1::StreamOpened>(&**event);
        opened != nullptr && opened->transport_reason().empty()) {
      opened->set_transport_reason(reason_);
    }
    Queue(**std::move(event));
  }
}

void QueuedCall::Queue(CallEvent event) {
  MutexLock lock(&mutex_);
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
    for (ReceivedBatch& batch : batches) {
      const uint64_t size = std::max<uint64_t>(1, batch.header.byte_size());
      if (options_.read_ahead_bytes > 0) {
        window_ = static_cast<uint32_t>(std::min<uint64_t>(
            window_, std::max(kLeastAhead, options_.read_ahead_bytes / size)));
      }
      queue_.emplace_back(std::move(batch));
    }
  }
}

void QueuedCall::EndWith(absl::Status status, bool broken) {
  MutexLock lock(&mutex_);
  if (done_.has_value()) return;
  done_ = std::move(status);
  broken_ = broken;
}

}  // namespace inkstream::client
