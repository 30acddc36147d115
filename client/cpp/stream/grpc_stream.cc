#include "client/cpp/stream/grpc_stream.h"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cpp/batch/drawing_threads.h"
#include "client/cpp/messages/earlier_servers.h"
#include "client/cpp/messages/from_proto.h"
#include "client/cpp/messages/to_proto.h"
#include "client/cpp/moment.h"

namespace inkstream::client {
namespace {

// Batches that are drawn ahead: two, which stay in the caches, or as many small
// ones as these bytes hold.
constexpr size_t kLeastDrawn = 2;
constexpr uint64_t kDrawnBytes = 1U << 20U;

}  // namespace

template <typename Ready>
bool GrpcStream::Await(std::unique_lock<std::mutex>* lock, const Ready& ready,
                       Moment deadline) {
  while (!ready()) {
    // At most a day at once: beyond some centuries clocks overflow.
    const absl::Duration left = deadline - Moment::Now();
    if (left <= absl::ZeroDuration()) return false;
    bell_->changed.wait_for(
        *lock, absl::ToChronoMicroseconds(std::min(left, absl::Hours(24)) +
                                          absl::Microseconds(1)));
  }
  return true;
}

absl::StatusOr<std::unique_ptr<inkstream::Stream>> GrpcStream::Open(
    std::shared_ptr<Endpoints> endpoints,
    std::shared_ptr<const KeySetCache> keys, const ClientOptions& options,
    const Plan& plan) {
  if (absl::Status status = CheckPlan(plan); !status.ok()) {
    return status;
  }
  std::unique_ptr<GrpcStream> stream;
  try {
    stream.reset(
        new GrpcStream(std::move(endpoints), std::move(keys), options, plan));
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no thread for a stream: ", error.what()));
  }
  absl::Status status;
  {
    std::unique_lock<std::mutex> lock(stream->mutex_);
    const auto settled = [&stream]() {
      return stream->accepted_ || stream->done_.has_value();
    };
    // An even share for each target: one that hangs does not hide the others.
    const Moment deadline = Moment::Now() + options.call_timeout;
    const absl::Duration share =
        options.call_timeout /
        static_cast<int64_t>(stream->endpoints_->tries());
    bool answered = false;
    for (;;) {
      answered = stream->Await(&lock, settled,
                               std::min(deadline, Moment::Now() + share));
      if (answered || Moment::Now() >= deadline) break;
      stream->GiveUpCall();
    }
    if (!answered) {
      status = absl::DeadlineExceededError(absl::StrCat(
          stream->endpoints_->target(), " did not answer the opening of a ",
          "stream within ", absl::FormatDuration(options.call_timeout)));
    } else if (!stream->accepted_) {
      status = stream->done_->ok()
                   ? engine::BrokenProtocol("a stream without its first part")
                   : *stream->done_;
    }
  }
  if (!status.ok()) {
    return status;
  }
  return stream;
}

GrpcStream::GrpcStream(std::shared_ptr<Endpoints> endpoints,
                       std::shared_ptr<const KeySetCache> keys,
                       const ClientOptions& options, const Plan& plan)
    : endpoints_(std::move(endpoints)),
      keys_(std::move(keys)),
      options_(options),
      resume_point_(plan),
      sets_(SetsOf(plan)),
      passed_over_(PassedOver(plan.order.sampling.kind, plan.delivery.strokes)),
      // The queue's, one being filled, one in the reader's hands.
      buffers_(std::max(options.read_ahead, kTensorsAhead) + 2),
      retry_(options.failover_timeout, endpoints_->size(),
             !options.security.token_file.empty()),
      batches_(
          [this](uint64_t bytes,
                 size_t ahead) -> absl::StatusOr<std::shared_ptr<uint8_t>> {
            if (ahead >= kLeastDrawn && (ahead + 1) * bytes > kDrawnBytes) {
              return nullptr;
            }
            return buffers_.Acquire(bytes);
          },
          [this](engine::ReceivedBatch* batch) { return OnBatch(batch); },
          [bell = bell_] {
            // Whoever looked before the batch was done waits by now.
            { const std::lock_guard<std::mutex> lock(bell->mutex); }
            bell->changed.notify_all();
          },
          DrawingThreads(options.drawing_threads)),
      progress_(Moment::Now()),
      reader_([this] { Run(); }) {}

GrpcStream::~GrpcStream() {
  Cancel();
  reader_.join();
}

Cursor GrpcStream::cursor() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return cursor_;
}

