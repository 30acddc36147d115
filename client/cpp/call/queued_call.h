// One StreamBatches call, read ahead by a thread of its own: what the C
// interface gives out. Opening anew after an error is the caller's.
//
// Where the server's shared memory cannot be had, the same stream is opened
// without it, and `transport_reason` of the first event says why.
//
// What is ahead is bounded by the credits that the caller grants; a server that
// sends more breaks the protocol.
//
// Thread safety: Next() from one thread at a time; the rest from any.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/received_batch.h"
#include "client/cpp/call/call_reader.h"
#include "client/cpp/call/stream_call.h"
#include "client/cpp/mutex.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

struct QueuedCallOptions {
  std::string target;  // of the channel
  CallMetadata metadata;
  // Without a message for this long, while one is due, the call has stalled.
  absl::Duration stall = absl::Seconds(60);
  // Refused before anything is allocated.
  uint64_t max_batch_bytes = 1ULL << 30U;
  // Batches that Next() lets the server be ahead, once the first event was
  // taken. 0: whoever calls Grant() does.
  uint32_t read_ahead = 0;
  // Fewer, but two, where that is more than these bytes; 0: no limit.
  uint64_t read_ahead_bytes = 0;
  // Batches never lie in memory that is shared with the server.
  bool own_memory = false;
};

class QueuedCall {
 public:
  using Event = std::variant<v1::StreamOpened, ReceivedBatch, v1::StreamEnd>;

  // Throws std::system_error where no thread can be had.
  QueuedCall(std::shared_ptr<grpc::Channel> channel,
             const v1::StreamBatchesRequest& first,
             const QueuedCallOptions& options);
  // Cancels, waits for the thread.
  ~QueuedCall();

  // What is behind an event.
  struct Rest {
    size_t queued = 0;
    bool over = false;  // nothing but an error comes behind these
  };

  // Blocks for at most `wait`; nothing: that was too short. Events come in
  // order; the error that ended the call comes behind everything that was
  // received.
  absl::StatusOr<std::optional<Event>> Next(absl::Duration wait,
                                            Rest* rest = nullptr);

  // Batches that wait to be taken.
  size_t queued() const;

  // The server may send that many further batches.
  void Grant(uint32_t credits);

  // Ends the call at once and drops what is queued. Idempotent.
  void Cancel();

  // Why Next() gave an error, where the server did not tell it.
  bool cancelled() const;
  bool stalled() const;
  bool broken() const;  // the server's messages break the protocol
  bool failed() const;  // this process had no memory for what came

 private:
  // On a thread of its own, where nothing may be thrown.
  void Run() noexcept;
  void ReadUntilDone();
  // OK: the call ended well. `shm_failure`: it must do without
  // shared memory, and why.
  absl::Status ReadOneCall(std::string* shm_failure, bool* broken);
  void Open();
  std::shared_ptr<StreamCall> call() const;
  void WriteCredits(uint32_t credits);
  // What Next() may grant now, in halves of the window.
  uint32_t Room() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Until something is queued or the call is over, or until `until`.
  bool WaitForEvent(absl::Time until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Event TakeEvent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Queue(CallEvent event);
  void EndWith(absl::Status status, bool broken);

  const std::shared_ptr<grpc::Channel> channel_;
  const QueuedCallOptions options_;
  v1::StreamBatchesRequest first_;  // of the thread, once that runs
  std::string reason_;              // why not by shared memory; of the thread
  BatchBuffers buffers_;

  mutable Mutex mutex_;
  std::shared_ptr<StreamCall> call_ ABSL_GUARDED_BY(mutex_);
  std::deque<Event> queue_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> done_ ABSL_GUARDED_BY(mutex_);
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  // Messages that the server owes: the first part, then batches.
  uint64_t due_ ABSL_GUARDED_BY(mutex_) = 1;
  bool opening_sent_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t early_credits_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t window_ ABSL_GUARDED_BY(mutex_);
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;  // the first event
  absl::Time progress_ ABSL_GUARDED_BY(mutex_);

  std::thread reader_;  // last: it uses everything above
};

}  // namespace inkstream::client
