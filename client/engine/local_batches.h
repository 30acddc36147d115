// A stream of an engine in this process.
//
// Thread safety: as LocalStream.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/engine/local_stream.h"
#include "inkstream/plan.h"
#include "server/batch/engine.h"

namespace inkstream::engine {

class LocalBatches : public LocalStream {
 public:
  // `owner`: of the engine; kept. `id`: what GetStatus calls the stream.
  static absl::StatusOr<std::shared_ptr<LocalBatches>> Open(
      std::shared_ptr<void> owner, batch::Engine* engine, uint64_t id,
      const v1::StreamBatchesRequest& request);
  ~LocalBatches() override { End(); }

  const std::string& opened() const override { return opened_; }
  absl::Status Offer(uint64_t token, void* memory, size_t size) override;
  absl::StatusOr<NextResult> TryNext() override;
  void Cancel() override { End(); }
  // As GetStatus lists it.
  v1::StreamStatus Report() const;

 private:
  void End();
  LocalBatches(std::shared_ptr<void> owner, uint32_t most_ahead)
      : LocalStream(/*batch_bytes=*/0, most_ahead), owner_(std::move(owner)) {}

  const std::shared_ptr<void> owner_;
  v1::StreamStatus status_;  // what of it does not change
  std::string opened_;
  const std::chrono::steady_clock::time_point since_ =
      std::chrono::steady_clock::now();
  std::atomic<uint64_t> batches_{0};  // taken
  std::atomic<uint64_t> drawings_{0};
  std::atomic<uint64_t> bytes_{0};
  std::shared_ptr<batch::BatchStream> stream_;
};

}  // namespace inkstream::engine
