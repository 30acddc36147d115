// A stream of batches over gRPC.
//
// A thread of its own reads with gRPC's blocking calls, which carry about twice
// what its callbacks do, and queues whole batches for Next(). The server may
// send as many as the queue has room for: queue + credit <= window at any time.
// Those that come as rows, a hundredth of what they become, are queued so, and
// the next few are drawn by other threads. A server that goes away is replaced
// at the cursor of the last batch queued.
//
// Batches are numbered and counted here, and made, queued and drawn by the
// engine's room.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/call/endpoints.h"
#include "client/cpp/call/raw_call.h"
#include "client/cpp/moment.h"
#include "client/cpp/stream/key_set_cache.h"
#include "client/cpp/stream/resume_point.h"
#include "client/cpp/stream/retry_policy.h"
#include "client/engine/served_batches.h"
#include "inkstream/client.h"

namespace inkstream::client {

// Batches of tensors that are held, unless a user says how many.
inline constexpr uint32_t kTensorsAhead = 8;

class GrpcStream final : public inkstream::Stream {
 public:
  // Blocks until the server has accepted or refused the plan.
  static absl::StatusOr<std::unique_ptr<inkstream::Stream>> Open(
      std::shared_ptr<Endpoints> endpoints,
      std::shared_ptr<const KeySetCache> keys, const ClientOptions& options,
      const Plan& plan);

  ~GrpcStream() override;
  const StreamInfo& info() const override { return info_; }
  absl::StatusOr<std::optional<Batch>> Next() override;
  Cursor cursor() const override;
  void Cancel() override;
  StreamStats stats() const override;

 private:
  GrpcStream(std::shared_ptr<Endpoints> endpoints,
             std::shared_ptr<const KeySetCache> keys,
             const ClientOptions& options, const Plan& plan);

  // The stream's lock, which is taken before those of batches_, and what is
  // rung when something changes that is waited for. Those who draw hold it, and
  // never the stream.
  struct Bell {
    std::mutex mutex;
    std::condition_variable changed;
  };

  // On the reading thread, where nothing may be thrown.
  void Run() noexcept;
  void ReadUntilDone();
  absl::Status WhyBroken(absl::Status status);
  void TurnAway();
  // `why_no_rows`: set, the server is to draw whatever the plan says.
  absl::Status ReadOneCall(const std::string& why_no_rows = "");
  absl::Status OnPart(absl::StatusOr<engine::PartView>* part, RawCall* call);
  absl::Status OnOpened(const v1::StreamOpened& opened, RawCall* call);
  absl::Status CheckSame(const v1::StreamOpened& opened) const;
  absl::Status OnBatch(engine::ReceivedBatch* batch);
  // Batches that may be ahead, whatever their size.
  uint32_t MostAhead(bool rows) const;
  // Batches like that one that may be ahead.
  uint32_t Fitting(const engine::ReceivedBatch& batch) const;
  // Waits, with `lock` given up meanwhile, until `ready()`. Returns it.
  template <typename Ready>
  bool Await(std::unique_lock<std::mutex>* lock, const Ready& ready,
             Moment deadline);
  // Waits; false: the stream was cancelled meanwhile.
  bool Pause(absl::Duration delay);

  // The first batch, which is ready.
  absl::StatusOr<engine::ReceivedBatch> TakeFirst();
  // Ends it before the batches that wait, and says why it has ended.
  absl::Status Fail(absl::Status status);
  static absl::Status NoThread(const std::system_error& error);
  static void Grant(uint32_t credits, RawCall* call);
  // All of these with mutex_ held.
  // Takes what may be granted now; 0: not worth a message yet.
  uint32_t TakeGrant();
  void EndWith(absl::Status status);
  // The server counts as gone; the reading thread goes on elsewhere.
  void GiveUpCall();

  const std::shared_ptr<Endpoints> endpoints_;
  const std::shared_ptr<const KeySetCache> keys_;
  const ClientOptions options_;

  // Of the reading thread.
  ResumePoint resume_point_;
  const std::vector<std::string> sets_;  // of the plan
  const absl::string_view passed_over_;  // of it, by earlier servers
  std::shared_ptr<grpc::Channel> told_;  // has been sent their key sets
  BatchBuffers buffers_;
  RetryPolicy retry_;
  std::optional<v1::StreamEnd> end_part_;  // of the current call
  uint64_t received_ = 0;                  // batches, over all calls
  bool moved_ = false;                     // batches came on the current call
  std::string codec_reason_;  // why it has no rows, though they were asked for

  // Written before Open() returns, then constant.
  StreamInfo info_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  engine::ServedBatches batches_;

  std::mutex& mutex_ = bell_->mutex;  // guards everything below
  // Set: nothing more will be queued. OK: the stream ended well.
  std::optional<absl::Status> done_;
  std::shared_ptr<RawCall> call_;
  bool accepted_ = false;  // once, by some server
  bool open_ = false;      // the current call is
  uint32_t window_ = 1;
  uint32_t credit_ = 0;  // batches that may still come
  uint32_t queued_ = 0;  // that came, and were not taken
  Moment progress_;
  bool stalled_ = false;    // the current call was
  uint64_t stream_id_ = 0;  // of the current call
  StreamStats counts_;
  const Moment started_ = Moment::Now();
  Cursor cursor_;
  Cursor end_cursor_;

  std::thread reader_;  // last: it uses everything above
};

}  // namespace inkstream::client
