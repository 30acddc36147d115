// A stream that a server sends, or the one batch that it answers a fetch with:
// messages in, batches out. Who has the network feeds it.
//
// What is fed is bounded by the credits that the feeder grants, and drawn as
// far as memory is offered; the rows of a batch, a hundredth of it, wait. The
// batch of a fetch is drawn by the thread that takes it.
//
// Thread safety: Feed() and Finish() from one thread at a time, otherwise as
// LocalStream.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/engine/batch_assembler.h"
#include "client/engine/drawing_queue.h"
#include "client/engine/local_stream.h"
#include "client/engine/part_view.h"
#include "client/engine/rows_plan.h"

namespace inkstream::engine {

struct FedStreamOptions {
  bool fetch = false;
  // StreamBatchesRequest that opened it, or FetchDrawingsRequest.
  absl::Span<const uint8_t> request;
  absl::Span<const uint8_t> first;  // what came first: the part with `opened`
  std::string whence;               // the server, for texts
  int threads = 1;                  // that draw, of the whole process
};

class FedStream : public LocalStream {
 public:
  // Errors are RowsPlan's and ReadPart's. REQUIRES: AtWork, here and for the
  // end of the stream.
  static absl::StatusOr<std::shared_ptr<LocalStream>> Open(
      const FedStreamOptions& options);
  ~FedStream() override;

  const std::string& opened() const override { return opened_; }
  absl::StatusOr<uint32_t> Feed(absl::Span<const uint8_t> message) override;
  void Finish() override;
  absl::Status Offer(uint64_t token, void* memory, size_t size) override;
  absl::StatusOr<NextResult> TryNext() override;
  void Cancel() override { End(); }

 private:
  // A batch until it is taken.
  struct Received : ReceivedBatch {
    std::shared_ptr<RowsWork> work;  // rows that are drawn, or will be
  };

  FedStream(uint64_t batch_bytes, uint32_t most_ahead, bool one)
      : LocalStream(batch_bytes, most_ahead),
        one_(one),
        queue_(std::make_shared<DrawingQueue>(
            [signal = signal_] { signal->Set(); })),
        assembler_([this](uint64_t /*bytes*/) { return MemoryNow(); },
                   batch_bytes) {}

  absl::StatusOr<uint32_t> Add(const PartView& part);
  // With feed_mu_ held, and mu_ not. Null: there is none for the next batch.
  std::shared_ptr<uint8_t> MemoryNow();
  absl::Status Take(ReceivedBatch batch);
  // With mu_ held: gives memory to the batches that wait for it.
  void UseMemory();
  // Of a fetch, once it has come as rows.
  void DrawHere();
  absl::StatusOr<NextResult> Given(Received batch);
  void End();

  const bool one_;  // batch comes, of a fetch
  const std::shared_ptr<DrawingQueue> queue_;
  std::string opened_;
  std::shared_ptr<const RowsPlan> plan_;  // null: batches do not come as rows
  std::shared_ptr<TurnPool> pool_;        // likewise

  // By TryNext() alone.
  DamageCount damage_;
  std::unique_ptr<v1::BatchHeader> last_;  // that was told

  std::mutex feed_mu_;  // guards what is between messages; before mu_
  BatchAssembler assembler_;

  std::mutex mu_;                 // guards everything below
  std::deque<Received> batches_;  // whole ones, in order
  size_t with_memory_ = 0;        // of them, the first
  bool cancelled_ = false;
  bool finished_ = false;
  std::optional<std::string> ended_;  // StreamEnd, serialised
  absl::Status failed_;               // what was wrong with the messages
};

}  // namespace inkstream::engine
