// A stream that a server sends, or the one batch that it answers a fetch with:
// messages in, batches out. Who has the network feeds it.
//
// What is fed is bounded by the credits that the feeder grants, and drawn as
// far as memory is offered; the rows of a batch, a hundredth of it, wait.
//
// Thread safety: Feed() and Finish() from one thread at a time, otherwise as
// LocalStream.
#pragma once

#include <inkstream/v1/service.pb.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/engine/local_stream.h"
#include "client/engine/served_batches.h"

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
  // Errors are ServedBatches'. REQUIRES: AtWork, here and for the end of the
  // stream.
  static absl::StatusOr<std::shared_ptr<LocalStream>> Open(
      const FedStreamOptions& options);
  ~FedStream() override;

  const std::string& opened() const override { return opened_; }
  absl::StatusOr<uint32_t> Feed(absl::Span<const uint8_t> message) override;
  void Finish() override { batches_.Finish(); }
  absl::Status Offer(uint64_t token, void* memory, size_t size) override;
  absl::StatusOr<NextResult> TryNext() override;
  void Cancel() override;

 private:
  FedStream(uint64_t batch_bytes, uint32_t most_ahead, int threads);

  // Null: none is offered for the next batch.
  std::shared_ptr<uint8_t> OfferedNow();
  NextResult Given(const ReceivedBatch& batch);

  std::string opened_;
  std::string last_rest_;  // of the header that was told last, by TryNext()
  ServedBatches batches_;
};

}  // namespace inkstream::engine