void GrpcStream::Cancel() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    EndWith(absl::CancelledError("the stream was cancelled by its reader"));
  }
  batches_.Drop();
}

absl::Status GrpcStream::NoThread(const std::system_error& error) {
  return absl::ResourceExhaustedError(
      absl::StrCat("no thread to draw with: ", error.what()));
}

absl::Status GrpcStream::Fail(absl::Status status) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (done_.has_value() && done_->ok()) done_.reset();
    EndWith(std::move(status));
    status = *done_;
  }
  batches_.Drop();
  return status;
}

void GrpcStream::EndWith(absl::Status status) {
  if (!done_.has_value()) {
    done_ = std::move(status);
  }
  bell_->changed.notify_all();
  if (call_ != nullptr) {
    call_->Cancel();
  }
}

void GrpcStream::GiveUpCall() {
  stalled_ = true;
  progress_ = Moment::Now();
  if (call_ != nullptr) {
    call_->Cancel();
  }
}

absl::StatusOr<std::optional<Batch>> GrpcStream::Next() {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const Moment began = Moment::Now();
    // The time that the reader spent elsewhere is not the server's.
    progress_ = std::max(progress_, began);
    const auto ready = [this]() {
      return batches_.empty() ? done_.has_value() : batches_.ready();
    };
    while (!Await(&lock, ready, progress_ + options_.stall_timeout)) {
      if (Moment::Now() < progress_ + options_.stall_timeout) continue;
      if (batches_.empty()) {
        GiveUpCall();
      } else {
        progress_ = Moment::Now();  // it is drawn here, however long that takes
      }
    }
    counts_.waited += absl::ToDoubleSeconds(Moment::Now() - began);
    if (batches_.empty()) {
      if (!done_->ok()) {
        return *done_;
      }
      cursor_ = end_cursor_;
      return std::nullopt;
    }
  }
  absl::StatusOr<engine::ReceivedBatch> taken = TakeFirst();
  // No other server could draw it, and what is behind it is not wanted.
  if (!taken.ok()) return Fail(taken.status());
  const uint64_t wire_bytes = taken->wire_bytes;
  Batch::Content content = ContentOf(*std::move(taken), vocabulary_);
  // Sent once a stream; a cursor that is kept should be able to explain itself.
  content.cursor->order_plan = info_.start.order_plan;
  std::shared_ptr<RawCall> call;
  uint32_t credits = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    --queued_;
    credits = TakeGrant();
    call = call_;
    cursor_ = *content.cursor;
    ++counts_.batches;
    counts_.bytes += content.byte_size;
    counts_.wire_bytes += wire_bytes;
  }
  // A failure here means that the call is over; the reading thread learns why
  // and acts on it.
  if (credits > 0) Grant(credits, call.get());
  return Batch(std::move(content));
}

absl::StatusOr<engine::ReceivedBatch> GrpcStream::TakeFirst() {
  try {
    absl::StatusOr<engine::ServedBatches::Taken> taken = batches_.Take();
    if (!taken.ok()) return taken.status();
    return std::get<engine::ReceivedBatch>(*std::move(taken));
  } catch (const std::system_error& error) {
    return NoThread(error);
  }
}

void GrpcStream::Grant(uint32_t credits, RawCall* call) {
  v1::StreamBatchesRequest request;
  request.set_credits(credits);
  call->Write(request);
}

uint32_t GrpcStream::TakeGrant() {
  const uint32_t held = credit_ + queued_;
  if (!open_ || done_.has_value() || held >= window_) {
    return 0;
  }
  const uint32_t room = window_ - held;
  if (room < (window_ + 1) / 2) {
    return 0;
  }
  credit_ += room;
  return room;
}

bool GrpcStream::Pause(absl::Duration delay) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto done = [this]() { return done_.has_value(); };
  return !Await(&lock, done, Moment::Now() + delay);
}

}  // namespace inkstream::client
