// One FetchDrawings call. Whoever waits for it reads the connection itself: no
// other thread has to wake up on the way.
//
// Thread safety: for one thread, except Cancel().
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/batch/rows_to_draw.h"
#include "client/cpp/moment.h"
#include "inkstream/v1/service.pb.h"

namespace inkstream::client {

class FetchCall {
 public:
  // Begins the call, which ends at `deadline` at the latest. `target`: of the
  // channel, for texts. `threads`: that draw. `buffers` must outlive it, not
  // its batch.
  FetchCall(std::shared_ptr<grpc::Channel> channel, std::string target,
            const v1::FetchDrawingsRequest& request,
            std::chrono::system_clock::time_point deadline,
            BatchBuffers* buffers, uint64_t max_batch_bytes, int threads);
  FetchCall(const FetchCall&) = delete;
  FetchCall& operator=(const FetchCall&) = delete;
  // Cancels and waits for the end, which is at hand then.
  ~FetchCall();

  // Blocks until the call is over, no longer than `within`. Whether it is.
  bool Wait(absl::Duration within);

  void Cancel() { context_.TryCancel(); }

  // The rest REQUIRES that the call is over.

  // The server's status, or what is wrong with its answer. OK: there is a
  // batch.
  const absl::Status& status() const { return status_; }
  ReceivedBatch Take() { return std::move(batches_.front()); }
  // What the server said before it.
  const v1::StreamOpened& opened() const { return opened_; }
  // Set where that comes as rows.
  const std::shared_ptr<AgreedRows>& rows() const { return rows_; }

 private:
  enum class Step : uint8_t { kStarting, kReading, kFinishing, kOver };

  void Advance(bool ok);
  absl::Status Add(grpc::ByteBuffer* message);
  void End();

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string target_;
  const absl::StatusOr<engine::AskedBatches> asked_;
  const int threads_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReader<grpc::ByteBuffer>> reader_;
  grpc::ByteBuffer message_;
  grpc::Status told_;
  Step step_ = Step::kStarting;
  engine::BatchAssembler assembler_;
  v1::StreamOpened opened_;
  std::shared_ptr<AgreedRows> rows_;
  std::vector<ReceivedBatch> batches_;
  absl::Status status_;
};

}  // namespace inkstream::client
